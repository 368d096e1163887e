// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP inside TLS, against a library as strict as OpenSSL in its strictest
 * mode: a write that was refused must come again with the same pointer and
 * no fewer bytes.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/counters.h"
#include "tests/support/frames.h"
#include "tests/support/wire.h"
#include "tracer/conn.h"
#include "tracer/tracer.h"

#define HOST "Host: a.test\r\n"
#define GET "GET /x HTTP/1.1\r\n" HOST "\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
#define WANT (-1)

/* What became of the session's bytes. */
static struct wire wire;

static struct library {
	struct at_tls session; /* first */
	uint64_t slot;
	unsigned int refuse; /* so many writes */
	size_t most;         /* bytes a write may take; 0: all */
	const void *pending; /* of the refused write */
	size_t pending_len;
	unsigned int writes;
	size_t last_len;
} library;

static bool keep(const struct at_tls *session, uint64_t slot)
{
	(void)session;
	library.slot = slot;
	return true;
}

static int library_write(const struct at_tls *session, const void *bytes,
			 size_t len, size_t *taken)
{
	(void)session;
	if (library.pending) {
		cr_assert(bytes == library.pending, "another buffer");
		cr_assert_geq(len, library.pending_len);
	}
	library.writes++;
	library.last_len = len;
	*taken = 0;
	if (library.refuse) {
		library.refuse--;
		library.pending = bytes;
		library.pending_len = len;
		return WANT;
	}
	library.pending = NULL;
	if (library.most && len > library.most)
		len = library.most;
	cr_assert_leq(wire.out_len + len, wire.out_cap);
	memcpy(wire.out + wire.out_len, bytes, len);
	wire.out_len += len;
	*taken = len;
	return (int)len;
}

static const struct at_tls *session(void)
{
	library.session.slot = library.slot;
	return &library.session;
}

/* As SSL_write() would answer. */
static ssize_t put(const void *bytes, size_t len)
{
	size_t taken;
	int result = at_tls_write(session(), bytes, len, &taken);

	return taken ? (ssize_t)taken : result;
}

static ssize_t put_string(const char *string)
{
	return put(string, strlen(string));
}

static void get_string(const char *string)
{
	at_tls_read(session(), string, strlen(string));
}

static void open_library(void)
{
	wire_start(NULL);
	memset(&library, 0, sizeof(library));
	memset(&wire, 0, sizeof(wire));
	wire.out_cap = 1 << 20;
	wire.out = malloc(wire.out_cap);
	library.session.fd = -1;
	library.session.keep = keep;
	library.session.write = library_write;
}

static void close_library(void)
{
	at_tls_freed(library.slot);
	wire_drop_spans();
	free(wire.out);
	cr_assert_eq(conn_in_use(), 0);
	cr_assert_eq(request_in_use(), 0);
}

TestSuite(tls, .init = open_library, .fini = close_library);

static void expect_sent(const char *bytes, size_t len, const size_t *heads,
			size_t count)
{
	cr_expect(wire_is_sent(&wire, bytes, len, heads, count), "%.*s",
		  (int)wire.out_len, wire.out);
}

static void expect_one_get(void)
{
	const size_t head = strlen(GET) - 2;

	expect_sent(GET, strlen(GET), &head, 1);
}

/* --- what is sent --- */

Test(tls, a_request_is_one_record_and_one_span)
{
	struct at_span span;

	cr_expect_eq(put_string(GET), strlen(GET));
	cr_expect_eq(library.writes, 1);
	expect_one_get();
	get_string(OK);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_URL_FULL),
			 "https://a.test/x");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_SERVER_ADDRESS), "a.test");
	cr_expect_eq(wire_number(&span, AT_ATTR_SERVER_PORT), 443);
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE),
		     200);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_NETWORK_PEER_ADDRESS), "");
	cr_expect_not(wire_next_span(&span));
}

Test(tls, a_head_may_be_split_anywhere)
{
	const size_t len = strlen(GET);
	size_t cut;

	for (cut = 1; cut < len; cut++) {
		wire.out_len = 0;
		cr_expect_eq(put(GET, cut), cut);
		cr_expect_eq(put(GET + cut, len - cut), len - cut);
		expect_one_get();
		get_string(OK);
	}
	cr_expect_eq(wire_drop_spans(), len - 1);
}

Test(tls, a_byte_at_a_time)
{
	size_t i;

	for (i = 0; i < strlen(GET); i++)
		cr_expect_eq(put(GET + i, 1), 1);
	expect_one_get();
}

Test(tls, each_pipelined_head_has_its_own)
{
	const size_t len = strlen(GET);
	const size_t heads[] = { len - 2, 2 * len - 2, 3 * len - 2,
				 4 * len - 2 };
	struct at_span span;

	cr_expect_eq(put_string(GET GET GET GET), 4 * len);
	cr_expect_eq(library.writes, 1);
	expect_sent(GET GET GET GET, 4 * len, heads, 4);
	get_string(OK OK OK OK);
	cr_expect_eq(wire_drop_spans(), 4);
	cr_expect_not(wire_next_span(&span));
}

Test(tls, other_protocols_are_looked_at_once)
{
	cr_expect_eq(put_string("PING\r\n"), 6);
	cr_expect_eq(library.slot, AT_FD_IGNORED);
	cr_expect_eq(put_string(GET), strlen(GET));
	cr_expect_eq(wire.out_len, 6 + strlen(GET));
}

/* More than one record with what is added, each of them refused at first. */
Test(tls, http2_in_one_large_write)
{
	static struct frames in, out;
	unsigned int i, most;

	for (most = 0; most < 3; most++) {
		ssize_t result;

		frames_open(&in);
		frames_preface(&in);
		for (i = 0; i < 200; i++)
			frames_headers(&in, 1, 1 + 2 * i,
				       ":method: GET\n:scheme: https\n"
				       ":authority: a.test\n:path: /x\n");
		frames_add(&in, FRAME_DATA, 0, 1, out.bytes, 16000);
		wire.out_len = 0;
		library.most = most * 1000;
		library.session.may_be_partial = most > 0;
		do {
			library.refuse = library.pending ? 0 : 1;
			result = put(in.bytes, in.len);
		} while (result < 0);
		for (i = (unsigned int)result; i < in.len;)
			i += (unsigned int)put(in.bytes + i, in.len - i);
		cr_assert_eq(frames_strip(wire.out, wire.out_len, true, &out),
			     200);
		cr_assert_eq(out.len, in.len);
		cr_assert_arr_eq(out.bytes, in.bytes, in.len);
		frames_close(&in);
		at_tls_freed(library.slot);
		library.slot = AT_FD_UNKNOWN;
		cr_expect_eq(wire_drop_spans(), 200);
	}
}

/* A server's settings may be there before the client's. */
Test(tls, http2_of_a_server_that_speaks_first)
{
	static const char settings[] = "\0\0\0\4\0\0\0\0\0";
	static const char answer[] = "\0\0\1\1\5\0\0\0\1\x88";
	static struct frames in, out;
	struct at_span span;

	at_tls_read(session(), settings, sizeof(settings) - 1);
	frames_open(&in);
	frames_preface(&in);
	frames_headers(&in, 1, 1,
		       ":method: GET\n:scheme: https\n"
		       ":authority: a.test\n:path: /x\n");
	cr_expect_eq(put(in.bytes, in.len), in.len);
	cr_expect_eq(frames_strip(wire.out, wire.out_len, true, &out), 1);
	at_tls_read(session(), answer, sizeof(answer) - 1);
	cr_assert(wire_next_span(&span));
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE),
		     200);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_URL_FULL),
			 "https://a.test/x");
	frames_close(&in);
}

Test(tls, who_reads_first_is_no_client)
{
	get_string("GET / HTTP/1.1\r\n\r\n");
	cr_expect_eq(library.slot, AT_FD_IGNORED);
}

/* --- large bodies --- */

#define BODY 40000
static char post[BODY + 200];
static size_t post_len, post_head;

static void make_post(void)
{
	size_t i;

	post_head = (size_t)snprintf(post, sizeof(post),
				     "POST /y HTTP/1.1\r\n" HOST
				     "Content-Length: %d\r\n\r\n",
				     BODY);
	for (i = 0; i < BODY; i++)
		post[post_head + i] = (char)('a' + i % 26);
	post_len = post_head + BODY;
	post_head -= 2;
}

Test(tls, a_full_record_then_the_applications_own_bytes)
{
	make_post();
	cr_expect_eq(put(post, post_len), post_len);
	cr_expect_eq(library.writes, 2);
	cr_expect_eq(library.last_len, post_len + WIRE_HEADER_BYTES - 16384);
	expect_sent(post, post_len, &post_head, 1);
}

Test(tls, a_library_that_takes_little_at_a_time)
{
	size_t done = 0;

	make_post();
	library.most = 1000;
	while (done < post_len) {
		ssize_t n = put(post + done, post_len - done);

		cr_assert_gt(n, 0);
		done += (size_t)n;
	}
	expect_sent(post, post_len, &post_head, 1);
}

/* --- refused, and tried again --- */

Test(tls, a_refused_write_is_the_same_request)
{
	struct at_span span;

	library.refuse = 3;
	cr_expect_eq(put_string(GET), WANT);
	cr_expect_eq(put_string(GET), WANT);
	cr_expect_eq(put_string(GET), WANT);
	cr_expect_eq(put_string(GET), strlen(GET));
	expect_one_get();
	get_string(OK);
	cr_expect(wire_next_span(&span));
	cr_expect_not(wire_next_span(&span));
}

/* Serf moves its buffer between the attempts. */
Test(tls, a_retry_may_come_from_elsewhere)
{
	char first[] = GET, second[] = GET;

	library.refuse = 1;
	cr_expect_eq(put_string(first), WANT);
	memset(first, 'x', sizeof(first));
	cr_expect_eq(put_string(second), strlen(GET));
	expect_one_get();
}

/* The second part is refused once the first has gone. */
static int refuse_second(const struct at_tls *s, const void *bytes, size_t len,
			 size_t *taken)
{
	if (library.writes == 1)
		library.refuse = 1;
	return library_write(s, bytes, len, taken);
}

Test(tls, refused_behind_the_first_record)
{
	make_post();
	library.session.write = refuse_second;
	cr_expect_eq(put(post, post_len), WANT);
	cr_expect_eq(wire.out_len, 16384);
	cr_expect_eq(put(post, post_len), post_len);
	expect_sent(post, post_len, &post_head, 1);
}

Test(tls, where_less_may_be_reported_it_is)
{
	const size_t first = 16384 - WIRE_HEADER_BYTES;

	make_post();
	library.session.may_be_partial = true;
	library.session.write = refuse_second;
	cr_expect_eq(put(post, post_len), first);
	library.pending = NULL;
	cr_expect_eq(put(post + first, post_len - first), post_len - first);
	expect_sent(post, post_len, &post_head, 1);
}

/* GnuTLS: "go on", without naming the bytes. */
Test(tls, a_retry_without_bytes)
{
	library.session.may_be_partial = true;
	library.refuse = 1;
	cr_expect_eq(put_string(GET), WANT);
	cr_expect_eq(put(NULL, 0), strlen(GET));
	expect_one_get();
}

Test(tls, another_write_instead_of_the_retry)
{
	library.refuse = 1;
	cr_expect_eq(put_string(GET), WANT);
	library.pending = NULL;
	cr_expect_eq(put_string("GET"), 3);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_REQUEST), 1);
	cr_expect_eq(library.slot, AT_FD_IGNORED);
}

/* --- what cannot be edited --- */

Test(tls, a_head_larger_than_a_record_has_no_header)
{
	static char head[20000];
	struct at_span span;

	memset(head, 'x', sizeof(head));
	memcpy(head, "GET / HTTP/1.1\r\n" HOST "X: ", 33);
	memcpy(head + sizeof(head) - 4, "\r\n\r\n", 4);
	cr_expect_eq(put(head, sizeof(head)), sizeof(head));
	cr_expect_eq(wire.out_len, sizeof(head));
	get_string(OK);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_NOT_PROPAGATED),
			 "unsafe_io");
}

/* --- ends --- */

Test(tls, an_end_before_the_answer_is_an_error)
{
	struct at_span span;

	put_string(GET);
	at_tls_ended(session(), 0);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE),
			 "response_truncated");
}

Test(tls, a_reset_has_its_name)
{
	struct at_span span;

	put_string(GET);
	at_tls_ended(session(), ECONNRESET);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE),
			 "connection_reset");
}

Test(tls, sendfile_belongs_to_the_body)
{
	struct at_span span;

	put_string("PUT / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n");
	at_tls_moved(session(), 10);
	get_string(OK);
	cr_expect(wire_next_span(&span));
	wire.out_len = 0;
	put_string(GET);
	expect_one_get();
}
