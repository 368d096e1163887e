// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/exporter/tls_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void require(bool good)
{
	if (!good)
		_exit(2);
}

static X509 *self_signed(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	X509_EXTENSION *address = X509V3_EXT_conf_nid(
		NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				   (const unsigned char *)"collector", -1, -1,
				   0);
	X509_set_issuer_name(certificate, name);
	X509_add_ext(certificate, address, -1);
	require(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

static SSL_CTX *context_of(const struct tls_server *server, bool mutual)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = self_signed(key);
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	FILE *file = fopen(server->certificate, "we");

	require(file && PEM_write_X509(file, certificate));
	fclose(file);
	file = fopen(server->key, "we");
	require(file &&
		PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
	fclose(file);
	require(SSL_CTX_use_certificate(context, certificate) == 1);
	require(SSL_CTX_use_PrivateKey(context, key) == 1);
	if (mutual) {
		X509_STORE_add_cert(SSL_CTX_get_cert_store(context),
				    certificate);
		SSL_CTX_set_verify(context,
				   SSL_VERIFY_PEER |
					   SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	}
	return context;
}

/* One POST, read to its end; false when there is no more. */
static bool serve_post(SSL *tls)
{
	static const char answer[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	static char text[1 << 20];
	size_t have = 0, want = sizeof(text) - 1;
	char *end = NULL;

	while (have < want) {
		int len = SSL_read(tls, text + have, (int)(want - have));

		if (len <= 0)
			return false;
		have += (size_t)len;
		text[have] = 0;
		end = end ? end : strstr(text, "\r\n\r\n");
		if (end)
			want = (size_t)(end + 4 - text) +
			       (size_t)atol(strstr(text, "Content-Length: ") +
					    16);
	}
	return SSL_write(tls, answer, sizeof(answer) - 1) > 0;
}

static void serve(SSL_CTX *context, int fd)
{
	SSL *tls = SSL_new(context);

	SSL_set_fd(tls, fd);
	if (SSL_accept(tls) == 1)
		while (serve_post(tls))
			;
	SSL_free(tls);
	close(fd);
}

/* Connections one after the other, until the other end of `stop` is closed. */
static void serve_all(SSL_CTX *context, int listener, int stop)
{
	struct pollfd fds[2] = { { listener, POLLIN, 0 }, { stop, POLLIN, 0 } };

	while (poll(fds, 2, -1) > 0 && !fds[1].revents)
		serve(context, accept(listener, NULL, NULL));
}

static void be_server(struct tls_server *server, bool mutual, int to_parent,
		      int stop)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), port;
	SSL_CTX *context = context_of(server, mutual);

	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	require(bind(listener, (struct sockaddr *)&address, len) == 0);
	require(listen(listener, 16) == 0);
	getsockname(listener, (struct sockaddr *)&address, &len);
	port = ntohs(address.sin_port);
	require(write(to_parent, &port, sizeof(port)) == sizeof(port));
	serve_all(context, listener, stop);
	_exit(0);
}

void tls_server_start(struct tls_server *server, bool mutual)
{
	int port_fds[2], stop_fds[2];

	strcpy(server->dir, "/tmp/autotrace-tls-XXXXXX");
	cr_assert_not_null(mkdtemp(server->dir));
	snprintf(server->certificate, sizeof(server->certificate),
		 "%s/certificate.pem", server->dir);
	snprintf(server->key, sizeof(server->key), "%s/key.pem", server->dir);
	cr_assert_eq(pipe(port_fds), 0);
	cr_assert_eq(pipe(stop_fds), 0);
	server->pid = fork();
	if (server->pid == 0) {
		close(stop_fds[1]);
		be_server(server, mutual, port_fds[1], stop_fds[0]);
	}
	close(port_fds[1]);
	close(stop_fds[0]);
	server->stop_fd = stop_fds[1];
	cr_assert_eq(read(port_fds[0], &server->port, sizeof(server->port)),
		     sizeof(server->port));
	close(port_fds[0]);
}

void tls_server_stop(struct tls_server *server)
{
	int status;

	close(server->stop_fd);
	cr_assert_eq(waitpid(server->pid, &status, 0), server->pid);
	cr_assert_eq(status, 0);
	unlink(server->certificate);
	unlink(server->key);
	rmdir(server->dir);
}
