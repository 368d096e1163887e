// SPDX-License-Identifier: Apache-2.0
/*
 * Values of all fields that carry contexts, one behind the other, each ended by
 * a newline. What is found is written, and read again: the same ids, the same
 * decision.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "propagator/propagator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define require(ok) ((ok) ? (void)0 : die(__LINE__, #ok))

static void die(int line, const char *what)
{
	fprintf(stderr, "line %d: %s\n", line, what);
	abort();
}

static const char *const names[] = {
	"b3",
	"x-b3-traceid",
	"x-b3-spanid",
	"x-b3-sampled",
	"x-b3-flags",
	"uber-trace-id",
	"x-amzn-trace-id",
	"x-datadog-trace-id",
	"x-datadog-parent-id",
	"x-datadog-sampling-priority",
	"x-datadog-tags",
	"traceparent",
	"tracestate",
};

#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

struct values {
	struct at_carrier carrier;
	struct at_text value[NAME_COUNT];
};

static struct at_text get(const struct at_carrier *carrier, const char *name)
{
	const struct values *values = (const struct values *)carrier;
	size_t i;

	for (i = 0; i < NAME_COUNT; i++)
		if (!strcmp(names[i], name))
			return values->value[i];
	return (struct at_text){ NULL, 0 };
}

static void read_lines(struct values *values, struct at_text lines)
{
	struct at_text line, field;
	size_t i;

	memset(values->value, 0, sizeof(values->value));
	while (lines.len && at_text_next(&lines, '\n', &line) && line.len) {
		field = at_text_before(line, ":");
		for (i = 0; i < NAME_COUNT; i++)
			if (at_text_equal(field, at_text_from(names[i])))
				values->value[i] = (struct at_text){
					line.ptr + field.len + 2,
					line.len - field.len - 3
				};
	}
}

static void again(const struct at_propagator *propagator,
		  const struct at_context *context)
{
	struct values values = { .carrier = { get } };
	struct at_context found;
	char text[1024];
	struct at_writer writer = AT_WRITER(text, sizeof(text));

	propagator->inject(context, &writer);
	require(!writer.overflow);
	read_lines(&values, at_writer_text(&writer));
	require(!propagator->extract(&values.carrier, &found));
	require(!memcmp(found.trace_id, context->trace_id, AT_TRACE_ID_BYTES));
	require(!memcmp(found.span_id, context->span_id, AT_SPAN_ID_BYTES));
	require(!((found.flags ^ context->flags) & AT_FLAG_SAMPLED) ||
		context->debug);
}

static void one(const struct at_propagator *propagator,
		const struct values *values)
{
	struct at_context context, before;
	uint64_t low = 0;
	int i;

	memset(&before, 0x5a, sizeof(before));
	context = before;
	if (propagator->extract(&values->carrier, &context)) {
		require(!memcmp(&context, &before, sizeof(context)));
		return;
	}
	if (!at_context_valid(&context))
		return;
	/* Datadog cannot say a trace id whose lower half is zero. */
	for (i = 8; i < AT_TRACE_ID_BYTES; i++)
		low |= context.trace_id[i];
	if (low)
		again(propagator, &context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct values values = { .carrier = { get } };
	struct at_text rest = { (const char *)data, size };
	size_t i;

	for (i = 0; i < NAME_COUNT && rest.len; i++)
		at_text_next(&rest, '\n', &values.value[i]);
	for (i = 0; at_propagators[i]; i++)
		if (at_propagators[i]->extract)
			one(at_propagators[i], &values);
	return 0;
}
