// SPDX-License-Identifier: Apache-2.0
/*
 * B3 of Zipkin: one field `b3`, or several `x-b3-*`. Either reads both, the
 * single field first; they differ in what they write (PRP-29..33).
 */
#include <errno.h>
#include <string.h>

#include "propagator/formats.h"

static int parse_ids(struct at_text trace, struct at_text span,
		     struct at_context *context)
{
	if ((trace.len != 16 && trace.len != 32) || span.len != 16 ||
	    context_id_parse(trace, context->trace_id, AT_TRACE_ID_BYTES) ||
	    context_id_parse(span, context->span_id, AT_SPAN_ID_BYTES))
		return -EBADMSG;
	return 0;
}

/* `1`, `0`, `d`: accepted, denied, debugged. */
static int parse_state(struct at_text state, struct at_context *context)
{
	if (state.len != 1)
		return -EBADMSG;
	context->undecided = false;
	switch (*state.ptr) {
	case 'd':
		context->debug = true;
		/* fallthrough */
	case '1':
		context->flags = AT_FLAG_SAMPLED;
		return 0;
	case '0':
		context->flags = 0;
		return 0;
	default:
		return -EBADMSG;
	}
}

/* A decision without ids is no parent, and not taken for one. */
static int parse_single(struct at_text value, struct at_context *found)
{
	struct at_text trace, span, state, rest = at_text_trim(value);

	if (rest.len == 1)
		return parse_state(rest, found);
	if (!at_text_next(&rest, '-', &trace) ||
	    !at_text_next(&rest, '-', &span) || parse_ids(trace, span, found))
		return -EBADMSG;
	if (!at_text_next(&rest, '-', &state))
		return 0;
	/* What stands behind it names the sender's parent. */
	return parse_state(state, found);
}

static int parse_sampled(struct at_text value, struct at_context *found)
{
	if (at_text_equal(value, AT_TEXT("true")))
		value = AT_TEXT("1");
	else if (at_text_equal(value, AT_TEXT("false")))
		value = AT_TEXT("0");
	return at_text_equal(value, AT_TEXT("d")) ? -EBADMSG :
						    parse_state(value, found);
}

static int parse_multi(const struct at_carrier *carrier,
		       struct at_context *found)
{
	struct at_text trace = carrier->get(carrier, "x-b3-traceid");
	struct at_text span = carrier->get(carrier, "x-b3-spanid");
	struct at_text sampled = carrier->get(carrier, "x-b3-sampled");
	struct at_text flags = carrier->get(carrier, "x-b3-flags");
	bool debug = at_text_equal(flags, AT_TEXT("1"));

	if (!trace.len && !span.len && !sampled.len && !debug)
		return -ENOENT;
	if ((trace.len || span.len) && parse_ids(trace, span, found))
		return -EBADMSG;
	if (debug)
		return parse_state(AT_TEXT("d"), found);
	return sampled.len ? parse_sampled(sampled, found) : 0;
}

static int extract(const struct at_carrier *carrier, struct at_context *context)
{
	struct at_context found = { .undecided = true };
	struct at_text single = carrier->get(carrier, "b3");
	int error = single.len ? parse_single(single, &found) : -ENOENT;

	if (error) {
		found = (struct at_context){ .undecided = true };
		error = parse_multi(carrier, &found);
	}
	if (!error)
		context_take(context, &found);
	return error;
}

static void inject_single(const struct at_context *context,
			  struct at_writer *writer)
{
	at_write_string(writer, "b3: ");
	context_write_ids(writer, context, '-');
	at_write_string(writer, context->debug              ? "-d\r\n" :
				context_is_sampled(context) ? "-1\r\n" :
							      "-0\r\n");
}

static void inject_multi(const struct at_context *context,
			 struct at_writer *writer)
{
	at_write_string(writer, "x-b3-traceid: ");
	at_write_hex(writer, context->trace_id, AT_TRACE_ID_BYTES);
	at_write_string(writer, "\r\nx-b3-spanid: ");
	at_write_hex(writer, context->span_id, AT_SPAN_ID_BYTES);
	at_write_string(writer, context->debug ? "\r\nx-b3-flags: 1\r\n" :
				context_is_sampled(context) ?
						 "\r\nx-b3-sampled: 1\r\n" :
						 "\r\nx-b3-sampled: 0\r\n");
}

#define FIELDS                                                      \
	"b3\0x-b3-traceid\0x-b3-spanid\0x-b3-sampled\0x-b3-flags\0" \
	"x-b3-parentspanid\0"

const struct at_propagator at_propagator_b3 = { "b3", inject_single, extract,
						FIELDS };
const struct at_propagator at_propagator_b3multi = { "b3multi", inject_multi,
						     extract, FIELDS };
