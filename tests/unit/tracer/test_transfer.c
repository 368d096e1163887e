// SPDX-License-Identifier: Apache-2.0
/* Whose request is it, what it has cost, and why it failed. */
#include "tracer/transfer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/counters.h"
#include "tests/unit/tracer/sending.h"
#include "tracer/request.h"

/* A libcurl that says what the test wants it to. */
static struct at_transfer_times times;
static struct at_transfer_facts facts;
static struct at_transfer *transfer;
static struct at_span span;
static char handles[9000]; /* to have addresses */

static void tell_times(const struct at_transfer *of,
		       struct at_transfer_times *to)
{
	(void)of;
	*to = times;
}

static void tell_facts(const struct at_transfer *of,
		       struct at_transfer_facts *to)
{
	(void)of;
	*to = facts;
}

static struct at_transfer *make(unsigned int number)
{
	struct at_transfer *made = at_transfer_make(&handles[number]);

	cr_assert_not_null(made);
	made->times = tell_times;
	made->facts = tell_facts;
	return made;
}

static void open_all(void)
{
	open_wire();
	transfer = make(0);
}

TestSuite(transfer, .init = open_all);

static void ready(struct at_transfer *whose)
{
	at_transfer_ready(whose, "127.0.0.1", 80, 4000);
}

/* In a call of its own, as curl_multi_perform() is. */
static void send_request(const void *owner, struct at_transfer *whose)
{
	struct at_transfer_call call;

	at_transfer_enter(&call, owner, NULL);
	if (whose)
		ready(whose);
	cr_assert(wire_write_all(&wire, GET, strlen(GET)));
	at_transfer_exit(&call);
}

static void answer(void)
{
	wire_read_string(&wire, OK);
	cr_assert(wire_next_span(&span));
}

static double fraction(enum at_attr attr)
{
	struct at_field field;

	if (!at_span_find(&span, attr, &field))
		return -1;
	cr_assert_eq(field.type, AT_TYPE_DOUBLE);
	return field.real;
}

static bool has(enum at_attr attr)
{
	struct at_field field;

	return at_span_find(&span, attr, &field);
}

/* Is it a transfer's? Everyone of those has its first byte's time. */
static bool is_told(void)
{
	return has(AT_ATTR_AUTOTRACE_CURL_FIRST_BYTE_MS);
}

/* As libcurl does; a request may be left over. */
static void close_connection(void)
{
	at_fd_closing(wire.fd);
	wire.out_len = 0;
}

static void close_all(void)
{
	at_transfer_forget(transfer);
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
}

/* --- phases --- */

Test(transfer, a_new_connection_has_its_phases)
{
	at_transfer_begin(transfer, transfer);
	times = (struct at_transfer_times){ 1, 1500, 4000, 9250 };
	send_request(transfer, transfer);
	answer();
	cr_expect_eq(fraction(AT_ATTR_AUTOTRACE_CURL_DNS_MS), 1.5);
	cr_expect_eq(fraction(AT_ATTR_AUTOTRACE_CURL_CONNECT_MS), 2.5);
	cr_expect_eq(fraction(AT_ATTR_AUTOTRACE_CURL_TLS_MS), 5.25);
	cr_expect_not(has(AT_ATTR_HTTP_REQUEST_RESEND_COUNT));
	cr_expect(is_told());
	/* The handle's transfer has only just begun, and so has the span. */
	cr_expect_lt(span.duration_ns, 9250000u);
	close_all();
}

Test(transfer, a_span_begins_with_the_work_for_it)
{
	struct timespec nap = { .tv_nsec = 12000000 };

	at_transfer_begin(transfer, transfer);
	nanosleep(&nap, NULL);
	times = (struct at_transfer_times){ 1, 1000, 10000, 0 };
	send_request(transfer, transfer);
	answer();
	cr_expect_geq(span.duration_ns, 10000000u);
	cr_expect_geq(fraction(AT_ATTR_AUTOTRACE_CURL_FIRST_BYTE_MS), 10.0);
	cr_expect_not(has(AT_ATTR_AUTOTRACE_CURL_TLS_MS));
	close_all();
}

Test(transfer, phases_are_those_of_each_request)
{
	at_transfer_begin(transfer, transfer);
	times = (struct at_transfer_times){ 1, 100, 300, 0 };
	send_request(transfer, transfer);
	answer();
	/* The same connection: libcurl counts a look-up that it did not make. */
	times = (struct at_transfer_times){ 1, 120, 300, 0 };
	send_request(transfer, transfer);
	answer();
	cr_expect_not(has(AT_ATTR_AUTOTRACE_CURL_DNS_MS));
	cr_expect_not(has(AT_ATTR_AUTOTRACE_CURL_CONNECT_MS));
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_REQUEST_RESEND_COUNT), 1);
	times = (struct at_transfer_times){ 2, 320, 800, 0 };
	send_request(transfer, transfer);
	answer();
	cr_expect_eq(fraction(AT_ATTR_AUTOTRACE_CURL_DNS_MS), 0.2);
	cr_expect_eq(fraction(AT_ATTR_AUTOTRACE_CURL_CONNECT_MS), 0.3);
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_REQUEST_RESEND_COUNT), 2);
	at_transfer_end(transfer, NULL, false);
	close_all();
}

Test(transfer, an_address_was_not_looked_up)
{
	static const char literal[] =
		"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
	struct at_transfer_call call;

	at_transfer_begin(transfer, transfer);
	times = (struct at_transfer_times){ 1, 100, 300, 0 };
	at_transfer_enter(&call, transfer, NULL);
	ready(transfer);
	cr_assert(wire_write_all(&wire, literal, strlen(literal)));
	at_transfer_exit(&call);
	answer();
	cr_expect_not(has(AT_ATTR_AUTOTRACE_CURL_DNS_MS));
	cr_expect(has(AT_ATTR_AUTOTRACE_CURL_CONNECT_MS));
	close_all();
}

/* --- whose request it is --- */

Test(transfer, others_requests_are_not_its)
{
	struct at_transfer_call call;

	at_transfer_begin(transfer, transfer);
	cr_assert(wire_write_all(&wire, GET, strlen(GET)));
	answer();
	cr_expect_not(is_told()); /* outside of libcurl */
	send_request(transfer, NULL);
	answer();
	cr_expect_not(is_told()); /* inside, and nobody's */
	at_transfer_enter(&call, transfer, NULL);
	ready(transfer);
	cr_assert(wire_write_all(&wire, "CONNECT a:1 HTTP/1.1\r\n\r\n", 24));
	wire_read_string(&wire, "HTTP/1.1 400 \r\nContent-Length: 0\r\n\r\n");
	cr_assert(wire_next_span(&span));
	cr_expect_not(is_told()); /* made for it, and not it */
	cr_assert(wire_write_all(&wire, GET, strlen(GET)));
	at_transfer_exit(&call);
	answer();
	cr_expect(is_told());
	close_all();
}

Test(transfer, an_old_libcurl_does_not_say_when)
{
	struct at_transfer_call call;

	at_transfer_begin(transfer, transfer);
	times = (struct at_transfer_times){ 1, 100, 300, 0 };
	at_transfer_enter(&call, transfer, transfer);
	cr_assert(wire_write_all(&wire, GET, strlen(GET)));
	answer();
	cr_expect_eq(fraction(AT_ATTR_AUTOTRACE_CURL_CONNECT_MS), 0.2);
	cr_assert(wire_write_all(&wire, GET, strlen(GET)));
	answer();
	cr_expect_not(has(AT_ATTR_AUTOTRACE_CURL_CONNECT_MS));
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_REQUEST_RESEND_COUNT), 1);
	at_transfer_exit(&call);
	at_transfer_end(transfer, NULL, false);
	close_all();
}

static ssize_t none_yet(struct wire *unused, size_t len)
{
	(void)unused;
	(void)len;
	return -EAGAIN;
}

Test(transfer, what_did_not_leave_comes_in_a_later_call)
{
	struct at_transfer_call call;

	at_transfer_begin(transfer, &wire);
	at_transfer_enter(&call, &wire, NULL);
	ready(transfer);
	wire.answer = none_yet;
	cr_assert_lt(wire_write(&wire, GET, strlen(GET)), 0);
	at_transfer_exit(&call);
	wire.answer = NULL;
	send_request(&times, NULL);
	answer();
	cr_expect_not(is_told()); /* another multi handle's call */
	send_request(&wire, NULL);
	answer();
	cr_expect(is_told());
	send_request(&wire, NULL);
	answer();
	cr_expect_not(is_told()); /* it had its request */
	close_all();
}

Test(transfer, several_on_a_connection_leave_in_their_order)
{
	struct at_transfer *second = make(1);
	struct at_transfer_call call;

	at_transfer_begin(transfer, &wire);
	at_transfer_begin(second, &wire);
	at_transfer_enter(&call, &wire, NULL);
	times.lookup_us = 1000;
	times.connects = 1;
	ready(transfer);
	times.lookup_us = 2000;
	ready(second);
	cr_assert(wire_write_all(&wire, GET GET, 2 * strlen(GET)));
	at_transfer_exit(&call);
	wire_read_string(&wire, OK OK);
	cr_assert(wire_next_span(&span));
	cr_expect_eq(fraction(AT_ATTR_AUTOTRACE_CURL_DNS_MS), 1.0);
	cr_assert(wire_next_span(&span));
	cr_expect_eq(fraction(AT_ATTR_AUTOTRACE_CURL_DNS_MS), 2.0);
	at_transfer_forget(second);
	close_all();
}

Test(transfer, a_transfer_within_another)
{
	struct at_transfer *inner = make(1);
	struct at_transfer_call call;

	at_transfer_begin(transfer, transfer);
	at_transfer_enter(&call, transfer, NULL);
	ready(transfer);
	at_transfer_begin(inner, inner);
	send_request(inner, inner);
	at_transfer_end(inner, NULL, false);
	answer();
	cr_expect_not(has(AT_ATTR_HTTP_REQUEST_RESEND_COUNT));
	cr_expect(at_in_transfer());
	cr_assert(wire_write_all(&wire, GET, strlen(GET)));
	at_transfer_exit(&call);
	answer();
	cr_expect(is_told());
	cr_expect_not(at_in_transfer());
	at_transfer_forget(inner);
	close_all();
}

static jmp_buf above;

__attribute__((noinline)) static void leave_by_a_jump(void)
{
	struct at_transfer_call call;

	at_transfer_enter(&call, transfer, NULL);
	cr_assert(at_in_transfer());
	longjmp(above, 1);
}

__attribute__((noinline)) static void leave_from_below(void)
{
	volatile char room[1024];

	memset((char *)room, 'x', sizeof(room));
	leave_by_a_jump();
}

/* Frames where the call's was, of somebody who is not inside. */
__attribute__((noinline)) static bool is_inside_below(void)
{
	volatile char room[4096];

	memset((char *)room, 'x', sizeof(room));
	return at_in_transfer();
}

Test(transfer, a_call_that_was_jumped_out_of_is_over)
{
	if (!setjmp(above))
		leave_from_below();
	cr_expect_not(at_in_transfer());
	cr_expect_not(is_inside_below());
	at_transfer_begin(transfer, transfer);
	send_request(transfer, transfer);
	answer();
	cr_expect(is_told());
	cr_expect_not(at_in_transfer());
	close_all();
}

/* --- why it failed --- */

/* libcurl closes the connection, then says why. */
static void closed_and(const char *error)
{
	at_transfer_begin(transfer, transfer);
	send_request(transfer, transfer);
	close_connection();
	cr_assert_not(wire_next_span(&span));
	at_transfer_end(transfer, error, false);
	cr_assert(wire_next_span(&span));
}

Test(transfer, an_unanswered_request_waits_for_the_reason)
{
	closed_and("operation_timedout");
	cr_expect_eq(span.status, AT_STATUS_ERROR);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE),
			 "operation_timedout");
	close_all();
}

Test(transfer, it_may_have_been_left_on_purpose)
{
	closed_and(NULL);
	cr_expect_eq(span.status, AT_STATUS_UNSET);
	close_all();
}

Test(transfer, a_request_made_again_ends_the_one_before)
{
	at_transfer_begin(transfer, transfer);
	send_request(transfer, transfer);
	close_connection();
	send_request(transfer, transfer);
	cr_assert(wire_next_span(&span));
	cr_expect_eq(span.status, AT_STATUS_UNSET);
	answer();
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_REQUEST_RESEND_COUNT), 1);
	at_transfer_end(transfer, NULL, false);
	close_all();
}

Test(transfer, what_the_bytes_say_is_believed_first)
{
	at_transfer_begin(transfer, transfer);
	send_request(transfer, transfer);
	wire_read(&wire, NULL, -ECONNRESET);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE),
			 "connection_reset");
	at_transfer_end(transfer, "recv_error", false);
	close_all();
}

Test(transfer, taken_out_half_way)
{
	at_transfer_begin(transfer, &wire);
	send_request(&wire, transfer);
	close_connection();
	at_transfer_leave_all(&wire);
	cr_assert(wire_next_span(&span));
	cr_expect_eq(span.status, AT_STATUS_UNSET);
	cr_expect_not(at_transfer_active(transfer));
	close_all();
}

Test(transfer, at_the_programs_end_it_is_incomplete)
{
	at_transfer_begin(transfer, transfer);
	send_request(transfer, transfer);
	close_connection();
	at_tracer_end_open();
	cr_assert(wire_next_span(&span));
	cr_expect(has(AT_ATTR_AUTOTRACE_INCOMPLETE));
	close_all();
}

Test(transfer, a_child_leaves_it_to_its_parent)
{
	at_transfer_begin(transfer, transfer);
	send_request(transfer, transfer);
	close_connection();
	wire_fork();
	cr_expect_not(at_transfer_active(transfer));
	at_transfer_end(transfer, "operation_timedout", false);
	close_all();
}

/* --- requests that nobody saw --- */

static void say(const char *url, long status)
{
	facts = (struct at_transfer_facts){ .url = url,
					    .method = "GET",
					    .peer = "10.0.0.1",
					    .status = status,
					    .http_version = 30,
					    .first_byte_us = 2500 };
}

static void never_seen(const char *error, bool silent, bool meant)
{
	struct at_transfer_call call;

	at_transfer_begin(transfer, transfer);
	at_transfer_enter(&call, transfer, NULL);
	if (meant)
		ready(transfer);
	at_transfer_exit(&call);
	at_transfer_end(transfer, error, silent);
}

Test(transfer, an_answer_without_a_request_is_a_span)
{
	say("https://u:p@Shop.example:8443/a?b#c", 404);
	times = (struct at_transfer_times){ 1, 1000, 0, 2000 };
	never_seen(NULL, false, true);
	cr_assert(wire_next_span(&span));
	cr_expect_eq(span.kind, AT_KIND_CLIENT);
	cr_expect_str_eq(wire_text(&span, AT_FIELD_NAME), "GET");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_URL_FULL), facts.url);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_SERVER_ADDRESS),
			 "Shop.example");
	cr_expect_eq(wire_number(&span, AT_ATTR_SERVER_PORT), 8443);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_NETWORK_PEER_ADDRESS),
			 "10.0.0.1");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_NETWORK_PROTOCOL_VERSION),
			 "3");
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE),
		     404);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE), "404");
	cr_expect_str_eq(wire_text(&span, AT_ATTR_AUTOTRACE_NOT_PROPAGATED),
			 "unseen");
	cr_expect_eq(fraction(AT_ATTR_AUTOTRACE_CURL_FIRST_BYTE_MS), 2.5);
	cr_expect_eq(fraction(AT_ATTR_AUTOTRACE_CURL_TLS_MS), 2.0);
	close_all();
}

Test(transfer, a_failure_without_a_request_is_a_span)
{
	say("http://[::1]/x", 0);
	never_seen("peer_failed_verification", false, false);
	cr_assert(wire_next_span(&span));
	cr_expect_eq(span.status, AT_STATUS_ERROR);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_SERVER_ADDRESS), "::1");
	cr_expect_eq(wire_number(&span, AT_ATTR_SERVER_PORT), 80);
	cr_expect_not(has(AT_ATTR_AUTOTRACE_PROPAGATED));
	cr_expect_not(has(AT_ATTR_NETWORK_PROTOCOL_VERSION));
	close_all();
}

Test(transfer, what_has_its_own_span_or_is_not_of_http_has_none)
{
	static const char *const urls[] = { NULL, "", "ftp://h/x", "file:///x",
					    "http:/x" };
	unsigned int i;

	say("http://a/x", 0);
	never_seen("couldnt_connect", true, false);
	never_seen(NULL, false, true); /* connected only */
	for (i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		say(urls[i], 200);
		never_seen(NULL, false, true);
	}
	close_all();
}

Test(transfer, what_was_seen_is_not_told_twice)
{
	say("http://localhost/x", 200);
	at_transfer_begin(transfer, transfer);
	send_request(transfer, transfer);
	answer();
	at_transfer_end(transfer, "write_error", false);
	close_all();
}

Test(transfer, only_the_last_of_its_requests_was_not_seen)
{
	say("https://a/x", 200);
	at_transfer_begin(transfer, transfer);
	send_request(transfer, transfer);
	answer();
	ready(transfer);
	at_transfer_end(transfer, NULL, false);
	cr_assert(wire_next_span(&span));
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_REQUEST_RESEND_COUNT), 1);
	cr_expect_not(has(AT_ATTR_AUTOTRACE_CURL_FIRST_BYTE_MS));
	close_all();
}

Test(transfer, dropped_ones_are_not_told)
{
	static char dropped[] = "OTEL_TRACES_SAMPLER=always_off";
	static char *settings[] = { dropped, NULL };

	wire_close(&wire);
	wire_start(settings);
	wire_open(&wire, AF_UNIX);
	say("https://a/x", 200);
	never_seen(NULL, false, true);
	close_all();
}

/* --- handles --- */

Test(transfer, handles_are_found_until_they_are_gone)
{
	unsigned int i, made = 0;
	struct at_transfer *one;

	cr_expect_eq(at_transfer_find(&handles[0]), transfer);
	cr_expect_null(at_transfer_find(&handles[1]));
	for (i = 1; i < sizeof(handles); i++)
		if (at_transfer_make(&handles[i]))
			made++;
	cr_expect_gt(made, 4000);
	cr_expect_eq(at_counter_value(AT_COUNT_TRANSFERS_FULL),
		     sizeof(handles) - 1 - made);
	for (i = 1; i < sizeof(handles); i++) {
		one = at_transfer_find(&handles[i]);
		if (!one)
			continue;
		cr_assert_eq(one->easy, &handles[i]);
		at_transfer_forget(one);
		cr_assert_null(at_transfer_find(&handles[i]));
	}
	cr_expect_eq(at_transfer_find(&handles[0]), transfer);
	close_all();
}
