// SPDX-License-Identifier: Apache-2.0
/*
 * The least that speaks HTTPS through OpenSSL. Both ends in one thread, over a
 * pair of sockets, with a key that both know (no certificates, so that a
 * handshake costs next to nothing):
 *
 *   cost_tls get COUNT           COUNT requests in one session
 *   cost_tls sessions COUNT      a session for each request
 *
 * or to a server on loopback, whoever it says it is:
 *
 *   cost_tls ask PORT COUNT      COUNT requests in one session
 *
 * Prints: CPU a request in ns, wall time a request in ns, resident memory at
 * the end in KiB, and how many requests arrived with a traceparent (0: asked
 * somebody else).
 */
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/programs/cost.h"

#define REQUEST                                        \
	"GET /api/orders/17?full=1 HTTP/1.1\r\n"       \
	"Host: localhost:8443\r\nUser-Agent: cost\r\n" \
	"Accept: */*\r\n\r\n"
#define ANSWER                                                  \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" \
	"Content-Length: 12\r\n\r\n{\"posted\":0}"

static SSL_CTX *client_context, *server_context;
static unsigned long traced;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static unsigned int client_key(SSL *ssl, const char *hint, char *identity,
			       unsigned int identity_max, unsigned char *key,
			       unsigned int key_max)
{
	(void)ssl;
	(void)hint;
	(void)key_max;
	snprintf(identity, identity_max, "test");
	memset(key, 7, 16);
	return 16;
}

static unsigned int server_key(SSL *ssl, const char *identity,
			       unsigned char *key, unsigned int key_max)
{
	(void)ssl;
	(void)identity;
	(void)key_max;
	memset(key, 7, 16);
	return 16;
}

static SSL_CTX *make_context(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (!context ||
	    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(context, "PSK-AES128-GCM-SHA256") != 1)
		die("context");
	SSL_CTX_set_psk_client_callback(context, client_key);
	SSL_CTX_set_psk_server_callback(context, server_key);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	return context;
}

struct pair {
	int fd[2];
	SSL *client;
	SSL *server;
};

static SSL *make_end(SSL_CTX *context, int fd)
{
	SSL *ssl = SSL_new(context);

	if (!ssl || SSL_set_fd(ssl, fd) != 1)
		die("session");
	return ssl;
}

static void open_pair(struct pair *pair)
{
	int client = 0, server = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->fd))
		die("socketpair");
	pair->client = make_end(client_context, pair->fd[0]);
	pair->server = make_end(server_context, pair->fd[1]);
	while (client != 1 || server != 1) {
		client = SSL_connect(pair->client);
		server = SSL_accept(pair->server);
	}
}

static void close_pair(struct pair *pair)
{
	SSL_free(pair->client);
	SSL_free(pair->server);
	close(pair->fd[0]);
	close(pair->fd[1]);
}

static void ask(struct pair *pair)
{
	char bytes[4096];
	int len;

	if (SSL_write(pair->client, REQUEST, sizeof(REQUEST) - 1) <= 0)
		die("write");
	len = SSL_read(pair->server, bytes, sizeof(bytes) - 1);
	if (len <= 0)
		die("server");
	bytes[len] = 0;
	traced += strstr(bytes, "\ntraceparent: ") != NULL;
	if (SSL_write(pair->server, ANSWER, sizeof(ANSWER) - 1) <= 0 ||
	    SSL_read(pair->client, bytes, sizeof(bytes)) <= 0)
		die("answer");
}

static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		die("statm");
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int64_t cpu_begin, wall_begin;

static void begin(void)
{
	cpu_begin = cpu_ns();
	wall_begin = wall_ns();
}

static void report(unsigned long count)
{
	printf("%lu %lu %ld %lu\n",
	       (unsigned long)(cpu_ns() - cpu_begin) / count,
	       (unsigned long)(wall_ns() - wall_begin) / count, resident_kib(),
	       traced);
}

/* --- both ends --- */

static void ask_ourselves(unsigned long count, int each)
{
	struct pair pair;

	client_context = make_context(TLS_client_method());
	server_context = make_context(TLS_server_method());
	open_pair(&pair);
	begin();
	while (count--) {
		ask(&pair);
		if (each) {
			close_pair(&pair);
			open_pair(&pair);
		}
	}
}

/* --- one end --- */

static void ask_server(in_port_t port, unsigned long count)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char bytes[4096];
	SSL *ssl;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	ssl = make_end(SSL_CTX_new(TLS_client_method()), fd);
	if (SSL_connect(ssl) != 1)
		die("handshake");
	begin();
	while (count--)
		if (SSL_write(ssl, REQUEST, sizeof(REQUEST) - 1) <= 0 ||
		    SSL_read(ssl, bytes, sizeof(bytes)) <= 0)
			die("request");
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[argc - 1], NULL, 10) : 0;

	if (!count)
		return 2;
	if (argc == 4 && !strcmp(argv[1], "ask"))
		ask_server((in_port_t)atoi(argv[2]), count);
	else
		ask_ourselves(count, !strcmp(argv[1], "sessions"));
	report(count);
	return 0;
}
