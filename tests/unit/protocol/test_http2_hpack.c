// SPDX-License-Identifier: Apache-2.0
/*
 * Header compression: what nghttp2's compressor writes is read as it was, in
 * any split, from a table that is thrown out, resized and read again.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/protocol.h"
#include "tests/support/frames.h"

static struct frames frames;
static struct at_http2_table table;
static struct at_http2_text text;
static struct at_http2 machine;

static void set_up(void)
{
	size_t used;

	srandom(1);
	frames_open(&frames);
	at_http2_init(&machine, false);
	at_http2_feed(&machine, &table, NULL, AT_HTTP2_PREFACE,
		      AT_HTTP2_PREFACE_BYTES, &used);
}

TestSuite(http2_hpack, .init = set_up);

/* Feeds some bytes to a machine in random pieces; the last event but MORE. */
static enum at_http2_event feed(struct at_http2 *m, const char *bytes,
				size_t len)
{
	enum at_http2_event last = AT_HTTP2_MORE;

	while (len) {
		size_t piece = 1 + (size_t)random() % len, used;
		enum at_http2_event event =
			at_http2_feed(m, &table, &text, bytes, piece, &used);

		if (event != AT_HTTP2_MORE)
			last = event;
		bytes += used;
		len -= used;
	}
	return last;
}

struct fields {
	char path[600];
	char authority[80];
	char context[60];
	char other[2000];
};

static void random_text(char *to, size_t cap)
{
	static const char letters[] = "abcxyz0189-_/.%~{}\xc3\xff";
	size_t len = 1 + (size_t)random() % (cap - 1), i;

	for (i = 0; i < len; i++)
		to[i] = letters[(size_t)random() % (sizeof(letters) - 1)];
	to[len] = 0;
}

/* Few enough of each that the table is used, many enough that it overflows. */
static void choose(struct fields *fields, int round)
{
	if (!round || random() % 3 == 0)
		random_text(fields->path, 600);
	if (!round || random() % 5 == 0)
		random_text(fields->authority, 80);
	if (!round || random() % 2 == 0)
		random_text(fields->context, 60);
	if (!round || random() % 2 == 0)
		random_text(fields->other, random() % 9 ? 60 : 2000);
}

static void add_request(struct fields *fields, uint32_t stream)
{
	static char lines[6000];

	snprintf(lines, sizeof(lines),
		 ":method: %s\n:scheme: https\n:path: %s\n:authority: %s\n"
		 "x-%lu: %s\ntraceparent: %s\ncookie: %s\nuser-agent: curl\n",
		 random() % 2 ? "GET" : "PATCH", fields->path,
		 fields->authority, random() % 20, fields->other,
		 fields->context, fields->other);
	frames.len = 0;
	frames_headers(&frames, END_STREAM, stream, lines);
}

static void expect_field(enum at_http2_field field, const char *expected)
{
	struct at_text found = at_http2_field(&machine, &text, field);

	cr_assert(at_text_equal(found, at_text_from(expected)),
		  "\"%.*s\" is not \"%s\"", (int)found.len, found.ptr,
		  expected);
}

static void expect_request(const struct fields *fields)
{
	expect_field(AT_HTTP2_PATH, fields->path);
	expect_field(AT_HTTP2_AUTHORITY, fields->authority);
	expect_field(AT_HTTP2_TRACEPARENT, fields->context);
	expect_field(AT_HTTP2_SCHEME, "https");
}

Test(http2_hpack, what_a_compressor_writes_is_read)
{
	struct fields fields;
	int round;

	for (round = 0; round < 3000; round++) {
		if (round % 100 == 50)
			nghttp2_hd_deflate_change_table_size(
				frames.deflater, (size_t)random() % 4097);
		choose(&fields, round);
		add_request(&fields, (uint32_t)round * 2 + 1);
		cr_assert_eq(feed(&machine, frames.bytes, frames.len),
			     AT_HTTP2_HEAD);
		expect_request(&fields);
		at_http2_commit(&machine, &table);
	}
}

/* A copy that went on, and was thrown away, has changed nothing. */
Test(http2_hpack, a_plan_may_be_thrown_away)
{
	static struct frames kept;
	struct fields fields;
	int round, i;

	for (round = 0; round < 300; round++) {
		struct at_http2 place = machine;

		choose(&fields, round);
		add_request(&fields, (uint32_t)round * 2 + 1);
		memcpy(kept.bytes, frames.bytes, frames.len);
		kept.len = frames.len;
		for (i = 0; i < 3; i++) {
			machine = place;
			feed(&machine, kept.bytes, (size_t)random() % kept.len);
		}
		machine = place;
		cr_assert_eq(feed(&machine, kept.bytes, kept.len),
			     AT_HTTP2_HEAD);
		expect_request(&fields);
		at_http2_commit(&machine, &table);
	}
}

/* The past that a plan may go back to is never overwritten. */
Test(http2_hpack, a_plan_has_its_limits)
{
	static const char block[] = "\x82\x40\1a\1b";
	enum at_http2_event event = AT_HTTP2_MORE;
	struct at_http2 place = machine;
	int count = 0;

	for (; event != AT_HTTP2_OPAQUE; count++) {
		frames.len = 0;
		frames_add(&frames, FRAME_HEADERS, END_HEADERS,
			   (uint32_t)count * 2 + 1, block, sizeof(block) - 1);
		event = feed(&machine, frames.bytes, frames.len);
		cr_assert_leq(count, AT_HTTP2_TABLE_ENTRIES);
	}
	cr_expect_eq(count, AT_HTTP2_TABLE_ENTRIES + 1);
	for (machine = place, count = 0; count < 5000; count++) {
		frames.len = 0;
		frames_add(&frames, FRAME_HEADERS, END_HEADERS,
			   (uint32_t)count * 2 + 1, block, sizeof(block) - 1);
		cr_assert_eq(feed(&machine, frames.bytes, frames.len),
			     AT_HTTP2_HEAD);
		at_http2_commit(&machine, &table);
	}
}

/* The same of the text that goes with the entries. */
Test(http2_hpack, a_plan_has_its_limits_of_text)
{
	static char block[4004] = "\x44\x7f\xa1\x1e"; /* :path, 4000 bytes */
	enum at_http2_event event = AT_HTTP2_MORE;
	int count = 0;

	memset(block + 4, 'p', sizeof(block) - 4);
	for (; event != AT_HTTP2_OPAQUE; count++) {
		frames.len = 0;
		frames_add(&frames, FRAME_HEADERS, END_HEADERS,
			   (uint32_t)count * 2 + 1, block, sizeof(block));
		event = feed(&machine, frames.bytes, frames.len);
		cr_assert_leq(count, 20);
	}
	cr_expect_eq(count, AT_HTTP2_TABLE_TEXT / 4000 + 1);
}

Test(http2_hpack, the_largest_table)
{
	static char lines[9000];
	int i, round;

	nghttp2_hd_deflate_del(frames.deflater);
	nghttp2_hd_deflate_new(&frames.deflater, AT_HTTP2_TABLE_BYTES);
	nghttp2_hd_deflate_change_table_size(frames.deflater,
					     AT_HTTP2_TABLE_BYTES);
	for (round = 0; round < 200; round++) {
		char *to = lines +
			   sprintf(lines, ":method: GET\n:path: /%d\n", round);

		for (i = 0; i < 40; i++)
			to += sprintf(to, "n%d: %d\n", i, round * 40 + i);
		frames.len = 0;
		frames_headers(&frames, 0, (uint32_t)round * 2 + 1, lines);
		cr_assert_eq(feed(&machine, frames.bytes, frames.len),
			     AT_HTTP2_HEAD);
		at_http2_commit(&machine, &table);
	}
}

Test(http2_hpack, responses)
{
	static char lines[400];
	int round;

	at_http2_init(&machine, true);
	for (round = 0; round < 3000; round++) {
		int status = 100 + (int)(random() % 30) * 30;

		snprintf(lines, sizeof(lines),
			 ":status: %d\nserver: nginx\netag: %ld\n"
			 "set-cookie: a=%ld\n",
			 status, random() % 40, random());
		frames.len = 0;
		frames_headers(&frames, 0, (uint32_t)round * 2 + 1, lines);
		cr_assert_eq(feed(&machine, frames.bytes, frames.len),
			     AT_HTTP2_HEAD);
		cr_assert_eq(machine.status, status);
		at_http2_commit(&machine, &table);
	}
}

/* --- our own field --- */

static void expect_encoded(const char *lines, const char *expected)
{
	static char said[2000];
	char block[1000];
	struct at_writer writer = AT_WRITER(block, sizeof(block));

	at_http2_encode(at_text_from(lines), &writer);
	frames.len = 0;
	frames_add(&frames, FRAME_HEADERS, END_HEADERS, 1, block, writer.len);
	cr_assert(frames_read(frames.bytes, frames.len, false, said,
			      sizeof(said)));
	cr_expect_str_eq(said, expected);
}

Test(http2_hpack, header_lines_become_fields)
{
	static char lines[800], expected[800];
	size_t len;

	expect_encoded("a: b\r\n", "HEADERS 1\na: b\n");
	expect_encoded("traceparent: 00-a\r\ntracestate: b=c,d=e\r\n",
		       "HEADERS 1\ntraceparent: 00-a\ntracestate: b=c,d=e\n");
	expect_encoded("", "HEADERS 1\n");
	for (len = 1; len < 600; len++) {
		snprintf(lines, sizeof(lines), "n: %0*d\r\n", (int)len, 7);
		snprintf(expected, sizeof(expected), "HEADERS 1\nn: %0*d\n",
			 (int)len, 7);
		expect_encoded(lines, expected);
	}
}
