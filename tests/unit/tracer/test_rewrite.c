// SPDX-License-Identifier: Apache-2.0
/*
 * A traceparent of the application's own names our span, however the kernel
 * takes it; whatever might be broken by that stays as it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/tracer/sending.h"

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-"
#define PARENT "b7ad6b7169203331"
#define LINE "Traceparent: " TRACE PARENT "-01\r\n"
#define ASKED "POST /x HTTP/1.1\r\n" HOST LINE "Content-Length: 5\r\n\r\nhello"

/* It is what the program was given. */
static void open_given(void)
{
	setenv("TRACEPARENT", TRACE PARENT "-01", 1);
	open_wire();
}

TestSuite(rewrite, .init = open_given);

static struct at_span span;

/* Where the parent's id stands in these bytes. */
static size_t id_at(const char *bytes)
{
	return (size_t)(strstr(bytes, PARENT) - bytes);
}

/* What is sent is `in` but for the id; the id is the span's, below PARENT. */
static void expect_rewritten(const char *in)
{
	size_t len = strlen(in), at = id_at(in);
	char id[17];
	struct at_writer writer = AT_WRITER(id, sizeof(id));

	wire_read_string(&wire, OK);
	cr_assert(wire_next_span(&span));
	cr_assert_eq(wire.out_len, len, "%.*s", (int)wire.out_len, wire.out);
	cr_assert_eq(memcmp(wire.out, in, at), 0, "%.*s", (int)len, wire.out);
	cr_assert_eq(memcmp(wire.out + at + 16, in + at + 16, len - at - 16), 0,
		     "%.*s", (int)len, wire.out);
	at_write_hex(&writer, span.span_id, sizeof(span.span_id));
	cr_assert_eq(memcmp(wire.out + at, id, 16), 0, "%.16s: %.*s", id,
		     (int)len, wire.out);
	cr_assert_eq(span.parent_id[0], 0xb7);
	cr_assert_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_PARENT), "header");
	cr_assert_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_NOT_PROPAGATED),
			 "");
}

Test(rewrite, its_own_context_names_our_span)
{
	static const char *const heads[] = {
		ASKED,
		"GET / HTTP/1.1\r\n" HOST "traceparent:" TRACE PARENT "-01\r\n"
		"X: y\r\n\r\n",
		"\r\nGET / HTTP/1.1\n" HOST "tracestate: a=b\n"
		"TRACEPARENT: \t" TRACE PARENT "-03 \t\n\n",
	};
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		wire_write(&wire, heads[i], strlen(heads[i]));
		cr_expect_eq(wire.edited_count, 1);
		expect_rewritten(heads[i]);
		wire.edited_count = 0;
		again();
	}
	wire_close(&wire);
}

Test(rewrite, the_kernel_may_take_any_part)
{
	static const ssize_t then[] = { 1, 5, 16, 1000 };
	size_t len = strlen(ASKED), i, done;
	ssize_t first, n;

	for (first = 0; first <= (ssize_t)len; first++)
		for (i = 0; i < sizeof(then) / sizeof(then[0]); i++) {
			ssize_t steps[] = { first ? first : -EAGAIN, -EAGAIN };
			struct script script = { steps, 2, 0, then[i] };

			use_script(&script);
			for (done = 0; done<len; done += n> 0 ? n : 0) {
				n = wire_write(&wire, ASKED + done, len - done);
				cr_assert(n > 0 || errno == EAGAIN);
			}
			expect_rewritten(ASKED);
			again();
		}
	wire_close(&wire);
}

/* Once the kernel has begun with it, the application goes on as it likes. */
Test(rewrite, the_rest_may_come_in_any_pieces)
{
	size_t len = strlen(ASKED), cut = id_at(ASKED) + 5, piece, at;

	for (piece = 1; piece < 30; piece++) {
		ssize_t steps[] = { (ssize_t)cut };
		struct script script = { steps, 1, 0, 1000 };

		use_script(&script);
		cr_assert_eq(wire_write(&wire, ASKED, len), cut);
		for (at = cut; at < len; at += piece) {
			size_t part = at + piece < len ? piece : len - at;

			cr_assert_eq(wire_write(&wire, ASKED + at, part), part);
		}
		expect_rewritten(ASKED);
		again();
	}
	wire_close(&wire);
}

Test(rewrite, other_bytes_than_announced_are_not_ours_to_replace)
{
	size_t cut = id_at(ASKED) + 5;
	ssize_t steps[] = { (ssize_t)cut };
	struct script script = { steps, 1, 0, 1000 };

	use_script(&script);
	wire_write(&wire, ASKED, strlen(ASKED));
	cr_assert_eq(wire_write(&wire, "X: something else\r\n\r\n", 21), 21);
	cr_assert_eq(memcmp(wire.out + cut, "X: something else", 17), 0);
	wire_close(&wire);
}

/* A call that may not be edited takes the turn: then nothing is owed any more,
 * also where later bytes look like the rest ("-01" ends as the id does). */
Test(rewrite, what_was_refused_once_is_over)
{
	size_t id = id_at(ASKED), cut = id + 10, piece;

	for (piece = 1; piece < 9; piece++) {
		ssize_t steps[] = { (ssize_t)cut };
		struct script script = { steps, 1, 0, 1000 };
		size_t at = cut + piece;

		use_script(&script);
		wire_write(&wire, ASKED, strlen(ASKED));
		wire_send(&wire, ASKED + cut, piece, MSG_OOB);
		for (; at < strlen(ASKED); at++)
			wire_write(&wire, ASKED + at, 1);
		cr_assert_eq(wire.out_len, strlen(ASKED));
		cr_assert_eq(memcmp(wire.out + cut, ASKED + cut,
				    strlen(ASKED) - cut),
			     0, "%zu: %.*s", piece, (int)wire.out_len,
			     wire.out);
		wire_read_string(&wire, OK);
		cr_assert(wire_next_span(&span));
		cr_assert_str_eq(wire_text(&span,
					   AT_ATTR_AUTOTRACE_NOT_PROPAGATED),
				 "unsafe_io");
		again();
	}
	wire_close(&wire);
}

Test(rewrite, several_in_one_call)
{
	static const char *const both = GET ASKED;
	size_t id;

	wire_write(&wire, both, strlen(both));
	cr_assert_eq(wire.out_len, strlen(both) + WIRE_HEADER_BYTES);
	id = id_at(both) + WIRE_HEADER_BYTES;
	cr_assert_neq(memcmp(wire.out + id, PARENT, 16), 0);
	cr_assert_eq(memcmp(wire.out + id - 36 + 1, TRACE + 1, 35), 0);
	cr_assert_eq(memcmp(wire.out + id + 16, "-01\r\n", 5), 0);
	wire_close(&wire);
}

/* In pieces of one byte, more than one call to the kernel has room for. */
Test(rewrite, a_vector_may_be_long)
{
	struct iovec iov[sizeof(ASKED) - 1];
	static char copy[] = ASKED;
	size_t i, done = 0;

	for (i = 0; i < sizeof(ASKED) - 1; i++)
		iov[i] = (struct iovec){ copy + i, 1 };
	while (done < sizeof(ASKED) - 1) {
		ssize_t n = wire_writev(&wire, iov + done,
					sizeof(ASKED) - 1 - done);

		cr_assert_gt(n, 0);
		done += (size_t)n;
	}
	cr_assert_eq(wire.out_len, sizeof(ASKED) - 1);
	wire_close(&wire);
}

static void expect_left(const char *what, const char *bytes, size_t cut)
{
	if (cut)
		wire_write(&wire, bytes, cut);
	wire_write(&wire, bytes + cut, strlen(bytes) - cut);
	cr_expect(wire_is_sent(&wire, bytes, strlen(bytes), NULL, 0), "%s",
		  what);
	again();
}

/* A proxy's: it hands on what came with a request, which we may have named. */
Test(rewrite_known, what_came_in_may_go_out)
{
	static char setting[] = "AUTOTRACE_SERVER_SPANS=true";
	char *const settings[] = { setting, NULL };
	char heard[] = ASKED;
	struct wire client;

	wire_start(settings);
	wire_open(&client, AF_INET);
	wire_open(&wire, AF_INET);
	wire_read(&client, heard, (ssize_t)strlen(heard));
	cr_assert_str_neq(heard, ASKED);
	wire_write(&wire, heard, strlen(heard));
	wire_read_string(&wire, OK);
	cr_assert(wire_next_span(&span));
	cr_assert_eq(memcmp(wire.out, heard, id_at(ASKED)), 0);
	cr_assert_neq(memcmp(wire.out, heard, strlen(heard)), 0);
	cr_assert_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_NOT_PROPAGATED),
			 "");
}

Test(rewrite_known, what_another_tracer_says_is_left, .init = open_wire)
{
	wire_write(&wire, ASKED, strlen(ASKED));
	cr_assert(wire_is_sent(&wire, ASKED, strlen(ASKED), NULL, 0));
	wire_read_string(&wire, OK);
	cr_assert(wire_next_span(&span));
	cr_assert_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_NOT_PROPAGATED),
			 "own_context");
	cr_assert_eq(span.parent_id[0], 0xb7);
	wire_close(&wire);
}

Test(rewrite, what_might_break_is_left)
{
	expect_left("begun in another call", ASKED, 10);
	expect_left("half of it is gone", ASKED, id_at(ASKED) + 3);
	expect_left(
		"signed (RFC 9421)",
		"GET / HTTP/1.1\r\n" HOST LINE
		"Signature-Input: s=(\"host\" \"traceparent\");alg=\"x\"\r\n"
		"Signature: s=:AA==:\r\n\r\n",
		0);
	expect_left("signed (SigV4)",
		    "GET / HTTP/1.1\r\n" HOST
		    "Authorization: AWS4-HMAC-SHA256 Credential=x, "
		    "SignedHeaders=host;traceparent, Signature=1\r\n" LINE
		    "\r\n",
		    0);
	expect_left("not sampled",
		    "GET / HTTP/1.1\r\n" HOST "Traceparent: " TRACE PARENT
		    "-00\r\n\r\n",
		    0);
	expect_left("a version of the future",
		    "GET / HTTP/1.1\r\n" HOST
		    "Traceparent: 01-0af7651916cd43dd8448eb211c80319c-" PARENT
		    "-01\r\n\r\n",
		    0);
	wire_close(&wire);
}
