// SPDX-License-Identifier: Apache-2.0
/*
 * Threads that leave a blocking call in odd ways, in the middle of HTTP.
 *
 *   leave cancel COUNT    a thread is cancelled in read, recv, ..., in turn
 *   leave async COUNT     the same, asynchronously
 *   leave jump COUNT      siglongjmp out of reads and writes
 *   leave signals COUNT RESTART   a handler that does HTTP, at a high rate
 *
 * It is its own server. After each departure the connection is used on, and
 * another one, by a keep-alive request; what arrives must be what was sent,
 * but for traceparent lines. Prints one line when all of it was right.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define GET "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define PUT \
	"PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define LEN(text) (sizeof(text) - 1)

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "leave: %s: %s\n", what, strerror(errno));
	_exit(1);
}

/* --- the server's side: plain system calls --- */

static ssize_t raw_read(int fd, void *to, size_t len)
{
	ssize_t n;

	do
		n = syscall(SYS_read, fd, to, len);
	while (n < 0 && errno == EINTR);
	return n;
}

static void raw_write(int fd, const char *text, size_t len)
{
	need(syscall(SYS_write, fd, text, len) == (long)len, "answer");
}

/* A head as it was sent, without our line, or as much as is there. */
static size_t take_head(int fd, char *head, size_t size)
{
	size_t len = 0;
	char *line, *end;

	while (len < 4 || memcmp(head + len - 4, "\r\n\r\n", 4)) {
		need(len < size - 1 && raw_read(fd, head + len, 1) == 1,
		     "no head");
		len++;
	}
	head[len] = 0;
	line = strstr(head, "traceparent: ");
	end = line ? strstr(line, "\r\n") : NULL;
	if (!end)
		return len;
	memmove(line, end + 2, strlen(end + 2) + 1);
	return strlen(head);
}

static void serve_one(int fd, const char *expected)
{
	char head[1000];

	take_head(fd, head, sizeof(head));
	need(!strcmp(head, expected), "other bytes than were sent");
	raw_write(fd, OK, LEN(OK));
}

static void *serve_all(void *argument)
{
	char head[1000];
	int fd = *(int *)argument;

	for (;;) {
		char byte;

		if (syscall(SYS_recvfrom, fd, &byte, 1, MSG_PEEK, 0, 0) != 1)
			return NULL;
		take_head(fd, head, sizeof(head));
		if (strcmp(head, GET))
			return (void *)1;
		raw_write(fd, OK, LEN(OK));
	}
}

/* --- the client's side --- */

static void read_answer(int fd)
{
	char bytes[LEN(OK)];
	size_t got = 0;

	while (got < sizeof(bytes)) {
		ssize_t n = read(fd, bytes + got, sizeof(bytes) - got);

		if (n < 0 && errno == EINTR)
			continue;
		need(n > 0, "no answer");
		got += (size_t)n;
	}
	need(!memcmp(bytes, OK, sizeof(bytes)), "another answer");
}

static void ask(int fd)
{
	need(send(fd, GET, LEN(GET), MSG_NOSIGNAL) == LEN(GET), "send");
}

/* A connection that lives as long as the program. */
static int steady[2];

static void exchange_steady(void)
{
	ask(steady[0]);
	serve_one(steady[1], GET);
	read_answer(steady[0]);
}

/* --- calls that block --- */

static int pair[2], listener;
static struct sockaddr_in full; /* nobody accepts there any more */
static char large[1 << 20];

static void fill(int fd)
{
	need(write(fd, PUT, LEN(PUT)) == LEN(PUT), "head");
	for (;;)
		if (send(fd, large, sizeof(large), 0) < 0)
			return;
}

static void block(int kind)
{
	char bytes[100];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct iovec big = { large, sizeof(large) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = pair[0];

	switch (kind) {
	case 0:
		need(read(fd, bytes, sizeof(bytes)) < 0, "read");
		break;
	case 1:
		need(recv(fd, bytes, sizeof(bytes), 0) < 0, "recv");
		break;
	case 2:
		need(recvmsg(fd, &message, 0) < 0, "recvmsg");
		break;
	case 3:
		need(readv(fd, &iov, 1) < 0, "readv");
		break;
	case 4:
		need(write(fd, PUT, LEN(PUT)) == LEN(PUT), "head");
		while (write(fd, large, sizeof(large)) > 0)
			;
		break;
	case 5:
		fill(fd);
		break;
	case 6:
		need(write(fd, PUT, LEN(PUT)) == LEN(PUT), "head");
		while (writev(fd, &big, 1) > 0)
			;
		break;
	case 7:
		need(accept(listener, NULL, NULL) < 0, "accept");
		break;
	case 8:
		fd = socket(AF_INET, SOCK_STREAM, 0);
		dup2(fd, pair[0]);
		close(fd);
		connect(pair[0], (struct sockaddr *)&full, sizeof(full));
		break;
	}
}

#define KINDS 9

static int is_write(int kind)
{
	return kind >= 4 && kind <= 6;
}

static int listen_on(struct sockaddr_in *at, int backlog)
{
	socklen_t len = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	need(!bind(fd, (struct sockaddr *)at, len) && !listen(fd, backlog) &&
		     !getsockname(fd, (struct sockaddr *)at, &len),
	     "listen");
	return fd;
}

static void make_full(void)
{
	int fd, i;

	listen_on(&full, 0);
	for (i = 0; i < 3; i++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fd, (struct sockaddr *)&full, sizeof(full));
	}
}

/* What was sent before the departure arrives as it was, as far as it came. */
static void check_written(void)
{
	char head[1000];

	take_head(pair[1], head, sizeof(head));
	need(!strcmp(head, PUT), "another head");
	shutdown(pair[0], SHUT_WR);
	for (;;) {
		static char bytes[1 << 16];
		ssize_t n = raw_read(pair[1], bytes, sizeof(bytes));

		need(n >= 0, "read what was written");
		if (!n)
			break;
		need(!memcmp(bytes, large, (size_t)n), "another body");
	}
}

/* The connection goes on with whoever is left. */
static void use_on(int kind)
{
	if (is_write(kind)) {
		check_written();
	} else if (kind < 4) {
		raw_write(pair[1], OK, LEN(OK));
		read_answer(pair[0]);
		ask(pair[0]);
		serve_one(pair[1], GET);
		read_answer(pair[0]);
	}
	close(pair[0]);
	close(pair[1]);
	exchange_steady();
}

static void open_pair(int kind)
{
	int small = 4096;

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	if (kind < 4) {
		char head[1000];

		ask(pair[0]);
		take_head(pair[1], head, sizeof(head));
		need(!strcmp(head, GET), "another first request");
	}
}

/* --- cancellation --- */

static int asynchronously;
static volatile pid_t blocked_tid;
static sem_t begun;

static void *blocked(void *argument)
{
	if (asynchronously)
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	blocked_tid = (pid_t)syscall(SYS_gettid);
	sem_post(&begun);
	block((int)(intptr_t)argument);
	return NULL;
}

/* Until the kernel says that it sleeps in its call. */
static void await_sleep(pid_t tid)
{
	char path[64], text[200];

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	for (;;) {
		FILE *file = fopen(path, "r");
		char *state;

		need(file && fgets(text, sizeof(text), file), "stat");
		fclose(file);
		state = strrchr(text, ')');
		if (state && state[2] == 'S')
			return;
		sched_yield();
	}
}

static void cancel_one(int kind)
{
	pthread_t thread;
	void *result;

	open_pair(kind);
	need(!pthread_create(&thread, NULL, blocked, (void *)(intptr_t)kind),
	     "thread");
	while (sem_wait(&begun))
		;
	await_sleep(blocked_tid);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	need(result == PTHREAD_CANCELED, "not cancelled");
	use_on(kind);
}

static void cancel_all(long count)
{
	long i;

	for (i = 0; i < count; i++)
		cancel_one((int)(i % KINDS));
}

/* --- jumps --- */

static sigjmp_buf back;

static void jump(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static void jump_all(long count)
{
	static const struct itimerval soon = { .it_value = { 0, 100 } };
	volatile long i;

	signal(SIGALRM, jump);
	for (i = 0; i < count; i++) {
		volatile int kind = (int)(i % 7);

		open_pair(kind);
		/* Its head has left before the clock runs. */
		if (is_write(kind))
			need(write(pair[0], PUT, LEN(PUT)) == LEN(PUT), "head");
		if (!sigsetjmp(back, 1)) {
			setitimer(ITIMER_REAL, &soon, NULL);
			if (is_write(kind))
				for (;;)
					write(pair[0], large, sizeof(large));
			block(kind);
		}
		use_on(kind);
	}
}

/* --- a handler that does the same --- */

static int busy[2], other[2];
static volatile long asked, handled;

static void handle(int signal)
{
	int error = errno;
	char byte;

	(void)signal;
	need(recv(other[0], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN,
	     "errno in the handler");
	ask(other[0]);
	read_answer(other[0]);
	/* Also on the connection that was interrupted. */
	if (++handled % 4 == 0 && asked < 3) {
		ask(busy[0]);
		asked++;
	}
	errno = error;
}

static void read_some(size_t *got)
{
	char bytes[LEN(OK) * 4];
	ssize_t n, i;

	n = read(busy[0], bytes, sizeof(bytes));
	need(n > 0 || (n < 0 && errno == EINTR), "read");
	for (i = 0; i < n; i++, (*got)++)
		need(bytes[i] == OK[*got % LEN(OK)], "another answer");
}

static void signal_all(long count, int restart)
{
	static const struct itimerval often = { { 0, 300 }, { 0, 300 } };
	static const struct itimerval never;
	struct sigaction action = { .sa_handler = handle,
				    .sa_flags = restart ? SA_RESTART : 0 };
	pthread_t servers[2];
	sigset_t set;
	void *bad;
	long i;

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, busy) &&
		     !socketpair(AF_UNIX, SOCK_STREAM, 0, other),
	     "socketpair");
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	pthread_create(&servers[0], NULL, serve_all, &busy[1]);
	pthread_create(&servers[1], NULL, serve_all, &other[1]);
	sigaction(SIGALRM, &action, NULL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (i = 0; i < count || handled < 100; i++) {
		size_t got = 0;

		ask(busy[0]);
		while (got < (size_t)(1 + asked) * LEN(OK))
			read_some(&got);
		pthread_sigmask(SIG_BLOCK, &set, NULL);
		/* One may have been asked for since we looked. */
		while (got < (size_t)(1 + asked) * LEN(OK))
			read_some(&got);
		asked = 0;
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGALRM, SIG_IGN);
	close(busy[0]);
	close(other[0]);
	for (i = 0; i < 2; i++) {
		pthread_join(servers[i], &bad);
		need(!bad, "other bytes than were sent");
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { 0 };
	long count = argc > 2 ? atol(argv[2]) : 0;

	signal(SIGPIPE, SIG_IGN);
	sem_init(&begun, 0, 0);
	memset(large, 'x', sizeof(large));
	listener = listen_on(&at, 1);
	make_full();
	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, steady), "socketpair");
	need(count > 0, "usage");
	asynchronously = !strcmp(argv[1], "async");
	if (asynchronously || !strcmp(argv[1], "cancel"))
		cancel_all(count);
	else if (!strcmp(argv[1], "jump"))
		jump_all(count);
	else if (argc > 3)
		signal_all(count, atoi(argv[3]));
	exchange_steady();
	printf("all right\n");
	return 0;
}
