// SPDX-License-Identifier: Apache-2.0
#include "exporter/otlp_encode.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/heap.h"
#include "tests/support/vectors.h"
#include "tests/unit/exporter/rig.h"

static struct rig rig;
static struct at_ring_reader reader;
static struct batch batch;
static struct batch_intake intake;
static struct resource resource;
static struct otlp_rules rules = {
	.resource = &resource,
	.attribute_count = AT_NO_LIMIT,
	.value_length = AT_NO_LIMIT,
};

static void set_up(void)
{
	static const char *const none[] = { "OTEL_SERVICE_NAME=shop", NULL };

	rig_init(&rig, none);
	at_ring_reader_init(&reader, rig.ring);
	cr_assert_eq(batch_open(&batch, 100), 0);
	intake.redact = redact_rules_from(&rig.config);
	cr_assert_eq(resource_build(&resource, &rig.config, "x", false, NULL),
		     0);
}

/* Encode one span, to bytes and back. */
static Otlp__Span *through(const struct at_span *span)
{
	struct buffer bytes = { 0 };
	Otlp__TracesData *traces;

	if (!batch.max)
		set_up();
	batch_clear(&batch);
	rig_push_span(&rig, span);
	cr_assert_eq(batch_fill(&batch, &reader, &intake, 1), 0);
	cr_assert_eq(otlp_pack(otlp_encode(&batch, &rules, NULL), &bytes), 0);
	traces = rig_unpack(bytes.ptr, bytes.len);
	cr_assert_eq(traces->resource_spans[0]->scope_spans[0]->n_spans, 1);
	buffer_free(&bytes);
	return traces->resource_spans[0]->scope_spans[0]->spans[0];
}

static const Otlp__AnyValue *attribute(const Otlp__Span *span, const char *key)
{
	const Otlp__AnyValue *found = NULL;
	size_t i;

	for (i = 0; i < span->n_attributes; i++) {
		const Otlp__KeyValue *item = span->attributes[i];

		if (item->key.len != strlen(key) ||
		    memcmp(item->key.data, key, item->key.len) != 0)
			continue;
		cr_assert_null(found, "%s twice", key);
		found = item->value;
	}
	return found;
}

static void expect_text(const Otlp__AnyValue *value, const char *text)
{
	cr_assert_not_null(value);
	cr_assert_eq(value->value_case, OTLP__ANY_VALUE__VALUE_STRING_VALUE);
	cr_assert_eq(value->string_value.len, strlen(text));
	if (text[0])
		cr_assert_arr_eq(value->string_value.data, text, strlen(text));
}

Test(exporter_otlp_encode, the_protobuf_vector_comes_back_byte_for_byte)
{
	cJSON *all = vectors_load("otlp-protobuf"), *vector;

	cJSON_ArrayForEach(vector, all) {
		size_t len;
		uint8_t *bytes = vector_hex(vector, "hex", &len);
		struct buffer again = { 0 };

		cr_assert_eq(otlp_pack(rig_unpack(bytes, len), &again), 0);
		cr_assert_eq(again.len, len);
		cr_assert_arr_eq(again.ptr, bytes, len);
		free(bytes);
	}
	cJSON_Delete(all);
}

Test(exporter_otlp_encode, span_flags_vectors)
{
	cJSON *all = vectors_load("span-flags"), *vector;

	cJSON_ArrayForEach(vector, all) {
		const char *flags = vector_text(vector, "trace_flags");
		const char *parent = vector_text(vector, "parent");
		bool remote = parent ? strcmp(parent, "remote") == 0 :
				       vector_true(vector, "link_remote");

		if (!flags)
			flags = vector_text(vector, "link_trace_flags");
		cr_assert_eq(otlp_span_flags((uint8_t)strtol(flags, NULL, 16),
					     remote),
			     vector_int(vector, "flags", -1), "%s",
			     vector_id(vector));
	}
	cJSON_Delete(all);
}

Test(exporter_otlp_encode, a_span_arrives_as_it_was)
{
	struct at_span span;
	Otlp__Span *got;

	rig_make_span(&span, 7);
	span.has_parent = 1;
	span.parent_remote = 1;
	memset(span.parent_id, 0x77, 8);
	at_span_set_tracestate(&span, AT_TEXT("ot=th:0"));
	at_span_set_error(&span, AT_TEXT("503"));
	got = through(&span);
	cr_assert_eq(got->trace_id.len, 16);
	cr_assert_arr_eq(got->trace_id.data, span.trace_id, 16);
	cr_assert_eq(got->span_id.len, 8);
	cr_assert_arr_eq(got->span_id.data, span.span_id, 8);
	cr_assert_arr_eq(got->parent_span_id.data, span.parent_id, 8);
	cr_assert_arr_eq(got->trace_state.data, "ot=th:0", 7);
	cr_assert_arr_eq(got->name.data, "GET", 3);
	cr_assert_eq(got->kind, 3);
	cr_assert_eq(got->flags, 0x303);
	cr_assert_eq(got->start_time_unix_nano, span.start_unix_ns);
	cr_assert_eq(got->end_time_unix_nano, span.start_unix_ns + 1500000);
	cr_assert_eq(got->status->code, 2);
	cr_assert_eq(got->status->message.len, 0);
	cr_assert_eq(got->dropped_attributes_count, 0);
	expect_text(attribute(got, "http.request.method"), "GET");
	expect_text(attribute(got, "error.type"), "503");
	expect_text(attribute(got, "url.full"),
		    "http://REDACTED:REDACTED@inventory:8080/items/7"
		    "?sig=REDACTED");
	cr_assert_eq(attribute(got, "server.port")->int_value, 8080);
}

Test(exporter_otlp_encode, a_root_has_no_parent_and_a_good_span_no_status)
{
	struct at_span span;
	Otlp__Span *got;

	rig_make_span(&span, 1);
	span.parent_remote = 1;
	got = through(&span);
	cr_assert_eq(got->parent_span_id.len, 0);
	cr_assert_eq(got->flags, 0x103);
	cr_assert_null(got->status);
}

Test(exporter_otlp_encode, the_envelope_names_resource_and_scope)
{
	Otlp__TracesData *traces;
	const Otlp__ScopeSpans *scope;

	set_up();
	rig_push(&rig, 3);
	batch_fill(&batch, &reader, &intake, 1);
	traces = otlp_encode(&batch, &rules, NULL);
	cr_assert_eq(otlp_encode(&batch, &rules, NULL), traces);
	cr_assert_eq(traces->n_resource_spans, 1);
	cr_assert_eq(traces->resource_spans[0]->schema_url.len,
		     strlen(RESOURCE_SCHEMA_URL));
	cr_assert_eq(traces->resource_spans[0]->n_scope_spans, 1);
	scope = traces->resource_spans[0]->scope_spans[0];
	cr_assert_eq(scope->n_spans, 3);
	cr_assert_arr_eq(scope->schema_url.data, RESOURCE_SCHEMA_URL,
			 scope->schema_url.len);
	cr_assert_arr_eq(scope->scope->name.data, "libautotrace", 12);
	cr_assert_arr_eq(scope->scope->version.data, AT_VERSION,
			 strlen(AT_VERSION));
}

Test(exporter_otlp_encode, empty_texts_and_false_are_sent)
{
	struct at_span span;
	Otlp__Span *got;

	rig_make_span(&span, 1);
	at_span_set_text(&span, AT_ATTR_SERVER_ADDRESS, AT_TEXT(""));
	at_span_set_bool(&span, AT_ATTR_AUTOTRACE_PROPAGATED, false);
	got = through(&span);
	expect_text(attribute(got, "server.address"), "");
	cr_assert_eq(attribute(got, "autotrace.propagated")->value_case,
		     OTLP__ANY_VALUE__VALUE_BOOL_VALUE);
	cr_assert_eq(attribute(got, "autotrace.propagated")->bool_value, 0);
}

static void expect_texts(const Otlp__AnyValue *value, size_t count,
			 const char *first, const char *last)
{
	cr_assert_not_null(value);
	cr_assert_eq(value->value_case, OTLP__ANY_VALUE__VALUE_ARRAY_VALUE);
	cr_assert_eq(value->array_value->n_values, count);
	expect_text(value->array_value->values[0], first);
	expect_text(value->array_value->values[count - 1], last);
}

/* One attribute a name, with all its values (HTTP-28). */
Test(exporter_otlp_encode, captured_fields_have_names_of_their_own)
{
	struct at_span span;
	Otlp__Span *got;

	rig_make_span(&span, 1);
	at_span_set_texts(&span, AT_ATTR_HTTP_REQUEST_HEADER,
			  AT_TEXT("a\0"
				  "1\0a\0\0a\0"
				  "3\0x-b\0m\xff\0"));
	at_span_set_texts(&span, AT_ATTR_HTTP_RESPONSE_HEADER,
			  AT_TEXT("a\0\0"));
	got = through(&span);
	expect_texts(attribute(got, "http.request.header.a"), 3, "1", "3");
	expect_texts(attribute(got, "http.request.header.x-b"), 1,
		     "m\xef\xbf\xbd", "m\xef\xbf\xbd");
	expect_texts(attribute(got, "http.response.header.a"), 1, "", "");
	cr_expect_null(attribute(got, "http.request.header"));
	cr_expect_eq(got->dropped_attributes_count, 0);
}

/* The semantic conventions for exceptions: one event, of this name. */
Test(exporter_otlp_encode, a_crash_is_an_event)
{
	struct at_span span;
	Otlp__Span *got;
	size_t attributes;

	rig_make_span(&span, 1);
	attributes = through(&span)->n_attributes;
	at_span_set_text(&span, AT_ATTR_EXCEPTION_TYPE, AT_TEXT("SIGSEGV"));
	at_span_set_text(&span, AT_ATTR_EXCEPTION_MESSAGE, AT_TEXT("m\xff"));
	at_span_set_int(&span, AT_FIELD_EXCEPTION_UNIX_NS, 4711);
	rules.attribute_count = attributes;
	got = through(&span);
	rules.attribute_count = AT_NO_LIMIT;
	cr_expect_eq(got->n_attributes, attributes);
	cr_assert_eq(got->n_events, 1);
	cr_expect_eq(got->events[0]->time_unix_nano, 4711);
	cr_assert_eq(got->events[0]->name.len, strlen("exception"));
	cr_expect_arr_eq(got->events[0]->name.data, "exception",
			 strlen("exception"));
	cr_assert_eq(got->events[0]->n_attributes, 2);
	expect_text(got->events[0]->attributes[0]->value, "SIGSEGV");
	expect_text(got->events[0]->attributes[1]->value, "m\xef\xbf\xbd");
}

Test(exporter_otlp_encode, a_slow_request_has_an_event_with_both_times)
{
	struct at_span span;
	const Otlp__Event *event;

	rig_make_span(&span, 1);
	span.duration_ns = 12345678;
	at_span_set_int(&span, AT_FIELD_SLOW_THRESHOLD_MS, 10);
	cr_assert_eq(at_span_check(&span, span.size_bytes), 0);
	cr_assert_eq(through(&span)->n_events, 1);
	event = through(&span)->events[0];
	cr_expect_arr_eq(event->name.data, "autotrace.slow", 14);
	cr_expect_eq(event->time_unix_nano,
		     span.start_unix_ns + span.duration_ns);
	cr_assert_eq(event->n_attributes, 2);
	cr_expect_eq(event->attributes[0]->value->int_value, 10);
	cr_expect_eq(event->attributes[1]->value->double_value, 12.345);
}

/* Nobody writes that; a damaged record may say it. */
Test(exporter_otlp_encode, a_slow_crash_is_one_event)
{
	struct at_span span;

	rig_make_span(&span, 1);
	at_span_set_int(&span, AT_FIELD_SLOW_THRESHOLD_MS, 10);
	at_span_set_text(&span, AT_ATTR_EXCEPTION_TYPE, AT_TEXT("a"));
	at_span_set_text(&span, AT_ATTR_EXCEPTION_MESSAGE, AT_TEXT("b"));
	at_span_set_text(&span, AT_ATTR_EXCEPTION_STACKTRACE, AT_TEXT("c"));
	cr_assert_eq(through(&span)->n_events, 1);
	cr_expect_eq(through(&span)->events[0]->n_attributes, 5);
}

Test(exporter_otlp_encode, fractions_are_sent_as_doubles)
{
	struct at_span span;
	const Otlp__AnyValue *value;

	rig_make_span(&span, 1);
	at_span_set_double(&span, AT_ATTR_SERVER_ADDRESS, 12.345);
	value = attribute(through(&span), "server.address");
	cr_assert_eq(value->value_case, OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE);
	cr_assert_eq(value->double_value, 12.345);
}

Test(exporter_otlp_encode, bytes_that_are_no_text_are_repaired)
{
	struct at_span span;
	Otlp__Span *got;

	rig_make_span(&span, 1);
	at_span_set_name(&span, AT_TEXT("GE\xff"));
	at_span_set_text(&span, AT_ATTR_SERVER_ADDRESS, AT_TEXT("h\xc3(x"));
	got = through(&span);
	cr_assert_arr_eq(got->name.data, "GE\xef\xbf\xbd", 5);
	expect_text(attribute(got, "server.address"), "h\xef\xbf\xbd(x");
}

Test(exporter_otlp_encode, limits_on_count_and_length)
{
	struct at_span span;
	Otlp__Span *got;
	uint64_t cut_count = 0;

	rig_make_span(&span, 1);
	at_span_set_text(&span, AT_ATTR_HTTP_REQUEST_METHOD,
			 AT_TEXT("caf\xc3\xa9s"));
	span.dropped_attr_count = 2;
	rules.attribute_count = 7;
	rules.value_length = 4;
	got = through(&span);
	cr_assert_eq(got->n_attributes, 7);
	cr_assert_eq(got->dropped_attributes_count, span.attr_count - 7 + 2);
	expect_text(attribute(got, "server.address"), "inve");
	cr_assert_eq(attribute(got, "server.port")->int_value, 8080);
	batch.traces = NULL;
	otlp_encode(&batch, &rules, &cut_count);
	/* Both addresses and one of the two that were replaced last. */
	cr_assert_eq(cut_count, 3);

	rules.attribute_count = 0;
	got = through(&span);
	cr_assert_eq(got->n_attributes, 0);

	rules.attribute_count = AT_NO_LIMIT;
	got = through(&span);
	expect_text(attribute(got, "http.request.method"), "caf\xc3\xa9");

	rules.value_length = 0;
	got = through(&span);
	expect_text(attribute(got, "http.request.method"), "");
}

Test(exporter_otlp_encode, what_the_head_says_becomes_attributes)
{
	struct at_span span;
	Otlp__Span *got;

	rig_make_span(&span, 1);
	got = through(&span);
	cr_assert_null(attribute(got, "process.pid"));
	cr_assert_null(attribute(got, "autotrace.truncated"));
	rules.pid_on_spans = true;
	span.truncated = 1;
	got = through(&span);
	cr_assert_eq(attribute(got, "process.pid")->int_value, 4242);
	cr_assert(attribute(got, "autotrace.truncated")->bool_value);
	at_span_set_int(&span, AT_ATTR_PROCESS_PID, 7);
	at_span_set_bool(&span, AT_ATTR_AUTOTRACE_TRUNCATED, true);
	got = through(&span);
	cr_assert_eq(attribute(got, "process.pid")->int_value, 7);
	cr_assert_eq(got->dropped_attributes_count, 0);
}

/* Shared memory may hold anything that passes at_span_check(). */
Test(exporter_otlp_encode, an_attribute_twice_is_sent_once)
{
	struct at_span span;
	Otlp__Span *got;
	uint32_t used;

	at_span_init(&span, AT_KIND_CLIENT);
	memset(span.trace_id, 1, 16);
	memset(span.span_id, 1, 8);
	at_span_set_int(&span, AT_ATTR_SERVER_PORT, 1);
	used = span.size_bytes - (uint32_t)(span.fields - (uint8_t *)&span);
	memcpy(span.fields + used, span.fields, used);
	span.size_bytes += used;
	got = through(&span);
	cr_assert_eq(got->n_attributes, 1);
	cr_assert_eq(got->dropped_attributes_count, 1);
}

/* As often as there is room for in a record, the names all different. */
Test(exporter_otlp_encode, captured_fields_twice_are_sent_once)
{
	struct at_span span;
	Otlp__Span *got;
	uint32_t offset = 0;

	at_span_init(&span, AT_KIND_CLIENT);
	memset(span.trace_id, 1, 16);
	memset(span.span_id, 1, 8);
	while (offset + 8 <= sizeof(span.fields)) {
		uint8_t *field = span.fields + offset;
		uint8_t bytes[] = { AT_ATTR_HTTP_REQUEST_HEADER,
				    AT_TYPE_TEXTS,
				    4,
				    0,
				    (uint8_t)('a' + offset / 8 % 26),
				    0,
				    '1',
				    0 };

		memcpy(field, bytes, sizeof(bytes));
		offset += 8;
	}
	span.size_bytes += offset;
	got = through(&span);
	cr_assert_eq(got->n_attributes, 1);
	cr_assert_eq(got->dropped_attributes_count, offset / 8 - 1);
}

Test(exporter_otlp_encode, lists_of_texts_become_arrays)
{
	struct at_span span;
	Otlp__Span *got;
	const Otlp__AnyValue *value;

	rig_make_span(&span, 1);
	/* No attribute is a list yet: change the type of one. */
	memset(span.fields, 0, sizeof(span.fields));
	span.fields[0] = AT_ATTR_SERVER_ADDRESS;
	span.fields[1] = AT_TYPE_TEXTS;
	span.fields[2] = 5;
	memcpy(span.fields + 4, "a\0bc\0", 5);
	span.size_bytes = (uint32_t)(span.fields - (uint8_t *)&span) + 9;
	got = through(&span);
	value = attribute(got, "server.address");
	cr_assert_eq(value->value_case, OTLP__ANY_VALUE__VALUE_ARRAY_VALUE);
	cr_assert_eq(value->array_value->n_values, 2);
	expect_text(value->array_value->values[0], "a");
	expect_text(value->array_value->values[1], "bc");
}

Test(exporter_otlp_encode, a_duration_without_end_does_not_wrap)
{
	struct at_span span;

	rig_make_span(&span, 1);
	span.duration_ns = UINT64_MAX;
	cr_assert_eq(through(&span)->end_time_unix_nano, UINT64_MAX);
}

Test(exporter_otlp_encode, without_memory_there_is_no_message)
{
	struct buffer bytes = { 0 };
	uint64_t nth;

	set_up();
	rig_push(&rig, 100);
	batch_fill(&batch, &reader, &intake, 1);
	for (nth = 1;; nth++) {
		arena_free(&batch.arena);
		heap_fail_at = nth;
		if (otlp_encode(&batch, &rules, NULL))
			break;
		cr_assert_lt(nth, 100);
	}
	cr_assert_gt(nth, 1);
	heap_fail_at = 1;
	cr_assert_eq(otlp_pack(batch.traces, &bytes), -ENOMEM);
}
