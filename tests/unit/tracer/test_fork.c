// SPDX-License-Identifier: Apache-2.0
/*
 * Connections in a forked child, and in its parent: what was under way at the
 * fork is the parent's, what was idle is anybody's.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/counters.h"
#include "tests/unit/tracer/sending.h"
#include "tracer/fdtable.h"

TestSuite(fork, .init = open_wire);

static struct at_span span;

/* What a child found; its own checks would not be heard. */
struct found {
	unsigned int edited;
	unsigned int shared;    /* counted */
	unsigned int inherited; /* counted */
	bool ignored;           /* a bystander from then on */
	bool untouched;         /* the kernel got just what was written */
};

/* Fork, write in the child, and say what came of it. */
static struct found write_in_child(const char *bytes)
{
	struct found found = { 0 };
	int ends[2];
	pid_t child;

	cr_assert_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		at_tracer_after_fork_child();
		wire.answer = NULL;
		wire.out_len = 0;
		wire.edited_count = 0;
		found.inherited =
			(unsigned int)at_counter_value(AT_COUNT_FORK_INHERITED);
		wire_write(&wire, bytes, strlen(bytes));
		wire_write(&wire, GET, strlen(GET));
		found.edited = wire.edited_count;
		found.shared =
			(unsigned int)at_counter_value(AT_COUNT_OPAQUE_SHARED);
		found.ignored = at_fd_ignored(wire.fd);
		found.untouched = wire.out_len == strlen(bytes) + strlen(GET);
		_exit(write(ends[1], &found, sizeof(found)) < 0);
	}
	at_tracer_after_fork_parent();
	close(ends[1]);
	cr_assert_eq(read(ends[0], &found, sizeof(found)), sizeof(found));
	close(ends[0]);
	cr_assert_eq(waitpid(child, NULL, 0), child);
	return found;
}

static void expect_left_alone(struct found found)
{
	cr_expect(found.untouched);
	cr_expect_eq(found.edited, 0);
	cr_expect_eq(found.shared, 1);
	cr_expect(found.ignored);
}

static void answer_and_close(void)
{
	wire_read_string(&wire, OK);
	cr_expect(wire_next_span(&span));
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE),
		     200);
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
}

Test(fork, an_idle_connection_is_followed_in_both)
{
	struct found found;

	wire_write(&wire, GET, strlen(GET));
	wire_read_string(&wire, OK);
	cr_expect(wire_next_span(&span));
	found = write_in_child(GET);
	cr_expect_eq(found.edited, 2);
	cr_expect_eq(found.shared, 0);
	cr_expect_eq(found.inherited, 0);
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire.edited_count, 2);
	answer_and_close();
}

Test(fork, an_unanswered_request_is_the_parents)
{
	struct found found;

	wire_write(&wire, GET, strlen(GET));
	found = write_in_child(GET);
	expect_left_alone(found);
	cr_expect_eq(found.inherited, 1);
	answer_and_close();
}

Test(fork, half_a_head_is_the_parents)
{
	wire_write(&wire, GET, 12);
	expect_left_alone(write_in_child(GET + 12));
	wire_write(&wire, GET + 12, strlen(GET) - 12);
	expect_sent(GET, strlen(GET));
	answer_and_close();
}

Test(fork, half_a_body_is_the_parents)
{
	wire_write(&wire, POST, strlen(POST) - 3);
	wire_read_string(&wire, OK);
	cr_expect(wire_next_span(&span));
	expect_left_alone(write_in_child("llo"));
	wire_close(&wire);
}

Test(fork, what_is_owed_is_paid_by_the_parent_and_nothing_added_again)
{
	ssize_t step = (ssize_t)head_end(GET) + 20;
	struct script script = { &step, 1, 0, 1000 };

	use_script(&script);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), head_end(GET));
	expect_left_alone(write_in_child("\r\n"));
	cr_expect_eq(wire_write(&wire, "\r\n", 2), 2);
	expect_sent(GET, strlen(GET));
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_SHARED), 1);
	wire_read_string(&wire, OK);
	wire.edited_count = 0;
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire.edited_count, 0);
	cr_expect(wire_next_span(&span));
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
}

/* --- another thread in the middle of a call --- */

static sem_t in_call, forked;

static ssize_t answer_later(struct wire *w, size_t len)
{
	(void)w;
	sem_post(&in_call);
	while (sem_wait(&forked) && errno == EINTR)
		;
	return (ssize_t)len;
}

static void *write_get(void *unused)
{
	wire.answer = answer_later;
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), strlen(GET));
	return unused;
}

Test(fork, a_write_under_way_in_another_thread_is_the_parents)
{
	struct found found;
	pthread_t thread;

	wire_write(&wire, GET, strlen(GET));
	wire_read_string(&wire, OK);
	cr_expect(wire_next_span(&span));
	wire.out_len = 0;
	sem_init(&in_call, 0, 0);
	sem_init(&forked, 0, 0);
	cr_assert_eq(pthread_create(&thread, NULL, write_get, NULL), 0);
	while (sem_wait(&in_call) && errno == EINTR)
		;
	found = write_in_child(GET);
	sem_post(&forked);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	wire.answer = NULL;
	expect_left_alone(found);
	expect_sent(GET, strlen(GET));
	answer_and_close();
}

static void *read_nothing(void *unused)
{
	struct iovec one = { NULL, 0 };
	struct at_receive receive;

	cr_assert(at_receive_begin(&receive, wire.fd));
	answer_later(NULL, 0);
	at_receive_end(&receive, &one, 1, -1, EAGAIN, 0);
	return unused;
}

Test(fork, a_read_under_way_in_another_thread_is_the_parents)
{
	struct found found;
	pthread_t thread;

	wire_write(&wire, GET, strlen(GET));
	wire_read_string(&wire, OK);
	cr_expect(wire_next_span(&span));
	sem_init(&in_call, 0, 0);
	sem_init(&forked, 0, 0);
	cr_assert_eq(pthread_create(&thread, NULL, read_nothing, NULL), 0);
	while (sem_wait(&in_call) && errno == EINTR)
		;
	found = write_in_child(GET);
	sem_post(&forked);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	expect_left_alone(found);
	wire_write(&wire, GET, strlen(GET));
	answer_and_close();
}
