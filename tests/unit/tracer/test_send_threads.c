// SPDX-License-Identifier: Apache-2.0
/*
 * One thread sends, another one reads, as event loops of Java and Erlang do:
 * an answer is often read before the call that sent the request has returned.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/counters.h"
#include "tests/support/wire.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define REQUESTS 4000
#define WAITING 6

static struct wire wire;
static sem_t room; /* for requests without an answer */
static unsigned int span_count, bad_count;

/* Answers every blank line. */
static void *serve(void *data)
{
	char bytes[700];
	unsigned int matched = 0;
	ssize_t n, i;

	while ((n = read(wire.peer, bytes, sizeof(bytes))) > 0)
		for (i = 0; i < n; i++) {
			matched = bytes[i] == "\r\n\r\n"[matched] ?
					  matched + 1 :
				  bytes[i] == '\r' ? 1 :
						     0;
			if (matched < 4)
				continue;
			matched = 0;
			if (write(wire.peer, OK, sizeof(OK) - 1) < 0)
				return data;
		}
	return NULL;
}

static ssize_t original(const struct at_send *s)
{
	return send(s->fd, s->iov->iov_base, s->iov->iov_len, s->flags);
}

static void send_bytes(const char *bytes, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct at_send send = { .fd = wire.fd,
				.flags = MSG_NOSIGNAL,
				.iov = &iov,
				.iov_count = 1,
				.original = original,
				.sendmsg = sendmsg };

	if (at_send(&send) != (ssize_t)len)
		__atomic_fetch_add(&bad_count, 1, __ATOMIC_RELAXED);
}

static void *write_requests(void *data)
{
	char bytes[100];
	unsigned int i;

	for (i = 0; i < REQUESTS; i++) {
		int len = sprintf(bytes, "GET /%u HTTP/1.1\r\nHost: a\r\n\r\n",
				  i);
		int cut = i % 7 ? len : (int)(i / 7) % len;

		while (sem_wait(&room))
			;
		if (cut)
			send_bytes(bytes, (size_t)cut);
		if (cut < len)
			send_bytes(bytes + cut, (size_t)(len - cut));
	}
	return data;
}

static void take_spans(void)
{
	struct at_span span;

	while (wire_next_span(&span)) {
		if (wire_number(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE) !=
		    200)
			bad_count++;
		span_count++;
	}
}

static size_t receive_some(void)
{
	char bytes[64];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct at_receive receive;
	bool ours = at_receive_begin(&receive, wire.fd);
	ssize_t n = recv(wire.fd, bytes, sizeof(bytes), 0);

	if (ours)
		at_receive_end(&receive, &iov, 1, n, errno, 0);
	cr_assert(n > 0);
	take_spans();
	return (size_t)n;
}

static void receive_answer(void)
{
	size_t got = 0;

	while (got < sizeof(OK) - 1)
		got += receive_some();
}

/* Reads answers as they come, and lets the writer go on. */
static void read_answers(unsigned int count)
{
	size_t got = 0, answered = 0;

	while (answered < count)
		for (got += receive_some(); got >= sizeof(OK) - 1; answered++) {
			got -= sizeof(OK) - 1;
			sem_post(&room);
		}
}

static void open_and_serve(pthread_t *server)
{
	wire_start(NULL);
	wire_open(&wire, AF_UNIX);
	pthread_create(server, NULL, serve, NULL);
}

static void expect_all(pthread_t server)
{
	take_spans();
	cr_expect_eq(span_count, REQUESTS);
	cr_expect_eq(bad_count, 0);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_RESPONSE), 0);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_SHARED), 0);
	shutdown(wire.fd, SHUT_RDWR);
	pthread_join(server, NULL);
	wire_close(&wire);
}

Test(send_threads, every_answer_finds_its_request)
{
	pthread_t server, writer;

	open_and_serve(&server);
	sem_init(&room, 0, WAITING);
	pthread_create(&writer, NULL, write_requests, NULL);
	read_answers(REQUESTS);
	pthread_join(writer, NULL);
	expect_all(server);
}

static void *write_every_other(void *data)
{
	unsigned int i;

	for (i = 0; i < REQUESTS / 2; i++) {
		while (sem_wait(&room))
			;
		send_bytes("GET /w HTTP/1.1\r\nHost: a\r\n\r\n", 28);
	}
	return data;
}

/* The reader sends the next one: the writer may not have come back yet. */
Test(send_threads, the_next_writer_may_be_early)
{
	pthread_t server, writer;
	unsigned int i;

	open_and_serve(&server);
	sem_init(&room, 0, 0);
	pthread_create(&writer, NULL, write_every_other, NULL);
	sem_post(&room);
	for (i = 0; i < REQUESTS / 2; i++) {
		receive_answer();
		send_bytes("GET /r HTTP/1.1\r\nHost: a\r\n\r\n", 28);
		receive_answer();
		sem_post(&room);
	}
	pthread_join(writer, NULL);
	expect_all(server);
}

/* --- a thread that is cancelled; AddressSanitizer stumbles over those --- */

static void *write_for_ever(void *data)
{
	static char large[1 << 22] = "PUT / HTTP/1.1\r\nHost: a\r\n"
				     "Content-Length: 99999999\r\n\r\n";

	for (;;)
		send_bytes(large, sizeof(large));
	return data;
}

static ssize_t refused(const struct at_send *send)
{
	(void)send;
	errno = EAGAIN;
	return -1;
}

static void expect_given_up(void)
{
	struct iovec iov = { (void *)(uintptr_t) "x", 1 };
	struct at_send once = { .fd = wire.fd,
				.iov = &iov,
				.iov_count = 1,
				.original = refused,
				.sendmsg = sendmsg };

	cr_expect_eq(at_send(&once), -1);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_LEFT), 1);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_SHARED), 0);
	wire_close(&wire); /* aborts when anything is still held */
}

static void cancel(pthread_t thread)
{
	void *result;

	pthread_cancel(thread);
	pthread_join(thread, &result);
	cr_expect(result == PTHREAD_CANCELED);
}

/* What the kernel took of its call nobody will ever know. */
Test(send_threads, a_thread_may_be_cancelled_in_a_write)
{
	pthread_t thread;
	char byte;

	wire_start(NULL);
	wire_open(&wire, AF_UNIX);
	pthread_create(&thread, NULL, write_for_ever, NULL);
	cr_assert_eq(recv(wire.peer, &byte, 1, MSG_PEEK), 1);
	cancel(thread);
	expect_given_up();
}

static sem_t begun;

/* As a hook does it. */
__attribute__((noinline)) static void wait_in(struct at_receive *receive)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	ssize_t n;

	AT_UNWINDS;
	sem_post(&begun);
	n = recv(wire.fd, &byte, 1, 0);
	at_receive_end(receive, &iov, 1, n, errno, 0);
}

static void *read_for_ever(void *data)
{
	struct at_receive receive;

	if (at_receive_begin(&receive, wire.fd))
		wait_in(&receive);
	return data;
}

Test(send_threads, a_thread_may_be_cancelled_in_a_read)
{
	pthread_t thread;

	wire_start(NULL);
	wire_open(&wire, AF_UNIX);
	sem_init(&begun, 0, 0);
	send_bytes("GET /x HTTP/1.1\r\nHost: a\r\n\r\n", 28);
	pthread_create(&thread, NULL, read_for_ever, NULL);
	while (sem_wait(&begun))
		;
	cancel(thread);
	expect_given_up();
}
