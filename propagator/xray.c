// SPDX-License-Identifier: Apache-2.0
/* AWS X-Ray's x-amzn-trace-id (PRP-36). */
#include <errno.h>
#include <string.h>

#include "propagator/formats.h"

#define TIME_DIGITS 8

/* 1-{8 digits}-{24 digits} */
static int parse_root(struct at_text value, uint8_t *trace_id)
{
	char digits[2 * AT_TRACE_ID_BYTES];

	if (value.len != 2 + sizeof(digits) + 1 || value.ptr[0] != '1' ||
	    value.ptr[1] != '-' || value.ptr[2 + TIME_DIGITS] != '-')
		return -EBADMSG;
	memcpy(digits, value.ptr + 2, TIME_DIGITS);
	memcpy(digits + TIME_DIGITS, value.ptr + 2 + TIME_DIGITS + 1,
	       sizeof(digits) - TIME_DIGITS);
	return context_id_parse((struct at_text){ digits, sizeof(digits) },
				trace_id, AT_TRACE_ID_BYTES);
}

static int parse_parent(struct at_text value, uint8_t *span_id)
{
	return value.len == 16 ?
		       context_id_parse(value, span_id, AT_SPAN_ID_BYTES) :
		       -EBADMSG;
}

static int note(struct at_text key, struct at_text value,
		struct at_context *found)
{
	if (at_text_equal_nocase(key, AT_TEXT("Root")))
		return parse_root(value, found->trace_id);
	if (at_text_equal_nocase(key, AT_TEXT("Parent")))
		return parse_parent(value, found->span_id);
	if (!at_text_equal_nocase(key, AT_TEXT("Sampled")))
		return 0;
	found->undecided = at_text_equal(value, AT_TEXT("?"));
	if (at_text_equal(value, AT_TEXT("1")))
		found->flags = AT_FLAG_SAMPLED;
	return 0;
}

static int extract(const struct at_carrier *carrier, struct at_context *context)
{
	struct at_text rest = carrier->get(carrier, "x-amzn-trace-id");
	struct at_context found = { .undecided = true };
	struct at_text item, key;

	if (!rest.len)
		return -ENOENT;
	while (at_text_next(&rest, ';', &item)) {
		if (!at_text_next(&item, '=', &key) || !item.ptr ||
		    note(at_text_trim(key), at_text_trim(item), &found))
			return -EBADMSG;
	}
	if (!at_context_valid(&found))
		return -EBADMSG;
	context_take(context, &found);
	return 0;
}

static void inject(const struct at_context *context, struct at_writer *writer)
{
	at_write_string(writer, "x-amzn-trace-id: Root=1-");
	at_write_hex(writer, context->trace_id, TIME_DIGITS / 2);
	at_write_char(writer, '-');
	at_write_hex(writer, context->trace_id + TIME_DIGITS / 2,
		     AT_TRACE_ID_BYTES - TIME_DIGITS / 2);
	at_write_string(writer, ";Parent=");
	at_write_hex(writer, context->span_id, AT_SPAN_ID_BYTES);
	at_write_string(writer, context_is_sampled(context) ? ";Sampled=1\r\n" :
							      ";Sampled=0\r\n");
}

const struct at_propagator at_propagator_xray = { "xray", inject, extract,
						  "x-amzn-trace-id\0" };
