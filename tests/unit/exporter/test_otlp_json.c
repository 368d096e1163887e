// SPDX-License-Identifier: Apache-2.0
#include "exporter/otlp_json.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp_encode.h"
#include "tests/support/vectors.h"
#include "tests/unit/exporter/rig.h"

static Otlp__TracesData *message_of_vector(void)
{
	cJSON *all = vectors_load("otlp-protobuf");
	Otlp__TracesData *traces;
	size_t len;
	uint8_t *bytes = vector_hex(all->child, "hex", &len);

	traces = rig_unpack(bytes, len);
	free(bytes);
	cJSON_Delete(all);
	return traces;
}

static const cJSON *vector_named(const cJSON *all, const char *id)
{
	const cJSON *vector;

	cJSON_ArrayForEach(vector, all)
		if (strcmp(vector_id(vector), id) == 0)
			return vector;
	cr_assert_fail("no vector %s", id);
	return NULL;
}

Test(exporter_otlp_json, the_vectors_request_in_json)
{
	cJSON *all = vectors_load("otlp-json");
	const cJSON *want =
		cJSON_GetObjectItem(vector_named(all, "OJ-01"), "body");
	struct buffer text = { 0 };
	size_t span_index = 0;
	cJSON *got;

	cr_assert(otlp_json(message_of_vector(), &span_index, SIZE_MAX, &text));
	cr_assert_eq(span_index, 1);
	got = cJSON_ParseWithLength((const char *)text.ptr, text.len);
	cr_assert_not_null(got);
	cr_assert(cJSON_Compare(got, want, true), "%.*s", (int)text.len,
		  (const char *)text.ptr);
	cr_assert_null(memchr(text.ptr, '\n', text.len));
	cJSON_Delete(got);
	cJSON_Delete(all);
}

static ProtobufCBinaryData data_of(const char *text)
{
	return (ProtobufCBinaryData){ strlen(text),
				      (uint8_t *)(uintptr_t)text };
}

static void set_array(Otlp__AnyValue *value, const cJSON *texts)
{
	static Otlp__ArrayValue array;
	static Otlp__AnyValue items[4], *links[4];
	const cJSON *text;

	otlp__array_value__init(&array);
	array.values = links;
	cJSON_ArrayForEach(text, texts) {
		Otlp__AnyValue *item = &items[array.n_values];

		otlp__any_value__init(item);
		item->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
		item->string_value = data_of(text->valuestring);
		links[array.n_values++] = item;
	}
	value->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	value->array_value = &array;
}

/* The vector's {"type": value} as a message. */
static void set_value(Otlp__AnyValue *value, const cJSON *given)
{
	static uint8_t bytes[64];

	otlp__any_value__init(value);
	if (strcmp(given->string, "bytes") == 0) {
		size_t len = strlen(given->valuestring) / 2;

		at_text_from_hex(at_text_from(given->valuestring), bytes, len);
		value->value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
		value->bytes_value = (ProtobufCBinaryData){ len, bytes };
	} else if (strcmp(given->string, "double") == 0) {
		value->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
		value->double_value = cJSON_IsNumber(given) ?
					      given->valuedouble :
					      strtod(given->valuestring, NULL);
	} else if (strcmp(given->string, "int") == 0) {
		/* Exact as a double: it is a power of two. */
		value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
		value->int_value = (int64_t)given->valuedouble;
	} else if (strcmp(given->string, "bool") == 0) {
		value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
		value->bool_value = cJSON_IsTrue(given);
	} else if (strcmp(given->string, "string") == 0) {
		value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
		value->string_value = data_of(given->valuestring);
	} else {
		cr_assert_str_eq(given->string, "string_array");
		set_array(value, given);
	}
}

static char *json_of(const Otlp__AnyValue *value)
{
	struct buffer text = { 0 };

	otlp_json_value(value, &text);
	buffer_add(&text, "", 1);
	return (char *)text.ptr;
}

Test(exporter_otlp_json, the_vectors_values)
{
	cJSON *all = vectors_load("otlp-json"), *vector;
	int count = 0;

	cJSON_ArrayForEach(vector, all) {
		const cJSON *given = cJSON_GetObjectItem(vector, "value");
		const cJSON *want = cJSON_GetObjectItem(vector, "json");
		Otlp__AnyValue value;
		char *text;
		cJSON *got;

		if (!given)
			continue;
		set_value(&value, given->child);
		text = json_of(&value);
		got = cJSON_Parse(text);
		cr_assert(got && cJSON_Compare(got, want, true), "%s: %s",
			  vector_id(vector), text);
		cJSON_Delete(got);
		count++;
	}
	cr_assert_eq(count, 7);
	cJSON_Delete(all);
}

static char *json_of_text(const char *text)
{
	Otlp__AnyValue value;

	otlp__any_value__init(&value);
	value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value.string_value = data_of(text);
	return json_of(&value);
}

Test(exporter_otlp_json, texts_are_escaped)
{
	cr_assert_str_eq(json_of_text("a\"b\\c\n\r\t\x01\x1f\x7f\xc3\xa9"),
			 "{\"stringValue\":\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f"
			 "\x7f\xc3\xa9\"}");
}

static char *json_of_double(double number)
{
	Otlp__AnyValue value;

	otlp__any_value__init(&value);
	value.value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
	value.double_value = number;
	return json_of(&value);
}

Test(exporter_otlp_json, doubles_are_json_numbers_or_names)
{
	cr_assert_str_eq(json_of_double(INFINITY),
			 "{\"doubleValue\":\"Infinity\"}");
	cr_assert_str_eq(json_of_double(-INFINITY),
			 "{\"doubleValue\":\"-Infinity\"}");
	cr_assert_str_eq(json_of_double(-2.5e-300),
			 "{\"doubleValue\":-2.5e-300}");
}

/* As many languages write it: 1,5. */
Test(exporter_otlp_json, doubles_do_not_follow_the_locale)
{
	struct lconv *convention = localeconv();

	if (!setlocale(LC_NUMERIC, "de_DE.UTF-8"))
		convention->decimal_point = (char *)(uintptr_t) ",";
	cr_assert_str_eq(json_of_double(1.5), "{\"doubleValue\":1.5}");
}

/* Lists of key-value pairs are not made today, but are OTLP. */
Test(exporter_otlp_json, pair_lists)
{
	Otlp__AnyValue inner, outer;
	Otlp__KeyValue pair = OTLP__KEY_VALUE__INIT, *pairs[] = { &pair };
	Otlp__KeyValueList list = OTLP__KEY_VALUE_LIST__INIT;

	otlp__any_value__init(&inner);
	otlp__any_value__init(&outer);
	inner.value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	inner.int_value = -1;
	pair.key = data_of("k");
	pair.value = &inner;
	list.n_values = 1;
	list.values = pairs;
	outer.value_case = OTLP__ANY_VALUE__VALUE_KVLIST_VALUE;
	outer.kvlist_value = &list;
	cr_assert_str_eq(json_of(&outer),
			 "{\"kvlistValue\":{\"values\":[{\"key\":\"k\","
			 "\"value\":{\"intValue\":\"-1\"}}]}}");
}

Test(exporter_otlp_json, long_batches_become_several_lines)
{
	static const char *const none[] = { NULL };
	struct rig rig;
	struct at_ring_reader reader;
	struct batch batch;
	struct batch_intake intake = { 0 };
	struct resource resource = { 0 };
	struct otlp_rules rules = { &resource, AT_NO_LIMIT, AT_NO_LIMIT, 0 };
	struct buffer text = { 0 };
	size_t span_index = 0, seen = 0, lines = 0, before;

	rig_init(&rig, none);
	at_ring_reader_init(&reader, rig.ring);
	intake.redact = redact_rules_from(&rig.config);
	batch_open(&batch, 200);
	resource_build(&resource, &rig.config, "x", false, NULL);
	rig_push(&rig, 200);
	batch_fill(&batch, &reader, &intake, 1);
	for (before = 0;; before = span_index, text.len = 0, lines++) {
		cJSON *line, *at;

		if (!otlp_json(otlp_encode(&batch, &rules, NULL), &span_index,
			       20000, &text))
			break;
		cr_assert_lt(text.len, 22000);
		line = cJSON_ParseWithLength((char *)text.ptr, text.len);
		at = cJSON_GetObjectItem(line, "resourceSpans")->child;
		cr_assert_not_null(cJSON_GetObjectItem(at, "resource"));
		at = cJSON_GetObjectItem(at, "scopeSpans")->child;
		at = cJSON_GetObjectItem(at, "spans");
		cr_assert_eq(cJSON_GetArraySize(at),
			     (int)(span_index - before));
		seen += span_index - before;
		cJSON_Delete(line);
	}
	cr_assert_eq(seen, 200);
	cr_assert_gt(lines, 5);
}
