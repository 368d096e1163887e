// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/2, the way out: what the kernel gets is what the application wrote, plus
 * one field at the end of each request's block and the length that goes with
 * it. Against a kernel that takes any part, or refuses.
 */
#include <errno.h>
#include <string.h>

#include "core/counters.h"
#include "protocol/protocol.h"
#include "tests/support/frames.h"
#include "tests/unit/tracer/sending.h"

#define PLAIN_GET \
	":method: GET\n:scheme: http\n:authority: localhost\n:path: /x\n"

static struct frames in, out;

static void set_up(void)
{
	open_wire();
	frames_open(&in);
}

TestSuite(http2_send, .init = set_up);

/* Another connection, and nothing was written; spans stay where they are. */
static void once_more(void)
{
	wire.answer = NULL;
	wire.edited_count = 0;
	wire.original_count = 0;
	wire_reset(&wire);
	frames_close(&in);
	frames_open(&in);
}

/* What was sent is what was written, with so many fields. */
static void expect_fields(size_t in_len, unsigned int fields)
{
	unsigned int found = frames_strip(wire.out, wire.out_len, true, &out);

	cr_assert_eq(found, fields, "%u fields, not %u", found, fields);
	cr_assert_eq(out.len, in_len, "%zu bytes, not %zu", out.len, in_len);
	cr_assert_arr_eq(out.bytes, in.bytes, in_len);
}

/* And a receiver understands it. */
static void expect_read(void)
{
	static char said[FRAMES_CAP];

	cr_assert(
		frames_read(wire.out, wire.out_len, true, said, sizeof(said)));
}

/*
 * All ways in which a block can come: alone, padded, in several frames, with
 * a body behind it, and last of all with nothing behind it.
 */
#define REQUESTS 5

static void make_requests(void)
{
	uint8_t block[200], payload[300] = { 5, 0x80, 0, 0, 0, 16 };
	size_t len;

	frames_preface(&in);
	frames_headers(&in, END_STREAM, 1, PLAIN_GET "accept: */*\n");
	len = frames_block(&in, PLAIN_GET "accept: b\n", block, sizeof(block));
	memcpy(payload + 6, block, len);
	frames_add(&in, FRAME_HEADERS, PADDED | PRIORITY | END_HEADERS, 3,
		   payload, 6 + len + 5);
	frames_add(&in, FRAME_DATA, END_STREAM, 3, "hello", 5);
	len = frames_block(&in, PLAIN_GET "x: y\n", block, sizeof(block));
	frames_add(&in, FRAME_HEADERS, 0, 5, block, 2);
	frames_add(&in, FRAME_CONTINUATION, 0, 5, block + 2, 1);
	frames_add(&in, FRAME_CONTINUATION, END_HEADERS, 5, block + 3, len - 3);
	frames_headers(&in, END_STREAM, 5, "trailer: 1\n");
	frames_headers(&in, END_STREAM, 7, PLAIN_GET);
	frames_headers(&in, END_STREAM, 9, PLAIN_GET);
}

/* --- whole writes --- */

Test(http2_send, a_field_is_added_to_each_request)
{
	struct at_span span;

	make_requests();
	errno = 1234;
	cr_expect_eq(wire_write(&wire, in.bytes, in.len), in.len);
	cr_expect_eq(errno, 1234);
	expect_fields(in.len, REQUESTS);
	expect_read();
	cr_expect_eq(wire.edited_count, 1);
	cr_expect_eq(wire.original_count, 0);
	wire_close(&wire);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_URL_FULL),
			 "http://localhost/x");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_NETWORK_PROTOCOL_VERSION),
			 "2");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_HTTP_REQUEST_METHOD), "GET");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_SERVER_ADDRESS), "localhost");
	cr_expect_eq(wire_number(&span, AT_ATTR_SERVER_PORT), 80);
	cr_expect_eq(wire_drop_spans(), REQUESTS - 1);
}

Test(http2_send, what_begins_no_request_is_sent_as_it_is)
{
	size_t len;

	frames_preface(&in);
	cr_expect_eq(wire_write(&wire, in.bytes, in.len), in.len);
	len = in.len;
	frames_headers(&in, 0, 1, PLAIN_GET);
	cr_expect_eq(wire_write(&wire, in.bytes + len, in.len - len),
		     in.len - len);
	len = in.len;
	frames_add(&in, FRAME_DATA, 0, 1, out.bytes, 4000);
	cr_expect_eq(wire_write(&wire, in.bytes + len, in.len - len),
		     in.len - len);
	cr_expect_eq(wire.original_count, 2);
	cr_expect_eq(wire.edited_count, 1);
	expect_fields(in.len, 1);
	wire_close(&wire);
}

Test(http2_send, the_preface_may_come_in_pieces)
{
	size_t cut, i;

	for (cut = 1; cut <= AT_HTTP2_PREFACE_BYTES + 15; cut++) {
		make_requests();
		cr_assert_eq(wire_write(&wire, in.bytes, cut), cut);
		cr_assert_eq(wire_write(&wire, in.bytes + cut, in.len - cut),
			     in.len - cut);
		expect_fields(in.len, REQUESTS);
		once_more();
	}
	make_requests();
	for (i = 0; i < 20; i++)
		cr_assert_eq(wire_write(&wire, in.bytes + i, 1), 1);
	cr_assert_eq(wire_write(&wire, in.bytes + 20, in.len - 20),
		     in.len - 20);
	expect_fields(in.len, REQUESTS);
	wire_close(&wire);
}

/* --- split by the application --- */

/* Split inside its last frame, a block has no field, and the span says so. */
static unsigned int fields_of_split(size_t cut)
{
	unsigned int fields = REQUESTS;
	size_t at = AT_HTTP2_PREFACE_BYTES;

	while (at < in.len) {
		const uint8_t *h = (const uint8_t *)in.bytes + at;
		size_t end = at + 9 +
			     ((size_t)h[0] << 16 | (size_t)h[1] << 8 | h[2]);
		size_t pad = h[3] == FRAME_HEADERS && (h[4] & PADDED) ? h[9] :
									0;

		if (cut > at && cut < end - pad && (h[4] & END_HEADERS) &&
		    (h[3] == FRAME_HEADERS || h[3] == FRAME_CONTINUATION) &&
		    h[9] != 0x40)
			fields--;
		at = end;
	}
	return fields;
}

Test(http2_send, a_block_may_be_split_anywhere)
{
	struct at_span span;
	unsigned int without;
	size_t cut;

	for (cut = 0; !cut || cut <= in.len; cut++) {
		unsigned int fields;

		once_more();
		make_requests();
		fields = fields_of_split(cut);
		cr_assert_eq(wire_write(&wire, in.bytes, cut), cut);
		cr_assert_eq(wire_write(&wire, in.bytes + cut, in.len - cut),
			     in.len - cut);
		expect_fields(in.len, fields);
		wire_reset(&wire);
		for (without = 0; wire_next_span(&span);)
			without += !strcmp(
				wire_text(&span,
					  AT_ATTR_AUTOTRACE_NOT_PROPAGATED),
				"unsafe_io");
		cr_assert_eq(without, REQUESTS - fields);
	}
	wire_close(&wire);
}

Test(http2_send, a_byte_at_a_time)
{
	size_t i;

	make_requests();
	for (i = 0; i < in.len; i++)
		cr_assert_eq(wire_write(&wire, in.bytes + i, 1), 1);
	expect_fields(in.len, 0);
	wire_close(&wire);
	cr_expect_eq(wire_drop_spans(), REQUESTS);
}

Test(http2_send, an_iovec_for_every_byte)
{
	static struct iovec iov[400];
	size_t at = 0, i, result;

	frames_preface(&in);
	frames_headers(&in, END_STREAM, 1, PLAIN_GET);
	for (i = 0; i < in.len; i++)
		iov[i] = (struct iovec){ in.bytes + i, 1 };
	while (at < in.len) {
		result = (size_t)wire_writev(&wire, iov + at, in.len - at);
		cr_assert_leq(result, in.len - at);
		at += result;
	}
	frames_strip(wire.out, wire.out_len, true, &out);
	cr_assert_eq(out.len, in.len);
	cr_assert_arr_eq(out.bytes, in.bytes, in.len);
	wire_close(&wire);
}

/* --- split by the kernel --- */

static ssize_t all_but(struct wire *w, size_t len)
{
	size_t *left = w->answer_data;

	if (len <= *left) {
		*left -= len;
		return (ssize_t)len;
	}
	len = *left;
	*left = SIZE_MAX;
	return len ? (ssize_t)len : -EAGAIN;
}

/*
 * The kernel takes so many bytes, and the rest when it is asked again. The
 * application that has been told of all its bytes never comes back: nothing
 * of ours may be left then.
 */
Test(http2_send, the_kernel_may_take_any_part)
{
	size_t total = 0, first, left;

	for (first = 0; !total || first <= total; first++) {
		make_requests();
		left = first;
		wire.answer = all_but;
		wire.answer_data = &left;
		cr_assert(wire_write_all(&wire, in.bytes, in.len));
		expect_fields(in.len, REQUESTS);
		expect_read();
		total = wire.out_len;
		once_more();
		cr_assert_eq(wire_drop_spans(), REQUESTS, "%zu", first);
	}
	wire_close(&wire);
}

static ssize_t one_byte(struct wire *w, size_t len)
{
	unsigned int *count = w->answer_data;

	return (*count)++ % 2 ? -EAGAIN : len > 1 ? 1 : (ssize_t)len;
}

Test(http2_send, the_kernel_takes_a_byte_at_a_time)
{
	unsigned int count = 0;

	make_requests();
	wire.answer = one_byte;
	wire.answer_data = &count;
	cr_assert(wire_write_all(&wire, in.bytes, in.len));
	expect_fields(in.len, REQUESTS);
	wire.answer = NULL;
	wire_close(&wire);
	cr_expect_eq(wire_drop_spans(), REQUESTS);
}

/* What was promised is kept when the rest comes in other pieces. */
Test(http2_send, a_rest_may_come_in_other_pieces)
{
	size_t left, first, piece, total = 600;

	for (first = 0; first < total; first++) {
		size_t at = 0;

		make_requests();
		left = first;
		wire.answer = all_but;
		wire.answer_data = &left;
		while (at < in.len && left != SIZE_MAX) {
			ssize_t n =
				wire_write(&wire, in.bytes + at, in.len - at);

			at += n > 0 ? (size_t)n : 0;
		}
		for (; at < in.len; at += piece) {
			piece = first % 3 + 1;
			if (piece > in.len - at)
				piece = in.len - at;
			cr_assert_eq(wire_write(&wire, in.bytes + at, piece),
				     piece);
		}
		cr_assert_leq(frames_strip(wire.out, wire.out_len, true, &out),
			      REQUESTS);
		cr_assert_eq(out.len, in.len, "%zu", first);
		cr_assert_arr_eq(out.bytes, in.bytes, in.len);
		expect_read();
		once_more();
		cr_assert_eq(wire_drop_spans(), REQUESTS, "%zu", first);
	}
	wire_close(&wire);
}

/* A failure of the kernel's is told, not hidden behind what is owed. */
Test(http2_send, a_failure_is_told)
{
	ssize_t steps[2];
	struct script script = { steps, 2, 0, -EPIPE };

	frames_preface(&in);
	frames_headers(&in, END_STREAM, 1, PLAIN_GET);
	steps[0] = (ssize_t)in.len + 10;
	steps[1] = -EAGAIN;
	use_script(&script);
	cr_expect_eq(wire_write(&wire, in.bytes, in.len), in.len - 1);
	errno = 0;
	cr_expect_eq(wire_write(&wire, in.bytes + in.len - 1, 1), -1);
	cr_expect_eq(errno, EAGAIN);
	cr_expect_eq(wire_write(&wire, in.bytes + in.len - 1, 1), -1);
	cr_expect_eq(errno, EPIPE);
	wire_close(&wire);
}

/* --- what is left alone --- */

static void expect_bare(const char *lines)
{
	frames_preface(&in);
	frames_headers(&in, END_STREAM, 1, lines);
	cr_assert_eq(wire_write(&wire, in.bytes, in.len), in.len);
	cr_assert_eq(wire.out_len, in.len);
	cr_expect_eq(wire.edited_count, 0);
	once_more();
}

#define TP "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

Test(http2_send, some_requests_are_left_as_they_are)
{
	struct at_span span;

	expect_bare(PLAIN_GET "traceparent: " TP "\n");
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_PARENT), "header");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_NOT_PROPAGATED),
			 "own_context");
	expect_bare(PLAIN_GET "tracestate: a=b\n");
	expect_bare(":method: CONNECT\n:authority: localhost:443\n");
	wire_close(&wire);
}

Test(http2_send, frames_do_not_grow_beyond_what_everybody_takes)
{
	static char block[16000] = "\x82\x86\x84\x41\x09localhost"
				   "\0\1y\x7f\x83\x7b"; /* 15,874 bytes */
	struct at_span span;

	memset(block + 20, 'v', 15874);
	frames_preface(&in);
	frames_add(&in, FRAME_HEADERS, END_HEADERS, 1, block, 20 + 15874);
	cr_assert_eq(wire_write(&wire, in.bytes, in.len), in.len);
	cr_expect_eq(wire.out_len, in.len);
	wire_close(&wire);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_NOT_PROPAGATED),
			 "unsafe_io");
}

Test(http2_send, calls_that_may_not_be_edited)
{
	char control[64] = { 0 };
	struct iovec iov;
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };

	make_requests();
	iov = (struct iovec){ in.bytes, in.len };
	cr_assert_eq(wire_sendmsg(&wire, &message, 0), in.len);
	cr_expect_eq(wire.original_count, 1);
	expect_fields(in.len, 0);
	wire_close(&wire);
	cr_expect_eq(wire_drop_spans(), REQUESTS);
}

/* Half of it is out: then they are, for the frame would have no end. */
Test(http2_send, what_is_promised_is_kept_in_any_call)
{
	char control[64] = { 0 };
	struct iovec iov;
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	size_t left, first, total = 0;

	for (first = 25; !total || first < total; first++) {
		ssize_t n;

		frames_preface(&in);
		frames_headers(&in, END_STREAM, 1, PLAIN_GET);
		left = first;
		wire.answer = all_but;
		wire.answer_data = &left;
		n = wire_write(&wire, in.bytes, in.len);
		n = n < 0 ? 0 : n;
		iov = (struct iovec){ in.bytes + n, in.len - (size_t)n };
		if (iov.iov_len)
			cr_assert_eq(wire_sendmsg(&wire, &message, 0),
				     iov.iov_len);
		frames_strip(wire.out, wire.out_len, true, &out);
		cr_assert_eq(out.len, in.len, "%zu", first);
		cr_assert_arr_eq(out.bytes, in.bytes, in.len);
		expect_read();
		total = 170;
		once_more();
	}
	wire_close(&wire);
}

/* --- many --- */

Test(http2_send, many_streams_in_one_write)
{
	unsigned int i;

	frames_preface(&in);
	for (i = 0; i < 200; i++)
		frames_headers(&in, END_STREAM, 1 + 2 * i,
			       PLAIN_GET "accept: */*\n");
	cr_assert_eq(wire_write(&wire, in.bytes, in.len), in.len);
	expect_fields(in.len, 200);
	expect_read();
	wire_close(&wire);
	cr_expect_eq(wire_drop_spans(), 200);
}

Test(http2_send, more_streams_than_there_is_room_for)
{
	unsigned int i;

	frames_preface(&in);
	for (i = 0; i < 300; i++)
		frames_headers(&in, END_STREAM, 1 + 2 * i, PLAIN_GET);
	cr_assert_eq(wire_write(&wire, in.bytes, in.len), in.len);
	expect_fields(in.len, 256);
	cr_expect_eq(at_counter_value(AT_COUNT_PIPELINE_FULL), 44);
	wire_close(&wire);
	cr_expect_eq(wire_drop_spans(), 256);
}

/* --- what is not understood --- */

Test(http2_send, bytes_that_are_not_understood_pass)
{
	make_requests();
	frames_add(&in, FRAME_PING, 0, 0, "1234", 4);
	frames_headers(&in, 0, 11, PLAIN_GET);
	cr_assert_eq(wire_write(&wire, in.bytes, in.len), in.len);
	expect_fields(in.len, REQUESTS);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_REQUEST), 1);
	wire_close(&wire);
	cr_expect_eq(wire_drop_spans(), REQUESTS);
}

Test(http2_send, data_may_be_moved_by_others)
{
	size_t len;

	frames_preface(&in);
	frames_headers(&in, 0, 1, PLAIN_GET);
	frames_add(&in, FRAME_DATA, 0, 1, out.bytes, 1000);
	len = in.len;
	wire_write(&wire, in.bytes, in.len - 500);
	wire_move(&wire, in.bytes + in.len - 500, 500);
	frames_headers(&in, 0, 3, PLAIN_GET);
	cr_assert_eq(wire_write(&wire, in.bytes + len, in.len - len),
		     in.len - len);
	expect_fields(in.len, 2);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_BYPASSED), 0);
	wire_close(&wire);
}
