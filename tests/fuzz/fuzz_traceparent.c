// SPDX-License-Identifier: Apache-2.0
/*
 * What is accepted is valid and is written again as it was read (but for the
 * version and unknown flags); what is refused changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "propagator/propagator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_accepted(struct at_text value,
			   const struct at_context *context)
{
	char text[AT_TRACEPARENT_BYTES];
	struct at_writer writer = AT_WRITER(text, sizeof(text));
	struct at_text trimmed = at_text_trim(value);
	struct at_context again;

	require(at_context_valid(context));
	require(context->remote && context->tracestate_len == 0);
	require(!(context->flags & ~(AT_FLAG_SAMPLED | AT_FLAG_RANDOM)));
	at_traceparent_write(&writer, context);
	require(!writer.overflow && writer.len == sizeof(text));
	/* All between version and flags. */
	require(!memcmp(text + 2, trimmed.ptr + 2, sizeof(text) - 4));
	require(!memcmp(text, "00", 2));
	require(!at_traceparent_parse(at_writer_text(&writer), &again));
	require(!memcmp(again.trace_id, context->trace_id, AT_TRACE_ID_BYTES));
	require(!memcmp(again.span_id, context->span_id, AT_SPAN_ID_BYTES));
	require(again.flags == context->flags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct at_text value = { (const char *)data, size };
	struct at_context context, before;

	memset(&before, 0x5a, sizeof(before));
	context = before;
	if (at_traceparent_parse(value, &context))
		require(!memcmp(&context, &before, sizeof(context)));
	else
		check_accepted(value, &context);
	return 0;
}
