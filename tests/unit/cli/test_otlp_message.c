// SPDX-License-Identifier: Apache-2.0
#include "cli/otlp_message.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define IDS                                                 \
	"\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\"," \
	"\"spanId\":\"00F067AA0BA902B7\""
#define LINE(span) \
	"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" span "}]}]}]}"
#define VALUE(value) \
	LINE(IDS ",\"attributes\":[{\"key\":\"k\",\"value\":{" value "}}]")

static struct at_otlp_message message;
static struct at_otlp_mistake mistake;

static int read_line(const char *line)
{
	return at_otlp_message_read(&message, at_text_from(line), &mistake);
}

static const Otlp__Span *span_of(const char *line)
{
	cr_assert_eq(read_line(line), 0, "%s: %s", line, mistake.expected);
	cr_assert_eq(message.traces->n_resource_spans, 1);
	cr_assert_eq(message.traces->resource_spans[0]->n_scope_spans, 1);
	return message.traces->resource_spans[0]->scope_spans[0]->spans[0];
}

static const Otlp__AnyValue *value_of(const char *line)
{
	const Otlp__Span *span = span_of(line);

	cr_assert_eq(span->n_attributes, 1);
	return span->attributes[0]->value;
}

static void expect_bytes(ProtobufCBinaryData data, const char *expected,
			 size_t len)
{
	cr_expect_eq(data.len, len);
	cr_expect(!memcmp(data.data, expected, len));
}

Test(cli_otlp_message, every_type_of_value_stays_what_it_is)
{
	const Otlp__AnyValue *value;

	value = value_of(VALUE("\"stringValue\":\"a\\u00e4\""));
	expect_bytes(value->string_value, "a\xc3\xa4", 3);
	value = value_of(VALUE("\"intValue\":\"-9223372036854775808\""));
	cr_expect_eq(value->int_value, INT64_MIN);
	value = value_of(VALUE("\"intValue\":7"));
	cr_expect_eq(value->int_value, 7);
	value = value_of(VALUE("\"doubleValue\":\"-Infinity\""));
	cr_expect(value->double_value < 0 &&
		  value->double_value * 2 == value->double_value);
	value = value_of(VALUE("\"boolValue\":true"));
	cr_expect(value->bool_value);
	value = value_of(VALUE("\"bytesValue\":\"AAEC/w\""));
	expect_bytes(value->bytes_value, "\0\1\2\xff", 4);
	value = value_of(VALUE("\"arrayValue\":{\"values\":["
			       "{\"intValue\":1},{\"intValue\":2}]}"));
	cr_assert_eq(value->array_value->n_values, 2);
	cr_expect_eq(value->array_value->values[1]->int_value, 2);
	value = value_of(VALUE("\"kvlistValue\":{\"values\":["
			       "{\"key\":\"x\",\"value\":{\"intValue\":3}}]}"));
	cr_assert_eq(value->kvlist_value->n_values, 1);
	cr_expect_eq(value->kvlist_value->values[0]->value->int_value, 3);
	value = value_of(VALUE(""));
	cr_expect_eq(value->value_case, OTLP__ANY_VALUE__VALUE__NOT_SET);
	at_otlp_message_free(&message);
}

Test(cli_otlp_message, a_span_is_read_whole)
{
	const Otlp__Span *span;

	span = span_of(LINE(
		IDS
		",\"parentSpanId\":\"\",\"traceState\":\"a=b\","
		"\"flags\":769,\"name\":\"n\",\"kind\":\"SPAN_KIND_CLIENT\","
		"\"startTimeUnixNano\":\"5\",\"endTimeUnixNano\":6,"
		"\"droppedAttributesCount\":2,\"droppedLinksCount\":1,"
		"\"links\":[{" IDS
		",\"flags\":1}],\"events\":[{},{\"timeUnixNano\":\"7\","
		"\"name\":\"exception\",\"attributes\":[{\"key\":\"k\","
		"\"value\":{\"stringValue\":\"v\"}}]}],"
		"\"status\":{\"code\":\"STATUS_CODE_ERROR\","
		"\"message\":\"m\"}"));
	expect_bytes(span->span_id, "\x00\xf0\x67\xaa\x0b\xa9\x02\xb7", 8);
	cr_expect_eq(span->parent_span_id.len, 0);
	expect_bytes(span->trace_state, "a=b", 3);
	cr_expect_eq(span->flags, 769);
	cr_expect_eq(span->kind, 3);
	cr_expect_eq(span->start_time_unix_nano, 5);
	cr_expect_eq(span->end_time_unix_nano, 6);
	cr_expect_eq(span->dropped_attributes_count, 2);
	cr_assert_eq(span->n_links, 1);
	cr_expect_eq(span->links[0]->flags, 1);
	cr_expect_eq(span->status->code, 2);
	expect_bytes(span->status->message, "m", 1);
	cr_assert_eq(span->n_events, 2);
	cr_expect_eq(span->events[1]->time_unix_nano, 7);
	expect_bytes(span->events[1]->name, "exception", 9);
	cr_expect_eq(span->events[1]->n_attributes, 1);
	at_otlp_message_free(&message);
}

Test(cli_otlp_message, a_mistake_is_named)
{
	static const char *const bad[] = {
		"[]",
		LINE(""),
		LINE("\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\""),
		LINE("\"spanId\":\"xx\""),
		LINE(IDS ",\"kind\":\"NOBODY\""),
		VALUE("\"intValue\":\"1.5\""),
		VALUE("\"stringValue\":1"),
		LINE(IDS) "x",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		mistake.expected = NULL;
		cr_expect_eq(read_line(bad[i]), -EBADMSG, "%s", bad[i]);
		cr_expect_not_null(mistake.expected);
	}
	cr_expect_eq(read_line("{}"), 0);
	cr_expect_eq(message.traces->n_resource_spans, 0);
	at_otlp_message_free(&message);
}

/* Never a crash, under ASan. */
Test(cli_otlp_message, damage_anywhere_is_survived)
{
	static const char line[] =
		VALUE("\"kvlistValue\":{\"values\":[{\"key\":\"x\",\"value\":{"
		      "\"bytesValue\":\"AAEC\"}},{\"key\":1}]}");
	char damaged[sizeof(line)];
	unsigned int i, seed = 7;

	for (i = 0; i < 20000; i++) {
		memcpy(damaged, line, sizeof(line));
		seed = seed * 1103515245 + 12345;
		damaged[(seed >> 8) % (sizeof(line) - 1)] =
			"\"{}[]:,0x\\"[seed % 11 % 10];
		at_otlp_message_read(
			&message, (struct at_text){ damaged, sizeof(line) - 1 },
			&mistake);
	}
	at_otlp_message_free(&message);
}
