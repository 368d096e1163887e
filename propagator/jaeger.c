// SPDX-License-Identifier: Apache-2.0
/* Jaeger's uber-trace-id (PRP-34); its baggage is not carried. */
#include <errno.h>
#include <string.h>

#include "propagator/formats.h"

#define SAMPLED 1u
#define DEBUG 2u
#define PARTS 4
#define ESCAPED "%3A"

/* Up to the next colon, which may be written as a browser would. */
static bool next_part(struct at_text *rest, struct at_text *part)
{
	size_t i;

	if (!rest->ptr)
		return false;
	for (i = 0; i < rest->len; i++) {
		size_t skip = rest->ptr[i] == ':' ? 1 : 0;

		if (!skip && rest->len - i >= 3 &&
		    at_text_equal_nocase((struct at_text){ rest->ptr + i, 3 },
					 AT_TEXT(ESCAPED)))
			skip = 3;
		if (!skip)
			continue;
		*part = (struct at_text){ rest->ptr, i };
		rest->ptr += i + skip;
		rest->len -= i + skip;
		return true;
	}
	*part = *rest;
	rest->ptr = NULL;
	return true;
}

static int parse_flags(struct at_text digits, uint8_t *flags)
{
	char two[2] = { '0', '0' };

	if (!digits.len || digits.len > 2)
		return -EBADMSG;
	memcpy(two + 2 - digits.len, digits.ptr, digits.len);
	return at_text_from_hex((struct at_text){ two, 2 }, flags, 1);
}

static int extract(const struct at_carrier *carrier, struct at_context *context)
{
	struct at_text rest =
		at_text_trim(carrier->get(carrier, "uber-trace-id"));
	struct at_context found = { .undecided = false };
	struct at_text part[PARTS];
	uint8_t flags;
	int i;

	if (!rest.len)
		return -ENOENT;
	for (i = 0; i < PARTS; i++)
		if (!next_part(&rest, &part[i]))
			return -EBADMSG;
	/* The third was the parent's; nobody needs it any more. */
	if (rest.ptr ||
	    context_id_parse(part[0], found.trace_id, AT_TRACE_ID_BYTES) ||
	    context_id_parse(part[1], found.span_id, AT_SPAN_ID_BYTES) ||
	    parse_flags(part[3], &flags))
		return -EBADMSG;
	if (flags & SAMPLED) {
		found.flags = AT_FLAG_SAMPLED;
		found.debug = flags == (SAMPLED | DEBUG);
	}
	context_take(context, &found);
	return 0;
}

static void inject(const struct at_context *context, struct at_writer *writer)
{
	at_write_string(writer, "uber-trace-id: ");
	context_write_ids(writer, context, ':');
	at_write_string(writer, context->debug              ? ":0:3\r\n" :
				context_is_sampled(context) ? ":0:1\r\n" :
							      ":0:0\r\n");
}

const struct at_propagator at_propagator_jaeger = { "jaeger", inject, extract,
						    "uber-trace-id\0" };
