// SPDX-License-Identifier: Apache-2.0
/*
 * parentbased_*: what the parent says, remote or local alike; another sampler
 * decides for roots.
 */
#include "sampler/kinds.h"

static enum at_decision decide(const struct at_sampler_kind *root,
			       const struct at_sampler *sampler,
			       const struct at_sample_request *request)
{
	if (!request->parent || !at_context_valid(request->parent))
		return root->decide(sampler, request);
	return request->parent->flags & AT_FLAG_SAMPLED ? AT_RECORD_AND_SAMPLE :
							  AT_DROP;
}

static enum at_decision decide_on(const struct at_sampler *sampler,
				  const struct at_sample_request *request)
{
	return decide(&at_sampler_always_on, sampler, request);
}

static enum at_decision decide_off(const struct at_sampler *sampler,
				   const struct at_sample_request *request)
{
	return decide(&at_sampler_always_off, sampler, request);
}

static enum at_decision decide_ratio(const struct at_sampler *sampler,
				     const struct at_sample_request *request)
{
	return decide(&at_sampler_traceidratio, sampler, request);
}

static int open_ratio(struct at_sampler *sampler, const char *arg)
{
	return at_sampler_traceidratio.open(sampler, arg);
}

const struct at_sampler_kind at_sampler_parent_always_on = {
	"parentbased_always_on", at_sampler_open_plain, decide_on
};

const struct at_sampler_kind at_sampler_parent_always_off = {
	"parentbased_always_off", at_sampler_open_plain, decide_off
};

const struct at_sampler_kind at_sampler_parent_traceidratio = {
	"parentbased_traceidratio", open_ratio, decide_ratio
};
