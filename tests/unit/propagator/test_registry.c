// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "propagator/propagator.h"
#include "sampler/sampler.h"
#include "tests/support/guard_page.h"
#include "tests/support/vectors.h"

static struct at_propagator_set set;

static void expect_set(const char *list, int unknown, const char *expected)
{
	char names[256];
	struct at_writer writer = AT_WRITER(names, sizeof(names));
	unsigned int i;

	memset(&set, 0xa5, sizeof(set));
	cr_expect_eq(at_propagators_select(&set, list), unknown, "%s", list);
	for (i = 0; i < set.count; i++) {
		at_write_string(&writer, i ? "," : "");
		at_write_string(&writer, set.item[i]->name);
	}
	at_write_char(&writer, '\0');
	cr_expect_str_eq(names, expected, "%s", list);
}

Test(propagator_registry, the_order_listed_is_kept_and_nothing_is_twice)
{
	expect_set("tracecontext,baggage", 0, "tracecontext,baggage");
	expect_set("baggage,tracecontext,baggage", 0, "baggage,tracecontext");
	expect_set(" TraceContext ,, \tbaggage,", 0, "tracecontext,baggage");
}

Test(propagator_registry, none_and_what_is_unknown_are_skipped)
{
	expect_set("none", 0, "");
	expect_set("", 0, "");
	expect_set("none,tracecontext", 0, "tracecontext");
	expect_set("b3,tracecontext,xray,b3", 0, "b3,tracecontext,xray");
	expect_set("ottrace,tracecontext,b4,b3multi", 2,
		   "tracecontext,b3multi");
	expect_set("trace context", 1, "");
}

Test(propagator_registry, lists_are_read_as_the_vectors_say)
{
	cJSON *all = vectors_load("env-types"), *vector;
	int checked = 0;

	cJSON_ArrayForEach(vector, all) {
		const cJSON *value = cJSON_GetObjectItem(vector, "value");
		const char *in = vector_text(vector, "in");
		const cJSON *item;
		unsigned int i = 0;

		if (!cJSON_IsArray(value))
			continue;
		cr_expect_eq(at_propagators_select(&set, in) > 0,
			     vector_true(vector, "warn"));
		cJSON_ArrayForEach(item, value)
			cr_expect_str_eq(set.item[i++]->name,
					 item->valuestring);
		cr_expect_eq(set.count, i);
		checked++;
	}
	cr_expect_eq(checked, 3);
	cJSON_Delete(all);
}

static const struct at_context example = {
	.trace_id = { 0x0a, 0xf7, [15] = 0x9c },
	.span_id = { 0xb7, [7] = 0x31 },
	.flags = 1,
	.tracestate_len = 3,
	.tracestate = "a=1",
};

#define PARENT_LINE                                         \
	"traceparent: 00-0af7000000000000000000000000009c-" \
	"b700000000000031-01\r\n"

Test(propagator_registry, the_header_lines_are_complete_and_end_in_crlf)
{
	struct at_context context = example;
	char text[256] = { 0 };
	struct at_writer writer = AT_WRITER(text, sizeof(text) - 1);

	at_propagators_select(&set, "tracecontext,baggage");
	at_propagators_inject(&set, &context, &writer);
	cr_expect_str_eq(text, PARENT_LINE "tracestate: a=1\r\n");
	memset(text, 0, sizeof(text));
	writer = AT_WRITER(text, sizeof(text) - 1);
	context.tracestate_len = 0;
	at_propagators_inject(&set, &context, &writer);
	cr_expect_str_eq(text, PARENT_LINE);
}

Test(propagator_registry, nothing_is_written_for_an_invalid_context)
{
	struct at_context no_trace = example, no_span = example;
	char text[256];
	struct at_writer writer = AT_WRITER(text, sizeof(text));

	memset(no_trace.trace_id, 0, sizeof(no_trace.trace_id));
	memset(no_span.span_id, 0, sizeof(no_span.span_id));
	at_propagators_select(&set, "tracecontext,baggage");
	at_propagators_inject(&set, &no_trace, &writer);
	at_propagators_inject(&set, &no_span, &writer);
	cr_expect_eq(writer.len, 0);
	at_propagators_select(&set, "none");
	at_propagators_inject(&set, &example, &writer);
	cr_expect_eq(writer.len, 0);
}

Test(propagator_registry, lines_that_do_not_fit_are_known_not_to)
{
	static const char whole[] = PARENT_LINE "tracestate: a=1\r\n";
	struct guard_page page;
	size_t cap;

	guard_page_open(&page, 256);
	at_propagators_select(&set, "tracecontext");
	for (cap = 0; cap <= sizeof(whole) - 1; cap++) {
		struct at_writer writer =
			AT_WRITER(guard_page_put(&page, whole, cap), cap);

		at_propagators_inject(&set, &example, &writer);
		cr_expect_eq(writer.overflow, cap < sizeof(whole) - 1);
	}
	guard_page_close(&page);
}

/* As the tracer does it: parse, sample, write; our span is the new parent. */
static void continue_trace(const cJSON *in, const char *sampler_name,
			   struct at_context *out)
{
	static const uint8_t fresh[AT_TRACE_ID_BYTES] = { 7, [15] = 7 };
	struct at_context parent = { .flags = 0 };
	struct at_text header = at_text_from(vector_text(in, "traceparent"));
	struct at_text state = at_text_from(vector_text(in, "tracestate"));
	struct at_sample_request request = { NULL, fresh };
	struct at_sampler sampler;

	memset(out, 0, sizeof(*out));
	out->flags = AT_FLAG_RANDOM;
	if (header.ptr && !at_traceparent_parse(header, &parent)) {
		if (state.ptr)
			at_tracestate_parse(&state, 1, &parent);
		request.parent = &parent;
		*out = parent;
	} else {
		memcpy(out->trace_id, fresh, sizeof(fresh));
	}
	cr_assert_eq(at_sampler_open(&sampler, sampler_name, ""), 0);
	out->flags &= (uint8_t)~AT_FLAG_SAMPLED;
	if (at_sample(&sampler, &request) == AT_RECORD_AND_SAMPLE)
		out->flags |= AT_FLAG_SAMPLED;
	memset(out->span_id, 5, sizeof(out->span_id));
}

static void check_continuation(const cJSON *vector)
{
	const cJSON *expected = cJSON_GetObjectItem(vector, "out");
	const char *trace_id = vector_text(expected, "trace_id");
	const char *state = vector_text(expected, "tracestate");
	struct at_context out;
	char text[1024] = { 0 }, line[256], state_line[600] = "";
	struct at_writer writer = AT_WRITER(text, sizeof(text) - 1);

	continue_trace(cJSON_GetObjectItem(vector, "in"),
		       vector_text(vector, "sampler"), &out);
	at_propagators_inject(&set, &out, &writer);
	if (!strcmp(trace_id, "<new>"))
		trace_id = "07000000000000000000000000000007";
	snprintf(line, sizeof(line), "traceparent: 00-%s-0505050505050505-%s",
		 trace_id, vector_text(expected, "flags"));
	if (state)
		snprintf(state_line, sizeof(state_line), "tracestate: %s\r\n",
			 state);
	cr_expect_eq(strncmp(text, line, strlen(line)), 0, "%s: %s",
		     vector_id(vector), text);
	cr_expect_str_eq(text + strlen(line) + 2, state_line, "%s",
			 vector_id(vector));
}

Test(propagator_registry, traces_are_continued_as_the_vectors_say)
{
	cJSON *all = vectors_load("continuation"), *vector;

	at_propagators_select(&set, "tracecontext,baggage");
	cJSON_ArrayForEach(vector, all)
		check_continuation(vector);
	cJSON_Delete(all);
}
