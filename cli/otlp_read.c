// SPDX-License-Identifier: Apache-2.0
#include "cli/otlp_read.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cli/json.h"

/* Longer values are cut: they are only shown. */
#define VALUE_BYTES 2048

/* All texts of a span that are shown; later ones are left out. */
#define TEXTS_BYTES (16 * 1024)

struct value {
	char bytes[VALUE_BYTES];
	struct at_writer writer;
};

struct draft {
	struct at_draft draft;
	uint64_t end_ns;
	bool has_trace_id;
	bool has_span_id;
	char texts[TEXTS_BYTES];
	size_t used;
};

static void clear(struct value *value)
{
	value->writer = AT_WRITER(value->bytes, sizeof(value->bytes) - 1);
}

static struct at_text text_of(const struct value *value)
{
	return at_writer_text(&value->writer);
}

/* A copy that lives as long as the draft. */
static struct at_text keep(struct draft *draft, struct at_text text)
{
	char *copy = draft->texts + draft->used;

	if (text.len > sizeof(draft->texts) - draft->used)
		return (struct at_text){ "", 0 };
	memcpy(copy, text.ptr, text.len);
	draft->used += text.len;
	return (struct at_text){ copy, text.len };
}

static bool key_is(struct at_text key, const char *name)
{
	return at_text_equal(key, at_text_from(name));
}

/* In protobuf's JSON null is as good as absent. */
static bool skip_null(struct at_json *json)
{
	if (at_json_peek(json) != AT_JSON_NULL)
		return false;
	at_json_skip(json);
	return true;
}

/* Hex digits of exactly `count` bytes; an empty string reads as absent. */
static bool read_id(struct at_json *json, uint8_t *id, size_t count)
{
	struct value value;
	size_t i;

	clear(&value);
	if (!at_json_string(json, &value.writer) || !value.writer.len)
		return false;
	for (i = 0; i < value.writer.len; i++)
		value.bytes[i] = at_lower(value.bytes[i]);
	if (at_text_from_hex(text_of(&value), id, count)) {
		at_json_refuse(json, count == AT_TRACE_ID_BYTES ?
					     "an id of 32 hex digits" :
					     "an id of 16 hex digits");
		return false;
	}
	while (count--)
		if (*id++)
			return true;
	return false;
}

static bool read_status_is_error(struct at_json *json)
{
	bool error = false;
	struct at_text key;
	struct value value;

	if (!at_json_enter(json, AT_JSON_OBJECT))
		return false;
	while (at_json_key(json, &key)) {
		if (!key_is(key, "code")) {
			at_json_skip(json);
			continue;
		}
		clear(&value);
		if (at_json_scalar(json, &value.writer))
			error = key_is(text_of(&value), "2") ||
				key_is(text_of(&value), "STATUS_CODE_ERROR");
	}
	return error;
}

/* An AnyValue's text; arrays and maps read as empty. */
static void read_any(struct at_json *json, struct value *value)
{
	struct at_text key;

	clear(value);
	if (!at_json_enter(json, AT_JSON_OBJECT))
		return;
	while (at_json_key(json, &key)) {
		if (key_is(key, "stringValue") || key_is(key, "intValue") ||
		    key_is(key, "boolValue"))
			at_json_scalar(json, &value->writer);
		else
			at_json_skip(json);
	}
}

static const struct at_attr_info *find_attr(struct at_text key)
{
	int i;

	for (i = 0; i < AT_ATTR_COUNT; i++)
		if (key_is(key, at_attr_table[i].name))
			return &at_attr_table[i];
	return NULL;
}

static void note_attribute(struct draft *draft, struct at_text key,
			   const struct value *value)
{
	const struct at_attr_info *info = find_attr(key);
	struct at_field field = { 0 };
	uint64_t number = 0;

	if (key_is(key, "url.path"))
		draft->draft.label.path = keep(draft, text_of(value));
	if (!info)
		return;
	field.attr = (enum at_attr)(info - at_attr_table);
	if (info->type == AT_TYPE_TEXT)
		field.text = keep(draft, text_of(value));
	else if (info->type == AT_TYPE_BOOL)
		field.number = key_is(text_of(value), "true");
	else if (at_text_to_u64(text_of(value), &number) == 0 &&
		 number <= INT64_MAX)
		field.number = (int64_t)number;
	at_draft_note(&draft->draft, &field);
}

static void read_attribute(struct at_json *json, struct draft *draft)
{
	struct value name, value;
	struct at_text key;

	clear(&name);
	clear(&value);
	if (!at_json_enter(json, AT_JSON_OBJECT))
		return;
	while (at_json_key(json, &key)) {
		if (key_is(key, "key"))
			at_json_string(json, &name.writer);
		else if (key_is(key, "value"))
			read_any(json, &value);
		else
			at_json_skip(json);
	}
	note_attribute(draft, text_of(&name), &value);
}

static void read_attributes(struct at_json *json, struct draft *draft)
{
	if (!at_json_enter(json, AT_JSON_ARRAY))
		return;
	while (at_json_element(json))
		read_attribute(json, draft);
}

static uint8_t read_kind(struct at_json *json)
{
	struct value value;

	clear(&value);
	if (!at_json_scalar(json, &value.writer))
		return 0;
	if (key_is(text_of(&value), "1") ||
	    key_is(text_of(&value), "SPAN_KIND_INTERNAL"))
		return AT_KIND_INTERNAL;
	if (key_is(text_of(&value), "2") ||
	    key_is(text_of(&value), "SPAN_KIND_SERVER"))
		return AT_KIND_SERVER;
	if (key_is(text_of(&value), "3") ||
	    key_is(text_of(&value), "SPAN_KIND_CLIENT"))
		return AT_KIND_CLIENT;
	return 0;
}

static void read_name(struct at_json *json, struct draft *draft)
{
	struct value value;

	clear(&value);
	if (at_json_string(json, &value.writer))
		draft->draft.label.name = keep(draft, text_of(&value));
}

static void read_member(struct at_json *json, struct at_text key,
			struct draft *draft)
{
	struct at_shown *shown = &draft->draft.shown;

	if (skip_null(json))
		return;
	if (key_is(key, "traceId"))
		draft->has_trace_id =
			read_id(json, shown->trace_id, AT_TRACE_ID_BYTES);
	else if (key_is(key, "spanId"))
		draft->has_span_id =
			read_id(json, shown->span_id, AT_SPAN_ID_BYTES);
	else if (key_is(key, "parentSpanId"))
		shown->has_parent =
			read_id(json, shown->parent_id, AT_SPAN_ID_BYTES);
	else if (key_is(key, "name"))
		read_name(json, draft);
	else if (key_is(key, "kind"))
		shown->kind = read_kind(json);
	else if (key_is(key, "startTimeUnixNano"))
		at_json_u64(json, &shown->start_ns);
	else if (key_is(key, "endTimeUnixNano"))
		at_json_u64(json, &draft->end_ns);
	else if (key_is(key, "status"))
		shown->failed = read_status_is_error(json);
	else if (key_is(key, "attributes"))
		read_attributes(json, draft);
	else
		at_json_skip(json);
}

static void add(struct at_span_list *list, struct draft *draft)
{
	struct at_shown *shown = &draft->draft.shown;

	if (draft->end_ns > shown->start_ns)
		shown->duration_ns = draft->end_ns - shown->start_ns;
	at_span_list_add_draft(list, &draft->draft);
}

static void read_span(struct at_json *json, struct at_span_list *list)
{
	struct draft draft;
	struct at_text key;

	memset(&draft, 0, offsetof(struct draft, texts));
	draft.used = 0;
	if (!at_json_enter(json, AT_JSON_OBJECT))
		return;
	while (at_json_key(json, &key))
		read_member(json, key, &draft);
	if (!json->error && !(draft.has_trace_id && draft.has_span_id))
		at_json_refuse(json, "a span with traceId and spanId");
	if (!json->error)
		add(list, &draft);
}

/* One level down: the array `name` of this object, each element by `read`. */
static void read_array_of(struct at_json *json, const char *name,
			  struct at_span_list *list,
			  void (*read)(struct at_json *, struct at_span_list *))
{
	struct at_text key;

	if (!at_json_enter(json, AT_JSON_OBJECT))
		return;
	while (at_json_key(json, &key)) {
		if (!key_is(key, name)) {
			at_json_skip(json);
			continue;
		}
		if (skip_null(json))
			continue;
		if (!at_json_enter(json, AT_JSON_ARRAY))
			return;
		while (at_json_element(json))
			read(json, list);
	}
}

static void read_scope(struct at_json *json, struct at_span_list *list)
{
	read_array_of(json, "spans", list, read_span);
}

static void read_resource(struct at_json *json, struct at_span_list *list)
{
	read_array_of(json, "scopeSpans", list, read_scope);
}

int at_otlp_read_line(struct at_span_list *list, struct at_text line,
		      struct at_otlp_mistake *mistake)
{
	struct at_json json;

	at_json_init(&json, line);
	read_array_of(&json, "resourceSpans", list, read_resource);
	if (at_json_finish(&json))
		return 0;
	mistake->expected = json.error;
	mistake->column = at_json_column(&json);
	return -EBADMSG;
}
