// SPDX-License-Identifier: Apache-2.0
/* What awkward*.c have in common: PROGRAM HOST:PORT HOW. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"
#define GET(n) "GET /x" n " HTTP/1.1\r\n" HOST "\r\n"
#define POST(n, len) \
	"POST /x" n " HTTP/1.1\r\n" HOST "Content-Length: " len "\r\n\r\n"

static struct sockaddr_in server = { .sin_family = AF_INET };
static int fd;

__attribute__((unused)) static void say(const char *what, long result)
{
	printf("%s: %ld %s\n", what, result, result < 0 ? strerror(errno) : "");
}

static void check(long result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(1);
}

static void dial(void)
{
	fd = socket(AF_INET, SOCK_STREAM, 0);
	check(fd, "socket");
	check(connect(fd, (struct sockaddr *)&server, sizeof(server)),
	      "connect");
}

static void text(const char *bytes)
{
	say("write", write(fd, bytes, strlen(bytes)));
}

/* As many answers of 40 bytes each. */
static void answers(int count)
{
	char bytes[64];
	int left = count * 40;

	while (left > 0) {
		ssize_t n = read(fd, bytes, left < 64 ? (size_t)left : 64);

		check(n - 1, "read");
		left -= (int)n;
	}
	printf("%d answers\n", count);
}

struct way {
	const char *name;
	void (*run)(void);
};

static int go(int argc, char **argv, const struct way *way)
{
	char *colon = argc == 3 ? strchr(argv[1], ':') : NULL;

	if (!colon)
		return 2;
	*colon = 0;
	server.sin_port = htons((uint16_t)atoi(colon + 1));
	inet_pton(AF_INET, argv[1], &server.sin_addr);
	while (way->name && strcmp(way->name, argv[2]))
		way++;
	if (!way->name)
		return 2;
	way->run();
	return 0;
}
