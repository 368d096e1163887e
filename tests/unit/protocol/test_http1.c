// SPDX-License-Identifier: Apache-2.0
/* Heads: what is understood, what is not, wherever the bytes are split. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/protocol/transcript.h"

#define TP "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define BYTES(literal) .bytes = (literal), .len = sizeof(literal) - 1

static const struct conversation requests[] = {
	{ "plain", BYTES("GET /x HTTP/1.1\r\nHost: h\r\n\r\n"),
	  .expected = "HEAD@26 GET /x 1.1 h END@28 idle" },
	{ "two on one connection",
	  BYTES("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
		"HEAD /b HTTP/1.1\r\nHost: i\r\n\r\n"),
	  .expected = "HEAD@26 GET /a 1.1 h END@28 "
		      "HEAD@55 HEAD /b 1.1 i END@57 idle" },
	{ "no fields", BYTES("GET / HTTP/1.0\r\n\r\n"),
	  .expected = "HEAD@16 GET / 1.0 END@18 idle" },
	{ "nothing at all", BYTES("G"), .expected = "head" },
	{ "cut before the blank line", BYTES("GET /x HTTP/1.1\r\nHost: h\r\n"),
	  .expected = "head" },
	{ "cut inside the blank line",
	  BYTES("GET /x HTTP/1.1\r\nHost: h\r\n\r"),
	  .expected = "HEAD@26 GET /x 1.1 h open" },
	{ "empty lines before", BYTES("\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
	  .expected = "HEAD@20 GET / 1.1 END@22 idle" },
	{ "an empty line between",
	  BYTES("GET /a HTTP/1.1\r\n\r\n\r\nGET /b HTTP/1.1\r\n\r\n"),
	  .expected = "HEAD@17 GET /a 1.1 END@19 "
		      "HEAD@38 GET /b 1.1 END@40 idle" },
	{ "empty lines without end",
	  BYTES("\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n"), .expected = "opaque" },
	{ "LF only", BYTES("GET /x HTTP/1.1\nHost: h\n\n"),
	  .expected = "HEAD@24 GET /x 1.1 h F END@25 idle" },
	{ "LF only, no fields", BYTES("A / HTTP/1.1\n\n"),
	  .expected = "HEAD@13 A / 1.1 F END@14 idle" },
	{ "CRLF in the line, LF behind", BYTES("GET / HTTP/1.1\r\nHost: h\n\n"),
	  .expected = "HEAD@24 GET / 1.1 h END@25 idle" },
	{ "absolute form",
	  BYTES("GET http://a.b:81/x?y HTTP/1.1\r\n"
		"Host: a.b:81\r\n\r\n"),
	  .expected = "HEAD@46 GET http://a.b:81/x?y 1.1 a.b:81 END@48 idle" },
	{ "CONNECT", BYTES("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
	  .expected = "HEAD@37 CONNECT a:443 1.1 a:443 END@39 idle" },
	{ "OPTIONS *", BYTES("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
	  .expected = "HEAD@29 OPTIONS * 1.1 h END@31 idle" },
	{ "UTF-8 target", BYTES("GET /\xc3\xa4 HTTP/1.1\r\n\r\n"),
	  .expected = "HEAD@18 GET /\xc3\xa4 1.1 END@20 idle" },
	{ "unknown method", BYTES("BREW+1 /pot HTTP/1.1\r\n\r\n"),
	  .expected = "HEAD@22 BREW+1 /pot 1.1 END@24 idle" },
	{ "lower-case method", BYTES("get / HTTP/1.1\r\n\r\n"),
	  .expected = "HEAD@16 get / 1.1 END@18 idle" },
	{ "longest method",
	  BYTES("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF "
		"/ HTTP/1.1\r\n\r\n"),
	  .expected = "HEAD@45 ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / 1.1 "
		      "END@47 idle" },
	{ "names in any case",
	  BYTES("GET / HTTP/1.1\r\nhOsT: h\r\n"
		"TRACEPARENT: " TP "\r\n\r\n"),
	  .expected = "HEAD@95 GET / 1.1 h " TP " END@97 idle" },
	{ "blanks around a value",
	  BYTES("GET / HTTP/1.1\r\nHost: \t h \t\r\n"
		"\r\n"),
	  .expected = "HEAD@29 GET / 1.1 h END@31 idle" },
	{ "no blank before a value", BYTES("GET / HTTP/1.1\r\nHost:h\r\n\r\n"),
	  .expected = "HEAD@24 GET / 1.1 h END@26 idle" },
	{ "empty values",
	  BYTES("GET / HTTP/1.1\r\nHost:\r\nX:\r\n"
		"traceparent:\r\n\r\n"),
	  .expected = "HEAD@41 GET / 1.1   END@43 idle" },
	{ "two hosts", BYTES("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
	  .expected = "HEAD@34 GET / 1.1 b 2H END@36 idle" },
	{ "two traceparents",
	  BYTES("GET / HTTP/1.1\r\ntraceparent: 1\r\n"
		"traceparent: " TP "\r\n\r\n"),
	  .expected = "HEAD@102 GET / 1.1 " TP " 2T END@104 idle" },
	{ "baggage, and what looks like it",
	  BYTES("GET / HTTP/1.1\r\nbaggages: a=1\r\nBaggage: a=1\r\n"
		"x: y\r\n\r\n"),
	  .expected = "HEAD@51 GET / 1.1 B END@53 idle" },
	{ "B3 in one field", BYTES("GET / HTTP/1.1\r\nb3: 0\r\nb33: 0\r\n\r\n"),
	  .expected = "HEAD@31 GET / 1.1 O END@33 idle" },
	{ "B3 in several", BYTES("GET / HTTP/1.1\r\nX-B3-TraceId: 0\r\n\r\n"),
	  .expected = "HEAD@33 GET / 1.1 O END@35 idle" },
	{ "B3's decision alone",
	  BYTES("GET / HTTP/1.1\r\nX-B3-Sampled: 0\r\n\r\n"),
	  .expected = "HEAD@33 GET / 1.1 O END@35 idle" },
	{ "Jaeger's", BYTES("GET / HTTP/1.1\r\nUber-Trace-Id: 0\r\n\r\n"),
	  .expected = "HEAD@34 GET / 1.1 O END@36 idle" },
	{ "X-Ray's", BYTES("GET / HTTP/1.1\r\nX-Amzn-Trace-Id: 0\r\n\r\n"),
	  .expected = "HEAD@36 GET / 1.1 O END@38 idle" },
	{ "Datadog's", BYTES("GET / HTTP/1.1\r\nx-datadog-trace-id: 0\r\n\r\n"),
	  .expected = "HEAD@39 GET / 1.1 O END@41 idle" },
	{ "nobody's, though they begin so",
	  BYTES("GET / HTTP/1.1\r\nX-Datadog-Trace-Ids: 0\r\n"
		"X-Forwarded-For: a\r\nbaggag: 1\r\n\r\n"),
	  .expected = "HEAD@71 GET / 1.1 END@73 idle" },
	{ "tracestate alone",
	  BYTES("GET / HTTP/1.1\r\ntracestate: a=1\r\n\r\n"),
	  .expected = "HEAD@33 GET / 1.1 S END@35 idle" },
	{ "a value with CR inside",
	  BYTES("GET / HTTP/1.1\r\nX: a\rb\r\n"
		"Host: \rh\r\r\n\r\n"),
	  .expected = "HEAD@35 GET / 1.1 \rh\r END@37 idle" },
	{ "a value with NUL", BYTES("GET / HTTP/1.1\r\nX: a\0b\r\n\r\n"),
	  .expected = "HEAD@24 GET / 1.1 END@26 idle" },
	{ "folded field that is not ours",
	  BYTES("GET / HTTP/1.1\r\nX: a\r\n Host: b\r\n\tc\r\nHost: h\r\n"
		"\r\n"),
	  .expected = "HEAD@45 GET / 1.1 h END@47 idle" },
	{ "similar names",
	  BYTES("POST / HTTP/1.1\r\nHosts: a\r\nXHost: b\r\n"
		"Content-Lengths: 7\r\nContent_Length: 8\r\n"
		"Transfer-Encoding-: chunked\r\n\r\n"),
	  .expected = "HEAD@105 POST / 1.1 END@107 idle" },
	{ "odd names",
	  BYTES("GET / HTTP/1.1\r\nA B: c\r\n(x): y\r\n"
		"\xc3\xa4: z\r\n\r\n"),
	  .expected = "HEAD@39 GET / 1.1 END@41 idle" },
	{ "no names at all",
	  BYTES("GET / HTTP/1.1\r\n: x\r\nno colon\r\nH\r\nho\nA\0: y\r\n"
		"Hosts\r\n\r\n"),
	  .expected = "HEAD@51 GET / 1.1 END@53 idle" },
	{ "upgrade",
	  BYTES("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\n\r\n"),
	  .expected = "HEAD@59 GET /ws 1.1 U END@61 idle" },
	{ "expect something else",
	  BYTES("POST / HTTP/1.1\r\nExpect: 200-ok\r\n\r\n"),
	  .expected = "HEAD@33 POST / 1.1 END@35 idle" },
};

Test(http1, request_heads_are_understood_wherever_they_are_split)
{
	EXPECT_TRANSCRIPTS(requests);
}

/* None of these may ever be edited. */
static const struct conversation no_requests[] = {
	{ "binary", BYTES("\x16\x03\x01\x02"), .expected = "opaque" },
	{ "NUL", BYTES("\0"), .expected = "opaque" },
	{ "NUL in the method", BYTES("GE\0 / HTTP/1.1\r\n\r\n"),
	  .expected = "opaque" },
	{ "NUL in the target", BYTES("GET /\0 HTTP/1.1\r\n\r\n"),
	  .expected = "opaque" },
	{ "CR in the target", BYTES("GET /\rx HTTP/1.1\r\n\r\n"),
	  .expected = "opaque" },
	{ "DEL in the target", BYTES("GET /\x7f HTTP/1.1\r\n\r\n"),
	  .expected = "opaque" },
	{ "blank in the target", BYTES("GET /a b HTTP/1.1\r\n\r\n"),
	  .expected = "opaque" },
	{ "two blanks", BYTES("GET  / HTTP/1.1\r\n\r\n"),
	  .expected = "opaque" },
	{ "a blank first", BYTES(" GET / HTTP/1.1\r\n\r\n"),
	  .expected = "opaque" },
	{ "no target", BYTES("GET HTTP/1.1\r\n\r\n"), .expected = "opaque" },
	{ "empty target", BYTES("OPTIONS  HTTP/1.1\r\n\r\n"),
	  .expected = "opaque" },
	{ "no version", BYTES("GET /\r\n\r\n"), .expected = "opaque" },
	{ "HTTP/2", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	  .expected = "opaque" },
	{ "HTTP/1.2", BYTES("GET / HTTP/1.2\r\n\r\n"), .expected = "opaque" },
	{ "HTTP/0.9", BYTES("GET / HTTP/0.9\r\n\r\n"), .expected = "opaque" },
	{ "version in lower case", BYTES("GET / http/1.1\r\n\r\n"),
	  .expected = "opaque" },
	{ "blank behind the version", BYTES("GET / HTTP/1.1 \r\n\r\n"),
	  .expected = "opaque" },
	{ "two CRs", BYTES("GET / HTTP/1.1\r\r\n\r\n"), .expected = "opaque" },
	{ "separator in the method", BYTES("G@T / HTTP/1.1\r\n\r\n"),
	  .expected = "opaque" },
	{ "method too long",
	  BYTES("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG "
		"/ HTTP/1.1\r\n\r\n"),
	  .expected = "opaque" },
	{ "an answer", BYTES("HTTP/1.1 200 OK\r\n\r\n"), .expected = "opaque" },
	{ "a line without a colon", BYTES("GET / HTTP/1.1\r\nHost\r\n\r\n"),
	  .expected = "opaque" },
	{ "NUL behind a name of ours",
	  BYTES("GET / HTTP/1.1\r\nHost\0: x\r\n\r\n"), .expected = "opaque" },
	{ "LF behind a name of ours",
	  BYTES("GET / HTTP/1.1\r\nExpect\n: x\r\n\r\n"),
	  .expected = "opaque" },
	{ "a fold before any field", BYTES("GET / HTTP/1.1\r\n x: y\r\n\r\n"),
	  .expected = "opaque" },
	{ "a folded host", BYTES("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"),
	  .expected = "opaque" },
	{ "a folded traceparent",
	  BYTES("GET / HTTP/1.1\r\ntraceparent:\r\n " TP "\r\n\r\n"),
	  .expected = "opaque" },
	{ "a folded length",
	  BYTES("GET / HTTP/1.1\r\nContent-Length: 1\r\n 2\r\n\r\n"),
	  .expected = "opaque" },
	{ "blank before the colon of a length",
	  BYTES("POST / HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello"),
	  .expected = "opaque" },
	{ "CR CR", BYTES("GET / HTTP/1.1\r\n\r\r\n"),
	  .expected = "HEAD@16 GET / 1.1 opaque" },
	{ "CR alone ends no line", BYTES("GET / HTTP/1.1\r\n\rX: y\r\n\r\n"),
	  .expected = "HEAD@16 GET / 1.1 opaque" },
};

Test(http1, what_is_no_request_is_opaque_wherever_it_is_split)
{
	EXPECT_TRANSCRIPTS(no_requests);
}

static const struct conversation answers[] = {
	{ "plain", .response = true,
	  BYTES("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
	  .expected = "HEAD@36 1.1 200 L=2 END@40 idle" },
	{ "no reason, no blank", .response = true,
	  BYTES("HTTP/1.0 204\r\n\r\n"),
	  .expected = "HEAD@14 1.0 204 END@16 idle" },
	{ "an unknown status", .response = true, BYTES("HTTP/1.1 999 ?\n\n"),
	  .expected = "HEAD@15 1.1 999 F open" },
	{ "a blank line before", .response = true,
	  BYTES("\r\nHTTP/1.1 304 x\r\n\r\n"),
	  .expected = "HEAD@18 1.1 304 END@20 idle" },
	{ "reason of all sorts", .response = true,
	  BYTES("HTTP/1.1 204 \0\xff \t(x)\r\n\r\n"),
	  .expected = "HEAD@22 1.1 204 END@24 idle" },
	{ "interim heads", .response = true,
	  BYTES("HTTP/1.1 100 Continue\r\n\r\n"
		"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
		"HTTP/1.1 204 No\r\n\r\n"),
	  .expected = "HEAD@23 1.1 100 INTERIM@25 HEAD@54 1.1 103 INTERIM@56 "
		      "HEAD@73 1.1 204 END@75 idle" },
	{ "an interim head with a length", .response = true,
	  BYTES("HTTP/1.1 100 x\r\nContent-Length: 5\r\n\r\n"),
	  .expected = "HEAD@35 1.1 100 L=5 INTERIM@37 idle" },
	{ "switching protocols", .response = true,
	  BYTES("HTTP/1.1 101 x\r\nUpgrade: h2c\r\n\r\n"),
	  .expected = "HEAD@30 1.1 101 U END@32 idle" },
	{ "a long reason", .response = true,
	  BYTES("HTTP/1.1 204 0123456789012345678901234567890123456789"
		"012345678901234567890123456789012345678901234567890123"
		"4567890123456789012345678901234567890123456789\r\n\r\n"),
	  .expected = "HEAD@155 1.1 204 END@157 idle" },
};

static const struct conversation no_answers[] = {
	{ "a request", .response = true, BYTES("GET / HTTP/1.1\r\n\r\n"),
	  .expected = "opaque" },
	{ "HTTP/2", .response = true, BYTES("HTTP/2 200\r\n\r\n"),
	  .expected = "opaque" },
	{ "ICY", .response = true, BYTES("ICY 200 OK\r\n\r\n"),
	  .expected = "opaque" },
	{ "two digits", .response = true, BYTES("HTTP/1.1 20 OK\r\n\r\n"),
	  .expected = "opaque" },
	{ "four digits", .response = true, BYTES("HTTP/1.1 2000 OK\r\n\r\n"),
	  .expected = "opaque" },
	{ "below 100", .response = true, BYTES("HTTP/1.1 099 OK\r\n\r\n"),
	  .expected = "opaque" },
	{ "no status", .response = true, BYTES("HTTP/1.1 OK\r\n\r\n"),
	  .expected = "opaque" },
	{ "no line", .response = true, BYTES("\r\n\r\n\r\n"),
	  .expected = "opaque" },
};

Test(http1, status_lines_are_understood_or_opaque)
{
	EXPECT_TRANSCRIPTS(answers);
	EXPECT_TRANSCRIPTS(no_answers);
}

/* --- lines and values longer than what is kept --- */

static char *repeat(char *to, char c, size_t count)
{
	memset(to, c, count);
	return to + count;
}

/* Around every limit: the kept part's end falls into each byte behind it. */
Test(http1, a_long_target_is_cut_and_its_version_still_found)
{
	static char bytes[AT_HTTP1_LINE_BYTES + 64];
	struct at_http1_text text;
	struct at_http1 m;
	size_t target, used, cut = AT_HTTP1_LINE_BYTES - 4;

	for (target = cut - 20; target < cut + 20; target++) {
		char *at = stpcpy(bytes, "GET /");
		size_t lf;

		at = repeat(at, 'a', target - 1);
		at = stpcpy(at, " HTTP/1.0\r\n\r\n");
		for (lf = 0; lf < 2; lf++) {
			if (lf)
				memmove(at - 4, "\n\n", 3);
			at_http1_init(&m, false);
			cr_assert_eq(at_http1_feed(&m, &text, bytes,
						   strlen(bytes), &used),
				     AT_HTTP1_HEAD, "target of %zu", target);
			cr_expect_eq(m.minor, 0);
			cr_expect_eq(at_http1_target(&m, &text).len,
				     target > cut ? cut : target);
			cr_expect_eq(!!(m.flags & AT_HTTP1_LINE_CUT),
				     target > cut, "target of %zu", target);
		}
	}
}

Test(http1, a_cut_line_reads_the_same_wherever_it_is_split)
{
	static char bytes[AT_HTTP1_LINE_BYTES + 512], expected[2048];
	struct conversation c = { "long line", .bytes = bytes,
				  .expected = expected };
	char *at = stpcpy(bytes, "GET /");

	at = repeat(at, 'a', AT_HTTP1_LINE_BYTES + 9);
	at = stpcpy(at, " HTTP/1.1\r\nHost: ");
	at = repeat(at, 'h', AT_HTTP1_HOST_BYTES + 3);
	stpcpy(at, "\r\n\r\n");
	at = expected + sprintf(expected, "HEAD@%zu GET /", strlen(bytes) - 2);
	at = repeat(at, 'a', AT_HTTP1_LINE_BYTES - 5);
	at = stpcpy(at, " 1.1 ");
	/* the blank before it was kept too */
	at = repeat(at, 'h', AT_HTTP1_HOST_BYTES - 1);
	sprintf(at, " X Y END@%zu idle", strlen(bytes));
	expect_transcript(&c);
}

Test(http1, a_traceparent_is_cut_quietly_and_a_length_never)
{
	static char bytes[1024], expected[1024];
	struct conversation c = { "long context", .bytes = bytes,
				  .expected = expected };
	char *at = stpcpy(bytes, "GET / HTTP/1.1\r\ntraceparent: ");

	at = repeat(at, '0', AT_HTTP1_CONTEXT_BYTES + 10);
	stpcpy(at, "\r\n\r\n");
	at = expected +
	     sprintf(expected, "HEAD@%zu GET / 1.1 ", strlen(bytes) - 2);
	/* the blank before it was kept too */
	at = repeat(at, '0', AT_HTTP1_CONTEXT_BYTES - 1);
	sprintf(at, " END@%zu idle", strlen(bytes));
	expect_transcript(&c);
	c.what = "long length";
	c.expected = "opaque";
	at = stpcpy(bytes, "GET / HTTP/1.1\r\nContent-Length: ");
	at = repeat(at, '0', AT_HTTP1_VALUE_BYTES);
	stpcpy(at, "\r\n\r\n");
	expect_transcript(&c);
	at = stpcpy(bytes, "GET / HTTP/1.1\r\nUpgrade: ");
	at = repeat(at, 'w', AT_HTTP1_VALUE_BYTES);
	stpcpy(at, "\r\n\r\n");
	c.expected = "HEAD@155 GET / 1.1 U END@157 idle";
	expect_transcript(&c);
}

Test(http1, a_head_without_end_is_opaque)
{
	static char line[1024];
	struct at_http1_text text;
	struct at_http1 m;
	size_t fed = 0, used;

	at_http1_init(&m, false);
	at_http1_feed(&m, &text, "GET / HTTP/1.1\r\n", 16, &used);
	memcpy(repeat(stpcpy(line, "X: "), 'x', 1019), "\r\n", 2);
	while (at_http1_feed(&m, &text, line, sizeof(line), &used) ==
	       AT_HTTP1_MORE)
		cr_assert_lt(fed += used, 1024u * 1024u);
	cr_expect_gt(fed, 200u * 1024u);
	cr_expect_eq(at_http1_feed(&m, &text, "\r\n", 2, &used),
		     AT_HTTP1_OPAQUE);
}

/* However it is split, the same byte is one too many. */
Test(http1, a_head_may_be_so_long_and_no_longer)
{
	static char head[256 * 1024 + 16];
	struct at_http1_text text;
	struct at_http1 m;
	size_t extra, piece, used, at;

	for (extra = 0; extra < 2; extra++)
		for (piece = 1000; piece < 1000000; piece *= 700) {
			enum at_http1_event event = AT_HTTP1_MORE;
			size_t end = 256 * 1024 + extra;

			memset(head, 'x', sizeof(head));
			memcpy(head, "GET / HTTP/1.1\r\nX:", 18);
			memcpy(head + end - 2, "\r\n\r\n", 4);
			at_http1_init(&m, false);
			for (at = 0; at < end + 2 && event == AT_HTTP1_MORE;
			     at += used) {
				size_t n = end + 2 - at;

				event = at_http1_feed(&m, &text, head + at,
						      n < piece ? n : piece,
						      &used);
			}
			cr_expect_eq(event,
				     extra ? AT_HTTP1_OPAQUE : AT_HTTP1_HEAD);
		}
}

/* Planning works on a copy: what the copy does leaves no trace. */
Test(http1, a_copy_goes_its_own_way)
{
	static const char head[] = "GET /abcdef HTTP/1.1\r\nHost: somebody\r\n"
				   "Content-Length: 12\r\n\r\n";
	size_t len = sizeof(head) - 1, cut, other, used;
	struct at_http1 machine, copy;
	struct at_http1_text text;

	for (cut = 0; cut < len - 2; cut++) {
		at_http1_init(&machine, false);
		at_http1_feed(&machine, &text, head, cut, &used);
		for (other = cut; other < len; other++) {
			copy = machine;
			at_http1_feed(&copy, &text, head + cut, other - cut,
				      &used);
		}
		cr_assert_eq(at_http1_feed(&machine, &text, head + cut,
					   len - cut, &used),
			     AT_HTTP1_HEAD);
		cr_assert_eq(cut + used, len - 2);
		cr_expect(at_text_equal(at_http1_target(&machine, &text),
					AT_TEXT("/abcdef")));
		cr_expect(at_text_equal(at_http1_host(&machine, &text),
					AT_TEXT("somebody")));
		cr_expect_eq(machine.content_length, 12);
	}
}

Test(http1, a_field_of_a_whole_head_is_found)
{
	static const struct at_text head = AT_TEXT(
		"GET /a:b HTTP/1.1\r\nHost: h\r\nA:1\r\nEMPTY:\r\nb \t: no\r\n"
		"LONG-NAME: \t x y \t\r\na: 2\nLast:z");
	static const struct {
		struct at_text name, value;
	} fields[] = {
		{ AT_TEXT("host"), AT_TEXT("h") },
		{ AT_TEXT("a"), AT_TEXT("1") },
		{ AT_TEXT("empty"), AT_TEXT("") },
		{ AT_TEXT("b"), AT_TEXT("") },
		{ AT_TEXT("long-name"), AT_TEXT("x y") },
		{ AT_TEXT("long"), AT_TEXT("") },
		{ AT_TEXT("last"), AT_TEXT("z") },
		{ AT_TEXT("nowhere"), AT_TEXT("") },
	};
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		cr_expect(
			at_text_equal(at_http1_find_field(head, fields[i].name),
				      fields[i].value),
			"%s", fields[i].name.ptr);
}
