// SPDX-License-Identifier: Apache-2.0
/*
 * The least that speaks HTTP/1 over a keep-alive connection, so that what is
 * measured is ours and the kernel's.
 *
 *   cost_http serve              prints its port; until stdin ends
 *   cost_http refuse             prints a port nobody listens on
 *   cost_http get PORT COUNT     COUNT requests on one connection
 *   cost_http posted PORT        prints how many bytes `serve` got by POST
 *
 * `serve` takes any number of connections, answers GET with a small JSON text
 * (and the reason "Traced" where there was a traceparent) and POST with 200
 * and no body, which is what an OTLP collector says.
 * `get` prints: CPU of this thread a request in ns, wall time a request in ns,
 * resident memory at the end in KiB, and the share of requests that arrived
 * with a traceparent.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/programs/cost.h"

#define CLIENTS_MAX 64
#define WARM_UP_COUNT 200

/* --- server --- */

struct client {
	char head[8192];
	size_t len;
	size_t body_left;
	int post;
	int traced;
};

static struct pollfd polled[CLIENTS_MAX + 2];
static struct client clients[CLIENTS_MAX + 2];
static unsigned long long posted_bytes;

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		perror("write");
}

static void answer(int fd, const struct client *client)
{
	char text[512];

	if (client->post) {
		say(fd, "HTTP/1.1 200 OK\r\n"
			"Content-Type: application/x-protobuf\r\n"
			"Content-Length: 0\r\n\r\n");
		return;
	}
	snprintf(text, sizeof(text),
		 "HTTP/1.1 200 %s\r\n"
		 "Server: nginx/1.22.1\r\n"
		 "Date: Mon, 23 Nov 2026 10:00:00 GMT\r\n"
		 "Content-Type: application/json\r\n"
		 "Content-Length: 27\r\n"
		 "Connection: keep-alive\r\n\r\n"
		 "{\"posted\":%016llu}",
		 client->traced ? "Traced" : "Direct", posted_bytes);
	say(fd, text);
}

/* A whole head is there: what is left of the body? */
static void begin_request(int fd, struct client *client, char *end)
{
	const char *length;
	size_t beyond;

	end[2] = 0;
	client->post = !strncmp(client->head, "POST", 4);
	client->traced = strstr(client->head, "\ntraceparent: ") != NULL;
	length = strcasestr(client->head, "\nContent-Length:");
	client->body_left = length ? strtoul(length + 16, NULL, 10) : 0;
	posted_bytes += client->body_left;
	if (strcasestr(client->head, "100-continue"))
		say(fd, "HTTP/1.1 100 Continue\r\n\r\n");
	beyond = client->len - (size_t)(end + 4 - client->head);
	client->body_left -= beyond < client->body_left ? beyond :
							  client->body_left;
	client->len = 0;
	if (!client->body_left)
		answer(fd, client);
}

/* False: the connection is over. */
static int hear(int fd, struct client *client)
{
	static char body[65536];
	char *end;
	ssize_t n;

	if (client->body_left) {
		n = read(fd, body,
			 client->body_left < sizeof(body) ? client->body_left :
							    sizeof(body));
		if (n <= 0)
			return 0;
		client->body_left -= (size_t)n;
		if (!client->body_left)
			answer(fd, client);
		return 1;
	}
	n = read(fd, client->head + client->len,
		 sizeof(client->head) - 1 - client->len);
	if (n <= 0)
		return 0;
	client->len += (size_t)n;
	client->head[client->len] = 0;
	end = strstr(client->head, "\r\n\r\n");
	if (end)
		begin_request(fd, client, end);
	return 1;
}

static int listen_anywhere(int *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) ||
	    listen(fd, CLIENTS_MAX) ||
	    getsockname(fd, (struct sockaddr *)&at, &len)) {
		perror("cost_http");
		exit(1);
	}
	*port = ntohs(at.sin_port);
	return fd;
}

static void welcome(nfds_t *count)
{
	int one = 1, fd = accept(polled[1].fd, NULL, NULL);

	if (fd < 0)
		return;
	if (*count == CLIENTS_MAX + 2) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	memset(&clients[*count], 0, sizeof(clients[0]));
	polled[*count].fd = fd;
	polled[(*count)++].events = POLLIN;
}

static int serve(void)
{
	nfds_t count = 2, i;
	int port;

	polled[0].fd = 0;
	polled[1].fd = listen_anywhere(&port);
	polled[0].events = polled[1].events = POLLIN;
	printf("%d\n", port);
	fflush(stdout);
	while (poll(polled, count, -1) > 0 && !polled[0].revents) {
		for (i = 2; i < count; i++) {
			if (!polled[i].revents ||
			    hear(polled[i].fd, &clients[i]))
				continue;
			close(polled[i].fd);
			polled[i] = polled[--count];
			clients[i] = clients[count];
			i--;
		}
		if (polled[1].revents)
			welcome(&count);
	}
	return 0;
}

static int refuse(void)
{
	int port;

	close(listen_anywhere(&port));
	printf("%d\n", port);
	return 0;
}

/* --- client --- */

static long resident_kib(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		perror("statm");
	if (file)
		fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int connect_to(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)port);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		perror("cost_http: connect");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* Returns how many were traced. */
static long exchange(int fd, const char *request, size_t len, long count)
{
	char answer[4096];
	long traced = 0;

	while (count-- > 0) {
		if (write(fd, request, len) != (ssize_t)len ||
		    read(fd, answer, sizeof(answer)) <= 13 ||
		    memcmp(answer, "HTTP/1.1 200 ", 13)) {
			fprintf(stderr, "cost_http: no answer\n");
			exit(1);
		}
		traced += answer[13] == 'T';
	}
	return traced;
}

static int get(int port, long count)
{
	char request[512];
	int len = snprintf(request, sizeof(request),
			   "GET /api/order/42 HTTP/1.1\r\n"
			   "Host: 127.0.0.1:%d\r\n"
			   "User-Agent: curl/7.88.1\r\n"
			   "Accept: */*\r\n"
			   "Accept-Encoding: gzip, deflate\r\n"
			   "Connection: keep-alive\r\n\r\n",
			   port);
	int fd = connect_to(port);
	int64_t cpu, wall;
	long traced;

	/* One request alone is a program's whole life: nothing to warm up. */
	if (count > 1)
		exchange(fd, request, (size_t)len, WARM_UP_COUNT);
	cpu = cpu_ns();
	wall = wall_ns();
	traced = exchange(fd, request, (size_t)len, count);
	cpu = cpu_ns() - cpu;
	wall = wall_ns() - wall;
	close(fd);
	printf("%.1f %.1f %ld %.3f\n", (double)cpu / (double)count,
	       (double)wall / (double)count, resident_kib(),
	       (double)traced / (double)count);
	return 0;
}

static int posted(int port)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	char text[1024];
	const char *at;
	int fd = connect_to(port);
	ssize_t n = write(fd, request, sizeof(request) - 1) < 0 ?
			    -1 :
			    read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = 0;
	at = strstr(text, "\"posted\":");
	if (!at)
		return 1;
	printf("%llu\n", strtoull(at + 9, NULL, 10));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	if (argc == 2 && !strcmp(argv[1], "refuse"))
		return refuse();
	if (argc == 4 && !strcmp(argv[1], "get"))
		return get(atoi(argv[2]), strtol(argv[3], NULL, 10));
	if (argc == 3 && !strcmp(argv[1], "posted"))
		return posted(atoi(argv[2]));
	fprintf(stderr, "usage: cost_http serve | refuse | get PORT COUNT | "
			"posted PORT\n");
	return 2;
}
