// SPDX-License-Identifier: Apache-2.0
#include "sampler/kinds.h"

int at_sampler_open_plain(struct at_sampler *sampler, const char *arg)
{
	(void)sampler;
	(void)arg;
	return 0;
}

static enum at_decision keep_all(const struct at_sampler *sampler,
				 const struct at_sample_request *request)
{
	(void)sampler;
	(void)request;
	return AT_RECORD_AND_SAMPLE;
}

static enum at_decision keep_none(const struct at_sampler *sampler,
				  const struct at_sample_request *request)
{
	(void)sampler;
	(void)request;
	return AT_DROP;
}

const struct at_sampler_kind at_sampler_always_on = { "always_on",
						      at_sampler_open_plain,
						      keep_all };

const struct at_sampler_kind at_sampler_always_off = { "always_off",
						       at_sampler_open_plain,
						       keep_none };
