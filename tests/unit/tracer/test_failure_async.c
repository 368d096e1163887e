// SPDX-License-Identifier: Apache-2.0
/* Connects of sockets that do not block, whose answer comes by another call. */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "tests/unit/tracer/failing.h"
#include "tracer/failure.h"
#include "tracer/tracer.h"

/* As event loops do: wait until it is writable, ask for the error. */
static int socket_error(int fd)
{
	struct pollfd poller = { fd, POLLOUT, 0 };
	int error = -1;
	socklen_t len = sizeof(error);

	cr_assert_eq(poll(&poller, 1, 5000), 1);
	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	now_ns += 5 * MS;
	at_fd_socket_error(fd, error);
	return error;
}

Test(failure_async, an_asynchronous_one_is_told_by_so_error)
{
	struct end end = refusing();
	int fd;

	start();
	fd = new_socket(SOCK_NONBLOCK);
	cr_assert_eq(connect_as_hook(fd, &end), EINPROGRESS);
	cr_assert(failure_watching);
	cr_assert_eq(socket_error(fd), ECONNREFUSED);
	close_as_hook(fd);
	expect_span(HERE, end.port, HERE, "connection_refused", -1);
	cr_assert_eq(span.duration_ns, 10 * MS);
	expect_none();
}

Test(failure_async, or_by_the_next_connect)
{
	struct end end = refusing();
	struct pollfd poller = { .events = POLLOUT };

	start();
	poller.fd = new_socket(SOCK_NONBLOCK);
	cr_assert_eq(connect_as_hook(poller.fd, &end), EINPROGRESS);
	poll(&poller, 1, 5000);
	cr_assert_eq(connect_as_hook(poller.fd, &end), ECONNREFUSED);
	expect_span(HERE, end.port, HERE, "connection_refused", -1);
	cr_assert_eq(span.duration_ns, 10 * MS);
	expect_none();
}

Test(failure_async, an_asynchronous_success_is_none)
{
	struct end end = listening();
	struct pollfd poller = { .events = POLLOUT };
	int fd;

	start();
	fd = new_socket(SOCK_NONBLOCK);
	cr_assert_eq(connect_as_hook(fd, &end), EINPROGRESS);
	cr_assert_eq(socket_error(fd), 0);
	cr_assert_not(failure_watching);
	/* What goes wrong later is not the connect's. */
	at_fd_socket_error(fd, ECONNRESET);
	poller.fd = new_socket(SOCK_NONBLOCK);
	cr_assert_eq(connect_as_hook(poller.fd, &end), EINPROGRESS);
	poll(&poller, 1, 5000);
	cr_assert_eq(connect_as_hook(poller.fd, &end), 0);
	cr_assert_not(failure_watching);
	failure_flush();
	expect_none();
}

/* A queue that is full does not answer: a connect to it waits. */
static struct end silent(void)
{
	int fd, i;
	struct end end = bound(HERE, &fd);

	cr_assert_eq(listen(fd, 0), 0);
	for (i = 0; i < 2; i++)
		connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
			(struct sockaddr *)&end.name, end.len);
	return end;
}

Test(failure_async, closing_before_the_answer_is_a_change_of_mind)
{
	struct end end = silent();
	int fd;

	start();
	fd = new_socket(SOCK_NONBLOCK);
	cr_assert_eq(connect_as_hook(fd, &end), EINPROGRESS);
	close_as_hook(fd);
	cr_assert_not(failure_watching);
	fd = new_socket(SOCK_NONBLOCK);
	cr_assert_eq(connect_as_hook(fd, &end), EINPROGRESS);
	at_fd_range_closing((unsigned int)fd, ~0u);
	close(fd);
	cr_assert_not(failure_watching);
	failure_flush();
	expect_none();
}

Test(failure_async, a_change_of_mind_after_a_failure_completes_it)
{
	struct end end = silent();
	struct end ends[2] = { on(9, &end), on(2, &end) };
	int fd;

	start();
	resolves("shop", ends, 2);
	fd = new_socket(SOCK_NONBLOCK);
	cr_assert_eq(connect_as_hook(fd, &ends[0]), EINPROGRESS);
	close_as_hook(fd);
	expect_none();
	try_once(&ends[1]);
	expect_span("shop", end.port, "127.0.0.2", "connection_refused", -1);
	cr_assert_eq(span.duration_ns, 10 * MS);
}

/* Begin, and wait until the kernel has an answer. */
static int answered_unasked(const struct end *end)
{
	struct pollfd poller = { .events = POLLOUT };

	poller.fd = new_socket(SOCK_NONBLOCK);
	cr_assert_eq(connect_as_hook(poller.fd, end), EINPROGRESS);
	cr_assert_eq(poll(&poller, 1, 5000), 1);
	return poller.fd;
}

/* Some clients just write when they may, and never ask for the error. */
Test(failure_async, a_connection_that_is_closed_came_about)
{
	struct end end = listening();
	struct end ends[2] = { on(2, &end), on(9, &end) };

	start();
	resolves("shop", ends, 2);
	try_once(&ends[0]);
	close_as_hook(answered_unasked(&ends[1]));
	failure_flush();
	expect_none();
}

Test(failure_async, even_if_it_was_reset_since)
{
	int listener, accepted, fd;
	struct end end = bound(HERE, &listener);
	struct linger linger = { 1, 0 };
	struct pollfd poller = { .events = POLLIN };

	start();
	listen(listener, 4);
	fd = answered_unasked(&end);
	accepted = accept(listener, NULL, NULL);
	setsockopt(accepted, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(accepted);
	poller.fd = fd;
	cr_assert_eq(poll(&poller, 1, 5000), 1);
	close_as_hook(fd);
	failure_flush();
	expect_none();
}

Test(failure_async, a_refusal_that_nobody_asked_about_is_found_at_the_close)
{
	struct end end = refusing();
	char byte;
	int fd;

	start();
	close_as_hook(answered_unasked(&end));
	expect_span(HERE, end.port, HERE, "connection_refused", -1);
	now_ns += 20 * S;
	/* Read out by the client: the cause is gone. */
	fd = answered_unasked(&end);
	cr_assert_eq(recv(fd, &byte, 1, 0), -1);
	cr_assert_eq(errno, ECONNREFUSED);
	close_as_hook(fd);
	expect_span(HERE, end.port, HERE, "_OTHER", -1);
}

Test(failure_async, an_error_of_another_call_is_the_answer_too)
{
	struct end end = refusing();
	int fd;

	start();
	fd = answered_unasked(&end);
	at_fd_socket_error(fd, EAGAIN);
	at_fd_socket_error(fd, ENOTCONN);
	at_fd_socket_error(fd, EINPROGRESS);
	at_fd_socket_error(fd, EINTR);
	expect_none();
	at_fd_socket_error(fd, ECONNREFUSED);
	expect_span(HERE, end.port, HERE, "connection_refused", -1);
}

Test(failure_async, the_loser_of_a_race_is_no_failure)
{
	struct end end = listening();
	struct end ends[2] = { on(2, &end), on(9, &end) };
	int loser, winner;

	start();
	resolves("shop", ends, 2);
	loser = new_socket(SOCK_NONBLOCK);
	winner = new_socket(SOCK_NONBLOCK);
	cr_assert_eq(connect_as_hook(loser, &ends[0]), EINPROGRESS);
	cr_assert_eq(connect_as_hook(winner, &ends[1]), EINPROGRESS);
	cr_assert_eq(socket_error(winner), 0);
	cr_assert_eq(socket_error(loser), ECONNREFUSED);
	failure_flush();
	expect_none();
}
