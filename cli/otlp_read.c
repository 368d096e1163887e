// SPDX-License-Identifier: Apache-2.0
#include "cli/otlp_read.h"

#include <errno.h>
#include <string.h>

#include "cli/json.h"

/* Longer values are cut: they are only shown. */
#define VALUE_BYTES 2048

struct value {
	char bytes[VALUE_BYTES];
	struct at_writer writer;
};

struct draft {
	struct at_shown shown;
	uint64_t end_ns;
	bool has_trace_id;
	bool has_span_id;
	bool exited;
	struct value name, method, url, host, path, error_type;
	int64_t port;
};

static void clear(struct value *value)
{
	value->writer = AT_WRITER(value->bytes, sizeof(value->bytes) - 1);
}

static struct at_text text_of(const struct value *value)
{
	return at_writer_text(&value->writer);
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

static void take(struct value *to, const struct value *from)
{
	clear(to);
	at_write_text(&to->writer, text_of(from));
}

static void note_attribute(struct draft *draft, struct at_text key,
			   const struct value *value)
{
	uint64_t number = 0;

	if (key_is(key, "http.request.method")) {
		if (!draft->method.writer.len)
			take(&draft->method, value);
	} else if (key_is(key, "http.request.method_original")) {
		take(&draft->method, value);
	} else if (key_is(key, "url.full")) {
		take(&draft->url, value);
	} else if (key_is(key, "server.address")) {
		take(&draft->host, value);
	} else if (key_is(key, "url.path")) {
		take(&draft->path, value);
	} else if (key_is(key, "error.type")) {
		take(&draft->error_type, value);
	} else if (key_is(key, "process.exit.code")) {
		draft->exited = true;
	} else if (key_is(key, "server.port")) {
		if (!at_text_to_u64(text_of(value), &number) && number < 65536)
			draft->port = (int64_t)number;
	} else if (key_is(key, "http.response.status_code")) {
		if (!at_text_to_u64(text_of(value), &number) && number < 1000)
			draft->shown.status_code = (uint16_t)number;
	}
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

static void read_member(struct at_json *json, struct at_text key,
			struct draft *draft)
{
	struct at_shown *shown = &draft->shown;

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
		at_json_string(json, &draft->name.writer);
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
	char label[AT_LABEL_BYTES], outcome[AT_OUTCOME_BYTES];
	struct at_label parts = {
		.name = text_of(&draft->name),
		.method = text_of(&draft->method),
		.url = text_of(&draft->url),
		.host = text_of(&draft->host),
		.path = text_of(&draft->path),
		.port = draft->port,
	};

	at_label_write(label, &parts);
	at_outcome_write(outcome, text_of(&draft->error_type), draft->exited);
	draft->shown.label = label;
	draft->shown.error_type = outcome;
	if (draft->end_ns > draft->shown.start_ns)
		draft->shown.duration_ns =
			draft->end_ns - draft->shown.start_ns;
	at_span_list_add(list, &draft->shown);
}

static void read_span(struct at_json *json, struct at_span_list *list)
{
	struct draft draft;
	struct at_text key;

	memset(&draft.shown, 0, sizeof(draft.shown));
	draft.end_ns = 0;
	draft.port = 0;
	draft.has_trace_id = draft.has_span_id = draft.exited = false;
	clear(&draft.name);
	clear(&draft.method);
	clear(&draft.url);
	clear(&draft.host);
	clear(&draft.path);
	clear(&draft.error_type);
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
