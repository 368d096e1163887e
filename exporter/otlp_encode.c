// SPDX-License-Identifier: Apache-2.0
#include "exporter/otlp_encode.h"

#include <errno.h>
#include <string.h>

#include "exporter/utf8.h"

#define REMOTE_KNOWN 0x100u
#define REMOTE 0x200u

_Static_assert(AT_ATTR_COUNT <= 64, "one bit an attribute in encode.seen");

/* One batch being encoded. */
struct encode {
	const struct otlp_rules *rules;
	struct arena *arena;
	uint64_t cut_count;
	uint64_t seen; /* attributes the current span has already */
	bool failed;
};

uint32_t otlp_span_flags(uint8_t trace_flags, bool parent_remote)
{
	return trace_flags | REMOTE_KNOWN | (parent_remote ? REMOTE : 0);
}

static ProtobufCBinaryData data_of(struct at_text text)
{
	return (ProtobufCBinaryData){ text.len,
				      (uint8_t *)(uintptr_t)text.ptr };
}

static ProtobufCBinaryData id_of(const uint8_t *id, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)id };
}

static void *take(struct encode *encode, size_t size)
{
	void *memory = arena_alloc(encode->arena, size);

	if (!memory)
		encode->failed = true;
	return memory;
}

static struct at_text limited(struct encode *encode, struct at_text text)
{
	struct at_text whole = utf8_repair(text, encode->arena);
	struct at_text cut = utf8_cut(whole, encode->rules->value_length);

	if (cut.len < whole.len)
		encode->cut_count++;
	return cut;
}

static void set_text(struct encode *encode, Otlp__AnyValue *value,
		     struct at_text text)
{
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = data_of(limited(encode, text));
}

static size_t item_count(struct at_text items)
{
	struct at_text item;
	size_t count = 0;

	while (items.len && at_text_next(&items, 0, &item))
		count++;
	return count;
}

/* TEXTS: items, each with a NUL behind it. */
static void set_texts(struct encode *encode, Otlp__AnyValue *value,
		      struct at_text items)
{
	size_t count = item_count(items);
	Otlp__ArrayValue *array = take(encode, sizeof(*array));
	Otlp__AnyValue *all = take(encode, count * sizeof(*all));
	Otlp__AnyValue **links = take(encode, count * sizeof(*links));
	struct at_text item;
	size_t i;

	if (!array || !all || !links)
		return;
	otlp__array_value__init(array);
	for (i = 0; i < count && at_text_next(&items, 0, &item); i++) {
		otlp__any_value__init(&all[i]);
		set_text(encode, &all[i], item);
		links[i] = &all[i];
	}
	array->n_values = count;
	array->values = links;
	value->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	value->array_value = array;
}

static void set_value(struct encode *encode, Otlp__AnyValue *value,
		      const struct at_field *field)
{
	otlp__any_value__init(value);
	switch (field->type) {
	case AT_TYPE_TEXT:
		set_text(encode, value, field->text);
		break;
	case AT_TYPE_INT:
		value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
		value->int_value = field->number;
		break;
	case AT_TYPE_BOOL:
		value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
		value->bool_value = field->number != 0;
		break;
	case AT_TYPE_TEXTS:
		set_texts(encode, value, field->text);
		break;
	case AT_TYPE_DOUBLE:
		value->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
		value->double_value = field->real;
		break;
	}
}

struct pair {
	Otlp__KeyValue item;
	Otlp__AnyValue value;
};

static struct at_text key_of(const struct at_field *field)
{
	return at_text_from(at_attr_table[field->attr].name);
}

static Otlp__KeyValue *make_pair(struct encode *encode, struct at_text key,
				 const struct at_field *field)
{
	struct pair *pair = take(encode, sizeof(*pair));

	if (!pair)
		return NULL;
	otlp__key_value__init(&pair->item);
	pair->item.key = data_of(key);
	pair->item.value = &pair->value;
	set_value(encode, &pair->value, field);
	return &pair->item;
}

/* What the one event that a span can have needs; zeroed by the arena. */
struct one_event {
	Otlp__Event event;
	Otlp__Event *list[1];
	/* Those of an exception, and the two of a slow request. */
	Otlp__KeyValue *attributes[AT_ATTR_EXCEPTION_STACKTRACE -
				   AT_ATTR_EXCEPTION_TYPE + 3];
};

static Otlp__Event *event_of(struct encode *encode, Otlp__Span *span,
			     struct at_text name)
{
	struct one_event *one;

	if (span->n_events)
		return span->events[0];
	one = take(encode, sizeof(*one));
	if (!one)
		return NULL;
	otlp__event__init(&one->event);
	one->event.name = data_of(name);
	one->event.time_unix_nano = span->end_time_unix_nano;
	one->event.attributes = one->attributes;
	one->list[0] = &one->event;
	span->events = one->list;
	span->n_events = 1;
	return &one->event;
}

static void add_to_event(Otlp__Event *event, Otlp__KeyValue *pair)
{
	if (pair)
		event->attributes[event->n_attributes++] = pair;
}

static void set_event_field(struct encode *encode, Otlp__Span *span,
			    const struct at_field *field)
{
	Otlp__Event *event = event_of(encode, span, AT_TEXT("exception"));
	uint64_t bit = UINT64_C(1) << (field->attr % 64);

	if (!event)
		return;
	if (field->attr == AT_FIELD_EXCEPTION_UNIX_NS) {
		event->time_unix_nano = (uint64_t)field->number;
		return;
	}
	if (!(encode->seen & bit))
		add_to_event(event, make_pair(encode, key_of(field), field));
	encode->seen |= bit;
}

/* A request is no program: it has no other event. */
static void add_slow(struct encode *encode, Otlp__Span *span,
		     const struct at_field *threshold)
{
	Otlp__Event *event = event_of(encode, span, AT_TEXT("autotrace.slow"));
	uint64_t took_us =
		(span->end_time_unix_nano - span->start_time_unix_nano) / 1000;
	struct at_field actual = {
		.type = AT_TYPE_DOUBLE,
		.real = (double)took_us / 1000,
	};

	if (!event || event->n_attributes)
		return;
	add_to_event(event,
		     make_pair(encode, AT_TEXT("autotrace.slow.threshold_ms"),
			       threshold));
	add_to_event(event,
		     make_pair(encode, AT_TEXT("autotrace.slow.actual_ms"),
			       &actual));
}

/* False: the span has enough, which is counted. */
static bool add_pair(struct encode *encode, Otlp__Span *span,
		     struct at_text key, const struct at_field *field)
{
	Otlp__KeyValue *pair;

	if (span->n_attributes >= encode->rules->attribute_count) {
		span->dropped_attributes_count++;
		return false;
	}
	pair = make_pair(encode, key, field);
	if (pair)
		span->attributes[span->n_attributes++] = pair;
	return true;
}

/* One attribute more, unless the span has it or has enough. */
static void add_attribute(struct encode *encode, Otlp__Span *span,
			  const struct at_field *field)
{
	uint64_t bit = UINT64_C(1) << field->attr;

	if (encode->seen & bit)
		span->dropped_attributes_count++;
	else if (add_pair(encode, span, key_of(field), field))
		encode->seen |= bit;
}

/* Of a request or an answer; more are dropped, and counted. */
#define HEADERS_MAX 32

static bool is_of_headers(uint8_t attr)
{
	return attr == AT_ATTR_HTTP_REQUEST_HEADER ||
	       attr == AT_ATTR_HTTP_RESPONSE_HEADER;
}

/* "http.request.header" and the field's name. */
static struct at_text header_key(struct encode *encode,
				 const struct at_field *field,
				 struct at_text name)
{
	struct at_text prefix = key_of(field);
	size_t len = prefix.len + 1 + name.len;
	char *key = take(encode, len);
	struct at_writer writer = AT_WRITER(key, len);

	if (!key)
		return prefix;
	at_write_text(&writer, prefix);
	at_write_char(&writer, '.');
	at_write_text(&writer, name);
	return utf8_repair(at_writer_text(&writer), encode->arena);
}

/* All values of the first field's name, cut off the front of *items. */
static struct at_text cut_values(struct encode *encode, struct at_text *items,
				 struct at_text name)
{
	struct at_text value, again = name, rest = *items;
	size_t room = items->len + 1;
	char *values = take(encode, room);
	struct at_writer writer = AT_WRITER(values, values ? room : 0);

	while (at_text_equal(again, name) && at_text_next(&rest, 0, &value)) {
		at_write_text(&writer, value);
		at_write_char(&writer, 0);
		*items = rest;
		if (!rest.len || !at_text_next(&rest, 0, &again))
			break;
	}
	return at_writer_text(&writer);
}

/* Name and value of each field become one attribute a name. */
static void add_headers(struct encode *encode, Otlp__Span *span,
			const struct at_field *field)
{
	uint64_t bit = UINT64_C(1) << field->attr;
	struct at_text items = field->text, name;
	struct at_field values = *field;
	unsigned int count = 0;

	if (encode->seen & bit) {
		span->dropped_attributes_count++;
		return;
	}
	encode->seen |= bit;
	while (items.len && at_text_next(&items, 0, &name)) {
		values.text = cut_values(encode, &items, name);
		if (++count > HEADERS_MAX)
			span->dropped_attributes_count++;
		else
			add_pair(encode, span, header_key(encode, field, name),
				 &values);
	}
}

static void set_field(struct encode *encode, Otlp__Span *span,
		      const struct at_field *field)
{
	if (at_attr_is_of_exception(field->attr) ||
	    field->attr == AT_FIELD_EXCEPTION_UNIX_NS)
		set_event_field(encode, span, field);
	else if (field->attr == AT_FIELD_SLOW_THRESHOLD_MS)
		add_slow(encode, span, field);
	else if (is_of_headers(field->attr))
		add_headers(encode, span, field);
	else if (field->attr < AT_ATTR_COUNT)
		add_attribute(encode, span, field);
	else if (field->attr == AT_FIELD_NAME)
		span->name = data_of(utf8_repair(field->text, encode->arena));
	else if (field->attr == AT_FIELD_TRACESTATE)
		span->trace_state =
			data_of(utf8_repair(field->text, encode->arena));
}

/* What the record's head says that is an attribute on the wire. */
static void add_from_head(struct encode *encode, Otlp__Span *out,
			  const struct at_span *span)
{
	struct at_field pid = {
		.attr = AT_ATTR_PROCESS_PID,
		.type = AT_TYPE_INT,
		.number = span->pid,
	};
	struct at_field truncated = {
		.attr = AT_ATTR_AUTOTRACE_TRUNCATED,
		.type = AT_TYPE_BOOL,
		.number = true,
	};

	if (encode->rules->pid_on_spans && span->pid &&
	    !(encode->seen & UINT64_C(1) << AT_ATTR_PROCESS_PID))
		add_attribute(encode, out, &pid);
	if (span->truncated &&
	    !(encode->seen & UINT64_C(1) << AT_ATTR_AUTOTRACE_TRUNCATED))
		add_attribute(encode, out, &truncated);
}

static void set_fields(struct encode *encode, Otlp__Span *out,
		       const struct at_span *span)
{
	/* Each attribute once, so a table of all of them is enough. */
	Otlp__KeyValue **table = take(
		encode, (AT_ATTR_COUNT + 2 * HEADERS_MAX) * sizeof(*table));
	struct at_field field;
	uint32_t offset = 0;

	if (!table)
		return;
	out->attributes = table;
	encode->seen = 0;
	while (at_span_next(span, &offset, &field))
		set_field(encode, out, &field);
	add_from_head(encode, out, span);
}

static void set_status(struct encode *encode, Otlp__Span *out,
		       const struct at_span *span)
{
	if (span->status == AT_STATUS_UNSET)
		return;
	out->status = take(encode, sizeof(*out->status));
	if (!out->status)
		return;
	otlp__status__init(out->status);
	out->status->code = span->status;
}

static void set_span(struct encode *encode, Otlp__Span *out,
		     const struct at_span *span)
{
	otlp__span__init(out);
	out->trace_id = id_of(span->trace_id, AT_TRACE_ID_BYTES);
	out->span_id = id_of(span->span_id, AT_SPAN_ID_BYTES);
	if (span->has_parent)
		out->parent_span_id = id_of(span->parent_id, AT_SPAN_ID_BYTES);
	out->kind = span->kind;
	out->start_time_unix_nano = span->start_unix_ns;
	if (__builtin_add_overflow(span->start_unix_ns, span->duration_ns,
				   &out->end_time_unix_nano))
		out->end_time_unix_nano = UINT64_MAX;
	out->dropped_attributes_count = span->dropped_attr_count;
	out->flags = otlp_span_flags(span->flags,
				     span->has_parent && span->parent_remote);
	set_status(encode, out, span);
	set_fields(encode, out, span);
}

/* The envelope: one resource, one scope. */
struct envelope {
	Otlp__TracesData traces;
	Otlp__ResourceSpans resource_spans;
	Otlp__ResourceSpans *resource_spans_list[1];
	Otlp__ScopeSpans scope_spans;
	Otlp__ScopeSpans *scope_spans_list[1];
	Otlp__Scope scope;
};

static void set_envelope(struct envelope *out, struct resource *resource)
{
	static const struct at_text schema = AT_TEXT(RESOURCE_SCHEMA_URL);

	otlp__traces_data__init(&out->traces);
	out->traces.n_resource_spans = 1;
	out->traces.resource_spans = out->resource_spans_list;
	out->resource_spans_list[0] = &out->resource_spans;
	otlp__resource_spans__init(&out->resource_spans);
	out->resource_spans.resource = &resource->message;
	out->resource_spans.schema_url = data_of(schema);
	out->resource_spans.n_scope_spans = 1;
	out->resource_spans.scope_spans = out->scope_spans_list;
	out->scope_spans_list[0] = &out->scope_spans;
	otlp__scope_spans__init(&out->scope_spans);
	out->scope_spans.scope = &out->scope;
	out->scope_spans.schema_url = data_of(schema);
	otlp__scope__init(&out->scope);
	out->scope.name = data_of(AT_TEXT("libautotrace"));
	out->scope.version = data_of(AT_TEXT(AT_VERSION));
}

Otlp__TracesData *otlp_encode(struct batch *batch,
			      const struct otlp_rules *rules,
			      uint64_t *cut_count)
{
	struct encode encode = { .rules = rules, .arena = &batch->arena };
	struct envelope *envelope;
	Otlp__Span *spans, **list;
	const struct at_span *span;
	size_t offset = 0, count = 0;

	if (batch->traces)
		return batch->traces;
	envelope = take(&encode, sizeof(*envelope));
	spans = take(&encode, batch->count * sizeof(*spans));
	list = take(&encode, batch->count * sizeof(*list));
	if (encode.failed)
		return NULL;
	set_envelope(envelope, rules->resource);
	while ((span = batch_next(batch, &offset))) {
		list[count] = &spans[count];
		set_span(&encode, &spans[count++], span);
	}
	envelope->scope_spans.n_spans = count;
	envelope->scope_spans.spans = list;
	if (encode.failed)
		return NULL;
	if (cut_count)
		*cut_count += encode.cut_count;
	batch->traces = &envelope->traces;
	return batch->traces;
}

size_t otlp_span_count(const Otlp__TracesData *traces)
{
	size_t i, j, count = 0;

	for (i = 0; i < traces->n_resource_spans; i++) {
		const Otlp__ResourceSpans *resource = traces->resource_spans[i];

		for (j = 0; j < resource->n_scope_spans; j++)
			count += resource->scope_spans[j]->n_spans;
	}
	return count;
}

static void leave_private_of(Otlp__Span *span)
{
	static const struct at_text name = AT_TEXT("process.command_args");
	size_t i, kept = 0;

	for (i = 0; i < span->n_attributes; i++) {
		Otlp__KeyValue *pair = span->attributes[i];
		struct at_text key = { (const char *)pair->key.data,
				       pair->key.len };

		if (!at_text_equal(key, name))
			span->attributes[kept++] = pair;
	}
	span->n_attributes = kept;
}

void otlp_leave_private(Otlp__TracesData *traces)
{
	size_t i, j, k;

	for (i = 0; i < traces->n_resource_spans; i++) {
		Otlp__ResourceSpans *resource = traces->resource_spans[i];

		for (j = 0; j < resource->n_scope_spans; j++) {
			Otlp__ScopeSpans *scope = resource->scope_spans[j];

			for (k = 0; k < scope->n_spans; k++)
				leave_private_of(scope->spans[k]);
		}
	}
}

/*
 * An upper bound of a packed message. The exact size would cost a walk through
 * protobuf-c's descriptors, almost as long as packing itself.
 */
#define FIELD_BYTES 16 /* tag and length, or tag and number */

static size_t value_bound(const Otlp__AnyValue *value)
{
	size_t bound = 2 * FIELD_BYTES, i;

	switch (value->value_case) {
	case OTLP__ANY_VALUE__VALUE_STRING_VALUE:
		return bound + value->string_value.len;
	case OTLP__ANY_VALUE__VALUE_ARRAY_VALUE:
		for (i = 0; i < value->array_value->n_values; i++)
			bound += value_bound(value->array_value->values[i]);
		return bound;
	case OTLP__ANY_VALUE__VALUE_BOOL_VALUE:
	case OTLP__ANY_VALUE__VALUE_INT_VALUE:
	case OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE:
		return bound;
	default:
		return otlp__any_value__get_packed_size(value);
	}
}

static size_t pairs_bound(Otlp__KeyValue *const *pairs, size_t count)
{
	size_t bound = 0, i;

	for (i = 0; i < count; i++)
		bound += 2 * FIELD_BYTES + pairs[i]->key.len +
			 value_bound(pairs[i]->value);
	return bound;
}

static size_t span_bound(const Otlp__Span *span)
{
	size_t bound = 16 * FIELD_BYTES, i;

	bound += span->trace_id.len + span->span_id.len +
		 span->trace_state.len + span->parent_span_id.len +
		 span->name.len;
	bound += pairs_bound(span->attributes, span->n_attributes);
	for (i = 0; i < span->n_links; i++)
		bound += FIELD_BYTES +
			 otlp__link__get_packed_size(span->links[i]);
	if (span->status)
		bound += otlp__status__get_packed_size(span->status);
	return bound;
}

static size_t traces_bound(const Otlp__TracesData *traces)
{
	const Otlp__ResourceSpans *resource = traces->resource_spans[0];
	const Otlp__ScopeSpans *scope = resource->scope_spans[0];
	size_t bound = 16 * FIELD_BYTES, i;

	bound += otlp__resource__get_packed_size(resource->resource) +
		 otlp__scope__get_packed_size(scope->scope) +
		 resource->schema_url.len + scope->schema_url.len;
	for (i = 0; i < scope->n_spans; i++)
		bound += span_bound(scope->spans[i]);
	return bound;
}

int otlp_pack(const Otlp__TracesData *traces, struct buffer *buffer)
{
	uint8_t *room = buffer_room(buffer, traces_bound(traces));

	if (!room)
		return -ENOMEM;
	buffer->len += otlp__traces_data__pack(traces, room);
	return 0;
}
