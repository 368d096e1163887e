// SPDX-License-Identifier: Apache-2.0
#include "core/span.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define FIELD_HEAD_BYTES 4
#define HEADER_BYTES ((uint32_t)offsetof(struct at_span, fields))

/* Room kept for error.type and status, which are set last and matter most. */
#define RESERVED_BYTES 96

_Static_assert(sizeof(struct at_span) <= 2048, "one span is at most 2 KiB");
_Static_assert(AT_ATTR_COUNT <= 64, "one bit an attribute");

const struct at_attr_info at_attr_table[AT_ATTR_COUNT] = {
#define ATTR(id, name, type, help) { name, AT_TYPE_##type, help },
#include "core/attributes.def"
#undef ATTR
};

static bool all_zero(const uint8_t *bytes, size_t count)
{
	while (count--)
		if (*bytes++)
			return false;
	return true;
}

bool at_context_valid(const struct at_context *context)
{
	return !all_zero(context->trace_id, AT_TRACE_ID_BYTES) &&
	       !all_zero(context->span_id, AT_SPAN_ID_BYTES);
}

void at_context_copy(struct at_context *to, const struct at_context *from)
{
	memcpy(to, from,
	       offsetof(struct at_context, tracestate) + from->tracestate_len);
}

void at_span_init(struct at_span *span, enum at_span_kind kind)
{
	memset(span, 0, HEADER_BYTES);
	span->size_bytes = HEADER_BYTES;
	span->kind = (uint8_t)kind;
}

static uint32_t used_bytes(const struct at_span *span)
{
	return span->size_bytes - HEADER_BYTES;
}

bool at_span_next(const struct at_span *span, uint32_t *offset,
		  struct at_field *field)
{
	const uint8_t *at = span->fields + *offset;
	uint16_t len;

	if (*offset >= used_bytes(span))
		return false;
	memcpy(&len, at + 2, sizeof(len));
	field->attr = at[0];
	field->type = at[1];
	field->text.ptr = (const char *)at + FIELD_HEAD_BYTES;
	field->text.len = len;
	field->number = 0;
	field->real = 0;
	if (field->type == AT_TYPE_INT)
		memcpy(&field->number, field->text.ptr, sizeof(field->number));
	else if (field->type == AT_TYPE_BOOL)
		field->number = field->text.ptr[0] != 0;
	else if (field->type == AT_TYPE_DOUBLE)
		memcpy(&field->real, field->text.ptr, sizeof(field->real));
	*offset += FIELD_HEAD_BYTES + len;
	return true;
}

bool at_span_find(const struct at_span *span, enum at_attr attr,
		  struct at_field *field)
{
	uint32_t offset = 0;

	while (at_span_next(span, &offset, field))
		if (field->attr == attr)
			return true;
	return false;
}

static void remove_field(struct at_span *span, const struct at_field *field)
{
	uint8_t *at = (uint8_t *)(uintptr_t)field->text.ptr - FIELD_HEAD_BYTES;
	uint32_t len = FIELD_HEAD_BYTES + (uint32_t)field->text.len;
	uint8_t *end = span->fields + used_bytes(span);

	memmove(at, at + len, (size_t)(end - at - len));
	span->size_bytes -= len;
	if (field->attr < AT_ATTR_COUNT)
		span->attr_count--;
}

/* Never cut inside a UTF-8 sequence. */
static uint32_t cut_length(const char *ptr, uint32_t len)
{
	uint32_t cut = len;

	while (cut && ((uint8_t)ptr[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

/* For a value behind its head; negative where even the head does not fit. */
static int32_t room_for(const struct at_span *span, enum at_attr attr)
{
	int32_t cap = AT_SPAN_FIELDS_BYTES - FIELD_HEAD_BYTES;

	if (attr != AT_ATTR_ERROR_TYPE &&
	    attr != AT_ATTR_HTTP_RESPONSE_STATUS_CODE)
		cap -= RESERVED_BYTES;
	return cap - (int32_t)used_bytes(span);
}

/* In place, when the new value has the same form. */
static bool replace_field(const struct at_field *field, enum at_attr_type type,
			  const void *value, uint32_t len)
{
	if (field->type != type || field->text.len != len)
		return false;
	if (len)
		memmove((char *)(uintptr_t)field->text.ptr, value, len);
	return true;
}

static void put(struct at_span *span, enum at_attr attr, enum at_attr_type type,
		const void *value, size_t size)
{
	uint64_t bit = UINT64_C(1) << (attr & 63);
	uint8_t *at;
	struct at_field old;
	uint32_t len = size > UINT16_MAX ? UINT16_MAX : (uint32_t)size;
	int32_t room;
	uint16_t len16;

	if ((span->present & bit) && at_span_find(span, attr, &old)) {
		if (replace_field(&old, type, value, len))
			return;
		remove_field(span, &old);
	}
	room = room_for(span, attr);
	if ((int32_t)len > room) {
		if (type != AT_TYPE_TEXT || room < 16) {
			span->dropped_attr_count++;
			return;
		}
		len = cut_length(value, (uint32_t)room);
		span->truncated = 1;
	}
	at = span->fields + used_bytes(span);
	len16 = (uint16_t)len;
	at[0] = (uint8_t)attr;
	at[1] = (uint8_t)type;
	memcpy(at + 2, &len16, sizeof(len16));
	if (len)
		memcpy(at + FIELD_HEAD_BYTES, value, len);
	span->size_bytes += FIELD_HEAD_BYTES + len;
	span->present |= bit;
	if (attr < AT_ATTR_COUNT)
		span->attr_count++;
}

void at_span_set_text(struct at_span *span, enum at_attr attr,
		      struct at_text value)
{
	put(span, attr, AT_TYPE_TEXT, value.ptr, value.len);
}

void at_span_extend_text(struct at_span *span, enum at_attr attr,
			 struct at_text value)
{
	char *end = (char *)span->fields + used_bytes(span);
	int32_t room = room_for(span, attr) + FIELD_HEAD_BYTES;
	struct at_field last;
	uint16_t len16;

	if (!at_span_find(span, attr, &last) || last.type != AT_TYPE_TEXT ||
	    last.text.ptr + last.text.len != end)
		return;
	if (room < 0)
		room = 0;
	if (value.len > (size_t)room) {
		value.len = cut_length(value.ptr, (uint32_t)room);
		span->truncated = 1;
	}
	if (value.len)
		memcpy(end, value.ptr, value.len);
	span->size_bytes += (uint32_t)value.len;
	len16 = (uint16_t)(last.text.len + value.len);
	memcpy((char *)(uintptr_t)last.text.ptr - sizeof(len16), &len16,
	       sizeof(len16));
}

void at_span_set_int(struct at_span *span, enum at_attr attr, int64_t value)
{
	put(span, attr, AT_TYPE_INT, &value, sizeof(value));
}

void at_span_set_double(struct at_span *span, enum at_attr attr, double value)
{
	put(span, attr, AT_TYPE_DOUBLE, &value, sizeof(value));
}

void at_span_set_texts(struct at_span *span, enum at_attr attr,
		       struct at_text items)
{
	put(span, attr, AT_TYPE_TEXTS, items.ptr, items.len);
}

void at_span_set_bool(struct at_span *span, enum at_attr attr, bool value)
{
	uint8_t byte = value;

	put(span, attr, AT_TYPE_BOOL, &byte, 1);
}

void at_span_set_name(struct at_span *span, struct at_text name)
{
	at_span_set_text(span, AT_FIELD_NAME, name);
}

void at_span_set_tracestate(struct at_span *span, struct at_text value)
{
	if (value.len)
		at_span_set_text(span, AT_FIELD_TRACESTATE, value);
}

void at_span_set_error(struct at_span *span, struct at_text type)
{
	if (span->status == AT_STATUS_ERROR)
		return;
	span->status = AT_STATUS_ERROR;
	at_span_set_text(span, AT_ATTR_ERROR_TYPE, type);
}

static bool field_fits(uint8_t type, uint16_t len)
{
	switch (type) {
	case AT_TYPE_TEXT:
	case AT_TYPE_TEXTS:
		return true;
	case AT_TYPE_INT:
	case AT_TYPE_DOUBLE:
		return len == 8;
	case AT_TYPE_BOOL:
		return len == 1;
	default:
		return false;
	}
}

int at_span_check(const struct at_span *span, uint32_t size_bytes)
{
	uint32_t offset = 0, used;
	uint16_t len;

	if (size_bytes < HEADER_BYTES || size_bytes > sizeof(*span) ||
	    span->size_bytes != size_bytes)
		return -EBADMSG;
	if (span->kind < AT_KIND_INTERNAL || span->kind > 5 ||
	    span->status > 2 || span->record > AT_RECORD_CRASHED)
		return -EBADMSG;
	used = used_bytes(span);
	while (offset < used) {
		const uint8_t *at = span->fields + offset;

		if (used - offset < FIELD_HEAD_BYTES)
			return -EBADMSG;
		memcpy(&len, at + 2, sizeof(len));
		if (len > used - offset - FIELD_HEAD_BYTES ||
		    !field_fits(at[1], len) ||
		    (at[0] >= AT_ATTR_COUNT &&
		     (at[0] < AT_FIELD_NAME || at[0] >= AT_FIELD_END)))
			return -EBADMSG;
		offset += FIELD_HEAD_BYTES + len;
	}
	return 0;
}
