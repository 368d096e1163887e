// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "sampler/sampler.h"

static const uint8_t some_id[AT_TRACE_ID_BYTES] = { 1, [15] = 1 };

static const struct at_context sampled = {
	.trace_id = { 1, [15] = 1 },
	.span_id = { 2 },
	.flags = AT_FLAG_SAMPLED | AT_FLAG_RANDOM,
	.tracestate_len = 5,
	.tracestate = "a=1,b",
};

static enum at_decision decide(const char *name,
			       const struct at_context *parent)
{
	struct at_sample_request request = { parent, some_id };
	struct at_sampler sampler;

	cr_assert_eq(at_sampler_open(&sampler, name, "0"), 0);
	return at_sample(&sampler, &request);
}

/* Those for which a root would be the other way round included. */
static void expect_parents_way(struct at_context parent,
			       enum at_decision expected)
{
	cr_expect_eq(decide("parentbased_always_on", &parent), expected);
	cr_expect_eq(decide("parentbased_always_off", &parent), expected);
	cr_expect_eq(decide("parentbased_traceidratio", &parent), expected);
}

Test(sampler_parent, the_parent_decides_whether_remote_or_local)
{
	struct at_context parent = sampled;

	expect_parents_way(parent, AT_RECORD_AND_SAMPLE);
	parent.remote = true;
	expect_parents_way(parent, AT_RECORD_AND_SAMPLE);
	parent.flags = AT_FLAG_RANDOM;
	expect_parents_way(parent, AT_DROP);
	parent.remote = false;
	expect_parents_way(parent, AT_DROP);
}

Test(sampler_parent, a_root_is_for_the_sampler_behind)
{
	cr_expect_eq(decide("parentbased_always_on", NULL),
		     AT_RECORD_AND_SAMPLE);
	cr_expect_eq(decide("parentbased_always_off", NULL), AT_DROP);
	cr_expect_eq(decide("parentbased_traceidratio", NULL), AT_DROP);
}

Test(sampler_parent, an_invalid_parent_is_none)
{
	struct at_context no_trace = sampled, no_span = sampled;

	memset(no_trace.trace_id, 0, sizeof(no_trace.trace_id));
	memset(no_span.span_id, 0, sizeof(no_span.span_id));
	cr_expect_eq(decide("parentbased_always_off", &no_trace), AT_DROP);
	cr_expect_eq(decide("parentbased_always_off", &no_span), AT_DROP);
	no_span.flags = 0;
	cr_expect_eq(decide("parentbased_always_on", &no_span),
		     AT_RECORD_AND_SAMPLE);
}

Test(sampler_parent, the_ratio_sampler_alone_ignores_the_parent)
{
	struct at_context parent = sampled;

	cr_expect_eq(decide("traceidratio", &parent), AT_DROP);
	cr_expect_eq(decide("always_off", &parent), AT_DROP);
	parent.flags = 0;
	cr_expect_eq(decide("always_on", &parent), AT_RECORD_AND_SAMPLE);
}

Test(sampler_parent, the_parent_is_left_as_it_is_by_every_sampler)
{
	const struct at_sampler_kind *const *kind;

	for (kind = at_sampler_kinds; *kind; kind++) {
		struct at_context parent = sampled;

		decide((*kind)->name, &parent);
		cr_expect_arr_eq(&parent, &sampled, sizeof(parent));
	}
}
