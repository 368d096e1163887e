// SPDX-License-Identifier: Apache-2.0
/* Where a message ends: lengths, chunks, trailers, the connection's end. */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/protocol/transcript.h"

#define POST "POST / HTTP/1.1\r\n"               /* 17 */
#define OK "HTTP/1.1 200 OK\r\n"                 /* 17 */
#define CHUNKED "Transfer-Encoding: chunked\r\n" /* 28 */

static const struct conversation requests[] = {
	{ "a length", .bytes = POST "Content-Length: 5\r\n\r\nhello",
	  .expected = "HEAD@36 POST / 1.1 L=5 END@43 idle" },
	{ "a length, unfinished", .bytes = POST "Content-Length: 5\r\n\r\nhell",
	  .expected = "HEAD@36 POST / 1.1 L=5 open" },
	{ "length 0", .bytes = POST "Content-Length: 0\r\n\r\n",
	  .expected = "HEAD@36 POST / 1.1 L=0 END@38 idle" },
	{ "no length", .bytes = POST "\r\n",
	  .expected = "HEAD@17 POST / 1.1 END@19 idle" },
	{ "a body that looks like a request",
	  .bytes = POST "Content-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n"
			"GET / HTTP/1.1\r\n\r\n",
	  .expected = "HEAD@37 POST / 1.1 L=18 END@57 HEAD@73 GET / 1.1 "
		      "END@75 idle" },
	{ "the same length twice",
	  .bytes = POST "Content-Length: 2\r\nContent-Length:02\r\n\r\nhi",
	  .expected = "HEAD@55 POST / 1.1 L=2 END@59 idle" },
	{ "two lengths",
	  .bytes = POST "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
	  .expected = "opaque" },
	{ "a list of lengths", .bytes = POST "Content-Length: 2, 2\r\n\r\nhi",
	  .expected = "opaque" },
	{ "an empty length", .bytes = POST "Content-Length:\r\n\r\n",
	  .expected = "opaque" },
	{ "a signed length", .bytes = POST "Content-Length: +2\r\n\r\nhi",
	  .expected = "opaque" },
	{ "a negative length", .bytes = POST "Content-Length: -2\r\n\r\nhi",
	  .expected = "opaque" },
	{ "a length of 2^64",
	  .bytes = POST "Content-Length: 18446744073709551616\r\n\r\n",
	  .expected = "opaque" },
	{ "chunks",
	  .bytes = POST CHUNKED
	  "\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
	  .expected = "HEAD@45 POST / 1.1 C END@77 idle" },
	{ "chunks and a length",
	  .bytes = POST "Content-Length: 3\r\n" CHUNKED
			"\r\n1\r\nx\r\n0\r\n\r\n",
	  .expected = "HEAD@64 POST / 1.1 L=3 C END@77 idle" },
	{ "chunks, LF only", .bytes = POST CHUNKED "\n2\nhi\n0\n\n",
	  .expected = "HEAD@45 POST / 1.1 C END@54 idle" },
	{ "chunk extensions",
	  .bytes = POST CHUNKED
	  "\r\n2;a=\"b\";c\r\nhi\r\n1 \r\nx\r\n0;z\r\n\r\n",
	  .expected = "HEAD@45 POST / 1.1 C END@76 idle" },
	{ "chunk sizes with zeros and in any case",
	  .bytes = POST CHUNKED "\r\n000a\r\n0123456789\r\n0A\r\n0123456789"
				"\r\n000\r\n\r\n",
	  .expected = "HEAD@45 POST / 1.1 C END@88 idle" },
	{ "trailers",
	  .bytes = POST CHUNKED "\r\n0\r\nX: y\r\nContent-Length: 7\r\n\r\n",
	  .expected = "HEAD@45 POST / 1.1 C END@77 idle" },
	{ "a chunk that looks like the end",
	  .bytes = POST CHUNKED "\r\n7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
	  .expected = "HEAD@45 POST / 1.1 C END@64 idle" },
	{ "unfinished chunks", .bytes = POST CHUNKED "\r\n2\r\nhi\r\n0\r\n",
	  .expected = "HEAD@45 POST / 1.1 C open" },
	{ "no chunk size", .bytes = POST CHUNKED "\r\n\r\nhi",
	  .expected = "HEAD@45 POST / 1.1 C opaque" },
	{ "no hexadecimal", .bytes = POST CHUNKED "\r\n2x\r\nhi",
	  .expected = "HEAD@45 POST / 1.1 C opaque" },
	{ "a chunk size too large",
	  .bytes = POST CHUNKED "\r\n1234567890123456\r\n",
	  .expected = "HEAD@45 POST / 1.1 C opaque" },
	{ "a chunk too long", .bytes = POST CHUNKED "\r\n2\r\nhi!\r\n",
	  .expected = "HEAD@45 POST / 1.1 C opaque" },
	{ "CR CR behind a chunk", .bytes = POST CHUNKED "\r\n2\r\nhi\r\r\n",
	  .expected = "HEAD@45 POST / 1.1 C opaque" },
	{ "CR in a trailer's place",
	  .bytes = POST CHUNKED "\r\n0\r\n\rX\r\n\r\n",
	  .expected = "HEAD@45 POST / 1.1 C opaque" },
	{ "codings before chunked",
	  .bytes = POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	  .expected = "HEAD@51 POST / 1.1 C END@58 idle" },
	{ "codings in two fields",
	  .bytes = POST "Transfer-Encoding: gzip\r\n" CHUNKED "\r\n0\r\n\r\n",
	  .expected = "HEAD@70 POST / 1.1 C END@77 idle" },
	{ "chunked in any case",
	  .bytes = POST "transfer-encoding:CHUNKED \t\r\n\r\n0\r\n\r\n",
	  .expected = "HEAD@46 POST / 1.1 C END@53 idle" },
	{ "not quite chunked",
	  .bytes = POST "Transfer-Encoding: xchunked\r\n\r\n",
	  .expected = "opaque" },
	{ "chunked not last",
	  .bytes = POST "Transfer-Encoding: chunked, gzip\r\n\r\n",
	  .expected = "opaque" },
	{ "chunked twice", .bytes = POST CHUNKED CHUNKED "\r\n",
	  .expected = "opaque" },
	{ "identity",
	  .bytes = POST "Transfer-Encoding: identity\r\n"
			"Content-Length: 1\r\n\r\nx",
	  .expected = "HEAD@65 POST / 1.1 L=1 END@68 idle" },
	{ "expects to be asked",
	  .bytes = POST "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n"
			"hi",
	  .expected = "HEAD@58 POST / 1.1 L=2 E END@62 idle" },
};

Test(http1_body, a_request_ends_where_its_framing_says)
{
	EXPECT_TRANSCRIPTS(requests);
}

static const struct conversation answers[] = {
	{ "a length and a next one", .response = true,
	  .bytes = OK "Content-Length: 5\r\n\r\nhello" OK
		      "Content-Length: 0\r\n\r\n",
	  .expected = "HEAD@36 1.1 200 L=5 END@43 HEAD@79 1.1 200 L=0 END@81 "
		      "idle" },
	{ "chunks", .response = true,
	  .bytes = OK CHUNKED "\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
	  .expected = "HEAD@45 1.1 200 C END@68 idle" },
	{ "until the end", .response = true, .bytes = OK "\r\nhello",
	  .expected = "HEAD@17 1.1 200 open" },
	{ "a coding of its own", .response = true,
	  .bytes = OK
	  "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nhello",
	  .expected = "HEAD@61 1.1 200 L=1 T open" },
	{ "204 with a length", .response = true,
	  .bytes = "HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n" OK "\r\n",
	  .expected = "HEAD@35 1.1 204 L=5 END@37 HEAD@54 1.1 200 open" },
	{ "304 with chunks", .response = true,
	  .bytes = "HTTP/1.1 304 x\r\n" CHUNKED "\r\n",
	  .expected = "HEAD@44 1.1 304 C END@46 idle" },
	{ "101 with a length", .response = true,
	  .bytes = "HTTP/1.1 101 x\r\nContent-Length: 5\r\n\r\n",
	  .expected = "HEAD@35 1.1 101 L=5 END@37 idle" },
	{ "to HEAD, a length", .response = true, .no_body = true,
	  .bytes = OK "Content-Length: 5\r\n\r\n" OK CHUNKED "\r\n" OK "\r\n",
	  .expected = "HEAD@36 1.1 200 L=5 END@38 HEAD@83 1.1 200 C END@85 "
		      "HEAD@102 1.1 200 END@104 idle" },
	{ "interim to HEAD", .response = true, .no_body = true,
	  .bytes = "HTTP/1.1 103 x\r\n\r\n" OK "\r\n",
	  .expected =
		  "HEAD@16 1.1 103 INTERIM@18 HEAD@35 1.1 200 END@37 idle" },
	{ "two lengths", .response = true,
	  .bytes = OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
	  .expected = "opaque" },
	{ "bytes behind the end", .response = true,
	  .bytes = OK "Content-Length: 0\r\n\r\nmore\r\n",
	  .expected = "HEAD@36 1.1 200 L=0 END@38 opaque" },
};

Test(http1_body, an_answer_ends_where_its_framing_says)
{
	EXPECT_TRANSCRIPTS(answers);
}

/* --- what the bytes alone do not say --- */

struct fed {
	struct at_http1 machine;
	struct at_http1_text text;
	enum at_http1_event last;
};

/* Feeds all of it, the blank line's event included. */
static struct fed fed(bool response, const char *bytes)
{
	struct fed fed;
	size_t len = strlen(bytes), used;

	at_http1_init(&fed.machine, response);
	while (len) {
		fed.last = at_http1_feed(&fed.machine, &fed.text, bytes, len,
					 &used);
		bytes += used;
		len -= used;
	}
	return fed;
}

static enum at_http1_event feed(struct fed *fed, const char *bytes)
{
	size_t used;

	fed->last = at_http1_feed(&fed->machine, &fed->text, bytes,
				  strlen(bytes), &used);
	return fed->last;
}

Test(http1_body, unseen_bytes_may_be_part_of_a_body)
{
	struct fed f = fed(false, POST "Content-Length: 10\r\n\r\nabc");

	cr_expect_eq(at_http1_skip(&f.machine, 0), AT_HTTP1_MORE);
	cr_expect_eq(at_http1_skip(&f.machine, 4), AT_HTTP1_MORE);
	cr_expect_eq(f.machine.body_bytes, 7);
	cr_expect_eq(at_http1_skip(&f.machine, 3), AT_HTTP1_END);
	cr_expect(at_http1_idle(&f.machine));
	cr_expect_eq(at_http1_skip(&f.machine, 0), AT_HTTP1_MORE);
	cr_expect_eq(at_http1_skip(&f.machine, 1), AT_HTTP1_OPAQUE);
	f = fed(false, POST "Content-Length: 10\r\n\r\n");
	cr_expect_eq(at_http1_skip(&f.machine, 11), AT_HTTP1_OPAQUE);
	cr_expect_eq(feed(&f, POST), AT_HTTP1_OPAQUE);
}

Test(http1_body, unseen_bytes_may_be_part_of_a_chunk)
{
	struct fed f = fed(false, POST CHUNKED "\r\n5\r\nab");

	cr_expect_eq(at_http1_skip(&f.machine, 3), AT_HTTP1_MORE);
	cr_expect_eq(feed(&f, "\r\n0\r\n\r\n"), AT_HTTP1_END);
	f = fed(false, POST CHUNKED "\r\n5\r\nab");
	cr_expect_eq(at_http1_skip(&f.machine, 4), AT_HTTP1_OPAQUE);
	f = fed(false, POST CHUNKED "\r\n5");
	cr_expect_eq(at_http1_skip(&f.machine, 1), AT_HTTP1_OPAQUE);
}

Test(http1_body, unseen_bytes_in_a_head_are_opaque)
{
	struct fed f = fed(false, POST "Content-Le");

	cr_expect_eq(at_http1_skip(&f.machine, 1), AT_HTTP1_OPAQUE);
}

Test(http1_body, the_end_of_the_connection_completes_some_answers)
{
	struct fed f = fed(true, OK "\r\nabc");

	cr_expect_eq(at_http1_skip(&f.machine, 5), AT_HTTP1_MORE);
	cr_expect_eq(f.machine.body_bytes, 8);
	cr_expect(at_http1_eof(&f.machine));
	cr_expect_eq(feed(&f, OK), AT_HTTP1_OPAQUE);
	f = fed(true, OK "Content-Length: 0\r\n\r\n");
	cr_expect(at_http1_eof(&f.machine));
	f = fed(true, OK "Content-Length: 1\r\n\r\n");
	cr_expect_not(at_http1_eof(&f.machine));
	f = fed(true, OK CHUNKED "\r\n0\r\n");
	cr_expect_not(at_http1_eof(&f.machine));
	f = fed(true, "HTTP/1.1 20");
	cr_expect_not(at_http1_eof(&f.machine));
}

/* Behind the refusal a new request may come, unless the body has begun. */
Test(http1_body, a_refused_body_is_not_waited_for)
{
	struct fed f = fed(false, POST "Content-Length: 5\r\n\r\n");

	at_http1_body_refused(&f.machine);
	cr_expect(at_http1_idle(&f.machine));
	cr_expect_eq(feed(&f, POST "\r\n"), AT_HTTP1_HEAD);
	f = fed(false, POST CHUNKED "\r\n");
	at_http1_body_refused(&f.machine);
	cr_expect(at_http1_idle(&f.machine));
	f = fed(false, POST "Content-Length: 5\r\n\r\nx");
	at_http1_body_refused(&f.machine);
	cr_expect_eq(feed(&f, "xxxx"), AT_HTTP1_END);
	f = fed(false, POST CHUNKED "\r\n5");
	at_http1_body_refused(&f.machine);
	cr_expect_not(at_http1_idle(&f.machine));
	f = fed(false, POST CHUNKED "\r\n1\r\nx\r\n");
	at_http1_body_refused(&f.machine);
	cr_expect_not(at_http1_idle(&f.machine));
	f = fed(false, POST "Content-L");
	at_http1_body_refused(&f.machine);
	cr_expect(at_http1_in_head(&f.machine));
}

Test(http1_body, a_body_is_counted_without_its_framing)
{
	struct fed f = fed(false, POST CHUNKED "\r\n5;x\r\nhello\r\n3\r\nab");

	cr_expect_eq(f.machine.body_bytes, 7);
}
