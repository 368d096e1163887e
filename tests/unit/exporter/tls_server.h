// SPDX-License-Identifier: Apache-2.0
/*
 * An HTTPS collector in a process of its own: OpenSSL of this one belongs to
 * the exporter.
 */
#ifndef AT_TESTS_TLS_SERVER_H
#define AT_TESTS_TLS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct tls_server {
	pid_t pid;
	int port;
	int stop_fd;          /* the server ends when this is closed */
	char dir[32];         /* holds: */
	char certificate[64]; /* its own, self-signed, for 127.0.0.1 */
	char key[64];
};

/*
 * Answers every POST with 200. With `mutual` it wants a client certificate,
 * and trusts its own. To be started before anything else uses OpenSSL.
 */
void tls_server_start(struct tls_server *server, bool mutual);
void tls_server_stop(struct tls_server *server);

#endif
