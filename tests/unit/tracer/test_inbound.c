// SPDX-License-Identifier: Apache-2.0
/* Contexts that requests bring along, in whatever format. */
#include <stdio.h>
#include <string.h>

#include "core/counters.h"
#include "tests/unit/tracer/sending.h"
#include "tracer/baggage.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define TRACEPARENT "traceparent: 00-" TRACE "-b7ad6b7169203331-01\r\n"

static struct wire outward;
static struct at_span span;
static char buffer[2048];

static void open_with(char *propagators)
{
	static char spans[] = "AUTOTRACE_SERVER_SPANS=true";
	char *const settings[] = { spans, propagators, NULL };

	wire_start(settings);
	wire_open(&wire, AF_INET);
	wire_open(&outward, AF_INET);
}

static void open_default(void)
{
	open_with(NULL);
}

static void open_b3(void)
{
	static char both[] = "OTEL_PROPAGATORS=tracecontext,b3,jaeger";

	open_with(both);
}

TestSuite(inbound, .init = open_default);

/* What the application has read of this. */
static const char *hear(const char *text)
{
	strcpy(buffer, text);
	wire_read(&wire, buffer, (ssize_t)strlen(text));
	return buffer;
}

static void answer(void)
{
	wire_write(&wire, OK, strlen(OK));
	cr_assert(wire_next_span(&span));
	cr_assert_eq(span.kind, AT_KIND_SERVER);
}

static void expect_parent(uint8_t trace_begin, uint8_t parent_begin)
{
	answer();
	cr_expect_eq(span.has_parent, 1);
	cr_expect_eq(span.parent_remote, 1);
	cr_expect_eq(span.trace_id[0], trace_begin);
	cr_expect_eq(span.parent_id[0], parent_begin);
}

Test(inbound, tracestate_goes_on_to_whom_is_called)
{
	hear("GET / HTTP/1.1\r\n" HOST TRACEPARENT "tracestate: a=1,b=2\r\n"
	     "Tracestate: c=3\r\n\r\n");
	wire_write(&outward, GET, strlen(GET));
	outward.out[outward.out_len] = 0;
	cr_expect_not_null(strstr(outward.out,
				  "\r\ntracestate: a=1,b=2,c=3\r\n"),
			   "%s", outward.out);
	wire_read_string(&outward, OK);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_FIELD_TRACESTATE), "a=1,b=2,c=3");
	expect_parent(0x0a, 0xb7);
	cr_expect_str_eq(wire_text(&span, AT_FIELD_TRACESTATE), "a=1,b=2,c=3");
}

Test(inbound, without_a_traceparent_tracestate_says_nothing)
{
	hear("GET / HTTP/1.1\r\n" HOST "tracestate: a=1\r\n\r\n");
	answer();
	cr_expect_eq(span.has_parent, 0);
	cr_expect_str_eq(wire_text(&span, AT_FIELD_TRACESTATE), "");
}

Test(inbound, other_formats_are_read_where_they_are_asked_for, .init = open_b3)
{
	static const char b3[] =
		"GET / HTTP/1.1\r\n" HOST
		"B3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"
		"\r\n\r\n";
	static const char jaeger[] =
		"GET / HTTP/1.1\r\n" HOST "uber-trace-id: "
		"90f198ee56343ba864fe8b2a57d3eff7:f457b5a2e4d86bd1:0:1"
		"\r\n\r\n";

	cr_expect_str_eq(hear(b3), b3);
	expect_parent(0x80, 0xe4);
	hear(jaeger);
	expect_parent(0x90, 0xf4);
	/* In pieces nobody looks for them. */
	hear("GET / HTTP/1.1\r\n");
	hear(b3 + strlen("GET / HTTP/1.1\r\n"));
	answer();
	cr_expect_eq(span.has_parent, 0);
}

Test(inbound, what_says_something_else_wins, .init = open_b3)
{
	static const char other[] =
		"GET / HTTP/1.1\r\n" HOST TRACEPARENT
		"b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1"
		"\r\n\r\n";
	static const char same[] = "GET / HTTP/1.1\r\n" HOST TRACEPARENT
				   "b3: " TRACE "-b7ad6b7169203331-1\r\n\r\n";

	/* Nor is the traceparent rewritten that is not believed. */
	cr_expect_str_eq(hear(other), other);
	expect_parent(0x80, 0xe4);
	cr_expect_str_neq(hear(same), same);
	expect_parent(0x0a, 0xb7);
}

Test(inbound, formats_that_were_not_asked_for_are_not_read)
{
	hear("GET / HTTP/1.1\r\n" HOST
	     "b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1\r\n\r\n");
	answer();
	cr_expect_eq(span.has_parent, 0);
}

/* --- baggage --- */

static const char *call_with(const char *field)
{
	static char text[4096];
	int len = snprintf(text, sizeof(text),
			   "GET /x HTTP/1.1\r\n" HOST "%s\r\n", field);

	outward.out_len = 0;
	cr_assert_eq(wire_write(&outward, text, len), len);
	wire_read_string(&outward, OK);
	outward.out[outward.out_len] = 0;
	cr_assert(wire_next_span(&span));
	return outward.out;
}

Test(inbound, baggage_goes_on_to_whom_is_called)
{
	hear("GET / HTTP/1.1\r\n" HOST "Baggage: a=1;p , b%20=2,bad key=1\r\n"
	     "baggage: c=\xff, d = 3 ; q=1\r\n\r\n");
	cr_expect_not_null(strstr(call_with(""), "-03\r\nbaggage: "
						 "a=1;p,b%20=2,d = 3 ; q=1"
						 "\r\n\r\n"),
			   "%s", outward.out);
	cr_expect_eq(at_counter_value(AT_COUNT_BAGGAGE_DROPPED), 1);
	/* Who sends its own does not get another. */
	cr_expect_not_null(strstr(call_with("baggage: e=1\r\n"),
				  "baggage: e=1\r\ntraceparent: "));
	cr_expect_null(strstr(outward.out, "a=1"));
	answer();
	cr_expect_eq(baggage_in_use(), 0);
	cr_expect_null(strstr(call_with(""), "baggage"));
}

Test(inbound, much_baggage_goes_on_whole)
{
	static char head[9000];
	int len = sprintf(head,
			  "GET / HTTP/1.1\r\n" HOST "baggage: a=%08190d"
			  "\r\n\r\n",
			  7);

	wire_read(&wire, head, len);
	cr_expect_not_null(strstr(call_with(""), "0007\r\n\r\n"));
	cr_expect_eq(outward.out_len,
		     strlen(GET) + WIRE_HEADER_BYTES + 9 + 8192 + 2);
	answer();
	cr_expect_eq(baggage_in_use(), 0);
}

Test(inbound, too_much_baggage_is_dropped_by_whole_members)
{
	static char head[9000];
	int len = sprintf(head,
			  "GET / HTTP/1.1\r\n" HOST "baggage: b=1,"
			  "a=%08190d\r\n\r\n",
			  7);

	wire_read(&wire, head, len);
	cr_expect_not_null(strstr(call_with(""), "\r\nbaggage: b=1\r\n\r\n"));
	cr_expect_eq(at_counter_value(AT_COUNT_BAGGAGE_DROPPED), 1);
	answer();
}

/* A program that sends telemetry while it serves loses nothing by that. */
Test(inbound, telemetry_takes_no_baggage_along)
{
	static const char post[] = "POST /api/v2/spans HTTP/1.1\r\n" HOST
				   "Content-Length: 0\r\n\r\n";
	ssize_t len = sizeof(post) - 1;

	hear("GET / HTTP/1.1\r\n" HOST "baggage: a=1\r\n\r\n");
	cr_assert_eq(wire_write(&outward, post, len), len);
	cr_expect_eq(outward.out_len, len);
	cr_expect_eq(at_counter_value(AT_COUNT_BAGGAGE_DROPPED), 0);
	wire_read_string(&outward, OK);
	answer();
	cr_expect_eq(baggage_in_use(), 0);
}

Test(inbound, baggage_nobody_asked_for_stays, .init = open_b3)
{
	hear("GET / HTTP/1.1\r\n" HOST "baggage: a=1\r\n\r\n");
	cr_expect_null(strstr(call_with(""), "baggage"));
	answer();
}

/* --- another format's own --- */

Test(inbound, nothing_beside_a_context_of_its_own, .init = open_b3)
{
	static const char own[] =
		"b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1\r\n";

	cr_expect_null(strstr(call_with(own), "traceparent"));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_NOT_PROPAGATED),
			 "own_context");
}

Test(inbound, formats_that_are_not_ours_do_not_matter)
{
	cr_expect_not_null(
		strstr(call_with("b3: 0\r\n"), "b3: 0\r\ntraceparent: "));
}
