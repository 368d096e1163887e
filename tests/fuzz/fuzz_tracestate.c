// SPDX-License-Identifier: Apache-2.0
/*
 * A line is a field. What is accepted is within the limits, names no key
 * twice, consists of members that were received, and reads the same again;
 * what is refused leaves nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "propagator/propagator.h"

#define FIELD_MAX 8
#define MEMBER_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static bool received(const uint8_t *data, size_t size, struct at_text member)
{
	return memmem(data, size, member.ptr, member.len) != NULL;
}

static void check_members(const uint8_t *data, size_t size,
			  struct at_text state)
{
	struct at_text keys[MEMBER_MAX], member;
	unsigned int count = 0, i;

	if (!state.len)
		return;
	while (at_text_next(&state, ',', &member)) {
		struct at_text rest = member;

		require(count < MEMBER_MAX);
		require(received(data, size, member));
		require(at_text_next(&rest, '=', &keys[count]));
		require(keys[count].len && rest.ptr && rest.len);
		require(rest.ptr[rest.len - 1] != ' ');
		for (i = 0; i < count; i++)
			require(!at_text_equal(keys[i], keys[count]));
		count++;
	}
}

static void check_again(const struct at_context *context)
{
	struct at_text state = { context->tracestate, context->tracestate_len };
	struct at_context again;

	require(!at_tracestate_parse(&state, 1, &again));
	require(again.tracestate_len == context->tracestate_len);
	require(!memcmp(again.tracestate, state.ptr, state.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct at_text rest = { (const char *)data, size };
	struct at_text fields[FIELD_MAX], state;
	struct at_context context;
	size_t count = 0;

	while (count < FIELD_MAX && at_text_next(&rest, '\n', &fields[count]))
		count++;
	if (at_tracestate_parse(fields, count, &context)) {
		require(context.tracestate_len == 0);
		return 0;
	}
	require(context.tracestate_len <= sizeof(context.tracestate));
	state = (struct at_text){ context.tracestate, context.tracestate_len };
	check_members(data, size, state);
	check_again(&context);
	return 0;
}
