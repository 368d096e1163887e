// SPDX-License-Identifier: Apache-2.0
/*
 * Calls, requests and descriptors that are to be left alone.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/counters.h"
#include "tests/unit/tracer/sending.h"

TestSuite(send_alone, .init = open_wire);

/* --- calls that must not be edited --- */

static void expect_original(const char *what)
{
	cr_expect_eq(wire.original_count, 1, "%s", what);
	cr_expect_eq(wire.edited_count, 0, "%s", what);
	expect_untouched(GET, strlen(GET));
}

Test(send_alone, unusual_flags_leave_a_call_alone)
{
	uint64_t before = at_counter_value(AT_COUNT_HEADER_UNSAFE);

	wire_send(&wire, GET, strlen(GET), MSG_OOB);
	expect_original("MSG_OOB");
	cr_expect_eq(wire.flags, MSG_OOB);
	again();
	wire_send(&wire, GET, strlen(GET), 0x4000000);
	expect_original("MSG_ZEROCOPY");
	cr_expect_eq(at_counter_value(AT_COUNT_HEADER_UNSAFE), before + 2);
	wire_close(&wire);
}

static char heads[64 * 64];

static size_t many(unsigned int count)
{
	unsigned int i;
	size_t len = 0;

	for (i = 0; i < count; i++)
		len += (size_t)sprintf(heads + len,
				       "GET /%u HTTP/1.1\r\n" HOST "\r\n", i);
	return len;
}

static struct msghdr with_control(struct iovec *iov, char *control,
				  size_t control_len)
{
	struct msghdr message = { .msg_iov = iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = control_len };

	return message;
}

Test(send_alone, control_data_leaves_a_call_alone)
{
	struct iovec iov = { (void *)(uintptr_t)GET, strlen(GET) };
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr message = with_control(&iov, control, sizeof(control));

	cr_expect_eq(wire_sendmsg(&wire, &message, 0), strlen(GET));
	expect_original("control data");
	cr_expect(wire.had_control);
	wire_close(&wire);
}

Test(send_alone, many_heads_in_a_call_to_be_left_alone)
{
	size_t len = many(20);
	struct iovec iov = { heads, len };
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr message = with_control(&iov, control, sizeof(control));

	cr_expect_eq(wire_sendmsg(&wire, &message, 0), len);
	cr_expect_eq(wire.original_count, 1);
	cr_expect_eq(wire.edited_count, 0);
	expect_untouched(heads, len);
	wire_close(&wire);
}

Test(send_alone, what_is_owed_goes_before_a_call_to_be_left_alone)
{
	size_t head = head_end(GET);
	ssize_t steps[] = { (ssize_t)head + 30, 10, -EAGAIN, 100 };
	struct script script = { steps, 4, 0, 1000 };
	struct iovec iov = { (void *)(uintptr_t)(GET + head), 2 };
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct msghdr message = with_control(&iov, control, sizeof(control));

	use_script(&script);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), head);
	cr_expect_eq(wire_sendmsg(&wire, &message, MSG_OOB), -1);
	cr_expect_eq(errno, EAGAIN);
	cr_expect_eq(wire.flags, 0, "ours is not urgent");
	cr_expect_eq(wire_sendmsg(&wire, &message, MSG_OOB), -1);
	cr_expect_not(wire.had_control);
	cr_expect_eq(wire_sendmsg(&wire, &message, MSG_OOB), 2);
	cr_expect(wire.had_control);
	cr_expect_eq(wire.flags, MSG_OOB);
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

/* --- requests that get no header --- */

static void expect_bare(const char *what, const char *request)
{
	cr_expect_eq(wire_write(&wire, request, strlen(request)),
		     strlen(request));
	cr_expect(wire_is_sent(&wire, request, strlen(request), NULL, 0), "%s",
		  what);
	cr_expect_eq(wire.original_count, 1, "%s", what);
	again();
}

#define TP "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

Test(send_alone, some_requests_are_left_as_they_are, .init = NULL)
{
	static char only[] = "AUTOTRACE_PROPAGATE_TO=localhost";
	char *settings[] = { only, NULL };

	wire_start(settings);
	wire_open(&wire, AF_UNIX);
	expect_bare("foreign host", "GET / HTTP/1.1\r\n"
				    "Host: example.com\r\n\r\n");
	expect_bare("proxy to a foreign host",
		    "GET http://example.com/ HTTP/1.1\r\n" HOST "\r\n");
	expect_bare("own, broken context",
		    "GET / HTTP/1.1\r\n" HOST "traceparent: x\r\n\r\n");
	expect_bare("two contexts",
		    "GET / HTTP/1.1\r\n" HOST "traceparent: " TP "\r\n"
		    "Traceparent: " TP "\r\n\r\n");
	expect_bare("tracestate",
		    "GET / HTTP/1.1\r\n" HOST "tracestate: a=1\r\n\r\n");
	expect_bare("CONNECT", "CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n");
	expect_bare("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	expect_bare("redis", "*1\r\n$4\r\nPING\r\n");
	expect_bare("opaque", "GET / HTTP/1.1\r\nHost localhost\r\n\r\n");
	wire_close(&wire);
}

Test(send_alone, without_propagators_nothing_is_added, .init = NULL)
{
	static char none[] = "OTEL_PROPAGATORS=none";
	char *settings[] = { none, NULL };

	wire_start(settings);
	wire_open(&wire, AF_UNIX);
	wire_write(&wire, GET, strlen(GET));
	expect_original("no propagators");
	wire_close(&wire);
}

/* --- descriptors that are none of our business --- */

Test(send_alone, empty_writes_decide_nothing)
{
	struct iovec iov[2] = { { NULL, 0 }, { NULL, 0 } };

	cr_expect_eq(wire_write(&wire, GET, 0), 0);
	cr_expect_eq(wire_writev(&wire, iov, 2), 0);
	cr_expect_eq(wire_writev(&wire, iov, 0), 0);
	cr_expect_not(at_fd_followed(wire.fd));
	wire_write(&wire, GET, strlen(GET));
	expect_sent(GET, strlen(GET));
	cr_expect_eq(wire_write(&wire, GET, 0), 0);
	wire_close(&wire);
}

Test(send_alone, an_empty_write_may_be_a_way_to_pay)
{
	size_t head = head_end(GET);
	ssize_t steps[] = { (ssize_t)head + 30 };
	struct script script = { steps, 1, 0, 1000 };

	use_script(&script);
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire_write(&wire, GET, 0), 0);
	expect_sent(GET, head);
	cr_expect_eq(wire_write(&wire, GET + head, 2), 2);
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

Test(send_alone, a_bystander_is_looked_at_once)
{
	cr_expect_eq(wire_write(&wire, "*1\r\n$4\r\nPING\r\n", 14), 14);
	cr_expect(at_fd_ignored(wire.fd));
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), strlen(GET));
	cr_expect_eq(wire.edited_count, 0);
	wire_close(&wire);
}

Test(send_alone, a_request_into_a_pipe_is_just_bytes)
{
	int pair[2];

	cr_assert_eq(pipe(pair), 0);
	dup2(pair[1], wire.fd);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), strlen(GET));
	expect_original("a pipe");
	cr_expect(at_fd_ignored(wire.fd));
	close(pair[0]);
	close(pair[1]);
	wire_close(&wire);
}

/* libunwind finds out by a write whether an address can be read. */
Test(send_alone, a_byte_for_a_pipe_is_not_even_read)
{
	struct script script = { NULL, 0, 0, -EFAULT };
	int pair[2];

	cr_assert_eq(pipe(pair), 0);
	dup2(pair[1], wire.fd);
	use_script(&script);
	cr_expect_eq(wire_write(&wire, (const void *)16, 1), -1);
	cr_expect_eq(errno, EFAULT);
	close(pair[0]);
	close(pair[1]);
	wire_close(&wire);
}

/* A program's mistake stays between it and the kernel. */
Test(send_alone, a_wild_address_is_for_the_kernel_to_refuse)
{
	struct iovec iov[] = { { (void *)(uintptr_t)GET, 20 },
			       { (void *)8, 500 } };
	ssize_t steps[] = { -EFAULT, 20, -EFAULT, -EFAULT };
	struct script script = { steps, 4, 0, 1000 };

	use_script(&script);
	cr_expect_eq(wire_write(&wire, NULL, 200), -1);
	cr_expect_eq(errno, EFAULT);
	cr_expect_eq(wire_writev(&wire, iov, 2), 20);
	cr_expect_eq(wire_write(&wire, NULL, 5), -1);
	cr_expect_eq(wire_write(&wire, (void *)100, 4000), -1);
	cr_expect_eq(wire_write(&wire, GET + 20, strlen(GET) - 20),
		     strlen(GET) - 20);
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

/* Lengths that wrap, or that nobody has, and no list at all. */
Test(send_alone, an_absurd_call_is_for_the_kernel_to_refuse)
{
	struct iovec iov[] = { { (void *)(uintptr_t)GET, strlen(GET) },
			       { (void *)(uintptr_t)GET, SIZE_MAX - 20 } };
	struct iovec wild[] = { { (void *)(uintptr_t)GET, 20 },
				{ (void *)-1, 500 } };
	ssize_t steps[] = { -EINVAL, -EINVAL, -EFAULT, 20, -EFAULT };
	struct script script = { steps, 5, 0, 1000 };

	use_script(&script);
	cr_expect_eq(wire_writev(&wire, iov, 2), -1);
	cr_expect_eq(errno, EINVAL);
	iov[1].iov_len = SSIZE_MAX;
	cr_expect_eq(wire_writev(&wire, iov, 2), -1);
	cr_expect_eq(wire_write(&wire, GET, (size_t)-1), -1);
	cr_expect_eq(wire.original_count, 3);
	cr_expect_eq(wire_writev(&wire, wild, 2), 20);
	cr_expect_eq(wire_writev(&wire, wild + 1, 1), -1);
	cr_expect_eq(wire_write(&wire, GET + 20, strlen(GET) - 20),
		     strlen(GET) - 20);
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

/* No more is lost than the bystander it always was. */
Test(send_alone, who_only_began_like_http_is_not_counted_as_lost)
{
	cr_expect_eq(wire_write(&wire, "GET", 3), 3);
	cr_expect(at_fd_followed(wire.fd));
	cr_expect_eq(wire_write(&wire, " key\r\n", 6), 6);
	expect_untouched("GET key\r\n", 9);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_REQUEST), 0);
	wire_write(&wire, "x", 1);
	cr_expect(at_fd_ignored(wire.fd));
	wire_close(&wire);
}
