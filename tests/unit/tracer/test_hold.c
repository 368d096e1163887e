// SPDX-License-Identifier: Apache-2.0
/*
 * Threads that leave the application's call by a jump: nothing stays held,
 * whatever they do next, and wherever on the stack they do it.
 */
#include <alloca.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/counters.h"
#include "tests/support/wire.h"
#include "tracer/hold.h"

#define REQUEST "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static struct wire wire, other;
static sigjmp_buf out;
static void (*inside)(void);

static void set_up(void)
{
	wire_start(NULL);
	wire_open(&other, AF_UNIX);
	wire_open(&wire, AF_UNIX);
}

TestSuite(hold, .init = set_up);

static void jump(void)
{
	siglongjmp(out, 1);
}

static ssize_t jumping_sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (inside)
		inside();
	return sendmsg(fd, message, flags);
}

static ssize_t original(const struct at_send *s)
{
	if (inside)
		inside();
	return send(s->fd, s->iov->iov_base, s->iov->iov_len, s->flags);
}

static ssize_t send_to(struct wire *to, const char *bytes, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct at_send send = { .fd = to->fd,
				.flags = MSG_NOSIGNAL,
				.iov = &iov,
				.iov_count = 1,
				.original = original,
				.sendmsg = jumping_sendmsg };

	return at_send(&send);
}

static ssize_t request(struct wire *to)
{
	return send_to(to, REQUEST, sizeof(REQUEST) - 1);
}

/* Its answer is read; `then` is done inside that call. */
static void answer(struct wire *from, void (*then)(void))
{
	char bytes[200];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct at_receive receive;
	bool ours = at_receive_begin(&receive, from->fd);
	ssize_t n;

	if (then)
		then();
	n = send(from->peer, OK, sizeof(OK) - 1, 0);
	cr_assert_eq(n, (ssize_t)sizeof(OK) - 1);
	n = recv(from->fd, bytes, sizeof(bytes), 0);
	if (ours)
		at_receive_end(&receive, &iov, 1, n, errno, 0);
}

static void jump_out_of_read(void)
{
	if (!sigsetjmp(out, 1))
		answer(&wire, jump);
}

static void jump_out_of(void (*call)(void))
{
	inside = jump;
	if (!sigsetjmp(out, 1))
		call();
	inside = NULL;
}

static void send_request(void)
{
	request(&wire);
}

static void send_half_a_head(void)
{
	send_to(&wire, REQUEST, 20);
}

static void expect_left(uint64_t count)
{
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_LEFT), count);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_SHARED), 0);
	cr_expect_eq(hold_depth, 0);
	at_fd_closing(wire.fd);
	wire_close(&other);
	wire_close(&wire);
}

Test(hold, a_jump_out_of_a_read)
{
	request(&wire);
	jump_out_of_read();
	answer(&wire, NULL);
	expect_left(1);
}

Test(hold, a_jump_out_of_a_write)
{
	jump_out_of(send_request);
	cr_expect_eq(request(&wire), (ssize_t)sizeof(REQUEST) - 1);
	expect_left(1);
}

Test(hold, a_jump_out_of_a_write_in_the_middle_of_a_head)
{
	send_half_a_head();
	jump_out_of(send_half_a_head);
	cr_expect_eq(request(&wire), (ssize_t)sizeof(REQUEST) - 1);
	expect_left(1);
}

Test(hold, another_connection_is_enough_to_notice)
{
	jump_out_of(send_request);
	cr_expect_eq(request(&other), (ssize_t)sizeof(REQUEST) - 1);
	answer(&other, NULL);
	expect_left(1);
}

/* Frames below the one that was left: other bytes lie there now. */
__attribute__((noinline)) static void deeper(size_t bytes)
{
	volatile char *fill = alloca(bytes);

	while (bytes--)
		fill[bytes] = 0x55;
	request(&other);
	answer(&other, NULL);
}

Test(hold, deeper_in_the_stack_than_before)
{
	jump_out_of(send_request);
	deeper(20000);
	expect_left(1);
}

/* Each on a connection that is new. */
Test(hold, thousands_of_jumps)
{
	char bytes[200];
	uint64_t i;

	for (i = 0; i < 20000; i++) {
		jump_out_of(send_request);
		at_fd_closing(wire.fd);
		request(&wire);
		cr_assert(recv(wire.peer, bytes, sizeof(bytes), 0) > 0);
		jump_out_of_read();
		at_fd_closing(wire.fd);
	}
	request(&other);
	expect_left(40000);
}

/* --- a signal handler on top of the call is not a jump --- */

static void handle(int signal)
{
	(void)signal;
	inside = NULL;
	cr_expect_eq(request(&other), (ssize_t)sizeof(REQUEST) - 1);
	answer(&other, NULL);
}

static void interrupt(void)
{
	raise(SIGUSR1);
}

static void expect_followed(void)
{
	struct at_span span;
	int count = 0;

	request(&wire);
	answer(&wire, interrupt);
	inside = interrupt;
	request(&wire);
	inside = NULL;
	answer(&wire, NULL);
	while (wire_next_span(&span))
		count++;
	cr_expect_eq(count, 4);
	expect_left(0);
}

Test(hold, a_handler_on_the_same_stack)
{
	struct sigaction action = { .sa_handler = handle };

	sigaction(SIGUSR1, &action, NULL);
	expect_followed();
}

static void on_other_stack(void *stack, size_t size)
{
	struct sigaction action = { .sa_handler = handle,
				    .sa_flags = SA_ONSTACK };
	stack_t other_stack = { .ss_sp = stack, .ss_size = size };

	cr_assert_eq(sigaltstack(&other_stack, NULL), 0);
	sigaction(SIGUSR1, &action, NULL);
}

Test(hold, a_handler_on_a_stack_below)
{
	static char stack[1 << 16];

	on_other_stack(stack, sizeof(stack));
	expect_followed();
}

/* Main's frame is above those of all calls. */
Test(hold, a_handler_on_a_stack_above)
{
	char stack[1 << 16];

	on_other_stack(stack, sizeof(stack));
	expect_followed();
}

static void jump_from_handler(int signal)
{
	(void)signal;
	inside = jump;
	request(&wire);
}

Test(hold, a_jump_from_another_stack)
{
	struct sigaction action = { .sa_handler = jump_from_handler,
				    .sa_flags = SA_ONSTACK };
	char stack[1 << 16];

	on_other_stack(stack, sizeof(stack));
	sigaction(SIGUSR1, &action, NULL);
	if (!sigsetjmp(out, 1))
		raise(SIGUSR1);
	inside = NULL;
	request(&other);
	answer(&other, NULL);
	expect_left(1);
}

/* Taken for gone by mistake, its frame comes back to what is not its own. */
static void be_taken_for_gone(void)
{
	inside = NULL;
	hold_look((const struct at_hold *)UINTPTR_MAX);
}

Test(hold, a_mistake_does_no_harm)
{
	inside = be_taken_for_gone;
	cr_expect_eq(request(&wire), (ssize_t)sizeof(REQUEST) - 1);
	cr_expect_eq(request(&other), (ssize_t)sizeof(REQUEST) - 1);
	answer(&other, NULL);
	expect_left(1);
}
