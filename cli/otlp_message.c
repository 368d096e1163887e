// SPDX-License-Identifier: Apache-2.0
#include "cli/otlp_message.h"

#include <errno.h>
#include <string.h>

#include "cli/otlp_value.h"

/* ---- spans ---- */

static void *read_link(struct at_otlp_reader *reader)
{
	Otlp__Link *link = at_take(reader, sizeof(*link));
	struct at_text key;

	otlp__link__init(link);
	if (!at_json_enter(&reader->json, AT_JSON_OBJECT))
		return link;
	while (at_json_key(&reader->json, &key)) {
		if (at_skip_null(reader))
			continue;
		if (at_key_is(key, "traceId"))
			link->trace_id = at_read_id(reader, AT_TRACE_ID_BYTES);
		else if (at_key_is(key, "spanId"))
			link->span_id = at_read_id(reader, AT_SPAN_ID_BYTES);
		else if (at_key_is(key, "traceState"))
			link->trace_state = at_read_string(reader);
		else if (at_key_is(key, "flags"))
			link->flags = at_read_u32(reader);
		else if (at_key_is(key, "attributes"))
			link->attributes =
				at_read_pairs(reader, &link->n_attributes);
		else
			at_json_skip(&reader->json);
	}
	return link;
}

static void *read_event(struct at_otlp_reader *reader)
{
	Otlp__Event *event = at_take(reader, sizeof(*event));
	struct at_text key;

	otlp__event__init(event);
	if (!at_json_enter(&reader->json, AT_JSON_OBJECT))
		return event;
	while (at_json_key(&reader->json, &key)) {
		if (at_skip_null(reader))
			continue;
		if (at_key_is(key, "timeUnixNano"))
			at_json_u64(&reader->json, &event->time_unix_nano);
		else if (at_key_is(key, "name"))
			event->name = at_read_string(reader);
		else if (at_key_is(key, "attributes"))
			event->attributes =
				at_read_pairs(reader, &event->n_attributes);
		else if (at_key_is(key, "droppedAttributesCount"))
			event->dropped_attributes_count = at_read_u32(reader);
		else
			at_json_skip(&reader->json);
	}
	return event;
}

static Otlp__Status *read_status(struct at_otlp_reader *reader)
{
	static const char *const codes[] = { "STATUS_CODE_UNSET",
					     "STATUS_CODE_OK",
					     "STATUS_CODE_ERROR" };
	Otlp__Status *status = at_take(reader, sizeof(*status));
	struct at_text key;

	otlp__status__init(status);
	if (!at_json_enter(&reader->json, AT_JSON_OBJECT))
		return status;
	while (at_json_key(&reader->json, &key)) {
		if (at_key_is(key, "code"))
			status->code = at_read_enum(reader, codes, 3);
		else if (at_key_is(key, "message"))
			status->message = at_read_string(reader);
		else
			at_json_skip(&reader->json);
	}
	return status;
}

static void read_ids(struct at_otlp_reader *reader, struct at_text key,
		     Otlp__Span *span)
{
	if (at_key_is(key, "traceId"))
		span->trace_id = at_read_id(reader, AT_TRACE_ID_BYTES);
	else if (at_key_is(key, "spanId"))
		span->span_id = at_read_id(reader, AT_SPAN_ID_BYTES);
	else if (at_key_is(key, "parentSpanId"))
		span->parent_span_id = at_read_id(reader, AT_SPAN_ID_BYTES);
	else if (at_key_is(key, "traceState"))
		span->trace_state = at_read_string(reader);
	else if (at_key_is(key, "flags"))
		span->flags = at_read_u32(reader);
	else
		at_json_skip(&reader->json);
}

static void read_member(struct at_otlp_reader *reader, struct at_text key,
			Otlp__Span *span)
{
	static const char *const kinds[] = {
		"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
		"SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
		"SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER",
	};

	if (at_key_is(key, "name")) {
		span->name = at_read_string(reader);
	} else if (at_key_is(key, "kind")) {
		span->kind = at_read_enum(reader, kinds, 6);
	} else if (at_key_is(key, "startTimeUnixNano")) {
		at_json_u64(&reader->json, &span->start_time_unix_nano);
	} else if (at_key_is(key, "endTimeUnixNano")) {
		at_json_u64(&reader->json, &span->end_time_unix_nano);
	} else if (at_key_is(key, "attributes")) {
		span->attributes = at_read_pairs(reader, &span->n_attributes);
	} else if (at_key_is(key, "droppedAttributesCount")) {
		span->dropped_attributes_count = at_read_u32(reader);
	} else if (at_key_is(key, "links")) {
		struct at_otlp_list list = at_read_list(reader, read_link);

		span->links = (Otlp__Link **)list.item;
		span->n_links = list.count;
	} else if (at_key_is(key, "droppedLinksCount")) {
		span->dropped_links_count = at_read_u32(reader);
	} else if (at_key_is(key, "status")) {
		span->status = read_status(reader);
	} else if (at_key_is(key, "events")) {
		struct at_otlp_list list = at_read_list(reader, read_event);

		span->events = (Otlp__Event **)list.item;
		span->n_events = list.count;
	} else if (at_key_is(key, "droppedEventsCount")) {
		span->dropped_events_count = at_read_u32(reader);
	} else {
		read_ids(reader, key, span);
	}
}

static void *read_span(struct at_otlp_reader *reader)
{
	Otlp__Span *span = at_take(reader, sizeof(*span));
	struct at_text key;

	otlp__span__init(span);
	if (!at_json_enter(&reader->json, AT_JSON_OBJECT))
		return span;
	while (at_json_key(&reader->json, &key))
		if (!at_skip_null(reader))
			read_member(reader, key, span);
	if (!reader->json.error && !(span->trace_id.len && span->span_id.len))
		at_json_refuse(&reader->json, "a span with traceId and spanId");
	return span;
}

/* ---- what they are wrapped in ---- */

static Otlp__Scope *read_scope(struct at_otlp_reader *reader)
{
	Otlp__Scope *scope = at_take(reader, sizeof(*scope));
	struct at_text key;

	otlp__scope__init(scope);
	if (!at_json_enter(&reader->json, AT_JSON_OBJECT))
		return scope;
	while (at_json_key(&reader->json, &key)) {
		if (at_key_is(key, "name"))
			scope->name = at_read_string(reader);
		else if (at_key_is(key, "version"))
			scope->version = at_read_string(reader);
		else
			at_json_skip(&reader->json);
	}
	return scope;
}

static void *read_scope_spans(struct at_otlp_reader *reader)
{
	Otlp__ScopeSpans *scope = at_take(reader, sizeof(*scope));
	struct at_text key;

	otlp__scope_spans__init(scope);
	if (!at_json_enter(&reader->json, AT_JSON_OBJECT))
		return scope;
	while (at_json_key(&reader->json, &key)) {
		if (at_skip_null(reader))
			continue;
		if (at_key_is(key, "scope")) {
			scope->scope = read_scope(reader);
		} else if (at_key_is(key, "spans")) {
			struct at_otlp_list list =
				at_read_list(reader, read_span);

			scope->spans = (Otlp__Span **)list.item;
			scope->n_spans = list.count;
		} else if (at_key_is(key, "schemaUrl")) {
			scope->schema_url = at_read_string(reader);
		} else {
			at_json_skip(&reader->json);
		}
	}
	return scope;
}

static Otlp__Resource *read_resource(struct at_otlp_reader *reader)
{
	Otlp__Resource *resource = at_take(reader, sizeof(*resource));
	struct at_text key;

	otlp__resource__init(resource);
	if (!at_json_enter(&reader->json, AT_JSON_OBJECT))
		return resource;
	while (at_json_key(&reader->json, &key)) {
		if (at_key_is(key, "attributes"))
			resource->attributes =
				at_read_pairs(reader, &resource->n_attributes);
		else
			at_json_skip(&reader->json);
	}
	return resource;
}

static void *read_resource_spans(struct at_otlp_reader *reader)
{
	Otlp__ResourceSpans *resource = at_take(reader, sizeof(*resource));
	struct at_text key;

	otlp__resource_spans__init(resource);
	if (!at_json_enter(&reader->json, AT_JSON_OBJECT))
		return resource;
	while (at_json_key(&reader->json, &key)) {
		if (at_skip_null(reader))
			continue;
		if (at_key_is(key, "resource")) {
			resource->resource = read_resource(reader);
		} else if (at_key_is(key, "scopeSpans")) {
			struct at_otlp_list list =
				at_read_list(reader, read_scope_spans);

			resource->scope_spans = (Otlp__ScopeSpans **)list.item;
			resource->n_scope_spans = list.count;
		} else if (at_key_is(key, "schemaUrl")) {
			resource->schema_url = at_read_string(reader);
		} else {
			at_json_skip(&reader->json);
		}
	}
	return resource;
}

static Otlp__TracesData *read_traces(struct at_otlp_reader *reader)
{
	Otlp__TracesData *traces = at_take(reader, sizeof(*traces));
	struct at_text key;

	otlp__traces_data__init(traces);
	if (!at_json_enter(&reader->json, AT_JSON_OBJECT))
		return traces;
	while (at_json_key(&reader->json, &key)) {
		if (at_key_is(key, "resourceSpans")) {
			struct at_otlp_list list =
				at_read_list(reader, read_resource_spans);

			traces->resource_spans =
				(Otlp__ResourceSpans **)list.item;
			traces->n_resource_spans = list.count;
		} else {
			at_json_skip(&reader->json);
		}
	}
	return traces;
}

/* ---- door ---- */

void at_otlp_message_free(struct at_otlp_message *message)
{
	at_chunks_free(message->memory);
	memset(message, 0, sizeof(*message));
}

int at_otlp_message_read(struct at_otlp_message *message, struct at_text line,
			 struct at_otlp_mistake *mistake)
{
	struct at_otlp_reader reader = { .scratch_bytes = line.len + 1 };

	at_otlp_message_free(message);
	reader.scratch = at_take(&reader, reader.scratch_bytes);
	at_json_init(&reader.json, line);
	message->traces = read_traces(&reader);
	message->memory = reader.memory;
	if (at_json_finish(&reader.json))
		return 0;
	mistake->expected = reader.json.error;
	mistake->column = at_json_column(&reader.json);
	return -EBADMSG;
}
