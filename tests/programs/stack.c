// SPDX-License-Identifier: Apache-2.0
/*
 * What HTTP costs of a thread's stack.
 *
 *   stack measure    prints a line for each thing done: its name, and how many
 *                    bytes of stack it reached down
 *   stack small      does all of it on stacks of PTHREAD_STACK_MIN with a
 *                    guard page below
 *
 * The same socket pair for all; the server's side makes plain system calls.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define PAINT 0xa5
#define LARGE (1u << 20)

static int pair[2];
static struct sockaddr_in refusing;
static char request[1500];

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "stack: %s: %s\n", what, strerror(errno));
	_exit(1);
}

/* --- what is done --- */

static void do_write(void)
{
	size_t len = strlen(request);

	need(write(pair[0], request, len) == (ssize_t)len, "write");
}

static void do_writev(void)
{
	struct iovec iov[2] = { { request, 30 },
				{ request + 30, strlen(request) - 30 } };

	need(writev(pair[0], iov, 2) > 0, "writev");
}

static void do_read(void)
{
	char bytes[100];

	need(read(pair[0], bytes, sizeof(bytes)) > 0, "read");
}

static void do_recvmsg(void)
{
	char bytes[100];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	need(recvmsg(pair[0], &message, 0) > 0, "recvmsg");
}

static void do_connect(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	need(connect(fd, (struct sockaddr *)&refusing, sizeof(refusing)) &&
		     errno == ECONNREFUSED,
	     "connect");
	close(fd);
}

static void do_resolve(void)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICSERV,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;

	/* No name at all: libc itself needs little for that. */
	need(getaddrinfo("..", "80", &hints, &list), "getaddrinfo");
}

/* --- the server's side --- */

static void answer(void)
{
	char bytes[4000];

	need(syscall(SYS_read, pair[1], bytes, sizeof(bytes)) > 0, "serve");
	need(syscall(SYS_write, pair[1], OK, strlen(OK)) > 0, "answer");
}

/* --- stacks --- */

static unsigned char *bottom;
static size_t depth;

/* From this frame down to the last byte touched. */
static void *on_stack(void *argument)
{
	void (*work)(void) = (void (*)(void))(uintptr_t)argument;
	unsigned char *low = bottom;

	work();
	/* Now: how a thread ends is none of our business. */
	while (*low == PAINT)
		low++;
	depth = (size_t)((unsigned char *)__builtin_frame_address(0) - low);
	return NULL;
}

static size_t run(void (*work)(void), size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *at = mmap(NULL, page + size, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attributes;
	pthread_t thread;

	bottom = at + page;
	need(at != MAP_FAILED && !mprotect(at, page, PROT_NONE), "stack");
	memset(bottom, PAINT, size);
	pthread_attr_init(&attributes);
	need(!pthread_attr_setstack(&attributes, bottom, size), "setstack");
	need(!pthread_create(&thread, &attributes, on_stack,
			     (void *)(uintptr_t)work),
	     "thread");
	need(!pthread_join(thread, NULL), "join");
	munmap(at, page + size);
	return depth;
}

static const struct {
	const char *name;
	void (*work)(void);
	void (*then)(void);
} steps[] = {
	{ "write", do_write, answer },
	/* The first span: it starts whatever is to be started. */
	{ "first", do_read, NULL },
	{ "writev", do_writev, answer },
	{ "recvmsg", do_recvmsg, NULL },
	{ "connect", do_connect, NULL },
	{ "resolve", do_resolve, NULL },
};

static void make_refusing(void)
{
	socklen_t len = sizeof(refusing);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	refusing.sin_family = AF_INET;
	refusing.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	need(!bind(fd, (struct sockaddr *)&refusing, len) &&
		     !getsockname(fd, (struct sockaddr *)&refusing, &len),
	     "bind");
}

static void make_request(void)
{
	char path[1001];

	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = 0;
	snprintf(request, sizeof(request),
		 "GET /%s HTTP/1.1\r\nHost: localhost:8080\r\n\r\n", path);
}

int main(int argc, char **argv)
{
	int small = argc > 1 && !strcmp(argv[1], "small");
	size_t i;

	make_request();
	make_refusing();
	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		size_t bytes =
			run(steps[i].work, small ? PTHREAD_STACK_MIN : LARGE);

		if (steps[i].then)
			steps[i].then();
		if (small)
			printf("%s done\n", steps[i].name);
		else
			printf("%s %zu\n", steps[i].name, bytes);
		fflush(stdout);
	}
	return 0;
}
