// SPDX-License-Identifier: Apache-2.0
/*
 * Writes of many pieces, and of many heads.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/counters.h"
#include "tests/unit/tracer/sending.h"

TestSuite(send_many, .init = open_wire);

/* --- vectors --- */

/* The bytes, cut into `count` iovecs (some empty), at the sizes of `seed`. */
static size_t cut_up(struct iovec *iov, size_t count, const char *bytes,
		     unsigned int seed)
{
	size_t left = strlen(bytes), i;

	for (i = 0; i < count; i++) {
		size_t room = 2 * left / (count - i);
		size_t n = room ? (seed = seed * 1103515245 + 12345) / 65536 %
					   (room + 1) :
				  0;

		if (n > left || i + 1 == count)
			n = left;
		iov[i].iov_base = (void *)(uintptr_t)bytes;
		iov[i].iov_len = n;
		bytes += n;
		left -= n;
	}
	return count;
}

Test(send_many, a_head_may_be_scattered)
{
	struct iovec iov[64];
	size_t count;

	for (count = 1; count <= 39; count++) {
		cut_up(iov, count, POST, (unsigned int)count);
		cr_assert_eq(wire_writev(&wire, iov, count), strlen(POST));
		expect_sent(POST, strlen(POST));
		cr_assert_eq(wire.edited_count, 1);
		again();
	}
	wire_close(&wire);
}

Test(send_many, the_shapes_of_real_programs)
{
	/* erlang's, varnish's, node's chunked body */
	struct iovec erlang[] = { { NULL, 0 },
				  { (void *)(uintptr_t)GET, strlen(GET) } };
	struct iovec varnish[] = {
		{ (void *)"GET", 3 },
		{ (void *)" ", 1 },
		{ (void *)"/x", 2 },
		{ (void *)" ", 1 },
		{ (void *)"HTTP/1.1\r\n", 10 },
		{ (void *)HOST, strlen(HOST) },
		{ (void *)"\r\n", 2 },
	};

	cr_expect_eq(wire_writev(&wire, erlang, 2), strlen(GET));
	expect_sent(GET, strlen(GET));
	again();
	cr_expect_eq(wire_writev(&wire, varnish, 7), strlen(GET));
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

/* Vectors larger than ours, heads at every place in them, short writes. */
Test(send_many, long_vectors_are_sent_in_parts)
{
	static struct iovec iov[1100];
	static char bytes[2000];
	static const ssize_t takes[] = { 1 << 20, 40, 700, 3 };
	size_t count, lead, i, j;

	for (count = 60; count <= 1100; count += 130)
		for (lead = 0; lead < 1800; lead += 150)
			for (i = 0; i < 4; i++) {
				struct script script = { NULL, 0, 0, takes[i] };
				size_t at, done = 0, len;

				/* a body of `lead`, and then a head */
				sprintf(bytes,
					"PUT / HTTP/1.1\r\n" HOST
					"Content-Length: %zu\r\n\r\n",
					lead);
				wire.answer = NULL;
				wire_write(&wire, bytes, strlen(bytes));
				wire.out_len = 0;
				memset(bytes, 'b', lead);
				strcpy(bytes + lead, GET);
				at = lead + head_end(GET);
				len = strlen(bytes);
				use_script(&script);
				while (done < len) {
					ssize_t n;

					cut_up(iov, count, bytes + done,
					       (unsigned int)(lead + count));
					n = wire_writev(&wire, iov, count);
					if (n < 0)
						cr_assert_eq(errno, EAGAIN);
					cr_assert_neq(n, 0);
					done += n > 0 ? (size_t)n : 0;
					cr_assert(wire_is_sent(&wire, bytes,
							       done, &at, 1));
				}
				for (j = 0; j < count; j++)
					iov[j].iov_len = 0;
				again();
			}
	wire_close(&wire);
}

Test(send_many, a_long_vector_without_a_head_is_not_cut)
{
	static const char head[] = "PUT / HTTP/1.1\r\n" HOST
				   "Content-Length: 1000\r\n\r\n";
	static struct iovec iov[1000];
	static char byte = 'x';
	size_t i;

	wire_write(&wire, head, sizeof(head) - 1);
	for (i = 0; i < 1000; i++)
		iov[i] = (struct iovec){ &byte, 1 };
	cr_expect_eq(wire_writev(&wire, iov, 1000), 1000);
	cr_expect_eq(wire.original_count, 1);
	cr_expect_eq(wire.iov_count, 1000);
	again();
	/* Behind a head the rest goes as it is, in one call more. */
	iov[0] = (struct iovec){ (void *)(uintptr_t)head, sizeof(head) - 1 };
	cr_expect_eq(wire_writev(&wire, iov, 999), sizeof(head) - 1 + 998);
	cr_expect_eq(wire.edited_count, 2);
	cr_expect_gt(wire.iov_count, 900);
	wire_close(&wire);
}

/* Only the first call opens the connection, and may raise a signal. */
Test(send_many, later_parts_go_by_milder_flags)
{
	static struct iovec iov[200];
	struct msghdr message = { .msg_iov = iov,
				  .msg_iovlen = 200,
				  .msg_name = &message,
				  .msg_namelen = 1 };
	static const char head[] = "PUT / HTTP/1.1\r\n" HOST
				   "Content-Length: 199\r\n\r\n";
	static char byte = 'x';
	size_t i;

	iov[0] = (struct iovec){ (void *)(uintptr_t)head, sizeof(head) - 1 };
	for (i = 1; i < 200; i++)
		iov[i] = (struct iovec){ &byte, 1 };
	cr_expect_eq(wire_sendmsg(&wire, &message, 0x20000000 | MSG_MORE),
		     sizeof(head) - 1 + 199);
	cr_expect_eq(wire.edited_count, 2);
	cr_expect_eq(wire.flags, MSG_NOSIGNAL | MSG_MORE);
	cr_expect_not(wire.had_name);
	again();
	message.msg_iovlen = 1;
	wire_sendmsg(&wire, &message, 0x20000000);
	cr_expect_eq(wire.flags, 0x20000000);
	cr_expect(wire.had_name);
	wire_close(&wire);
}

/* --- many heads in one write --- */

static char heads[64 * 64];
static size_t ends[64];

/* `count` requests with different targets, some with bodies. */
static size_t many(unsigned int count)
{
	unsigned int i;
	size_t len = 0;

	for (i = 0; i < count; i++) {
		len += (size_t)sprintf(heads + len,
				       "%s /%u HTTP/1.1\r\n%s" HOST,
				       i % 3 ? "GET" : "POST", i,
				       i % 3 ? "" : "Content-Length: 3\r\n");
		ends[i] = len;
		len += (size_t)sprintf(heads + len, "\r\n%s",
				       i % 3 ? "" : "abc");
	}
	return len;
}

Test(send_many, each_of_many_heads_gets_its_header)
{
	unsigned int count;
	size_t len;

	for (count = 1; count <= 40; count++) {
		len = many(count);
		cr_assert_eq(wire_write(&wire, heads, len), len);
		cr_assert(wire_is_sent(&wire, heads, len, ends,
				       count < 32 ? count : 32),
			  "%u heads", count);
		cr_expect_leq(wire.edited_count, 1);
		again();
	}
	wire_close(&wire);
}

Test(send_many, of_many_heads_any_part_may_be_taken)
{
	static const unsigned int counts[] = { 2, 5, 31, 32, 33, 40 };
	size_t len, done, i, headers;
	ssize_t take;

	for (i = 0; i < 6; i++)
		for (take = 1; take < 6000; take += 1 + take / 3) {
			struct script script = { NULL, 0, 0, take };

			len = many(counts[i]);
			headers = counts[i] < 32 ? counts[i] : 32;
			use_script(&script);
			for (done = 0; done < len;) {
				ssize_t n = wire_write(&wire, heads + done,
						       len - done);

				cr_assert_neq(n, 0);
				cr_assert(n > 0 || errno == EAGAIN);
				done += n > 0 ? (size_t)n : 0;
				cr_assert(wire_is_sent(&wire, heads, done, ends,
						       headers),
					  "%zu of %u heads, %zd a call: %.*s",
					  done, counts[i], take,
					  (int)wire.out_len, wire.out);
			}
			again();
		}
	wire_close(&wire);
}
