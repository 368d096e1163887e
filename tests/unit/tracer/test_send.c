// SPDX-License-Identifier: Apache-2.0
/*
 * What the kernel gets is what the application wrote plus one header before
 * each blank line; what the application hears is about its own bytes alone.
 * Against a kernel that takes any part, or refuses.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/counters.h"
#include "tests/unit/tracer/sending.h"

TestSuite(send, .init = open_wire);

/* --- whole writes --- */

Test(send, a_header_is_added_before_the_blank_line)
{
	errno = 1234;
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), strlen(GET));
	cr_expect_eq(errno, 1234);
	expect_sent(GET, strlen(GET));
	cr_expect_eq(wire.edited_count, 1);
	cr_expect_eq(wire.original_count, 0);
	wire_close(&wire);
}

Test(send, a_body_in_the_same_write_stays_behind_it)
{
	cr_expect_eq(wire_write(&wire, POST, strlen(POST)), strlen(POST));
	expect_sent(POST, strlen(POST));
	wire_close(&wire);
}

Test(send, a_body_of_its_own_goes_through_the_original_call)
{
	static const char head[] = "PUT /x HTTP/1.1\r\n" HOST
				   "Content-Length: 70000\r\n\r\n";
	static char body[70000];
	size_t i;

	wire_write(&wire, head, sizeof(head) - 1);
	for (i = 0; i < sizeof(body); i += 7000)
		cr_expect_eq(wire_write(&wire, body + i, 7000), 7000);
	cr_expect_eq(wire.edited_count, 1);
	cr_expect_eq(wire.original_count, 10);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), strlen(GET));
	cr_expect_eq(wire.edited_count, 2);
	wire_close(&wire);
}

Test(send, flags_reach_the_kernel)
{
	wire_send(&wire, GET, strlen(GET), MSG_NOSIGNAL | MSG_MORE);
	cr_expect_eq(wire.flags, MSG_NOSIGNAL | MSG_MORE);
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

/* Every split of a head and its body over two writes, and byte by byte. */
Test(send, a_head_may_come_in_any_pieces)
{
	size_t len = strlen(POST), cut, i;

	for (cut = 0; cut <= len; cut++) {
		cr_assert_eq(wire_write(&wire, POST, cut), cut);
		expect_sent(POST, cut);
		cr_assert_eq(wire_write(&wire, POST + cut, len - cut),
			     len - cut);
		expect_sent(POST, len);
		again();
	}
	for (i = 0; i < len; i++) {
		cr_assert_eq(wire_write(&wire, POST + i, 1), 1);
		expect_sent(POST, i + 1);
	}
	wire_close(&wire);
}

/* --- short writes --- */

/* The rest of `in` after `done`, as a program that retries. */
static void finish(const char *in, size_t done)
{
	size_t len = strlen(in);

	while (done < len) {
		ssize_t n = wire_write(&wire, in + done, len - done);

		if (n < 0) {
			cr_assert_eq(errno, EAGAIN);
			n = 0;
		} else {
			cr_assert_gt(n, 0);
		}
		done += (size_t)n;
		expect_sent(in, done);
	}
}

Test(send, a_kernel_may_take_any_part_of_it)
{
	size_t total = strlen(POST) + WIRE_HEADER_BYTES;
	ssize_t first, second;

	for (first = 0; first <= (ssize_t)total; first++)
		for (second = 0; second <= 140; second += 7) {
			ssize_t steps[] = { first ? first : -EAGAIN,
					    second ? second : -EAGAIN };
			struct script script = { steps, 2, 0, 1 << 20 };

			use_script(&script);
			finish(POST, 0);
			cr_assert_eq(wire.out_len, total);
			again();
		}
	wire_close(&wire);
}

Test(send, a_kernel_may_take_byte_by_byte)
{
	struct script script = { NULL, 0, 0, 1 };

	use_script(&script);
	finish(POST, 0);
	wire_close(&wire);
}

/* The application's own bytes in two writes, each taken in part. */
Test(send, a_split_head_may_be_taken_in_any_part)
{
	size_t len = strlen(GET), cut, i;
	ssize_t take;

	for (cut = 1; cut < len; cut++)
		for (take = 1; take < (ssize_t)len + WIRE_HEADER_BYTES;
		     take += 3) {
			struct script script = { &take, 1, 0, 5 };
			size_t done = 0;

			wire.answer = NULL;
			cr_assert_eq(wire_write(&wire, GET, cut), cut);
			use_script(&script);
			done = cut;
			for (i = 0; done < len; i++) {
				ssize_t n = wire_write(&wire, GET + done,
						       len - done);

				cr_assert(n > 0 || errno == EAGAIN);
				done += n > 0 ? (size_t)n : 0;
				expect_sent(GET, done);
				cr_assert_lt(i, 1000);
			}
			again();
		}
	wire_close(&wire);
}

Test(send, only_our_bytes_taken_is_again_on_a_nonblocking_socket)
{
	ssize_t head = (ssize_t)head_end(GET);
	ssize_t steps[] = { head, 10, 30, 30 };
	struct script script = { steps, 4, 0, 100 };

	use_script(&script);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), head);
	cr_expect_eq(wire_write(&wire, GET + head, 2), -1);
	cr_expect_eq(errno, EAGAIN);
	cr_expect_eq(wire_write(&wire, GET + head, 2), -1);
	cr_expect_eq(errno, EAGAIN);
	/* The last byte of the header, and nothing else. */
	cr_expect_eq(wire_write(&wire, GET + head, 2), -1);
	cr_expect_eq(errno, EAGAIN);
	expect_sent(GET, (size_t)head);
	cr_expect_eq(wire_write(&wire, GET + head, 2), 2);
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

Test(send, only_our_bytes_taken_goes_on_on_a_blocking_socket)
{
	ssize_t head = (ssize_t)head_end(GET);
	ssize_t steps[] = { head, 10, 30, 30 };
	struct script script = { steps, 4, 0, 100 };

	wire_nonblocking(&wire, false);
	use_script(&script);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), head);
	errno = 77;
	cr_expect_eq(wire_write(&wire, GET + head, 2), 2);
	cr_expect_eq(errno, 77);
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

Test(send, a_blocking_call_that_may_not_wait_is_again)
{
	ssize_t head = (ssize_t)head_end(GET);
	ssize_t steps[] = { head, 10, 10, 50 };
	struct script script = { steps, 4, 0, 100 };
	struct timeval limit = { 1, 0 };

	wire_nonblocking(&wire, false);
	use_script(&script);
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire_send(&wire, GET + head, 2, MSG_DONTWAIT), -1);
	cr_expect_eq(errno, EAGAIN);
	cr_assert_eq(setsockopt(wire.fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
				sizeof(limit)),
		     0);
	cr_expect_eq(wire_write(&wire, GET + head, 2), -1);
	cr_expect_eq(errno, EAGAIN);
	cr_expect_eq(wire_write(&wire, GET + head, 2), -1);
	cr_expect_eq(wire_write(&wire, GET + head, 2), 2);
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

/* --- refused writes --- */

Test(send, errors_are_passed_on_and_nothing_is_kept)
{
	static const int errors[] = { EAGAIN, EINTR,      ENOBUFS, ENOTCONN,
				      EPIPE,  ECONNRESET, EFAULT };
	size_t i, cut;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		for (cut = 0; cut < strlen(GET); cut += 5) {
			ssize_t step = -errors[i];
			struct script script = { &step, 1, 0, 1000 };

			wire.answer = NULL;
			wire_write(&wire, GET, cut);
			use_script(&script);
			cr_assert_eq(wire_write(&wire, GET + cut,
						strlen(GET) - cut),
				     -1);
			cr_assert_eq(errno, errors[i]);
			expect_sent(GET, cut);
			cr_assert_eq(wire_write(&wire, GET + cut,
						strlen(GET) - cut),
				     strlen(GET) - cut);
			expect_sent(GET, strlen(GET));
			again();
		}
	wire_close(&wire);
}

Test(send, a_retry_may_bring_other_bytes)
{
	ssize_t step = -EAGAIN;
	struct script script = { &step, 1, 0, 1000 };

	use_script(&script);
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire_write(&wire, POST, strlen(POST)), strlen(POST));
	expect_sent(POST, strlen(POST));
	wire_close(&wire);
}

Test(send, an_error_after_some_bytes_is_for_the_next_call)
{
	ssize_t steps[] = { (ssize_t)head_end(GET) + 20, -EPIPE };
	struct script script = { steps, 2, 0, -ECONNRESET };

	use_script(&script);
	errno = 55;
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), head_end(GET));
	cr_expect_eq(errno, 55);
	cr_expect_eq(wire_write(&wire, GET + head_end(GET), 2), -1);
	cr_expect_eq(errno, EPIPE);
	cr_expect_eq(wire_write(&wire, GET + head_end(GET), 2), -1);
	cr_expect_eq(errno, ECONNRESET);
	wire_close(&wire);
}

/* Planned anew after each refusal, but one request. */
Test(send, what_gets_no_header_is_counted_once, .init = NULL)
{
	static const char foreign[] = "GET / HTTP/1.1\r\n"
				      "Host: example.com\r\n\r\n";
	static char only[] = "AUTOTRACE_PROPAGATE_TO=*.test";
	char *settings[] = { only, NULL };
	ssize_t steps[] = { -EAGAIN, -EAGAIN, -EINTR, 10 };
	struct script script = { steps, 4, 0, 1000 };

	wire_start(settings);
	wire_open(&wire, AF_UNIX);
	use_script(&script);
	cr_expect(wire_write_all(&wire, foreign, sizeof(foreign) - 1));
	expect_untouched(foreign, sizeof(foreign) - 1);
	cr_expect_eq(at_counter_value(AT_COUNT_HEADER_FOREIGN), 1);
	wire_close(&wire);
}
