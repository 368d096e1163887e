// SPDX-License-Identifier: Apache-2.0
#include "cli/otlp_value.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/span.h"

/* ---- memory ---- */

#define CHUNK_BYTES (256 * 1024)

struct at_otlp_chunk {
	struct at_otlp_chunk *next;
	size_t used, room;
	_Alignas(16) char bytes[];
};

static struct at_otlp_chunk *add_chunk(struct at_otlp_reader *reader,
				       size_t size)
{
	size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
	struct at_otlp_chunk *chunk = calloc(1, sizeof(*chunk) + room);

	if (!chunk) {
		at_complain("no memory");
		exit(AT_EXIT_FAILED);
	}
	chunk->room = room;
	chunk->next = reader->memory;
	reader->memory = chunk;
	return chunk;
}

void *at_take(struct at_otlp_reader *reader, size_t size)
{
	struct at_otlp_chunk *chunk = reader->memory;

	size = (size + 15) & ~(size_t)15;
	if (!chunk || chunk->room - chunk->used < size)
		chunk = add_chunk(reader, size);
	chunk->used += size;
	return chunk->bytes + chunk->used - size;
}

void at_chunks_free(struct at_otlp_chunk *chunk)
{
	while (chunk) {
		struct at_otlp_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

static void add(struct at_otlp_reader *reader, struct at_otlp_list *list,
		void *item)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 8;
		void **grown = at_take(reader, room * sizeof(*grown));

		if (list->count)
			memcpy(grown, list->item, list->count * sizeof(*grown));
		list->item = grown;
		list->room = room;
	}
	list->item[list->count++] = item;
}

/* ---- values ---- */

bool at_key_is(struct at_text key, const char *name)
{
	return at_text_equal(key, at_text_from(name));
}

bool at_skip_null(struct at_otlp_reader *reader)
{
	if (at_json_peek(&reader->json) != AT_JSON_NULL)
		return false;
	at_json_skip(&reader->json);
	return true;
}

/* A string or number as text, in scratch; empty on a mistake. */
static struct at_text scalar(struct at_otlp_reader *reader)
{
	struct at_writer writer =
		AT_WRITER(reader->scratch, reader->scratch_bytes);

	at_json_scalar(&reader->json, &writer);
	return at_writer_text(&writer);
}

static ProtobufCBinaryData bytes(struct at_otlp_reader *reader,
				 struct at_text text)
{
	ProtobufCBinaryData data = { text.len, NULL };

	data.data = at_take(reader, text.len + 1);
	if (text.len)
		memcpy(data.data, text.ptr, text.len);
	return data;
}

ProtobufCBinaryData at_read_string(struct at_otlp_reader *reader)
{
	struct at_writer writer =
		AT_WRITER(reader->scratch, reader->scratch_bytes);

	at_json_string(&reader->json, &writer);
	return bytes(reader, at_writer_text(&writer));
}

/* An id of `count` bytes; an empty text is none. */
ProtobufCBinaryData at_read_id(struct at_otlp_reader *reader, size_t count)
{
	ProtobufCBinaryData text = at_read_string(reader);
	ProtobufCBinaryData data = { 0, NULL };
	size_t i;

	if (reader->json.error || !text.len)
		return data;
	for (i = 0; i < text.len; i++)
		text.data[i] = (uint8_t)at_lower((char)text.data[i]);
	data.data = at_take(reader, count);
	data.len = count;
	if (at_text_from_hex((struct at_text){ (const char *)text.data,
					       text.len },
			     data.data, count))
		at_json_refuse(&reader->json, count == AT_TRACE_ID_BYTES ?
						      "an id of 32 hex digits" :
						      "an id of 16 hex digits");
	return data;
}

uint32_t at_read_u32(struct at_otlp_reader *reader)
{
	uint64_t value = 0;

	at_json_u64(&reader->json, &value);
	return (uint32_t)value;
}

/* A number, or a name out of the table, which begins at 0. */
int32_t at_read_enum(struct at_otlp_reader *reader, const char *const *names,
		     int32_t count)
{
	struct at_text text = scalar(reader);
	uint64_t value = 0;
	int32_t i;

	for (i = 0; i < count; i++)
		if (at_key_is(text, names[i]))
			return i;
	if (!reader->json.error &&
	    (at_text_to_u64(text, &value) || value > INT32_MAX))
		at_json_refuse(&reader->json, "a known name or number");
	return (int32_t)value;
}

static int64_t integer(struct at_otlp_reader *reader)
{
	struct at_text text = scalar(reader);
	bool minus = text.len && text.ptr[0] == '-';
	uint64_t value = 0;

	text.ptr += minus;
	text.len -= minus;
	if (!reader->json.error && at_text_to_u64(text, &value))
		at_json_refuse(&reader->json, "an integer");
	return (int64_t)(minus ? 0 - value : value);
}

static double floating(struct at_otlp_reader *reader)
{
	struct at_text text = scalar(reader);
	char number[64] = "";

	if (text.len < sizeof(number))
		memcpy(number, text.ptr, text.len);
	return strtod(number, NULL);
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at;

	if (c == '-' || c == '_')
		return c == '-' ? 62 : 63;
	at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

static ProtobufCBinaryData base64(struct at_otlp_reader *reader)
{
	ProtobufCBinaryData text = at_read_string(reader);
	ProtobufCBinaryData data = { 0, at_take(reader, text.len + 1) };
	uint32_t bits = 0, bit_count = 0;
	size_t i;

	for (i = 0; i < text.len; i++) {
		int digit = base64_digit((char)text.data[i]);

		if (digit < 0)
			continue;
		bits = bits << 6 | (uint32_t)digit;
		bit_count += 6;
		if (bit_count < 8)
			continue;
		bit_count -= 8;
		data.data[data.len++] = (uint8_t)(bits >> bit_count);
	}
	return data;
}

/* ---- attributes ---- */

static Otlp__AnyValue *read_any(struct at_otlp_reader *reader);

struct at_otlp_list at_read_list(struct at_otlp_reader *reader,
				 void *(*read)(struct at_otlp_reader *))
{
	struct at_otlp_list list = { 0 };

	if (at_skip_null(reader) ||
	    !at_json_enter(&reader->json, AT_JSON_ARRAY))
		return list;
	while (at_json_element(&reader->json))
		add(reader, &list, read(reader));
	return list;
}

static void *read_element(struct at_otlp_reader *reader)
{
	return read_any(reader);
}

static void *read_pair(struct at_otlp_reader *reader)
{
	Otlp__KeyValue *pair = at_take(reader, sizeof(*pair));
	struct at_text key;

	otlp__key_value__init(pair);
	pair->key = (ProtobufCBinaryData){ 0, (uint8_t *)at_take(reader, 1) };
	if (!at_json_enter(&reader->json, AT_JSON_OBJECT))
		return pair;
	while (at_json_key(&reader->json, &key)) {
		if (at_key_is(key, "key"))
			pair->key = at_read_string(reader);
		else if (at_key_is(key, "value"))
			pair->value = read_any(reader);
		else
			at_json_skip(&reader->json);
	}
	if (!pair->value) {
		pair->value = at_take(reader, sizeof(*pair->value));
		otlp__any_value__init(pair->value);
	}
	return pair;
}

/* The one member `values` of an array or map. */
static struct at_otlp_list read_values(struct at_otlp_reader *reader,
				       void *(*read)(struct at_otlp_reader *))
{
	struct at_otlp_list list = { 0 };
	struct at_text key;

	if (!at_json_enter(&reader->json, AT_JSON_OBJECT))
		return list;
	while (at_json_key(&reader->json, &key)) {
		if (at_key_is(key, "values"))
			list = at_read_list(reader, read);
		else
			at_json_skip(&reader->json);
	}
	return list;
}

static void set_array(struct at_otlp_reader *reader, Otlp__AnyValue *value)
{
	struct at_otlp_list list = read_values(reader, read_element);
	Otlp__ArrayValue *array = at_take(reader, sizeof(*array));

	otlp__array_value__init(array);
	array->values = (Otlp__AnyValue **)list.item;
	array->n_values = list.count;
	value->array_value = array;
	value->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
}

static void set_map(struct at_otlp_reader *reader, Otlp__AnyValue *value)
{
	struct at_otlp_list list = read_values(reader, read_pair);
	Otlp__KeyValueList *map = at_take(reader, sizeof(*map));

	otlp__key_value_list__init(map);
	map->values = (Otlp__KeyValue **)list.item;
	map->n_values = list.count;
	value->kvlist_value = map;
	value->value_case = OTLP__ANY_VALUE__VALUE_KVLIST_VALUE;
}

static void read_value(struct at_otlp_reader *reader, struct at_text key,
		       Otlp__AnyValue *value)
{
	if (at_key_is(key, "stringValue")) {
		value->string_value = at_read_string(reader);
		value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	} else if (at_key_is(key, "boolValue")) {
		value->bool_value = at_key_is(scalar(reader), "true");
		value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
	} else if (at_key_is(key, "intValue")) {
		value->int_value = integer(reader);
		value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	} else if (at_key_is(key, "doubleValue")) {
		value->double_value = floating(reader);
		value->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
	} else if (at_key_is(key, "arrayValue")) {
		set_array(reader, value);
	} else if (at_key_is(key, "kvlistValue")) {
		set_map(reader, value);
	} else if (at_key_is(key, "bytesValue")) {
		value->bytes_value = base64(reader);
		value->value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
	} else {
		at_json_skip(&reader->json);
	}
}

/* The depth of the JSON is bounded, and with it that of the recursion. */
static Otlp__AnyValue *read_any(struct at_otlp_reader *reader)
{
	Otlp__AnyValue *value = at_take(reader, sizeof(*value));
	struct at_text key;

	otlp__any_value__init(value);
	if (at_skip_null(reader) ||
	    !at_json_enter(&reader->json, AT_JSON_OBJECT))
		return value;
	while (at_json_key(&reader->json, &key))
		if (!at_skip_null(reader))
			read_value(reader, key, value);
	return value;
}

Otlp__KeyValue **at_read_pairs(struct at_otlp_reader *reader, size_t *count)
{
	struct at_otlp_list list = at_read_list(reader, read_pair);

	*count = list.count;
	return (Otlp__KeyValue **)list.item;
}
