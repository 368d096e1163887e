// SPDX-License-Identifier: Apache-2.0
#include "exporter/otlp_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"

static void put(struct buffer *out, const char *literal)
{
	buffer_add(out, literal, strlen(literal));
}

static void put_u64(struct buffer *out, uint64_t value)
{
	char digits[20];
	struct at_writer writer = AT_WRITER(digits, sizeof(digits));

	at_write_u64(&writer, value);
	buffer_add(out, digits, writer.len);
}

/* 64 bits do not fit a JavaScript number: they travel as strings. */
static void put_quoted_u64(struct buffer *out, uint64_t value)
{
	put(out, "\"");
	put_u64(out, value);
	put(out, "\"");
}

static void put_quoted_i64(struct buffer *out, int64_t value)
{
	uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

	put(out, value < 0 ? "\"-" : "\"");
	put_u64(out, magnitude);
	put(out, "\"");
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

static void put_escaped(struct buffer *out, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	char code[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	switch (c) {
	case '"':
		put(out, "\\\"");
		break;
	case '\\':
		put(out, "\\\\");
		break;
	case '\n':
		put(out, "\\n");
		break;
	case '\r':
		put(out, "\\r");
		break;
	case '\t':
		put(out, "\\t");
		break;
	default:
		buffer_add(out, code, sizeof(code));
	}
}

static void put_text(struct buffer *out, ProtobufCBinaryData text)
{
	size_t i = 0, run;

	put(out, "\"");
	while (i < text.len) {
		for (run = i; run < text.len && is_plain(text.data[run]);)
			run++;
		buffer_add(out, text.data + i, run - i);
		if (run < text.len)
			put_escaped(out, text.data[run++]);
		i = run;
	}
	put(out, "\"");
}

static void put_id(struct buffer *out, ProtobufCBinaryData id)
{
	char hex[64];
	struct at_writer writer = AT_WRITER(hex, sizeof(hex));

	at_write_hex(&writer, id.data, id.len);
	put(out, "\"");
	buffer_add(out, hex, writer.len);
	put(out, "\"");
}

static void put_base64(struct buffer *out, ProtobufCBinaryData bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i;

	put(out, "\"");
	for (i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t word = (uint32_t)bytes.data[i] << 16;
		char group[4];

		if (left > 1)
			word |= (uint32_t)bytes.data[i + 1] << 8;
		if (left > 2)
			word |= bytes.data[i + 2];
		group[0] = digits[word >> 18];
		group[1] = digits[word >> 12 & 63];
		group[2] = left > 1 ? digits[word >> 6 & 63] : '=';
		group[3] = left > 2 ? digits[word & 63] : '=';
		buffer_add(out, group, sizeof(group));
	}
	put(out, "\"");
}

/* The application's locale may have its own decimal point. */
static void write_finite(char *text, double value, int digits)
{
	snprintf(text, OTLP_JSON_NUMBER_BYTES, "%.*g", digits, value);
	for (; *text; text++)
		if (!strchr("0123456789+-e", *text))
			*text = '.';
}

void otlp_json_number(char text[OTLP_JSON_NUMBER_BYTES], double value)
{
	if (isnan(value) || isinf(value))
		snprintf(text, OTLP_JSON_NUMBER_BYTES, "%g", value);
	else
		write_finite(text, value, 15);
}

static void put_finite(struct buffer *out, double value)
{
	char text[OTLP_JSON_NUMBER_BYTES];

	write_finite(text, value, 17);
	put(out, text);
}

static void put_double(struct buffer *out, double value)
{
	if (isnan(value))
		put(out, "\"NaN\"");
	else if (isinf(value))
		put(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
	else
		put_finite(out, value);
}

static void put_values(struct buffer *out, const Otlp__ArrayValue *array)
{
	size_t i;

	put(out, "{\"values\":[");
	for (i = 0; i < array->n_values; i++) {
		if (i)
			put(out, ",");
		otlp_json_value(array->values[i], out);
	}
	put(out, "]}");
}

static void put_pairs(struct buffer *out, Otlp__KeyValue *const *pairs,
		      size_t count)
{
	size_t i;

	put(out, "[");
	for (i = 0; i < count; i++) {
		put(out, i ? ",{\"key\":" : "{\"key\":");
		put_text(out, pairs[i]->key);
		put(out, ",\"value\":");
		otlp_json_value(pairs[i]->value, out);
		put(out, "}");
	}
	put(out, "]");
}

void otlp_json_value(const Otlp__AnyValue *value, struct buffer *out)
{
	switch (value->value_case) {
	case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
		put(out, "{\"stringValue\":");
		put_text(out, value->string_value);
		break;
	case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
		put(out, "{\"boolValue\":");
		put(out, value->bool_value ? "true" : "false");
		break;
	case OTLP__ANY_VALUE__VALUE_INT_VALUE:
		put(out, "{\"intValue\":");
		put_quoted_i64(out, value->int_value);
		break;
	case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
		put(out, "{\"doubleValue\":");
		put_double(out, value->double_value);
		break;
	case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
		put(out, "{\"arrayValue\":");
		put_values(out, value->array_value);
		break;
	case OTLP__ANY_VALUE__VALUE_KVLIST_VALUE:
		put(out, "{\"kvlistValue\":{\"values\":");
		put_pairs(out, value->kvlist_value->values,
			  value->kvlist_value->n_values);
		put(out, "}");
		break;
	case OTLP__ANY_VALUE__VALUE_BYTES_VALUE:
		put(out, "{\"bytesValue\":");
		put_base64(out, value->bytes_value);
		break;
	default:
		put(out, "{");
	}
	put(out, "}");
}

static void put_u32_member(struct buffer *out, const char *key, uint64_t value)
{
	if (value == 0)
		return;
	put(out, key);
	put_u64(out, value);
}

static void put_text_member(struct buffer *out, const char *key,
			    ProtobufCBinaryData text)
{
	if (text.len == 0)
		return;
	put(out, key);
	put_text(out, text);
}

static void put_pairs_member(struct buffer *out, const char *key,
			     Otlp__KeyValue *const *pairs, size_t count)
{
	if (count == 0)
		return;
	put(out, key);
	put_pairs(out, pairs, count);
}

static void put_event(struct buffer *out, const Otlp__Event *event)
{
	put(out, "{\"timeUnixNano\":");
	put_quoted_u64(out, event->time_unix_nano);
	put_text_member(out, ",\"name\":", event->name);
	put_pairs_member(out, ",\"attributes\":", event->attributes,
			 event->n_attributes);
	put_u32_member(out, ",\"droppedAttributesCount\":",
		       event->dropped_attributes_count);
	put(out, "}");
}

static void put_events(struct buffer *out, const Otlp__Span *span)
{
	size_t i;

	if (span->n_events == 0)
		return;
	put(out, ",\"events\":[");
	for (i = 0; i < span->n_events; i++) {
		if (i)
			put(out, ",");
		put_event(out, span->events[i]);
	}
	put(out, "]");
}

static void put_link(struct buffer *out, const Otlp__Link *link)
{
	put(out, "{\"traceId\":");
	put_id(out, link->trace_id);
	put(out, ",\"spanId\":");
	put_id(out, link->span_id);
	put_text_member(out, ",\"traceState\":", link->trace_state);
	put_pairs_member(out, ",\"attributes\":", link->attributes,
			 link->n_attributes);
	put_u32_member(out, ",\"droppedAttributesCount\":",
		       link->dropped_attributes_count);
	put_u32_member(out, ",\"flags\":", link->flags);
	put(out, "}");
}

static void put_links(struct buffer *out, const Otlp__Span *span)
{
	size_t i;

	if (span->n_links == 0)
		return;
	put(out, ",\"links\":[");
	for (i = 0; i < span->n_links; i++) {
		if (i)
			put(out, ",");
		put_link(out, span->links[i]);
	}
	put(out, "]");
}

static void put_status(struct buffer *out, const Otlp__Status *status)
{
	if (!status)
		return;
	put(out, ",\"status\":{\"code\":");
	put_u64(out, (uint64_t)status->code);
	put_text_member(out, ",\"message\":", status->message);
	put(out, "}");
}

static void put_span(struct buffer *out, const Otlp__Span *span)
{
	put(out, "{\"traceId\":");
	put_id(out, span->trace_id);
	put(out, ",\"spanId\":");
	put_id(out, span->span_id);
	put_text_member(out, ",\"traceState\":", span->trace_state);
	if (span->parent_span_id.len) {
		put(out, ",\"parentSpanId\":");
		put_id(out, span->parent_span_id);
	}
	put_u32_member(out, ",\"flags\":", span->flags);
	put_text_member(out, ",\"name\":", span->name);
	put_u32_member(out, ",\"kind\":", (uint64_t)span->kind);
	put(out, ",\"startTimeUnixNano\":");
	put_quoted_u64(out, span->start_time_unix_nano);
	put(out, ",\"endTimeUnixNano\":");
	put_quoted_u64(out, span->end_time_unix_nano);
	put_pairs_member(out, ",\"attributes\":", span->attributes,
			 span->n_attributes);
	put_u32_member(out, ",\"droppedAttributesCount\":",
		       span->dropped_attributes_count);
	put_events(out, span);
	put_u32_member(out,
		       ",\"droppedEventsCount\":", span->dropped_events_count);
	put_links(out, span);
	put_u32_member(out,
		       ",\"droppedLinksCount\":", span->dropped_links_count);
	put_status(out, span->status);
	put(out, "}");
}

static void begin_scope(struct buffer *out, const Otlp__ScopeSpans *scope)
{
	put(out, "{");
	if (scope->scope) {
		put(out, "\"scope\":{\"name\":");
		put_text(out, scope->scope->name);
		put_text_member(out, ",\"version\":", scope->scope->version);
		put(out, "},");
	}
	put(out, "\"spans\":[");
}

static void end_scope(struct buffer *out, const Otlp__ScopeSpans *scope)
{
	put(out, "]");
	put_text_member(out, ",\"schemaUrl\":", scope->schema_url);
	put(out, "}");
}

static void begin_resource(struct buffer *out,
			   const Otlp__ResourceSpans *resource)
{
	put(out, "{");
	if (resource->resource) {
		put(out, "\"resource\":{");
		put_pairs_member(
			out, "\"attributes\":", resource->resource->attributes,
			resource->resource->n_attributes);
		put(out, "},");
	}
	put(out, "\"scopeSpans\":[");
}

static void end_resource(struct buffer *out,
			 const Otlp__ResourceSpans *resource)
{
	put(out, "]");
	put_text_member(out, ",\"schemaUrl\":", resource->schema_url);
	put(out, "}");
}

bool otlp_json(const Otlp__TracesData *traces, size_t *span_index,
	       size_t max_bytes, struct buffer *out)
{
	const Otlp__ResourceSpans *resource = traces->resource_spans[0];
	const Otlp__ScopeSpans *scope = resource->scope_spans[0];
	size_t start = out->len;
	bool first = true;

	if (*span_index >= scope->n_spans)
		return false;
	put(out, "{\"resourceSpans\":[");
	begin_resource(out, resource);
	begin_scope(out, scope);
	while (*span_index < scope->n_spans && !out->failed &&
	       (first || out->len - start < max_bytes)) {
		if (!first)
			put(out, ",");
		first = false;
		put_span(out, scope->spans[(*span_index)++]);
	}
	end_scope(out, scope);
	end_resource(out, resource);
	put(out, "]}");
	return true;
}
