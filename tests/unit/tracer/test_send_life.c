// SPDX-License-Identifier: Apache-2.0
/*
 * Writes while other things happen: answers, other writers, closed and reused
 * numbers, the end of HTTP. What another thread would do in the middle of a
 * call is done by the kernel of the test.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/counters.h"
#include "tests/unit/tracer/sending.h"
#include "tracer/fdtable.h"

TestSuite(send_life, .init = open_wire);

static struct at_span span;

static void expect_span(int64_t status, const char *error)
{
	cr_assert(wire_next_span(&span));
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE),
		     status);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE), error);
}

static void expect_no_span(void)
{
	cr_expect_not(wire_next_span(&span));
}

/* --- during a call --- */

/* What happens while the kernel works, once; and how much it takes then. */
static void (*meanwhile)(void);
static ssize_t takes;

static ssize_t answer(struct wire *w, size_t len)
{
	void (*now)(void) = meanwhile;

	(void)w;
	meanwhile = NULL;
	if (!now)
		return (ssize_t)len;
	now();
	return takes;
}

static void during(void (*action)(void), ssize_t take)
{
	meanwhile = action;
	takes = take;
	wire.answer = answer;
}

static void read_ok(void)
{
	wire_read_string(&wire, OK);
}

Test(send_life, an_answer_may_come_before_the_call_has_returned)
{
	char id[17];
	char hex[17];
	int i;

	during(read_ok, 1000);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), strlen(GET));
	expect_sent(GET, strlen(GET));
	expect_span(200, "");
	wire_span_id(&wire, 0, id);
	for (i = 0; i < 8; i++)
		sprintf(hex + 2 * i, "%02x", span.span_id[i]);
	cr_expect_str_eq(id, hex);
	/* And the connection goes on. */
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire.edited_count, 2);
	read_ok();
	expect_span(200, "");
	wire_close(&wire);
	expect_no_span();
}

static void read_refusal(void)
{
	wire_read_string(&wire, "HTTP/1.1 431 Too Large\r\n"
				"Content-Length: 0\r\n\r\n");
}

static void read_half_refusal(void)
{
	wire_read_string(&wire, "HTTP/1.1 431 Too La");
}

/* A server may answer as soon as it has seen enough. */
Test(send_life, an_answer_may_come_before_the_head_is_out)
{
	ssize_t head = (ssize_t)head_end(GET), take;
	size_t done;

	for (take = 1; take < head + WIRE_HEADER_BYTES; take++) {
		during(take % 2 ? read_refusal : read_half_refusal, take);
		for (done = 0; done < strlen(GET);) {
			ssize_t n = wire_write(&wire, GET + done,
					       strlen(GET) - done);

			cr_assert_neq(n, 0);
			done += n > 0 ? (size_t)n : 0;
		}
		/* What was begun is finished, and nothing else is added. */
		if (take <= head)
			expect_untouched(GET, done);
		else
			expect_sent(GET, done);
		again();
	}
	wire_close(&wire);
}

static void read_end(void)
{
	wire_read(&wire, NULL, 0);
}

Test(send_life, the_end_may_come_during_a_call)
{
	during(read_end, 1000);
	wire_write(&wire, GET, strlen(GET));
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
	expect_span(-1, "response_truncated");
	wire_open(&wire, AF_UNIX);
	during(read_end, -EPIPE);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), -1);
	cr_expect_eq(errno, EPIPE);
	wire_close(&wire);
	expect_no_span();
}

/* The kernel tells a reset once: to the write, or to the read. */
Test(send_life, a_reset_told_by_a_write_is_why_the_answer_ends)
{
	static const int errors[] = { ECONNRESET, EPIPE };
	static const char *const names[] = { "connection_reset",
					     "broken_pipe" };
	size_t head = head_end(POST) + 2, i;

	for (i = 0; i < 2; i++) {
		ssize_t step = -errors[i];
		struct script script = { &step, 1, 0, -EPIPE };

		wire.answer = NULL;
		cr_assert_eq(wire_write(&wire, POST, head), head);
		use_script(&script);
		cr_expect_eq(wire_write(&wire, POST + head, 5), -1);
		cr_expect_eq(errno, errors[i]);
		read_end();
		expect_span(-1, names[i]);
		again();
	}
	wire_close(&wire);
	expect_no_span();
}

static void close_number(void)
{
	at_fd_closing(wire.fd);
}

Test(send_life, the_number_may_be_closed_during_a_call)
{
	during(close_number, 1000);
	wire_write(&wire, GET, strlen(GET));
	expect_sent(GET, strlen(GET));
	cr_expect_eq(fdtable_get(wire.fd), AT_FD_UNKNOWN);
	wire_close(&wire);
	expect_span(-1, "");
	wire_open(&wire, AF_UNIX);
	during(close_number, (ssize_t)head_end(GET) + 5);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), head_end(GET));
	wire_close(&wire);
	expect_span(-1, "");
	expect_no_span();
}

static void write_too(void)
{
	cr_expect_eq(wire_write(&wire, "XYZ", 3), 3);
}

Test(send_life, a_second_writer_ends_it)
{
	static const char in[] = "XYZ" GET;
	size_t at = 3 + head_end(GET);

	during(write_too, 1000);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), strlen(GET));
	cr_expect(wire_is_sent(&wire, in, sizeof(in) - 1, &at, 1));
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_SHARED), 1);
	wire_write(&wire, GET, strlen(GET));
	cr_expect(at_fd_ignored(wire.fd));
	cr_expect_eq(wire.edited_count, 1);
	wire_close(&wire);
	expect_span(-1, "");
	cr_expect_eq(wire_number(&span, AT_ATTR_AUTOTRACE_INCOMPLETE), 1);
	expect_no_span();
}

Test(send_life, what_is_owed_is_paid_even_then)
{
	static const char in[] = "XYZ" GET;
	size_t at = 3 + head_end(GET);

	during(write_too, (ssize_t)head_end(GET) + 20);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), head_end(GET));
	cr_expect_not(at_fd_ignored(wire.fd));
	cr_expect_eq(wire_write(&wire, GET + head_end(GET), 2), 2);
	cr_expect(wire_is_sent(&wire, in, sizeof(in) - 1, &at, 1));
	cr_expect(at_fd_ignored(wire.fd));
	wire_close(&wire);
}

static void send_file_too(void)
{
	at_moved_out(wire.fd, 100);
}

Test(send_life, bytes_moved_during_a_call_end_it)
{
	during(send_file_too, 1000);
	wire_write(&wire, POST, strlen(POST));
	expect_sent(POST, strlen(POST));
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_SHARED), 1);
	wire_close(&wire);
}

/* --- several at once --- */

static void write_gets(unsigned int count)
{
	char request[64];
	unsigned int i;

	for (i = 0; i < count; i++) {
		int len =
			sprintf(request, "GET /%u HTTP/1.1\r\n" HOST "\r\n", i);

		cr_assert_eq(wire_write(&wire, request, (size_t)len), len);
	}
}

Test(send_life, answers_belong_to_requests_in_order)
{
	char url[64];
	unsigned int i;

	write_gets(32);
	for (i = 0; i < 32; i++) {
		read_ok();
		sprintf(url, "http://localhost/%u", i);
		expect_span(200, "");
		cr_expect_str_eq(wire_text(&span, AT_ATTR_URL_FULL), url);
	}
	write_gets(1);
	read_ok();
	expect_span(200, "");
	wire_close(&wire);
	expect_no_span();
}

/* One request too many: it and what follows is the application's own. */
Test(send_life, beyond_the_pipeline_answers_are_still_read)
{
	unsigned int i;

	write_gets(40);
	cr_expect_eq(wire.edited_count, 32);
	cr_expect_eq(at_counter_value(AT_COUNT_PIPELINE_FULL), 1);
	for (i = 0; i < 32; i++) {
		read_ok();
		expect_span(200, "");
	}
	read_ok();
	write_gets(1);
	cr_expect(at_fd_ignored(wire.fd));
	wire_close(&wire);
	expect_no_span();
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_RESPONSE), 0);
}

/* Refused by the kernel, it was not one too many. */
Test(send_life, unless_an_answer_comes_before_it_leaves)
{
	ssize_t step = -EAGAIN;
	struct script script = { &step, 1, 0, 1000 };

	write_gets(32);
	use_script(&script);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), -1);
	read_ok();
	write_gets(1);
	cr_expect_eq(wire.edited_count, 33);
	wire_close(&wire);
	cr_expect_eq(at_counter_value(AT_COUNT_PIPELINE_FULL), 0);
}

Test(send_life, behind_bytes_not_understood_answers_are_still_read)
{
	wire_write(&wire, GET, strlen(GET));
	wire_write(&wire, "\x16\x03\x01", 3);
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire.edited_count, 1);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_REQUEST), 1);
	read_ok();
	expect_span(200, "");
	wire_close(&wire);
	expect_no_span();
}

/* --- the body that nobody wants --- */

#define PUT                                                   \
	"PUT /x HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n" \
	"Content-Length: 5\r\n\r\n"

static void write_put(void)
{
	wire_write(&wire, PUT, strlen(PUT));
}

Test(send_life, an_expectation_met)
{
	write_put();
	wire_read_string(&wire, "HTTP/1.1 100 Continue\r\n\r\n");
	wire_write(&wire, "GET /", 5);
	read_ok();
	expect_span(200, "");
	expect_sent(PUT "GET /", strlen(PUT) + 5);
	wire_close(&wire);
}

Test(send_life, an_expectation_refused_is_followed_by_a_request)
{
	write_put();
	wire_read_string(&wire, "HTTP/1.1 103 Early\r\n\r\n");
	wire_read_string(&wire, "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
	expect_span(417, "417");
	wire.out_len = 0;
	wire_write(&wire, GET, strlen(GET));
	expect_sent(GET, strlen(GET));
	read_ok();
	expect_span(200, "");
	wire_close(&wire);
}

static void read_417(void)
{
	wire_read_string(&wire, "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
}

Test(send_life, even_when_refused_before_the_call_has_returned)
{
	during(read_417, 1000);
	write_put();
	expect_span(417, "417");
	wire.out_len = 0;
	wire_write(&wire, GET, strlen(GET));
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

/* An early answer refuses nothing: these five bytes are a body. */
Test(send_life, an_answer_without_asking_is_followed_by_the_body)
{
	write_put();
	read_ok();
	expect_span(200, "");
	wire.out_len = 0;
	wire_write(&wire, "GET /", 5);
	wire_write(&wire, GET, strlen(GET));
	expect_sent("GET /" GET, 5 + strlen(GET));
	wire_close(&wire);
}

Test(send_life, an_answer_may_come_before_the_body)
{
	static const char head[] = "PUT /x HTTP/1.1\r\n" HOST
				   "Content-Length: 9\r\n\r\n";

	wire_write(&wire, head, sizeof(head) - 1);
	wire_write(&wire, "123", 3);
	read_ok();
	expect_span(200, "");
	wire_write(&wire, "456789", 6);
	wire.out_len = 0;
	wire_write(&wire, GET, strlen(GET));
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

/* --- the end of HTTP --- */

Test(send_life, behind_an_upgrade_nothing_is_touched)
{
	static const char upgrade[] = "GET /ws HTTP/1.1\r\n" HOST
				      "Upgrade: websocket\r\n\r\n";

	wire_write(&wire, upgrade, sizeof(upgrade) - 1);
	expect_sent(upgrade, sizeof(upgrade) - 1);
	wire_read_string(&wire, "HTTP/1.1 101 x\r\nUpgrade: x\r\n\r\nframes");
	expect_span(101, "");
	wire.out_len = 0;
	wire_write(&wire, GET, strlen(GET));
	expect_untouched(GET, strlen(GET));
	cr_expect(at_fd_ignored(wire.fd));
	cr_expect_eq(at_counter_value(AT_COUNT_UPGRADED), 1);
	wire_close(&wire);
	expect_no_span();
}

/* Until it is answered nobody knows what the next bytes are. */
Test(send_life, behind_an_unanswered_upgrade_nothing_is_touched)
{
	static const char upgrade[] = "GET /ws HTTP/1.1\r\n" HOST
				      "Upgrade: websocket\r\n\r\n";
	static const char both[] = "GET /ws HTTP/1.1\r\n" HOST
				   "Upgrade: websocket\r\n\r\n" GET;

	wire_write(&wire, upgrade, sizeof(upgrade) - 1);
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire.edited_count, 1);
	read_ok();
	expect_span(200, "");
	wire_close(&wire);
	expect_no_span();
	wire_open(&wire, AF_UNIX);
	wire_write(&wire, both, sizeof(both) - 1);
	expect_sent(both, sizeof(both) - 1);
	wire_close(&wire);
	expect_span(-1, "");
	expect_no_span();
}

Test(send_life, unless_it_never_left)
{
	static const char upgrade[] = "GET /ws HTTP/1.1\r\n" HOST
				      "Upgrade: websocket\r\n\r\n";
	ssize_t step = -EAGAIN;
	struct script script = { &step, 1, 0, 1000 };

	use_script(&script);
	cr_expect_eq(wire_write(&wire, upgrade, sizeof(upgrade) - 1), -1);
	wire_write(&wire, GET, strlen(GET));
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire.edited_count, 3);
	wire_close(&wire);
}

Test(send_life, an_upgrade_refused_is_a_request_like_any_other)
{
	wire_write(&wire, "GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", 32);
	read_ok();
	expect_span(200, "");
	wire.out_len = 0;
	wire_write(&wire, GET, strlen(GET));
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

#define TUNNEL "CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n"

Test(send_life, inside_a_tunnel_nothing_is_touched)
{
	wire_write(&wire, TUNNEL, strlen(TUNNEL));
	wire_read_string(&wire, "HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n");
	expect_span(200, "");
	wire_write(&wire, GET, strlen(GET));
	expect_untouched(TUNNEL GET, strlen(TUNNEL GET));
	wire_close(&wire);
	expect_no_span();
}

/* A client in a hurry. */
Test(send_life, bytes_for_a_tunnel_may_come_before_it_is_open)
{
	static const char hurry[] = TUNNEL "\x16\x03\x01 hello";

	wire_write(&wire, hurry, sizeof(hurry) - 1);
	wire_read_string(&wire, "HTTP/1.1 200 x\r\n\r\n\x16\x03\x03");
	expect_span(200, "");
	expect_untouched(hurry, sizeof(hurry) - 1);
	wire_close(&wire);
	expect_no_span();
}

Test(send_life, a_tunnel_refused_is_a_request_like_any_other)
{
	wire_write(&wire, TUNNEL, strlen(TUNNEL));
	wire_read_string(&wire,
			 "HTTP/1.1 407 x\r\nContent-Length: 2\r\n\r\nno");
	expect_span(407, "407");
	wire_write(&wire, TUNNEL, strlen(TUNNEL));
	read_ok();
	expect_span(200, "");
	wire_close(&wire);
}
