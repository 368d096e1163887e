// SPDX-License-Identifier: Apache-2.0
/* The header fields that were asked for, on both sides, and no others. */
#include <string.h>

#include "tests/unit/tracer/sending.h"

static struct at_span span;

static void open_capturing(int domain)
{
	static char settings[][96] = {
		"OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_REQUEST_HEADERS=a",
		"OTEL_INSTRUMENTATION_HTTP_CLIENT_CAPTURE_RESPONSE_HEADERS=b",
		"OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_REQUEST_HEADERS"
		"= C-one , , host,Cookie,long",
		"OTEL_INSTRUMENTATION_HTTP_SERVER_CAPTURE_RESPONSE_HEADERS=d",
		"AUTOTRACE_SERVER_SPANS=true",
	};
	char *const list[] = { settings[0], settings[1], settings[2],
			       settings[3], settings[4], NULL };

	wire_start(list);
	wire_open(&wire, domain);
}

/* These items, with a `|` for each NUL; "": no such attribute. */
static void expect_items(enum at_attr attr, const char *wanted)
{
	char got[1024] = "";
	struct at_field field;
	size_t i;

	if (at_span_find(&span, attr, &field)) {
		cr_assert_eq(field.type, AT_TYPE_TEXTS);
		memcpy(got, field.text.ptr, field.text.len);
		for (i = 0; i < field.text.len; i++)
			if (!got[i])
				got[i] = '|';
		got[field.text.len] = 0;
	}
	cr_expect_str_eq(got, wanted);
}

Test(capture, of_a_call)
{
	static const char request[] = "GET / HTTP/1.1\r\n" HOST
				      "A: 1\r\nB: 2\r\na:3\r\n\r\n";

	open_capturing(AF_UNIX);
	wire_write(&wire, request, strlen(request));
	wire_read_string(&wire, "HTTP/1.1 204 x\r\nA: x\r\nB: y \r\n\r\n");
	cr_assert(wire_next_span(&span));
	expect_items(AT_ATTR_HTTP_REQUEST_HEADER, "a|1|a|3|");
	expect_items(AT_ATTR_HTTP_RESPONSE_HEADER, "b|y|");
	/* In pieces nobody looks. */
	wire_write(&wire, request, 20);
	wire_write(&wire, request + 20, strlen(request) - 20);
	wire_read_string(&wire, "HTTP/1.1 204 x\r\nB: ");
	wire_read_string(&wire, "y\r\n\r\n");
	cr_assert(wire_next_span(&span));
	expect_items(AT_ATTR_HTTP_REQUEST_HEADER, "");
	expect_items(AT_ATTR_HTTP_RESPONSE_HEADER, "");
	wire_close(&wire);
}

/* What follows the NUL would be taken for a name. */
Test(capture, not_what_has_a_nul)
{
	static const char request[] = "GET / HTTP/1.1\r\n" HOST
				      "A: 1\0x\r\nA: 2\r\n\r\n";

	open_capturing(AF_UNIX);
	wire_write(&wire, request, sizeof(request) - 1);
	wire_read_string(&wire, "HTTP/1.1 204 x\r\n\r\n");
	cr_assert(wire_next_span(&span));
	expect_items(AT_ATTR_HTTP_REQUEST_HEADER, "a|2|");
	wire_close(&wire);
}

static void serve(const char *request, const char *answer)
{
	wire_read_string(&wire, request);
	wire_write(&wire, answer, strlen(answer));
	cr_assert(wire_next_span(&span));
}

Test(capture, of_a_served_request)
{
	static char long_one[2000];

	open_capturing(AF_INET);
	serve("GET / HTTP/1.1\r\nHost: h\r\nc-ONE: x\r\nCookie: no\r\nD: 1\r\n\r\n",
	      "HTTP/1.1 204 x\r\nd: \r\nD: 2\r\n\r\n");
	expect_items(AT_ATTR_HTTP_REQUEST_HEADER, "c-one|x|host|h|");
	expect_items(AT_ATTR_HTTP_RESPONSE_HEADER, "d||d|2|");
	cr_expect_eq(span.truncated, 0);
	/* What does not fit is left out whole, and that is said. */
	strcpy(long_one, "GET / HTTP/1.1\r\nHost: h\r\nLong: ");
	memset(long_one + strlen(long_one), 'x', 900);
	strcat(long_one, "\r\n\r\n");
	serve(long_one, "HTTP/1.1 204 x\r\n\r\n");
	expect_items(AT_ATTR_HTTP_REQUEST_HEADER, "host|h|");
	cr_expect_eq(span.truncated, 1);
}
