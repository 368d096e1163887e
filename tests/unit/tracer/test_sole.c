// SPDX-License-Identifier: Apache-2.0
/* The one open request is believed where threads tell nothing. */
#include <string.h>

#include "tests/unit/tracer/sending.h"
#include "tracer/conn.h"

#define OTHER "GET /x HTTP/1.1\r\nHost: other.local\r\n\r\n"

static struct wire first, second; /* two clients of ours */
static struct wire outward;       /* to whom the application calls */
static struct at_span span;
static uint8_t called_below[AT_SPAN_ID_BYTES];

static void open_all(char *rule)
{
	static char spans[] = "AUTOTRACE_SERVER_SPANS=true";
	char *const settings[] = { spans, rule, NULL };

	wire_start(settings);
	wire_open(&first, AF_INET);
	wire_open(&second, AF_INET);
	wire_open(&outward, AF_INET);
}

static void open_loop(void)
{
	open_all(NULL);
}

TestSuite(sole, .init = open_loop);

static void hear(struct wire *from)
{
	static char request[] = GET;

	wire_read(from, request, (ssize_t)strlen(request));
	at_turn_waits_for_many(); /* as a loop does */
}

static void answer(struct wire *to)
{
	cr_assert_eq(wire_write(to, OK, strlen(OK)), strlen(OK));
	cr_assert(wire_next_span(&span));
	cr_assert_eq(span.kind, AT_KIND_SERVER);
}

/* The rule that spoke for a call made now. */
static const char *call(const char *request)
{
	wire_write(&outward, request, strlen(request));
	wire_read_string(&outward, OK);
	cr_assert(wire_next_span(&span));
	cr_assert_eq(span.kind, AT_KIND_CLIENT);
	memcpy(called_below, span.parent_id, sizeof(called_below));
	return wire_text(&span, AT_ATTR_AUTOTRACE_PARENT);
}

Test(sole, the_only_open_request_is_the_cause)
{
	hear(&first);
	cr_expect_str_eq(call(GET), "sole");
	answer(&first);
	cr_expect_arr_eq(called_below, span.span_id, sizeof(called_below));
	hear(&second);
	cr_expect_str_eq(call(GET), "sole");
	answer(&second);
	cr_expect_arr_eq(called_below, span.span_id, sizeof(called_below));
}

Test(sole, of_two_nobody_knows)
{
	hear(&first);
	hear(&second);
	cr_expect_str_eq(call(GET), "");
	answer(&first);
	cr_expect_str_eq(call(GET), "sole");
	answer(&second);
	cr_expect_arr_eq(called_below, span.span_id, sizeof(called_below));
}

Test(sole, whom_is_called_in_the_background_tells_nothing)
{
	cr_expect_str_eq(call(GET), "");
	hear(&first);
	cr_expect_str_eq(call(GET), "");
	cr_expect_str_eq(call(OTHER), "sole");
	answer(&first);
	cr_expect_str_eq(call(OTHER), "");
	hear(&first);
	cr_expect_str_eq(call(OTHER), "");
	answer(&first);
}

/* It answers before it is answered: that call was somebody else's. */
Test(sole, who_does_not_wait_calls_in_the_background)
{
	hear(&first);
	wire_write(&outward, GET, strlen(GET));
	answer(&first);
	wire_read_string(&outward, OK);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_PARENT), "sole");
	hear(&first);
	cr_expect_str_eq(call(GET), "");
	cr_expect_str_eq(call(OTHER), "sole");
	answer(&first);
}

/* However it ends, it is open no more. */
Test(sole, aborted_requests_are_over)
{
	hear(&first);
	at_fd_closing(first.fd);
	cr_assert(wire_next_span(&span));
	hear(&second);
	cr_expect_str_eq(call(GET), "sole");
	at_fd_closing(second.fd);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(call(OTHER), "");
}

Test(sole, a_child_does_not_answer_for_its_parent)
{
	hear(&first);
	wire_fork();
	hear(&second);
	cr_expect_str_eq(call(GET), "sole");
	answer(&second);
	cr_expect_arr_eq(called_below, span.span_id, sizeof(called_below));
}

Test(sole, guesses_can_be_turned_off, .init = NULL)
{
	static char certain[] = "AUTOTRACE_PARENT=certain";

	open_all(certain);
	hear(&first);
	cr_expect_str_eq(call(GET), "");
	answer(&first);
}
