// SPDX-License-Identifier: Apache-2.0
/*
 * A program that locks all of its memory under a limit of 8 MiB, before or
 * after its first request.
 *
 *   locked before|after
 *
 * Prints what mlockall said and how many requests were answered; its own
 * server, all on one connection after another.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GET "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static int answered;

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "locked: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void request(void)
{
	char bytes[500];
	int pair[2];

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	need(write(pair[0], GET, sizeof(GET) - 1) == sizeof(GET) - 1, "write");
	need(syscall(SYS_read, pair[1], bytes, sizeof(bytes)) > 0, "serve");
	need(syscall(SYS_write, pair[1], OK, sizeof(OK) - 1) == sizeof(OK) - 1,
	     "answer");
	need(read(pair[0], bytes, sizeof(bytes)) == sizeof(OK) - 1, "read");
	answered++;
	close(pair[0]);
	close(pair[1]);
}

int main(int argc, char **argv)
{
	struct rlimit limit = { 8 << 20, 8 << 20 };
	int after = argc > 1 && !strcmp(argv[1], "after"), i;
	char *own;

	need(!setrlimit(RLIMIT_MEMLOCK, &limit), "setrlimit");
	if (after)
		request();
	printf("mlockall: %s\n",
	       mlockall(MCL_CURRENT | MCL_FUTURE) ? strerror(errno) : "done");
	for (i = 0; i < 200; i++)
		request();
	/* There is room for what the program itself wants. */
	own = malloc(1 << 20);
	need(own != NULL, "malloc");
	memset(own, 1, 1 << 20);
	free(own);
	printf("%d answered\n", answered);
	return 6;
}
