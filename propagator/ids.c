// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>

#include "propagator/formats.h"

bool context_id_is_zero(const uint8_t *id, size_t count)
{
	uint8_t any = 0;

	while (count--)
		any |= id[count];
	return !any;
}

int context_id_parse(struct at_text digits, uint8_t *id, size_t count)
{
	char whole[2 * AT_TRACE_ID_BYTES];

	if (!digits.len || digits.len > 2 * count)
		return -EBADMSG;
	memset(whole, '0', sizeof(whole));
	memcpy(whole + 2 * count - digits.len, digits.ptr, digits.len);
	if (at_text_from_hex((struct at_text){ whole, 2 * count }, id, count) ||
	    context_id_is_zero(id, count))
		return -EBADMSG;
	return 0;
}

void context_take(struct at_context *context, const struct at_context *found)
{
	memcpy(context->trace_id, found->trace_id, AT_TRACE_ID_BYTES);
	memcpy(context->span_id, found->span_id, AT_SPAN_ID_BYTES);
	context->flags = found->flags;
	context->debug = found->debug;
	context->undecided = found->undecided;
	context->remote = true;
	context->tracestate_len = 0;
}

void context_write_ids(struct at_writer *writer,
		       const struct at_context *context, char separator)
{
	at_write_hex(writer, context->trace_id, AT_TRACE_ID_BYTES);
	at_write_char(writer, separator);
	at_write_hex(writer, context->span_id, AT_SPAN_ID_BYTES);
}

bool context_is_sampled(const struct at_context *context)
{
	return context->flags & AT_FLAG_SAMPLED;
}
