// SPDX-License-Identifier: Apache-2.0
/*
 * The samplers of this folder, and the two rules that others are built of.
 * Private to sampler/.
 */
#ifndef AT_SAMPLER_KINDS_H
#define AT_SAMPLER_KINDS_H

#include "sampler/sampler.h"

extern const struct at_sampler_kind at_sampler_always_on;
extern const struct at_sampler_kind at_sampler_always_off;
extern const struct at_sampler_kind at_sampler_traceidratio;
extern const struct at_sampler_kind at_sampler_parent_always_on;
extern const struct at_sampler_kind at_sampler_parent_always_off;
extern const struct at_sampler_kind at_sampler_parent_traceidratio;

/* `open` of the samplers that have no argument: whatever it is, 0. */
int at_sampler_open_plain(struct at_sampler *sampler, const char *arg);

/*
 * A ratio, 0 to 1, in decimal ("0.25", "1e-3", blanks around it), as the
 * threshold floor(r * 2^63) where r is the double nearest to it. Exact, and
 * the same in every locale. 0, or -EINVAL and *threshold untouched.
 */
int at_ratio_parse(const char *arg, uint64_t *threshold);

#endif
