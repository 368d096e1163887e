// SPDX-License-Identifier: Apache-2.0
/*
 * First byte even: the rest is a record as it may come out of shared memory.
 * What the check accepts can be walked to its end within its bounds.
 * Odd: the rest is a program of setters. The span is sound after each, and
 * what was set last is found, unless the span says that it was cut or dropped.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/span.h"

#define HEADER_BYTES offsetof(struct at_span, fields)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void walk(const struct at_span *span, uint32_t size)
{
	const char *end = (const char *)span + size;
	struct at_field field, found;
	uint32_t offset = 0;

	while (at_span_next(span, &offset, &field)) {
		require(field.text.ptr + field.text.len <= end);
		require(field.attr < AT_ATTR_COUNT ||
			(field.attr >= AT_FIELD_NAME &&
			 field.attr < AT_FIELD_END));
		require(at_span_find(span, field.attr, &found));
		require(found.text.ptr <= field.text.ptr);
	}
	require(offset == size - HEADER_BYTES);
}

static void check_record(const uint8_t *data, size_t size)
{
	uint32_t length = (uint32_t)size;
	struct at_span *span;

	if (size > sizeof(*span))
		return;
	/* Of its exact size, so that reading on is noticed. */
	span = malloc(size ? size : 1);
	memcpy(span, data, size);
	if (!at_span_check(span, length))
		walk(span, length);
	if (size >= HEADER_BYTES) {
		span->size_bytes = length;
		if (!at_span_check(span, length))
			walk(span, length);
	}
	free(span);
}

struct step {
	uint8_t what;
	uint8_t attr;
	struct at_text value;
};

static bool next_step(struct at_text *rest, struct step *step)
{
	size_t len;

	if (rest->len < 4)
		return false;
	step->what = (uint8_t)rest->ptr[0] % 6;
	step->attr = (uint8_t)rest->ptr[1] % AT_ATTR_COUNT;
	len = ((size_t)(uint8_t)rest->ptr[2] << 3) |
	      ((uint8_t)rest->ptr[3] & 7);
	rest->ptr += 4;
	rest->len -= 4;
	if (len > rest->len)
		len = rest->len;
	step->value = (struct at_text){ rest->ptr, len };
	rest->ptr += len;
	rest->len -= len;
	return true;
}

static void check_text(const struct at_span *span, enum at_attr attr,
		       struct at_text value, bool was_dropped)
{
	struct at_field field;

	if (was_dropped)
		return;
	require(at_span_find(span, attr, &field));
	require(field.type == AT_TYPE_TEXT && field.text.len <= value.len);
	require(field.text.len == value.len || span->truncated);
	require(!field.text.len ||
		!memcmp(field.text.ptr, value.ptr, field.text.len));
}

static void run_step(struct at_span *span, const struct step *step)
{
	uint16_t dropped = span->dropped_attr_count;
	enum at_attr attr = (enum at_attr)step->attr;
	struct at_field field;

	switch (step->what) {
	case 0:
		at_span_set_int(span, attr, (int64_t)step->value.len - 5);
		if (span->dropped_attr_count == dropped) {
			require(at_span_find(span, attr, &field));
			require(field.number == (int64_t)step->value.len - 5);
		}
		break;
	case 1:
		at_span_set_bool(span, attr, step->value.len & 1);
		break;
	case 2:
		at_span_set_name(span, step->value);
		check_text(span, AT_FIELD_NAME, step->value,
			   span->dropped_attr_count != dropped);
		break;
	case 3:
		at_span_set_error(span, step->value);
		require(span->status == AT_STATUS_ERROR);
		break;
	case 4:
		at_span_set_tracestate(span, step->value);
		break;
	default:
		at_span_set_text(span, attr, step->value);
		check_text(span, attr, step->value,
			   span->dropped_attr_count != dropped);
	}
	require(!at_span_check(span, span->size_bytes));
}

static void run_program(const uint8_t *data, size_t size)
{
	struct at_text rest = { (const char *)data, size };
	struct at_span *span = malloc(sizeof(*span));
	struct at_field field;
	uint32_t offset = 0, count = 0;
	struct step step;

	at_span_init(span, AT_KIND_CLIENT);
	while (next_step(&rest, &step))
		run_step(span, &step);
	walk(span, span->size_bytes);
	while (at_span_next(span, &offset, &field))
		count += field.attr < AT_ATTR_COUNT;
	require(count == span->attr_count);
	free(span);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (data[0] & 1)
		run_program(data + 1, size - 1);
	else
		check_record(data + 1, size - 1);
	return 0;
}
