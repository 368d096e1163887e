// SPDX-License-Identifier: Apache-2.0
#include "cli/otlp_read.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/support/guard_page.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
/* One line is one text: literals are joined, the parts are macros. */
#define SPAN_HEAD                                                \
	"{\"resourceSpans\":[{\"resource\":{\"attributes\":[]}," \
	"\"scopeSpans\":[{\"scope\":{\"name\":\"autotrace\"},\"spans\":["
#define SPAN_TAIL "]}],\"schemaUrl\":\"x\"}]}"

#define REQUEST                                                \
	"{\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\","   \
	"\"spanId\":\"00f067aa0ba902b7\","                     \
	"\"parentSpanId\":\"00f067aa0ba902b6\",\"flags\":257," \
	"\"name\":\"GET\",\"kind\":3,"                         \
	"\"startTimeUnixNano\":\"1700000000000000001\","       \
	"\"endTimeUnixNano\":\"1700000000000000251\","         \
	"\"attributes\":["                                     \
	"{\"key\":\"http.request.method\","                    \
	"\"value\":{\"stringValue\":\"GET\"}},"                \
	"{\"key\":\"url.full\",\"value\":{\"stringValue\":"    \
	"\"http://u:p@shop:8080/api?x=1#f\"}},"                \
	"{\"key\":\"http.response.status_code\","              \
	"\"value\":{\"intValue\":\"503\"}},"                   \
	"{\"key\":\"error.type\",\"value\":{\"stringValue\":"  \
	"\"503\"}}],\"status\":{\"code\":2}}"

static int read_line(struct at_span_list *list, const char *line)
{
	struct at_otlp_mistake mistake;

	return at_otlp_read_line(list, at_text_from(line), &mistake);
}

Test(cli_otlp_read, a_request_is_read_with_all_that_is_shown)
{
	static const uint8_t trace_id[] = { 0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3,
					    0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d,
					    0x0e, 0x0e, 0x47, 0x36 };
	struct at_span_list list = { 0 };
	const struct at_shown *shown;

	cr_assert_eq(read_line(&list, SPAN_HEAD REQUEST SPAN_TAIL), 0);
	cr_assert_eq(list.count, 1);
	shown = &list.item[0];
	cr_expect_arr_eq(shown->trace_id, trace_id, sizeof(trace_id));
	cr_expect_eq(shown->span_id[7], 0xb7);
	cr_expect_eq(shown->parent_id[7], 0xb6);
	cr_expect(shown->has_parent);
	cr_expect(shown->failed);
	cr_expect_eq(shown->status_code, 503);
	cr_expect_eq(shown->start_ns, UINT64_C(1700000000000000001));
	cr_expect_eq(shown->duration_ns, 250);
	cr_expect_str_eq(shown->label, "GET shop:8080 /api");
	cr_expect_str_eq(shown->error_type, "503");
	at_span_list_free(&list);
}

/* Members in any order, enums by name, numbers bare, ids in capitals. */
Test(cli_otlp_read, other_writers_are_understood)
{
	static const char line[] =
		"{ \"resourceSpans\" : [ { \"scopeSpans\" : [ { \"spans\" : [ "
		"{ \"status\": {\"message\": \"x\", \"code\": "
		"\"STATUS_CODE_ERROR\"}, \"attributes\": [{\"value\": "
		"{\"intValue\": 8080}, \"key\": \"server.port\"}, "
		"{\"key\": \"server.address\", \"value\": {\"stringValue\": "
		"\"::1\"}}, {\"key\":\"http.request.method\",\"value\":"
		"{\"stringValue\":\"PUT\"}}, {\"key\":\"url.path\",\"value\":"
		"{\"stringValue\":\"/p\"}}, {\"key\":\"l\",\"value\":"
		"{\"arrayValue\":{\"values\":[{\"doubleValue\":1.5}]}}}, "
		"{\"key\":\"k\"}], "
		"\"endTimeUnixNano\": 20, \"startTimeUnixNano\": 5, \"kind\": "
		"\"SPAN_KIND_SERVER\", \"name\": \"n\", \"spanId\": "
		"\"00F067AA0BA902B7\", \"parentSpanId\": \"\", \"traceId\": "
		"\"4BF92F3577B34DA6A3CE929D0E0E4736\", \"events\": null, "
		"\"links\": [{\"traceId\": 1}] } ] } ] } ] }";
	struct at_span_list list = { 0 };

	cr_assert_eq(read_line(&list, line), 0);
	cr_assert_eq(list.count, 1);
	cr_expect_not(list.item[0].has_parent);
	cr_expect(list.item[0].failed);
	cr_expect_eq(list.item[0].duration_ns, 15);
	/* Who serves is where it is: no host. */
	cr_expect_eq(list.item[0].kind, AT_KIND_SERVER);
	cr_expect_str_eq(list.item[0].label, "PUT /p");
	at_span_list_free(&list);
}

Test(cli_otlp_read, lines_without_spans_have_none)
{
	static const char *const lines[] = {
		"{}",
		"{\"resourceSpans\":[]}",
		"{\"resourceSpans\":null}",
		"{\"resourceMetrics\":[{\"scopeMetrics\":[{}]}]}",
		SPAN_HEAD SPAN_TAIL,
	};
	struct at_span_list list = { 0 };
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect_eq(read_line(&list, lines[i]), 0, "%s", lines[i]);
	cr_expect_eq(list.count, 0);
}

Test(cli_otlp_read, a_mistake_is_named_with_its_place)
{
	static const struct {
		const char *line;
		const char *expected;
		size_t column;
	} mistakes[] = {
		{ "[]", "an object", 1 },
		{ "{\"resourceSpans\":{}}", "an array", 18 },
		{ "{\"resourceSpans\":[1]}", "an object", 19 },
		{ "{} x", "the end of the line", 4 },
		{ SPAN_HEAD "{}" SPAN_TAIL, "a span with traceId and spanId",
		  0 },
		{ SPAN_HEAD "{\"traceId\":\"abc\"}" SPAN_TAIL,
		  "an id of 32 hex digits", 0 },
		{ SPAN_HEAD "{\"spanId\":\"00f067aa0ba902bx\"}" SPAN_TAIL,
		  "an id of 16 hex digits", 0 },
		{ SPAN_HEAD "{\"traceId\":\"00000000000000000000000000000000\","
			    "\"spanId\":\"00f067aa0ba902b7\"}" SPAN_TAIL,
		  "a span with traceId and spanId", 0 },
		{ SPAN_HEAD "{\"startTimeUnixNano\":-1}" SPAN_TAIL,
		  "an unsigned number", 0 },
	};
	struct at_span_list list = { 0 };
	struct at_otlp_mistake mistake;
	size_t i;

	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		cr_expect_eq(at_otlp_read_line(&list,
					       at_text_from(mistakes[i].line),
					       &mistake),
			     -EBADMSG, "%s", mistakes[i].line);
		cr_expect_str_eq(mistake.expected, mistakes[i].expected);
		if (mistakes[i].column)
			cr_expect_eq(mistake.column, mistakes[i].column, "%s",
				     mistakes[i].line);
	}
	cr_expect_eq(list.count, 0);
}

Test(cli_otlp_read, half_a_line_gives_the_spans_before_its_end)
{
	static const char line[] = SPAN_HEAD REQUEST "," REQUEST SPAN_TAIL;
	size_t second = strlen(SPAN_HEAD REQUEST ",") + strlen(REQUEST);
	struct guard_page page;
	size_t len;

	guard_page_open(&page, sizeof(line));
	for (len = 0; len < sizeof(line) - 1; len++) {
		struct at_otlp_mistake mistake;
		struct at_span_list list = { 0 };
		struct at_text text = { guard_page_put(&page, line, len), len };

		cr_expect_eq(at_otlp_read_line(&list, text, &mistake),
			     -EBADMSG);
		cr_expect_eq(list.count, len >= second                    ? 2 :
					 len >= strlen(SPAN_HEAD REQUEST) ? 1 :
									    0);
		at_span_list_free(&list);
	}
	guard_page_close(&page);
}

Test(cli_otlp_read, a_span_that_ends_before_it_begins_has_no_duration)
{
	struct at_span_list list = { 0 };

	cr_assert_eq(
		read_line(
			&list, SPAN_HEAD
			"{\"traceId\":\"" TRACE
			"\",\"spanId\":\"00f067aa0ba902b7\","
			"\"startTimeUnixNano\":9,\"endTimeUnixNano\":3}" SPAN_TAIL),
		0);
	cr_expect_eq(list.item[0].duration_ns, 0);
	at_span_list_free(&list);
}

/* Never more than it should be, and never a crash, under ASan. */
Test(cli_otlp_read, damage_anywhere_is_survived)
{
	static const char line[] = SPAN_HEAD REQUEST "," REQUEST SPAN_TAIL;
	char damaged[sizeof(line)];
	unsigned int i, seed = 5;

	for (i = 0; i < 20000; i++) {
		struct at_span_list list = { 0 };

		memcpy(damaged, line, sizeof(line));
		damaged[(unsigned int)rand_r(&seed) % (sizeof(line) - 1)] =
			(char)(1 + rand_r(&seed) % 255);
		read_line(&list, damaged);
		cr_expect_leq(list.count, 2);
		at_span_list_free(&list);
	}
}
