// SPDX-License-Identifier: Apache-2.0
/* W3C Trace Context level 2: traceparent. */
#include <errno.h>
#include <string.h>

#include "propagator/formats.h"

/* 00-{trace id, 32}-{parent id, 16}-{flags, 2} */
#define TRACE_ID_AT 3
#define SPAN_ID_AT AT_TRACEPARENT_PARENT_AT
#define FLAGS_AT 53
#define KNOWN_FLAGS (AT_FLAG_SAMPLED | AT_FLAG_RANDOM)

static int parse_hex(struct at_text value, size_t at, uint8_t *bytes,
		     size_t count)
{
	struct at_text hex = { value.ptr + at, 2 * count };

	return at_text_from_hex(hex, bytes, count);
}

/* A version we do not know yet may go on behind a dash. */
static bool is_length_right(struct at_text value, uint8_t version)
{
	if (value.len == AT_TRACEPARENT_BYTES)
		return true;
	return version != 0 && value.ptr[AT_TRACEPARENT_BYTES] == '-';
}

int at_traceparent_parse(struct at_text value, struct at_context *context)
{
	uint8_t trace_id[AT_TRACE_ID_BYTES], span_id[AT_SPAN_ID_BYTES];
	uint8_t version, flags;

	value = at_text_trim(value);
	if (value.len < AT_TRACEPARENT_BYTES)
		return -EBADMSG;
	if (parse_hex(value, 0, &version, 1) || version == 0xff ||
	    !is_length_right(value, version))
		return -EBADMSG;
	if (value.ptr[TRACE_ID_AT - 1] != '-' ||
	    value.ptr[SPAN_ID_AT - 1] != '-' || value.ptr[FLAGS_AT - 1] != '-')
		return -EBADMSG;
	if (parse_hex(value, TRACE_ID_AT, trace_id, AT_TRACE_ID_BYTES) ||
	    parse_hex(value, SPAN_ID_AT, span_id, AT_SPAN_ID_BYTES) ||
	    parse_hex(value, FLAGS_AT, &flags, 1) ||
	    context_id_is_zero(trace_id, AT_TRACE_ID_BYTES) ||
	    context_id_is_zero(span_id, AT_SPAN_ID_BYTES))
		return -EBADMSG;
	memcpy(context->trace_id, trace_id, AT_TRACE_ID_BYTES);
	memcpy(context->span_id, span_id, AT_SPAN_ID_BYTES);
	context->flags = flags & KNOWN_FLAGS;
	context->remote = true;
	context->debug = false;
	context->undecided = false;
	context->tracestate_len = 0;
	return 0;
}

bool at_traceparent_is_signed(struct at_text lines)
{
	static const struct at_text name = AT_TEXT("traceparent");
	const char *at = lines.ptr, *end = lines.ptr + lines.len;

	while ((at = memmem(at, (size_t)(end - at), name.ptr, name.len))) {
		if (at > lines.ptr && at[-1] != '\n')
			return true;
		at += name.len;
	}
	return false;
}

void at_traceparent_write(struct at_writer *writer,
			  const struct at_context *context)
{
	uint8_t flags = context->flags & KNOWN_FLAGS;

	at_write_string(writer, "00-");
	context_write_ids(writer, context, '-');
	at_write_char(writer, '-');
	at_write_hex(writer, &flags, 1);
}

static void inject(const struct at_context *context, struct at_writer *writer)
{
	struct at_text state = { context->tracestate, context->tracestate_len };

	at_write_string(writer, "traceparent: ");
	at_traceparent_write(writer, context);
	at_write_string(writer, "\r\n");
	if (!state.len)
		return;
	at_write_string(writer, "tracestate: ");
	at_write_text(writer, state);
	at_write_string(writer, "\r\n");
}

static int extract(const struct at_carrier *carrier, struct at_context *context)
{
	struct at_text parent = carrier->get(carrier, "traceparent");
	struct at_text state = carrier->get(carrier, "tracestate");

	if (!parent.ptr)
		return -ENOENT;
	if (at_traceparent_parse(parent, context))
		return -EBADMSG;
	if (state.len)
		at_tracestate_parse(&state, 1, context);
	return 0;
}

const struct at_propagator at_propagator_tracecontext = {
	"tracecontext", inject, extract, "traceparent\0tracestate\0"
};
