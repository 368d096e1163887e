// SPDX-License-Identifier: Apache-2.0
/*
 * Datadog's x-datadog-*: the lower half of the trace id and the span id in
 * decimal, the upper half in a tag (PRP-39). The origin is not carried.
 */
#include <errno.h>
#include <string.h>

#include "propagator/formats.h"

#define HALF (AT_TRACE_ID_BYTES / 2)

static void write_number(uint8_t *id, uint64_t number)
{
	int i;

	for (i = HALF - 1; i >= 0; i--, number >>= 8)
		id[i] = (uint8_t)number;
}

static uint64_t read_number(const uint8_t *id)
{
	uint64_t number = 0;
	int i;

	for (i = 0; i < HALF; i++)
		number = number << 8 | id[i];
	return number;
}

static int parse_id(struct at_text value, uint8_t *id)
{
	uint64_t number;

	if (at_text_to_u64(value, &number) || !number)
		return -EBADMSG;
	write_number(id, number);
	return 0;
}

/* The tag of the upper half; one that is not whole is as good as none. */
static void parse_tags(struct at_text tags, uint8_t *trace_id)
{
	static const struct at_text name = AT_TEXT("_dd.p.tid=");
	struct at_text item;

	while (tags.len && at_text_next(&tags, ',', &item)) {
		if (item.len != name.len + 2 * HALF ||
		    memcmp(item.ptr, name.ptr, name.len) != 0)
			continue;
		at_text_from_hex((struct at_text){ item.ptr + name.len,
						   2 * HALF },
				 trace_id, HALF);
	}
}

/* -1 and 0 drop, 1 and 2 keep. */
static int parse_priority(struct at_text value, struct at_context *found)
{
	bool negative = value.len && *value.ptr == '-';
	uint64_t number;

	found->undecided = !value.len;
	if (!value.len)
		return 0;
	value.ptr += negative;
	value.len -= negative;
	if (at_text_to_u64(value, &number))
		return -EBADMSG;
	if (number && !negative)
		found->flags = AT_FLAG_SAMPLED;
	return 0;
}

static int extract(const struct at_carrier *carrier, struct at_context *context)
{
	struct at_text trace = carrier->get(carrier, "x-datadog-trace-id");
	struct at_context found = { .undecided = true };

	if (!trace.len)
		return -ENOENT;
	if (parse_id(trace, found.trace_id + HALF) ||
	    parse_id(carrier->get(carrier, "x-datadog-parent-id"),
		     found.span_id) ||
	    parse_priority(carrier->get(carrier, "x-datadog-sampling-priority"),
			   &found))
		return -EBADMSG;
	parse_tags(carrier->get(carrier, "x-datadog-tags"), found.trace_id);
	context_take(context, &found);
	return 0;
}

static void inject(const struct at_context *context, struct at_writer *writer)
{
	at_write_string(writer, "x-datadog-trace-id: ");
	at_write_u64(writer, read_number(context->trace_id + HALF));
	at_write_string(writer, "\r\nx-datadog-parent-id: ");
	at_write_u64(writer, read_number(context->span_id));
	at_write_string(writer, "\r\nx-datadog-sampling-priority: ");
	at_write_char(writer, context_is_sampled(context) ? '1' : '0');
	if (!context_id_is_zero(context->trace_id, HALF)) {
		at_write_string(writer, "\r\nx-datadog-tags: _dd.p.tid=");
		at_write_hex(writer, context->trace_id, HALF);
	}
	at_write_string(writer, "\r\n");
}

const struct at_propagator at_propagator_datadog = {
	"datadog", inject, extract,
	"x-datadog-trace-id\0x-datadog-parent-id\0"
	"x-datadog-sampling-priority\0x-datadog-tags\0"
};
