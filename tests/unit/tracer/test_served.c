// SPDX-License-Identifier: Apache-2.0
/* Requests that are served: one span each, however the bytes come and go. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/counters.h"
#include "tests/unit/tracer/sending.h"
#include "tracer/conn.h"
#include "tracer/fdtable.h"
#include "tracer/request.h"

#define CONTEXT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
#define ASKED \
	"GET /p/a?q=1 HTTP/1.1\r\n" HOST "Traceparent: " CONTEXT "\r\n\r\n"

static void open_served(void)
{
	static char setting[] = "AUTOTRACE_SERVER_SPANS=true";
	char *const settings[] = { setting, NULL };

	wire_start(settings);
	wire_open(&wire, AF_INET);
}

TestSuite(served, .init = open_served);

static struct at_span span;
static char buffer[4096]; /* where the application reads into */

/* The application reads `len` bytes of this; what it then has in its buffer. */
static const char *hear_bytes(const char *bytes, size_t len)
{
	memcpy(buffer, bytes, len);
	buffer[len] = 0;
	wire_read(&wire, buffer, (ssize_t)len);
	return buffer;
}

static const char *hear(const char *text)
{
	return hear_bytes(text, strlen(text));
}

static void say_bytes(const char *bytes, size_t len)
{
	wire.out_len = 0;
	cr_assert_eq(wire_write(&wire, bytes, len), len);
	cr_assert_eq(wire.out_len, len, "nothing may be added");
	cr_assert_eq(memcmp(wire.out, bytes, len), 0);
}

static void say(const char *text)
{
	say_bytes(text, strlen(text));
}

static void expect_span(int64_t status, const char *error)
{
	cr_assert(wire_next_span(&span));
	cr_expect_eq(span.kind, AT_KIND_SERVER);
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE),
		     status);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE), error);
	cr_expect_eq(span.status, *error ? AT_STATUS_ERROR : AT_STATUS_UNSET);
}

static void expect_no_span(void)
{
	cr_assert_not(wire_next_span(&span));
}

/* Behind every one of these the connection can be used again. */
static const struct {
	const char *request;
	const char *answer;
	int64_t status;
	const char *error;
} exchanges[] = {
	{ GET, OK, 200, "" },
	{ GET, "HTTP/1.0 204 No\r\n\r\n", 204, "" },
	{ GET,
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "2;x\r\nhi\r\n0\r\nX: y\r\n\r\n",
	  200, "" },
	{ GET, "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", 404, "" },
	{ GET, "HTTP/1.1 503 x\nContent-Length: 3\n\nno!", 503, "503" },
	{ GET, "HTTP/1.1 103 x\r\nLink: y\r\n\r\n" OK, 200, "" },
	{ "HEAD / HTTP/1.1\r\n" HOST "\r\n",
	  "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 200, "" },
	{ POST, OK, 200, "" },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
	  "5\r\nhello\r\n0\r\n\r\n",
	  OK, 200, "" },
	{ ASKED, OK, 200, "" },
};

/* Every exchange, request and answer split at every byte. */
Test(served, a_request_is_one_span_however_it_is_split)
{
	size_t i, cut, asked, answered;

	for (i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
		asked = strlen(exchanges[i].request);
		answered = strlen(exchanges[i].answer);
		for (cut = 1; cut < asked || cut < answered; cut++) {
			size_t in = cut < asked ? cut : asked;
			size_t out = cut < answered ? cut : answered;

			hear_bytes(exchanges[i].request, in);
			if (in < asked)
				hear(exchanges[i].request + in);
			say_bytes(exchanges[i].answer, out);
			if (out < answered) {
				expect_no_span();
				say(exchanges[i].answer + out);
			}
			expect_span(exchanges[i].status, exchanges[i].error);
			expect_no_span();
		}
	}
}

Test(served, what_a_span_says)
{
	hear(ASKED);
	say(OK);
	expect_span(200, "");
	cr_expect_str_eq(wire_text(&span, AT_FIELD_NAME), "GET");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_HTTP_REQUEST_METHOD), "GET");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_URL_PATH), "/p/a");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_URL_QUERY), "q=1");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_URL_SCHEME), "http");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_SERVER_ADDRESS), "localhost");
	cr_expect_eq(wire_number(&span, AT_ATTR_SERVER_PORT), -1);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_CLIENT_ADDRESS), "127.0.0.1");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_PARENT), "header");
	cr_expect_eq(span.parent_remote, 1);
	cr_expect_eq(span.parent_id[0], 0xb7);
	cr_expect_eq(span.trace_id[0], 0x0a);
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_RESPONSE_BODY_SIZE), 2);
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_REQUEST_BODY_SIZE), -1);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_USER_AGENT_ORIGINAL), "");
	hear("POST / HTTP/1.1\r\nHost: h:81\r\n"
	     "Forwarded: for=192.0.2.1;proto=https\r\nUSER-AGENT: \tgo/1 (x; y) \r\n"
	     "Content-Length: 5\r\n\r\nhello");
	say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n");
	expect_span(200, "");
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_RESPONSE_BODY_SIZE), 4);
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_REQUEST_BODY_SIZE), 5);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_USER_AGENT_ORIGINAL),
			 "go/1 (x; y)");
	cr_expect_eq(wire_number(&span, AT_ATTR_SERVER_PORT), 81);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_CLIENT_ADDRESS), "192.0.2.1");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_URL_SCHEME), "https");
	hear(GET);
	say(OK);
	expect_span(200, "");
	cr_expect_eq(span.has_parent, 0, "nobody's: a trace of its own");
}

/* --- the context that comes in --- */

#define ID_AT (strlen("00-") + 32 + 1)

/* The traceparent as the application reads it. */
static const char *context_in(const char *read)
{
	const char *found = strstr(read, "raceparent:");

	cr_assert_not_null(found);
	return found + strlen("raceparent: ");
}

static void expect_rewritten(const char *read)
{
	const char *context = context_in(read);
	char hex[2 * AT_SPAN_ID_BYTES + 1] = "";
	struct at_writer writer = AT_WRITER(hex, 2 * AT_SPAN_ID_BYTES);

	at_write_hex(&writer, span.span_id, AT_SPAN_ID_BYTES);
	cr_expect_eq(memcmp(context, CONTEXT, ID_AT), 0);
	cr_expect_eq(memcmp(context + ID_AT, hex, strlen(hex)), 0, "%.55s",
		     context);
	cr_expect_eq(memcmp(context + ID_AT + 16, CONTEXT + ID_AT + 16, 3), 0);
}

Test(served, whatever_forwards_it_goes_on_from_our_span)
{
	char read[sizeof(ASKED)];

	strcpy(read, hear(ASKED));
	say(OK);
	expect_span(200, "");
	expect_rewritten(read);
	cr_expect_eq(strlen(read), strlen(ASKED));
}

/* Once a part of it was delivered, it stays what it was. */
Test(served, a_context_in_two_pieces_is_left_alone)
{
	size_t begin = (size_t)(strstr(ASKED, CONTEXT) - ASKED), cut;
	char read[sizeof(ASKED)];

	for (cut = begin + 1; cut < begin + strlen(CONTEXT); cut++) {
		memcpy(read, hear_bytes(ASKED, cut), cut);
		strcpy(read + cut, hear(ASKED + cut));
		cr_expect_str_eq(read, ASKED);
		say(OK);
		expect_span(200, "");
	}
}

Test(served, what_was_peeked_at_is_what_is_read)
{
	strcpy(buffer, ASKED);
	wire_read_flags(&wire, buffer, (ssize_t)strlen(ASKED), MSG_PEEK);
	cr_expect_str_eq(buffer, ASKED);
	cr_expect_str_eq(hear(ASKED), ASKED);
	say(OK);
	expect_span(200, "");
}

Test(served, only_one_valid_context_is_touched)
{
	static const char *const others[] = {
		"GET / HTTP/1.1\r\n" HOST "traceparent: " CONTEXT
		"\r\ntraceparent: " CONTEXT "\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "traceparent: 00-x\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "traceparent: " CONTEXT "-x\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "x-traceparent: " CONTEXT "\r\n\r\n",
	};
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		cr_expect_str_eq(hear(others[i]), others[i]);
		say(OK);
		expect_span(200, "");
		cr_expect_eq(span.has_parent, 0);
	}
}

Test(served, what_may_be_signed_is_left_alone)
{
	static const char signature[] =
		"GET / HTTP/1.1\r\n" HOST "traceparent: " CONTEXT "\r\n"
		"Signature-Input: s=(\"traceparent\")\r\n\r\n";

	cr_expect_str_eq(hear(signature), signature);
	say(OK);
	expect_span(200, "");
	cr_expect_eq(span.has_parent, 1);
}

static void open_inserting_with(char *setting)
{
	static char spans[] = "AUTOTRACE_SERVER_SPANS=true";
	static char insert[] = "AUTOTRACE_INBOUND=insert";
	char *const settings[] = { spans, insert, setting, NULL };

	wire_start(settings);
	wire_open(&wire, AF_INET);
}

static void open_inserting(void)
{
	open_inserting_with(NULL);
}

/* The application reads this, and has room for so many bytes more. */
static const char *hear_with_room(const char *text, size_t room, int flags)
{
	size_t len = strlen(text);
	struct iovec iov = { buffer, len + room };
	struct at_receive receive;
	ssize_t result = (ssize_t)len;

	memcpy(buffer, text, len);
	memset(buffer + len, '#', sizeof(buffer) - len);
	if (at_receive_begin(&receive, wire.fd))
		result = at_receive_into(&receive, &iov, result, 0, flags);
	cr_assert_geq(result, len);
	cr_assert_leq(result, len + room);
	cr_assert_eq(buffer[result], '#', "behind the end");
	buffer[result] = 0;
	return buffer;
}

/* The context of the served span, which is a root, stands where `%s` does. */
static void expect_inserted(const char *heard, const char *before,
			    const char *behind)
{
	char line[128], ids[64];
	struct at_writer writer = AT_WRITER(ids, sizeof(ids) - 1);

	say(OK);
	expect_span(200, "");
	cr_expect_eq(span.has_parent, 0);
	at_write_hex(&writer, span.trace_id, sizeof(span.trace_id));
	at_write_char(&writer, '-');
	at_write_hex(&writer, span.span_id, sizeof(span.span_id));
	ids[writer.len] = 0;
	snprintf(line, sizeof(line), "traceparent: 00-%s-03\r\n", ids);
	cr_assert_eq(strlen(heard), strlen(before) + 70 + strlen(behind), "%s",
		     heard);
	cr_expect_eq(memcmp(heard, before, strlen(before)), 0, "%s", heard);
	cr_expect_eq(memcmp(heard + strlen(before), line, 70), 0, "%s: %s",
		     heard, line);
	cr_expect_str_eq(heard + strlen(before) + 70, behind);
}

Test(served, a_context_is_inserted_where_there_is_none, .init = open_inserting)
{
	expect_inserted(hear_with_room(GET, 70, 0), "GET /x HTTP/1.1\r\n" HOST,
			"\r\n");
	expect_inserted(hear_with_room(POST, 900, 0),
			"POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n",
			"\r\nhello");
}

static void open_keeping_home(void)
{
	static char nobody[] = "AUTOTRACE_PROPAGATE_TO=none";

	open_inserting_with(nobody);
}

static void open_otherwise(void)
{
	static char b3[] = "OTEL_PROPAGATORS=b3,baggage";

	open_inserting_with(b3);
}

Test(inserting, nothing_that_is_not_to_leave, .init = open_keeping_home)
{
	cr_expect_str_eq(hear_with_room(GET, 1000, 0), GET);
}

Test(inserting, nothing_that_was_not_asked_for, .init = open_otherwise)
{
	cr_expect_str_eq(hear_with_room(GET, 1000, 0), GET);
}

Test(served, insertions_do_not_disturb_what_follows, .init = open_inserting)
{
	const char *heard = hear_with_room(POST GET, 1000, 0);

	cr_expect_eq(strlen(heard), strlen(POST GET) + 140, "%s", heard);
	say(OK OK);
	expect_span(200, "");
	expect_span(200, "");
	expect_no_span();
}

Test(served, nothing_is_inserted_where_it_might_do_harm, .init = open_inserting)
{
	static const char *const others[] = {
		"GET / HTTP/1.1\r\n" HOST "tracestate: a=b\r\n\r\n",
		"GET / HTTP/1.1\r\n" HOST "traceparent: x\r\n\r\n",
	};
	size_t i;

	cr_expect_str_eq(hear_with_room(GET, 69, 0), GET);
	say(OK);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		cr_expect_str_eq(hear_with_room(others[i], 1000, 0), others[i]);
		say(OK);
	}
	/* In two pieces. */
	cr_expect_str_eq(hear_with_room("GET / HTTP/1.1\r\nHo", 1000, 0),
			 "GET / HTTP/1.1\r\nHo");
	cr_expect_str_eq(hear_with_room("st: h\r\n\r\n", 1000, 0),
			 "st: h\r\n\r\n");
	say(OK);
	/* The application knows these bytes. */
	hear_with_room(GET, 1000, MSG_PEEK);
	cr_expect_str_eq(hear_with_room(GET, 1000, 0), GET);
	say(OK);
}

/* --- several, and ends --- */

Test(served, requests_in_one_piece_are_answered_in_order)
{
	hear(GET POST ASKED);
	say(OK);
	expect_span(200, "");
	say("HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n" OK);
	expect_span(500, "500");
	expect_span(200, "");
	expect_no_span();
}

Test(served, an_answer_may_end_with_the_connection)
{
	hear(GET);
	say("HTTP/1.0 200 OK\r\n\r\n");
	say("as much as there is");
	expect_no_span();
	at_fd_closing(wire.fd);
	expect_span(200, "");
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_RESPONSE_BODY_SIZE), 19);
}

Test(served, nobody_answers)
{
	hear(GET GET);
	say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi");
	at_fd_closing(wire.fd);
	expect_span(200, "response_truncated");
	expect_span(-1, "no_response");
	expect_no_span();
}

Test(served, other_protocols_are_left)
{
	hear("GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n\r\n");
	say("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n");
	expect_span(101, "");
	hear("\x81\x05hello");
	say("\x81\x05hello");
	expect_no_span();
}

Test(served, what_is_no_request_is_a_bystander)
{
	hear("HELO you\r\n");
	say("250 hello\r\n");
	cr_expect_eq(fdtable_get(wire.fd), AT_FD_IGNORED);
	hear(GET);
	say(OK);
	expect_no_span();
}

/* The server has said something first: it is no HTTP server. */
Test(served, nothing_is_lost_of_a_good_bye)
{
	hear(GET);
	say(OK);
	expect_span(200, "");
	say("HTTP/1.1 408 Request Timeout\r\n\r\n");
	expect_no_span();
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_RESPONSE), 0);
}

/* --- whose call is it --- */

static struct wire outward;

/* A call of this program's, answered; its span is in `span`. */
static void call(void)
{
	outward.out_len = 0;
	cr_assert_eq(wire_write(&outward, GET, strlen(GET)), strlen(GET));
	wire_read_string(&outward, OK);
	cr_assert(wire_next_span(&span));
	cr_assert_eq(span.kind, AT_KIND_CLIENT);
}

Test(served, a_call_is_the_doing_of_the_request_at_hand)
{
	uint8_t parent[AT_SPAN_ID_BYTES];

	wire_open(&outward, AF_INET);
	hear(ASKED);
	call();
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_PARENT), "thread");
	cr_expect_eq(span.trace_id[0], 0x0a);
	memcpy(parent, span.parent_id, sizeof(parent));
	say(OK);
	expect_span(200, "");
	cr_expect_eq(memcmp(parent, span.span_id, sizeof(parent)), 0);
	/* It is answered: what is called now is not its doing. */
	call();
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_PARENT), "");
}

Test(served, whoever_waits_for_others_tells_nothing)
{
	wire_open(&outward, AF_INET);
	hear(ASKED);
	at_turn_waits_for(outward.fd);
	call();
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_PARENT), "thread");
	at_turn_waits_for(wire.fd);
	call();
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_PARENT), "sole");
	say(OK);
	expect_span(200, "");
	hear(ASKED);
	call();
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_PARENT), "thread");
	at_fd_accepts(1000);
	at_turn_waits_for(1000);
	call();
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_PARENT), "sole");
}

/* A second request before the first is answered: a loop, for good. */
Test(served, loops_give_themselves_away)
{
	wire_open(&outward, AF_INET);
	hear(ASKED ASKED);
	call();
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_PARENT), "");
	say(OK OK);
	expect_span(200, "");
	expect_span(200, "");
	hear(ASKED);
	call();
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_PARENT), "sole");
}

static void *hear_and_leave(void *unused)
{
	hear(GET);
	return unused;
}

/* Whoever has read it is gone: it cannot be held for that thread's sake. */
Test(served, requests_of_threads_that_leave_are_not_kept)
{
	pthread_t reader;
	uint32_t held;
	int i;

	for (i = 0; i < 5; i++) {
		if (i)
			wire_open(&wire, AF_INET);
		cr_assert_eq(
			pthread_create(&reader, NULL, hear_and_leave, NULL), 0);
		cr_assert_eq(pthread_join(reader, NULL), 0);
		at_fd_closing(wire.fd);
		expect_span(-1, "no_response");
		held = request_in_use();
		cr_assert_leq(held, 1, "%u", held);
	}
}
