// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "propagator/propagator.h"
#include "tests/support/guard_page.h"
#include "tests/support/vectors.h"

#define CANONICAL "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static struct guard_page page;

static void open_page(void)
{
	guard_page_open(&page, 4096);
}

static void close_page(void)
{
	guard_page_close(&page);
}

TestSuite(propagator_tracecontext, .init = open_page, .fini = close_page);

static int parse(const char *value, struct at_context *context)
{
	return at_traceparent_parse(guard_page_text(&page, at_text_from(value)),
				    context);
}

static const char *hex(const uint8_t *bytes, size_t count)
{
	static char text[2][40];
	static int turn;
	struct at_writer writer = AT_WRITER(text[turn ^= 1], sizeof(text[0]));

	at_write_hex(&writer, bytes, count);
	at_write_char(&writer, '\0');
	return writer.ptr;
}

static void check_accepted(const cJSON *vector,
			   const struct at_context *context)
{
	cr_expect_str_eq(hex(context->trace_id, sizeof(context->trace_id)),
			 vector_text(vector, "trace_id"));
	cr_expect_str_eq(hex(context->span_id, sizeof(context->span_id)),
			 vector_text(vector, "parent_id"));
	cr_expect_str_eq(hex(&context->flags, 1), vector_text(vector, "flags"));
	cr_expect(context->remote);
	cr_expect_eq(context->tracestate_len, 0);
}

/* Several fields are the caller's to refuse; joined they are refused here. */
static char *join(const cJSON *fields)
{
	const cJSON *field;
	char *joined = calloc(1, 4096);

	cJSON_ArrayForEach(field, fields) {
		if (*joined)
			strcat(joined, ",");
		strcat(joined, cJSON_GetStringValue(field));
	}
	return joined;
}

Test(propagator_tracecontext, traceparents_are_read_as_the_vectors_say)
{
	cJSON *all = vectors_load("traceparent"), *vector;

	cJSON_ArrayForEach(vector, all) {
		const cJSON *multi = cJSON_GetObjectItem(vector, "in_multi");
		struct at_context context = { .tracestate_len = 3 };
		char *value = multi ? join(multi) :
				      strdup(vector_text(vector, "in"));
		bool accept = vector_true(vector, "accept");

		cr_expect_eq(parse(value, &context), accept ? 0 : -EBADMSG,
			     "%s", vector_id(vector));
		if (accept)
			check_accepted(vector, &context);
		free(value);
	}
	cJSON_Delete(all);
}

Test(propagator_tracecontext, a_refused_value_changes_nothing)
{
	struct at_context before, context;
	char value[] = CANONICAL;
	size_t i;

	memset(&before, 0x5a, sizeof(before));
	for (i = 0; i < sizeof(value) - 1; i++) {
		char was = value[i];

		value[i] = 'G';
		context = before;
		cr_expect_eq(parse(value, &context), -EBADMSG, "%s", value);
		cr_expect_arr_eq(&context, &before, sizeof(context));
		value[i] = was;
	}
}

Test(propagator_tracecontext, a_value_cut_anywhere_is_refused)
{
	static const char *const values[] = { CANONICAL, "cc" };
	char longer[80];
	size_t len, v;

	for (v = 0; v < 2; v++) {
		struct at_context context;

		strcpy(longer, CANONICAL "-future");
		if (v)
			memcpy(longer, values[v], 2);
		for (len = 0; len < sizeof(CANONICAL "-future"); len++) {
			struct at_text cut = { longer, len };
			bool good = len == AT_TRACEPARENT_BYTES ||
				    (v && len > AT_TRACEPARENT_BYTES);

			cr_expect_eq(at_traceparent_parse(guard_page_text(&page,
									  cut),
							  &context) == 0,
				     good, "%zu", len);
		}
	}
}

Test(propagator_tracecontext, what_is_written_is_version_00_and_reads_back)
{
	struct at_context context = { .flags = 0xff }, back;
	int round, i;

	srandom(6);
	for (round = 0; round < 10000; round++) {
		char text[AT_TRACEPARENT_BYTES + 1] = { 0 };
		struct at_writer writer = AT_WRITER(text, AT_TRACEPARENT_BYTES);

		for (i = 0; i < AT_TRACE_ID_BYTES; i++)
			context.trace_id[i] = (uint8_t)random();
		for (i = 0; i < AT_SPAN_ID_BYTES; i++)
			context.span_id[i] = (uint8_t)random();
		context.flags = (uint8_t)random();
		at_traceparent_write(&writer, &context);
		cr_assert_not(writer.overflow);
		cr_assert_eq(writer.len, AT_TRACEPARENT_BYTES);
		cr_assert_eq(parse(text, &back), 0, "%s", text);
		cr_assert_arr_eq(back.trace_id, context.trace_id, 16);
		cr_assert_arr_eq(back.span_id, context.span_id, 8);
		cr_assert_eq(back.flags, context.flags & 3);
		cr_assert_eq(memcmp(text, "00-", 3), 0);
	}
}

Test(propagator_tracecontext, the_canonical_value_is_written_as_it_was_read)
{
	char text[64] = { 0 };
	struct at_writer writer = AT_WRITER(text, sizeof(text));
	struct at_context context;

	cr_assert_eq(parse(CANONICAL, &context), 0);
	at_traceparent_write(&writer, &context);
	cr_expect_str_eq(text, CANONICAL);
}
