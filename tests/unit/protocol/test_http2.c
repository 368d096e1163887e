// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/2's frames. What the machine says of some bytes is a line of text,
 * compared for each input whole, split at every byte, at every two bytes and
 * byte by byte, each piece ending at a guard page.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "protocol/protocol.h"
#include "tests/support/frames.h"
#include "tests/support/guard_page.h"

#define PAIRS_UP_TO 200
#define CAP 4096

static struct guard_page page;
static struct frames frames;
static struct at_http2_table table;

struct session {
	struct at_http2 machine;
	struct at_http2_text text;
	bool ended;
	size_t at;
	char said[CAP];
	struct at_writer writer;
};

static void say_number(struct session *s, const char *before, uint64_t number)
{
	at_write_string(&s->writer, before);
	at_write_u64(&s->writer, number);
}

static void say_field(struct session *s, enum at_http2_field field)
{
	at_write_char(&s->writer, ' ');
	at_write_text(&s->writer, at_http2_field(&s->machine, &s->text, field));
}

static void say_request(struct session *s)
{
	const struct at_http2 *m = &s->machine;

	say_field(s, AT_HTTP2_METHOD);
	say_field(s, AT_HTTP2_SCHEME);
	say_field(s, AT_HTTP2_AUTHORITY);
	say_field(s, AT_HTTP2_PATH);
	if (m->context_count)
		say_field(s, AT_HTTP2_TRACEPARENT);
	if (m->context_count > 1)
		at_write_string(&s->writer, " 2T");
	if (m->has_tracestate)
		at_write_string(&s->writer, " S");
	if (m->has_baggage)
		at_write_string(&s->writer, " B");
	if (m->has_others)
		at_write_string(&s->writer, " O");
	if (m->path_cut)
		at_write_string(&s->writer, " X");
	if (m->authority_cut)
		at_write_string(&s->writer, " Y");
}

static void say(struct session *s, enum at_http2_event event)
{
	const struct at_http2 *m = &s->machine;

	switch (event) {
	case AT_HTTP2_MORE:
		return;
	case AT_HTTP2_BEGIN:
		say_number(s, "begin ", m->stream);
		cr_assert_eq(m->frame_at, 9);
		cr_assert(at_http2_in_head(m));
		break;
	case AT_HTTP2_HEAD:
		say_number(s, "head ", m->stream);
		say_number(s, "@", s->at);
		cr_assert_not(at_http2_in_head(m));
		if (m->is_request)
			say_request(s);
		else
			say_number(s, " ", m->status);
		if (m->end_stream)
			at_write_string(&s->writer, " last");
		break;
	case AT_HTTP2_END:
		say_number(s, "end ", m->stream);
		break;
	case AT_HTTP2_RESET:
		say_number(s, "reset ", m->stream);
		say_number(s, " ", m->code);
		break;
	case AT_HTTP2_GOAWAY:
		say_number(s, "goaway ", m->stream);
		say_number(s, " ", m->code);
		break;
	case AT_HTTP2_OPAQUE:
		at_write_string(&s->writer, "opaque");
		s->ended = true;
		return;
	}
	at_write_string(&s->writer, "; ");
}

static void feed(struct session *s, const char *bytes, size_t len)
{
	const char *at = guard_page_put(&page, bytes, len);

	while (len && !s->ended) {
		size_t used = len + 1;
		enum at_http2_event event = at_http2_feed(
			&s->machine, &table, &s->text, at, len, &used);

		cr_assert_leq(used, len);
		if (event == AT_HTTP2_MORE || event == AT_HTTP2_OPAQUE)
			cr_assert_eq(used, len);
		at += used;
		len -= used;
		s->at += used;
		say(s, event);
	}
}

static void open_session(struct session *s, bool response)
{
	memset(&s->text, 0x5a, sizeof(s->text));
	memset(&table, 0x5a, sizeof(table));
	at_http2_init(&s->machine, response);
	s->ended = false;
	s->at = 0;
	s->writer = AT_WRITER(s->said, sizeof(s->said));
}

static void close_session(struct session *s, const char *expected, size_t first,
			  size_t second)
{
	cr_assert_not(s->writer.overflow);
	cr_assert(at_text_equal(at_writer_text(&s->writer),
				at_text_from(expected)),
		  "split at %zu and %zu: \"%.*s\" is not \"%s\"", first, second,
		  (int)s->writer.len, s->said, expected);
}

static void feed_split(struct session *s, bool response, const char *expected,
		       size_t first, size_t second)
{
	open_session(s, response);
	feed(s, frames.bytes, first);
	feed(s, frames.bytes + first, second - first);
	feed(s, frames.bytes + second, frames.len - second);
	close_session(s, expected, first, second);
}

/* Of what is in `frames`; which are begun anew. */
static void expect(bool response, const char *expected)
{
	static struct session session;
	size_t len = frames.len, i, j;

	if (!page.map)
		guard_page_open(&page, FRAMES_CAP);
	for (i = 0; i <= len; i += len > 5000 ? 97 : 1)
		feed_split(&session, response, expected, i, len);
	for (i = 0; len <= PAIRS_UP_TO && i <= len; i++)
		for (j = i; j <= len; j++)
			feed_split(&session, response, expected, i, j);
	open_session(&session, response);
	for (i = 0; i < len; i++)
		feed(&session, frames.bytes + i, 1);
	close_session(&session, expected, 1, 1);
	frames_close(&frames);
	frames_open(&frames);
}

static void set_up(void)
{
	frames_open(&frames);
}

#define GET ":method: GET\n:scheme: http\n:authority: a:1\n:path: /x\n"

TestSuite(http2, .init = set_up);

/* --- requests --- */

Test(http2, a_request)
{
	frames_preface(&frames);
	frames_headers(&frames, END_STREAM, 1, GET "accept: */*\n");
	expect(false, "begin 1; head 1@64 GET http a:1 /x last; ");
}

Test(http2, fields_of_a_request)
{
	frames_preface(&frames);
	frames_headers(&frames, 0, 1,
		       GET "traceparent: 00-a\ntracestate: b=c\n");
	frames_headers(&frames, 0, 3,
		       GET "traceparent: 00-a\ntracestate: b=c\n");
	frames_headers(&frames, 0, 5, GET "traceparent: x\ntraceparent: y\n");
	frames_headers(&frames, 0, 7, ":method: CONNECT\n:authority: b:443\n");
	expect(false, "begin 1; head 1@86 GET http a:1 /x 00-a S; "
		      "begin 3; head 3@104 GET http a:1 /x 00-a S; "
		      "begin 5; head 5@127 GET http a:1 /x y 2T; "
		      "begin 7; head 7@151 CONNECT  b:443 ; ");
}

Test(http2, baggage_and_other_contexts)
{
	frames_preface(&frames);
	frames_headers(&frames, 0, 1, GET "baggage: a=1\n");
	frames_headers(&frames, 0, 3, GET "x-datadog-trace-id: 1\n");
	frames_headers(&frames, 0, 5, GET "x-datadog-trace-is: 1\n");
	frames_headers(&frames, 0, 7, GET "baggage: a=1\nb3: 0\n");
	expect(false, "begin 1; head 1@69 GET http a:1 /x B; "
		      "begin 3; head 3@102 GET http a:1 /x O; "
		      "begin 5; head 5@135 GET http a:1 /x; "
		      "begin 7; head 7@158 GET http a:1 /x B O; ");
}

Test(http2, long_values_are_cut)
{
	static char lines[12000], expected[4000];
	char path[5000], host[400];

	memset(path, 'p', sizeof(path));
	memset(host, 'h', sizeof(host));
	snprintf(lines, sizeof(lines),
		 ":method: GET\n:scheme: http\n:authority: %.*s\n:path: %.*s\n",
		 400, host, 5000, path);
	frames_preface(&frames);
	frames_headers(&frames, END_STREAM, 1, lines);
	snprintf(expected, sizeof(expected),
		 "begin 1; head 1@%zu GET http %.*s %.*s X Y last; ",
		 frames.len, AT_HTTP2_AUTHORITY_BYTES, host,
		 AT_HTTP2_PATH_BYTES, path);
	expect(false, expected);
}

/* A block's parts, with padding and priority, and its end before padding. */
Test(http2, padding_priority_and_continuation)
{
	uint8_t block[200], payload[300] = { 3, 0x80, 0, 0, 0, 16 };
	size_t len = frames_block(&frames, GET "accept: */*\n", block, 200);

	frames_preface(&frames);
	memcpy(payload + 6, block, len);
	frames_add(&frames, FRAME_HEADERS, PADDED | PRIORITY | END_HEADERS, 1,
		   payload, 6 + len + 3);
	memcpy(payload + 6, "\x82\x86", 2);
	frames_add(&frames, FRAME_HEADERS, PADDED | PRIORITY, 3, payload, 11);
	frames_add(&frames, FRAME_CONTINUATION, 0, 3, "\x84", 1);
	frames_add(&frames, FRAME_CONTINUATION, END_HEADERS, 3, "", 0);
	frames_add(&frames, FRAME_DATA, PADDED | END_STREAM, 3, "\1abc\0", 5);
	expect(false, "begin 1; head 1@70 GET http a:1 /x; "
		      "begin 3; head 3@112 GET http  /; end 3; ");
}

Test(http2, trailers_are_no_request)
{
	frames_preface(&frames);
	frames_headers(&frames, 0, 1, GET);
	frames_add(&frames, FRAME_DATA, 0, 1, "hello", 5);
	frames_headers(&frames, END_STREAM, 1, "checksum: 1\n");
	frames_headers(&frames, END_STREAM, 3, GET);
	expect(false, "begin 1; head 1@59 GET http a:1 /x; "
		      "head 1@92 0 last; "
		      "begin 3; head 3@108 GET http a:1 /x last; ");
}

Test(http2, other_frames_say_nothing)
{
	frames_preface(&frames);
	frames_add(&frames, FRAME_SETTINGS, 1, 0, "", 0);
	frames_add(&frames, FRAME_PING, 0, 0, "12345678", 8);
	frames_add(&frames, FRAME_WINDOW_UPDATE, 0, 0, "\0\0\1\0", 4);
	frames_add(&frames, FRAME_PRIORITY, 0, 3, "\0\0\0\0\1", 5);
	frames_add(&frames, 0xbe, 0xff, 77, "grease", 6);
	frames_add(&frames, FRAME_RST_STREAM, 0, 1, "\0\0\0\x8", 4);
	frames_add(&frames, FRAME_GOAWAY, 0, 0, "\0\0\0\5\0\0\0\0bye", 11);
	expect(false, "reset 1 8; goaway 5 0; ");
}

/* --- responses --- */

Test(http2, a_response)
{
	frames_add(&frames, FRAME_SETTINGS, 0, 0, "", 0);
	frames_headers(&frames, 0, 1, ":status: 103\nlink: x\n");
	frames_headers(&frames, 0, 1, ":status: 200\nserver: x\n");
	frames_add(&frames, FRAME_DATA, 0, 1, "hello", 5);
	frames_add(&frames, FRAME_DATA, END_STREAM, 1, "", 0);
	frames_headers(&frames, END_STREAM, 3, ":status: 404\n");
	frames_headers(&frames, 0, 5, ":status: 418\n");
	frames_headers(&frames, 0, 7, ":status: 418\n");
	frames_headers(&frames, END_STREAM, 7, "grpc-status: 0\n");
	expect(true, "head 1@25 103; head 1@38 200; end 1; "
		     "head 3@71 404 last; head 5@85 418; head 7@95 418; "
		     "head 7@116 0 last; ");
}

/* Its block is read, for the table's sake; it is no answer. */
Test(http2, a_push_promise)
{
	uint8_t block[100], payload[100] = { 0, 0, 0, 2 };
	size_t len = frames_block(&frames, GET, block, sizeof(block));

	memcpy(payload + 4, block, len);
	frames_add(&frames, FRAME_PUSH_PROMISE, END_HEADERS, 1, payload,
		   4 + len);
	frames_headers(&frames, END_STREAM, 2, ":status: 200\n");
	frames_headers(&frames, END_STREAM, 1, ":status: 200\n");
	expect(true, "head 1@24 0; head 2@34 200 last; head 1@44 200 last; ");
}

/* --- what is not explained --- */

struct wrong {
	const char *what;
	int type;
	int flags;
	uint32_t stream;
	size_t len;
	const char *payload;
	bool response;
};

static const struct wrong wrongs[] = {
	{ "data on no stream", FRAME_DATA, 0, 0, 1, "x", false },
	{ "headers on no stream", FRAME_HEADERS, 4, 0, 1, "\x82", false },
	{ "a client's even stream", FRAME_HEADERS, 4, 2, 1, "\x82", false },
	{ "no headers", FRAME_HEADERS, 4, 1, 0, "", false },
	{ "padding too long", FRAME_HEADERS, 12, 1, 2, "\2\x82", false },
	{ "no room for priority", FRAME_HEADERS, 36, 1, 4, "\0\0\0\0", false },
	{ "half a priority", FRAME_PRIORITY, 0, 1, 4, "\0\0\0\0", false },
	{ "a long reset", FRAME_RST_STREAM, 0, 1, 5, "\0\0\0\0\0", false },
	{ "a reset of no stream", FRAME_RST_STREAM, 0, 0, 4, "\0\0\0\0",
	  false },
	{ "half a setting", FRAME_SETTINGS, 0, 0, 5, "\0\0\0\0\0", false },
	{ "a stream's setting", FRAME_SETTINGS, 0, 1, 0, "", false },
	{ "a full answer to settings", FRAME_SETTINGS, 1, 0, 6, "\0\0\0\0\0\0",
	  false },
	{ "a client's promise", FRAME_PUSH_PROMISE, 4, 1, 4, "\0\0\0\2",
	  false },
	{ "a short promise", FRAME_PUSH_PROMISE, 4, 1, 3, "\0\0\0", true },
	{ "a short ping", FRAME_PING, 0, 0, 7, "1234567", false },
	{ "a stream's ping", FRAME_PING, 0, 1, 8, "12345678", false },
	{ "a short good-bye", FRAME_GOAWAY, 0, 0, 7, "1234567", false },
	{ "a short window", FRAME_WINDOW_UPDATE, 0, 1, 3, "\0\0\0", false },
	{ "the continuation of nothing", FRAME_CONTINUATION, 4, 1, 1, "\x82",
	  false },
	/* header compression */
	{ "entry 0", FRAME_HEADERS, 4, 1, 1, "\x80", false },
	{ "no such entry", FRAME_HEADERS, 4, 1, 1, "\xbe", false },
	{ "no such name", FRAME_HEADERS, 4, 1, 2, "\x7e\0", false },
	{ "half a field", FRAME_HEADERS, 4, 1, 2, "\x41\2", false },
	{ "half a number", FRAME_HEADERS, 4, 1, 1, "\xff", false },
	{ "a huge number", FRAME_HEADERS, 4, 1, 7, "\xff\xff\xff\xff\xff\xff\1",
	  false },
	{ "a huge table", FRAME_HEADERS, 4, 1, 5, "\x3f\xe1\xff\3\x82", false },
	{ "a new size in the middle", FRAME_HEADERS, 4, 1, 2, "\x82\x20",
	  false },
	{ "a code of zeros behind", FRAME_HEADERS, 4, 1, 4, "\x44\x82\x63\0",
	  false },
	{ "a byte of padding", FRAME_HEADERS, 4, 1, 4, "\x44\x82\x1f\xff",
	  false },
	{ "the code of the end", FRAME_HEADERS, 4, 1, 6,
	  "\x44\x84\xff\xff\xff\xff", false },
	{ "no status", FRAME_HEADERS, 4, 1, 4,
	  "\x48\x02"
	  "20",
	  true },
	{ "not a status", FRAME_HEADERS, 4, 1, 5,
	  "\x48\x03"
	  "2x0",
	  true },
	{ "a long status", FRAME_HEADERS, 4, 1, 6,
	  "\x48\x04"
	  "2000",
	  true },
};

Test(http2, what_is_not_explained_is_opaque)
{
	size_t i;

	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		const struct wrong *w = &wrongs[i];
		bool begins = w->type == FRAME_HEADERS && !w->response &&
			      (w->stream & 1) && w->len &&
			      strcmp(w->what, "no room for priority") != 0;

		if (!w->response)
			frames_preface(&frames);
		frames_add(&frames, w->type, w->flags, w->stream, w->payload,
			   w->len);
		cr_log_info("%s", w->what);
		expect(w->response, begins ? "begin 1; opaque" : "opaque");
	}
}

Test(http2, another_frame_inside_a_block)
{
	frames_preface(&frames);
	frames_add(&frames, FRAME_HEADERS, 0, 1, "\x82", 1);
	frames_add(&frames, FRAME_DATA, 0, 1, "", 0);
	expect(false, "begin 1; opaque");
	frames_preface(&frames);
	frames_add(&frames, FRAME_HEADERS, 0, 1, "\x82", 1);
	frames_add(&frames, FRAME_CONTINUATION, 4, 3, "\x82", 1);
	expect(false, "begin 1; opaque");
}

Test(http2, another_preface)
{
	frames_bytes(&frames, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\t", 24);
	expect(false, "opaque");
}

/* --- bytes that nobody shows --- */

Test(http2, data_may_be_skipped)
{
	struct session session;

	guard_page_open(&page, FRAMES_CAP);
	frames_add(&frames, FRAME_HEADERS, 4, 1, "\x88", 1);
	frames_add(&frames, FRAME_DATA, END_STREAM, 1, "0123456789", 10);
	open_session(&session, true);
	feed(&session, frames.bytes, frames.len - 7);
	cr_expect_eq(at_http2_skip(&session.machine, 4), AT_HTTP2_MORE);
	cr_expect_eq(at_http2_skip(&session.machine, 3), AT_HTTP2_END);
	cr_expect_eq(session.machine.stream, 1);
	cr_expect_eq(at_http2_skip(&session.machine, 1), AT_HTTP2_OPAQUE);
	open_session(&session, true);
	feed(&session, frames.bytes, frames.len - 7);
	cr_expect_eq(at_http2_skip(&session.machine, 8), AT_HTTP2_OPAQUE);
}

Test(http2, a_server_may_speak_first)
{
	cr_expect(at_http2_match_server("\0\0\6\4\0\0\0\0\0\0\3", 11));
	cr_expect(at_http2_match_server("\0\0\0\4\0\0\0\0\0", 9));
	cr_expect_not(at_http2_match_server("\0\0\6\4\0\0\0\0", 8));
	cr_expect_not(at_http2_match_server("\0\0\5\4\0\0\0\0\0", 9));
	cr_expect_not(at_http2_match_server("\0\0\0\4\1\0\0\0\0", 9));
	cr_expect_not(at_http2_match_server("\0\0\0\4\0\0\0\0\1", 9));
	cr_expect_not(at_http2_match_server("HTTP/1.1 200", 12));
}

Test(http2, errors_have_names)
{
	cr_expect_str_eq(at_http2_error_name(0), "no_error");
	cr_expect_str_eq(at_http2_error_name(8), "cancel");
	cr_expect_str_eq(at_http2_error_name(13), "http_1_1_required");
	cr_expect_str_eq(at_http2_error_name(14), "_OTHER");
	cr_expect_str_eq(at_http2_error_name(UINT32_MAX), "_OTHER");
}
