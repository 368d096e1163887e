// SPDX-License-Identifier: Apache-2.0
/* Answers end requests: each once, with what they said, however they come. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/counters.h"
#include "tests/unit/tracer/sending.h"
#include "tracer/conn.h"
#include "tracer/fdtable.h"

TestSuite(receive, .init = open_wire);

static struct at_span span;

static void expect_span(int64_t status, const char *error)
{
	cr_assert(wire_next_span(&span));
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE),
		     status);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE), error);
	cr_expect_eq(span.status, *error ? AT_STATUS_ERROR : AT_STATUS_UNSET);
}

static void expect_no_span(void)
{
	cr_assert_not(wire_next_span(&span));
}

static void ask(const char *request)
{
	cr_assert_eq(wire_write(&wire, request, strlen(request)),
		     strlen(request));
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
	{ GET, "HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", 304, "" },
	{ GET,
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "2;x\r\nhi\r\n0\r\nX: y\r\n\r\n",
	  200, "" },
	{ GET, "HTTP/1.1 301 x\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
	  301, "" },
	{ GET, "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", 404, "404" },
	{ GET, "HTTP/1.1 503 x\nContent-Length: 3\n\nno!", 503, "503" },
	{ GET, "HTTP/1.1 600 x\r\nContent-Length: 0\r\n\r\n", 600, "600" },
	{ GET, "HTTP/1.1 100 x\r\n\r\nHTTP/1.1 103 x\r\nLink: y\r\n\r\n" OK,
	  200, "" },
	{ "HEAD / HTTP/1.1\r\n" HOST "\r\n",
	  "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 200, "" },
	{ "HEAD / HTTP/1.1\r\n" HOST "\r\n",
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "" },
	{ "HEAD / HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 200 OK\r\n\r\n", 200,
	  "" },
	{ POST, OK, 200, "" },
};

/* Every exchange, its answer split at every byte. */
Test(receive, an_answer_ends_its_request_however_it_is_split)
{
	size_t i, cut, len;

	for (i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
		len = strlen(exchanges[i].answer);
		for (cut = 0; cut < len; cut++) {
			ask(exchanges[i].request);
			wire_read(&wire, exchanges[i].answer, -EAGAIN);
			if (cut)
				wire_read(&wire, exchanges[i].answer,
					  (ssize_t)cut);
			expect_no_span();
			wire_read(&wire, exchanges[i].answer + cut,
				  (ssize_t)(len - cut));
			expect_span(exchanges[i].status, exchanges[i].error);
			expect_no_span();
		}
	}
	cr_expect_eq(wire.original_count, 0, "all of them with a header");
	wire_close(&wire);
	expect_no_span();
}

Test(receive, two_answers_may_come_in_one_read)
{
	ask(GET);
	ask(POST);
	wire_read_string(&wire, OK OK);
	expect_span(200, "");
	cr_expect_str_eq(wire_text(&span, AT_FIELD_NAME), "GET");
	expect_span(200, "");
	cr_expect_str_eq(wire_text(&span, AT_FIELD_NAME), "POST");
	wire_close(&wire);
}

Test(receive, an_answer_may_be_scattered)
{
	char bytes[] = OK;
	struct iovec iov[sizeof(bytes)];
	struct at_receive receive;
	size_t i, count = sizeof(bytes) - 1;

	for (i = 0; i < count; i++)
		iov[i] = (struct iovec){ bytes + i, i % 7 ? 1 : 0 };
	for (i = 0; i < count; i++) {
		iov[i].iov_base =
			i ? (char *)iov[i - 1].iov_base + iov[i - 1].iov_len :
			    bytes;
		if (i + 1 == count)
			iov[i].iov_len = 1000;
	}
	ask(GET);
	cr_assert(at_receive_begin(&receive, wire.fd));
	at_receive_end(&receive, iov, count, (ssize_t)count, 0, 0);
	expect_span(200, "");
	wire_close(&wire);
}

/* --- the end of the connection --- */

Test(receive, an_answer_may_last_until_the_end)
{
	ask(GET);
	wire_read_string(&wire, "HTTP/1.0 200 OK\r\n\r\nabc");
	wire_read_string(&wire, "def");
	expect_no_span();
	wire_read(&wire, NULL, 0);
	expect_span(200, "");
	wire_close(&wire);
	expect_no_span();
}

Test(receive, what_ends_too_early_is_truncated)
{
	static const char *const parts[] = {
		"",
		"H",
		"HTTP/1.1 200 OK\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab",
		"HTTP/1.1 100 Continue\r\n\r\n",
	};
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		bool headed = strstr(parts[i], "200 OK\r\n\r") ||
			      strstr(parts[i], "\r\n\r\n") > parts[i] + 30;

		ask(GET);
		ask(GET);
		if (*parts[i])
			wire_read_string(&wire, parts[i]);
		wire_read(&wire, NULL, 0);
		expect_span(headed ? 200 : -1, "response_truncated");
		expect_span(-1, "response_truncated");
		again();
	}
	wire_close(&wire);
}

Test(receive, an_end_between_answers_fails_those_to_come)
{
	ask(GET);
	ask(GET);
	wire_read_string(&wire, OK);
	wire_read(&wire, NULL, 0);
	expect_span(200, "");
	expect_span(-1, "response_truncated");
	wire_write(&wire, GET, strlen(GET));
	cr_expect(at_fd_ignored(wire.fd));
	wire_close(&wire);
	expect_no_span();
}

Test(receive, an_idle_connection_may_end)
{
	ask(GET);
	wire_read_string(&wire, OK);
	expect_span(200, "");
	wire_read(&wire, NULL, 0);
	wire_close(&wire);
	expect_no_span();
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_RESPONSE), 0);
}

Test(receive, errors_have_names)
{
	static const struct {
		int error;
		const char *name;
	} errors[] = {
		{ ECONNRESET, "connection_reset" },
		{ ETIMEDOUT, "timeout" },
		{ EHOSTUNREACH, "host_unreachable" },
		{ ENETUNREACH, "network_unreachable" },
		{ EIO, "_OTHER" },
	};
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		ask(GET);
		wire_read_string(&wire, "HTTP/1.1 200 OK\r\n"
					"Content-Length: 3\r\n\r\nab");
		wire_read(&wire, NULL, -errors[i].error);
		expect_span(200, errors[i].name);
		again();
	}
	wire_close(&wire);
}

/* A read may fail without meaning anything. */
Test(receive, some_errors_are_none)
{
	static const int errors[] = { EAGAIN, EINTR,  EINVAL,
				      EFAULT, ENOMEM, ENOTCONN };
	size_t i;

	ask(GET);
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		wire_read(&wire, NULL, -errors[i]);
		wire_read(&wire, OK + i, 1);
	}
	wire_read_string(&wire, OK + i);
	expect_span(200, "");
	wire_close(&wire);
}

Test(receive, a_closed_descriptor_tells_nothing)
{
	ask(GET);
	wire_read(&wire, NULL, -EBADF);
	expect_span(-1, "");
	cr_expect_eq(wire_number(&span, AT_ATTR_AUTOTRACE_INCOMPLETE), 1);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_BYPASSED), 1);
	wire_close(&wire);
}

/* HTTP-13: who hangs up before the answer has changed its mind. */
Test(receive, a_request_left_without_an_answer_just_ends)
{
	ask(GET);
	wire_close(&wire);
	expect_span(-1, "");
	cr_expect_eq(wire_number(&span, AT_ATTR_AUTOTRACE_INCOMPLETE), -1);
}

Test(receive, unless_writing_had_failed)
{
	static const char head[] = "PUT / HTTP/1.1\r\n" HOST
				   "Content-Length: 9\r\n\r\n";
	ssize_t step = -EPIPE;
	struct script script = { &step, 1, 0, 100 };

	ask(head);
	use_script(&script);
	cr_expect_eq(wire_write(&wire, "123", 3), -1);
	wire_close(&wire);
	expect_span(-1, "broken_pipe");
}

/* --- reads that are no reads, and bytes that nobody saw --- */

Test(receive, looking_ahead_is_not_reading)
{
	ask(GET);
	wire_read_flags(&wire, OK, 20, MSG_PEEK);
	wire_read_flags(&wire, OK, 20, MSG_ERRQUEUE);
	wire_read_flags(&wire, "x", 1, MSG_OOB);
	wire_read_string(&wire, OK);
	expect_span(200, "");
	wire_close(&wire);
}

/* wget sees the end of a connection in this way only. */
Test(receive, an_end_seen_ahead_is_an_end)
{
	ask(GET);
	wire_read_flags(&wire, OK, 20, MSG_PEEK);
	expect_no_span();
	wire_read_flags(&wire, NULL, 0, MSG_PEEK);
	expect_span(-1, "response_truncated");
	wire_close(&wire);
	expect_no_span();
}

Test(receive, a_body_may_pass_unseen)
{
	ask(GET);
	ask(GET);
	wire_read_string(&wire, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
	wire_read_flags(&wire, "????", 4, MSG_TRUNC);
	at_moved_in(wire.fd, 5);
	expect_span(200, "");
	wire_read_string(&wire, OK);
	expect_span(200, "");
	wire_close(&wire);
}

/* The first thing that is read, and there is no buffer to look into. */
Test(receive, what_is_thrown_away_is_not_looked_at)
{
	wire_read_flags(&wire, NULL, 40, MSG_TRUNC);
	ask(GET);
	wire_close(&wire);
	expect_no_span();
}

Test(receive, a_head_that_passes_unseen_ends_it)
{
	ask(GET);
	at_moved_in(wire.fd, 5);
	expect_span(-1, "");
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_BYPASSED), 1);
	wire_read_string(&wire, OK);
	wire_close(&wire);
	expect_no_span();
}

Test(receive, bytes_that_are_no_answer_end_it)
{
	ask(GET);
	ask(GET);
	wire_read_string(&wire, OK "SSH-2.0-x\r\n");
	expect_span(200, "");
	expect_span(-1, "");
	cr_expect_eq(wire_number(&span, AT_ATTR_AUTOTRACE_INCOMPLETE), 1);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_RESPONSE), 1);
	wire_close(&wire);
	expect_no_span();
}

Test(receive, a_goodbye_on_an_idle_connection_is_no_loss)
{
	ask(GET);
	wire_read_string(&wire, OK);
	expect_span(200, "");
	wire_read_string(&wire, "HTTP/1.1 408 Timeout\r\n\r\n");
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_RESPONSE), 0);
	wire_write(&wire, GET, strlen(GET));
	cr_expect(at_fd_ignored(wire.fd));
	wire_close(&wire);
	expect_no_span();
}

Test(receive, an_answer_to_half_a_head_is_a_loss)
{
	wire_write(&wire, GET, 20);
	wire_read_string(&wire, "HTTP/1.1 408 Timeout\r\n\r\n");
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_RESPONSE), 1);
	wire_write(&wire, GET + 20, strlen(GET) - 20);
	expect_untouched(GET, strlen(GET));
	wire_close(&wire);
	expect_no_span();
}

/* --- who may read --- */

Test(receive, who_reads_first_is_no_client)
{
	wire_read_flags(&wire, "220", 3, MSG_PEEK);
	wire_read(&wire, NULL, -EAGAIN);
	wire_read(&wire, NULL, 0);
	cr_expect_not(at_fd_ignored(wire.fd));
	wire_read_string(&wire, "220 smtp ready\r\n");
	cr_expect(at_fd_ignored(wire.fd));
	wire_close(&wire);
}

/* A thread waits for the answer before another one has asked. */
Test(receive, a_read_may_begin_before_the_request)
{
	struct at_receive receive;
	struct iovec iov = { (void *)(uintptr_t)OK, strlen(OK) };

	cr_assert(at_receive_begin(&receive, wire.fd));
	ask(GET);
	at_receive_end(&receive, &iov, 1, (ssize_t)strlen(OK), 0, 0);
	expect_span(200, "");
	ask(GET);
	wire_read_string(&wire, OK);
	expect_span(200, "");
	wire_close(&wire);
}

Test(receive, two_readers_at_once_end_it)
{
	struct at_receive receive;
	struct iovec iov = { (void *)(uintptr_t)OK, 10 };

	ask(GET);
	cr_assert(at_receive_begin(&receive, wire.fd));
	wire_read(&wire, OK + 10, (ssize_t)strlen(OK) - 10);
	at_receive_end(&receive, &iov, 1, 10, 0, 0);
	expect_span(-1, "");
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_SHARED), 1);
	wire_close(&wire);
	expect_no_span();
}

Test(receive, a_number_closed_during_a_read_tells_nothing)
{
	struct at_receive receive;
	struct iovec iov = { (void *)(uintptr_t)OK, strlen(OK) };

	ask(GET);
	cr_assert(at_receive_begin(&receive, wire.fd));
	at_fd_closing(wire.fd);
	at_receive_end(&receive, &iov, 1, (ssize_t)strlen(OK), 0, 0);
	expect_span(-1, "");
	cr_expect_eq(fdtable_get(wire.fd), AT_FD_UNKNOWN);
	wire_close(&wire);
	expect_no_span();
}

/* Its bytes are missing where another number reads on. */
Test(receive, nor_does_another_number_of_the_socket)
{
	struct at_receive receive;
	struct iovec iov = { (void *)(uintptr_t)OK, 10 };
	int other = dup(wire.fd), one = wire.fd;

	ask(GET);
	at_fd_duplicated(one, other);
	cr_assert(at_receive_begin(&receive, one));
	at_fd_closing(one);
	at_receive_end(&receive, &iov, 1, 10, 0, 0);
	wire.fd = other;
	wire_read_string(&wire, OK + 10);
	expect_span(-1, "");
	cr_expect_eq(wire_number(&span, AT_ATTR_AUTOTRACE_INCOMPLETE), 1);
	wire_close(&wire);
	close(one);
	expect_no_span();
}
