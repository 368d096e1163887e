// SPDX-License-Identifier: Apache-2.0
/*
 * The tables of failed connects with many threads at once, under
 * ThreadSanitizer: whatever the order, each failed attempt is in exactly one
 * span, or counted as skipped (as a waiting connect may be that succeeds).
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/counters.h"
#include "core/ring.h"
#include "core/span.h"
#include "tracer/failure.h"
#include "tracer/tracer.h"

#define THREADS 4
#define ROUNDS 100
#define FAILURES (4u * THREADS * ROUNDS)

static struct at_config config;
static struct sockaddr_in refusing[2], listening;

static struct sockaddr_in bound(bool listens)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(0x7f000009);
	cr_assert_eq(bind(fd, (struct sockaddr *)&in, len), 0);
	getsockname(fd, (struct sockaddr *)&in, &len);
	if (listens)
		cr_assert_eq(listen(fd, 4096), 0);
	return in;
}

static int connect_as_hook(int fd, const struct sockaddr_in *to)
{
	int error;

	at_fd_opened(fd);
	at_connect_begins();
	error = connect(fd, (const struct sockaddr *)to, sizeof(*to)) ? errno :
									0;
	at_fd_connected(fd, (const struct sockaddr *)to, sizeof(*to), error);
	return error;
}

static void close_as_hook(int fd)
{
	at_fd_closing(fd);
	close(fd);
}

static void blocking(const struct sockaddr_in *to, int expected)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(connect_as_hook(fd, to), expected);
	close_as_hook(fd);
}

static void waiting(const struct sockaddr_in *to, int expected)
{
	struct pollfd poller = { .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = -1;

	poller.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(connect_as_hook(poller.fd, to), EINPROGRESS);
	cr_assert_eq(poll(&poller, 1, 10000), 1);
	cr_assert_eq(getsockopt(poller.fd, SOL_SOCKET, SO_ERROR, &error, &len),
		     0);
	cr_assert_eq(error, expected);
	at_fd_socket_error(poller.fd, error);
	close_as_hook(poller.fd);
}

static void resolve(const char *host, struct sockaddr_in *to)
{
	struct addrinfo list = { .ai_addr = (struct sockaddr *)to,
				 .ai_addrlen = sizeof(*to) };

	at_resolved(host, &list);
}

/* Four failures a round. */
static void *work(void *argument)
{
	int number = (int)(intptr_t)argument;
	char host[16];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		snprintf(host, sizeof(host), "host%d", (i + number) % 3);
		resolve(host, &refusing[0]);
		blocking(&refusing[0], ECONNREFUSED);
		blocking(&listening, 0);
		waiting(&refusing[1], ECONNREFUSED);
		waiting(&listening, 0);
		blocking(&refusing[1], ECONNREFUSED);
		at_resolve_failed("nowhere", "80", NULL, EAI_NONAME);
	}
	return NULL;
}

static uint64_t reported(void)
{
	static struct at_ring_reader reader;
	static struct at_span span;
	struct at_field field;
	uint64_t sum = 0;

	at_ring_reader_init(&reader, at_tracer_ring());
	while (at_ring_pop(&reader, &span, sizeof(span), 1) > 0)
		sum += at_span_find(&span, AT_ATTR_AUTOTRACE_REPEATED, &field) ?
			       (uint64_t)field.number :
			       1;
	return sum;
}

Test(failure_threads, no_failure_is_lost_or_doubled)
{
	pthread_t threads[THREADS];
	uint64_t found;
	intptr_t i;

	at_config_load(&config, NULL, NULL);
	at_tracer_start(&config);
	refusing[0] = bound(false);
	refusing[1] = bound(false);
	listening = bound(true);
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	failure_flush();
	found = reported();
	cr_assert(found <= FAILURES);
	cr_assert(found + at_counter_value(AT_COUNT_FAILURES_SKIPPED) >=
		  FAILURES);
	cr_assert(found >= FAILURES * 3 / 4);
}
