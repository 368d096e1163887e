// SPDX-License-Identifier: Apache-2.0
/* The least of an HTTP client, for test programs; every failure ends them. */
#ifndef TESTS_PROGRAMS_HTTP_H
#define TESTS_PROGRAMS_HTTP_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static inline void http_need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	_exit(99);
}

static inline int http_open(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	http_need(fd >= 0, "socket");
	http_need(!connect(fd, (struct sockaddr *)&to, sizeof(to)), "connect");
	return fd;
}

static inline void http_ask(int fd, const char *path)
{
	char text[512];
	int len = snprintf(text, sizeof(text),
			   "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);

	http_need(write(fd, text, (size_t)len) == len, "write");
}

/* The whole answer, which must have a Content-Length; its status. */
static inline int http_answer(int fd)
{
	char text[8192] = "", *end = NULL, *length;
	size_t have = 0, total = 0;

	while (!end || have < total) {
		ssize_t got = read(fd, text + have, sizeof(text) - 1 - have);

		http_need(got > 0, "read");
		have += (size_t)got;
		text[have] = 0;
		end = strstr(text, "\r\n\r\n");
		if (!end)
			continue;
		length = strcasestr(text, "Content-Length:");
		http_need(length && length < end, "length");
		total = (size_t)(end + 4 - text) +
			(size_t)strtoul(length + 15, NULL, 10);
	}
	return atoi(text + 9);
}

/* On a connection that is kept. */
static inline void http_get_on(int fd, const char *path)
{
	http_ask(fd, path);
	http_need(http_answer(fd) == 200, path);
}

/* On one of its own. */
static inline void http_get(int port, const char *path)
{
	int fd = http_open(port);

	http_get_on(fd, path);
	close(fd);
}

#endif
