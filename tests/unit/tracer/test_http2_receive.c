// SPDX-License-Identifier: Apache-2.0
/* HTTP/2, the way in: each stream's request ends once, with what was said. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/counters.h"
#include "tests/support/frames.h"
#include "tests/unit/tracer/sending.h"

#define PLAIN_GET ":method: GET\n:scheme: http\n:authority: localhost\n:path: /"

static struct frames out, in;
static struct at_span span;

/* A connection with `count` requests on it: streams 1, 3, 5 ... for /1, /3. */
static void ask(unsigned int count)
{
	char lines[200];
	unsigned int i;

	frames_preface(&out);
	for (i = 0; i < count; i++) {
		snprintf(lines, sizeof(lines), PLAIN_GET "%u\n", 2 * i + 1);
		frames_headers(&out, END_STREAM, 2 * i + 1, lines);
	}
	cr_assert_eq(wire_write(&wire, out.bytes, out.len), out.len);
	out.len = 0;
	frames_add(&in, FRAME_SETTINGS, 0, 0, "", 0);
}

static void set_up(void)
{
	open_wire();
	frames_open(&out);
	frames_open(&in);
}

TestSuite(http2_receive, .init = set_up);

static void add_number(struct frames *frames, int type, uint32_t stream,
		       uint32_t first, uint32_t second, size_t len)
{
	uint32_t payload[2] = { htonl(first), htonl(second) };

	frames_add(frames, type, 0, stream, payload, len);
}

static void reset(struct frames *frames, uint32_t stream, uint32_t code)
{
	add_number(frames, FRAME_RST_STREAM, stream, code, 0, 4);
}

static void answer_all(void)
{
	cr_assert_lt(in.len, FRAMES_CAP);
	in.bytes[in.len] = 0;
	wire_read(&wire, in.bytes, (ssize_t)in.len);
	in.len = 0;
}

/* The next span is that of /`stream`. */
static void expect(unsigned int stream, int64_t status, const char *error)
{
	char url[64];

	snprintf(url, sizeof(url), "http://localhost/%u", stream);
	cr_assert(wire_next_span(&span), "no span of %u", stream);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_URL_FULL), url);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE), error);
	cr_expect_eq(span.status, *error ? AT_STATUS_ERROR : AT_STATUS_UNSET);
	if (status)
		cr_expect_eq(wire_number(&span,
					 AT_ATTR_HTTP_RESPONSE_STATUS_CODE),
			     status);
}

static void expect_nothing_left(void)
{
	cr_expect_not(wire_next_span(&span));
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
}

/* 103, head, body, trailers; heads alone; answers that overtake each other. */
static void answer_three(void)
{
	frames_headers(&in, 0, 1, ":status: 103\nlink: x\n");
	frames_headers(&in, END_STREAM, 3, ":status: 404\n");
	frames_headers(&in, 0, 1, ":status: 200\n");
	frames_headers(&in, 0, 5, ":status: 503\n");
	frames_add(&in, FRAME_DATA, 0, 1, "hello", 5);
	frames_add(&in, FRAME_DATA, END_STREAM, 5, "", 0);
	frames_headers(&in, END_STREAM, 1, "trailer: 1\n");
}

static void expect_three(void)
{
	expect(3, 404, "404");
	expect(5, 503, "503");
	expect(1, 200, "");
}

Test(http2_receive, answers_may_overtake_each_other)
{
	ask(3);
	answer_three();
	answer_all();
	expect_three();
	expect_nothing_left();
}

Test(http2_receive, answers_may_be_split_anywhere)
{
	size_t cut, len = 2;

	for (cut = 1; cut < len; cut++) {
		ask(3);
		answer_three();
		len = in.len;
		wire_read(&wire, in.bytes, (ssize_t)cut);
		wire_read(&wire, in.bytes + cut, (ssize_t)(len - cut));
		in.len = 0;
		expect_three();
		expect_nothing_left();
		again();
		frames_close(&in);
		frames_close(&out);
		frames_open(&in);
		frames_open(&out);
	}
	cr_expect_gt(len, 60);
}

Test(http2_receive, a_server_that_resets_a_stream_says_why)
{
	ask(4);
	reset(&in, 1, 7);
	frames_headers(&in, 0, 3, ":status: 200\n");
	reset(&in, 3, 2);
	reset(&in, 5, 0xdddd);
	reset(&in, 99, 2);
	answer_all();
	expect(1, 0, "refused_stream");
	expect(3, 200, "internal_error");
	expect(5, 0, "_OTHER");
	frames_headers(&in, END_STREAM, 7, ":status: 204\n");
	answer_all();
	expect(7, 204, "");
	expect_nothing_left();
}

/* Who leaves in the middle of an answer has what it wanted. */
Test(http2_receive, a_client_may_reset_its_own_stream)
{
	ask(2);
	frames_headers(&in, 0, 3, ":status: 200\n");
	answer_all();
	reset(&out, 1, 8);
	reset(&out, 3, 8);
	cr_assert_eq(wire_write(&wire, out.bytes, out.len), out.len);
	expect(1, 0, "cancel");
	expect(3, 200, "");
	/* What was on its way already concerns nobody. */
	frames_add(&in, FRAME_DATA, END_STREAM, 3, "late", 4);
	frames_headers(&in, END_STREAM, 1, ":status: 500\n");
	answer_all();
	expect_nothing_left();
}

Test(http2_receive, a_server_that_goes_away_finishes_what_it_began)
{
	ask(3);
	add_number(&in, FRAME_GOAWAY, 0, 1, 0, 8);
	answer_all();
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE),
			 "refused_stream");
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE),
			 "refused_stream");
	frames_headers(&in, END_STREAM, 1, ":status: 200\n");
	answer_all();
	expect(1, 200, "");
	expect_nothing_left();
}

Test(http2_receive, a_server_may_go_away_for_a_reason)
{
	ask(1);
	add_number(&in, FRAME_GOAWAY, 0, 0, 11, 8);
	answer_all();
	expect(1, 0, "enhance_your_calm");
	expect_nothing_left();
}

Test(http2_receive, the_connection_may_end_before_the_answer)
{
	ask(2);
	frames_headers(&in, 0, 3, ":status: 200\n");
	answer_all();
	wire_read(&wire, NULL, -ECONNRESET);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE),
			 "connection_reset");
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE),
			 "connection_reset");
	expect_nothing_left();
}

Test(http2_receive, what_is_no_http2_is_given_up)
{
	ask(1);
	wire_read_string(&wire, "HTTP/1.1 400 Bad Request\r\n\r\n");
	cr_assert(wire_next_span(&span));
	cr_expect_eq(wire_number(&span, AT_ATTR_AUTOTRACE_INCOMPLETE), 1);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_RESPONSE), 1);
	expect_nothing_left();
}
