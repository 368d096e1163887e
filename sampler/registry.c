// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stddef.h>

#include "sampler/kinds.h"

const struct at_sampler_kind *const at_sampler_kinds[] = {
	&at_sampler_always_on,
	&at_sampler_always_off,
	&at_sampler_traceidratio,
	&at_sampler_parent_always_on,
	&at_sampler_parent_always_off,
	&at_sampler_parent_traceidratio,
	NULL,
};

int at_sampler_open(struct at_sampler *sampler, const char *name,
		    const char *arg)
{
	const struct at_sampler_kind *const *kind;
	struct at_text wanted = at_text_from(name);

	sampler->threshold = 0;
	for (kind = at_sampler_kinds; *kind; kind++) {
		if (!at_text_equal_nocase(at_text_from((*kind)->name), wanted))
			continue;
		sampler->kind = *kind;
		return (*kind)->open(sampler, arg);
	}
	sampler->kind = &at_sampler_parent_always_on;
	return -ENOENT;
}

enum at_decision at_sample(const struct at_sampler *sampler,
			   const struct at_sample_request *request)
{
	return sampler->kind->decide(sampler, request);
}
