// SPDX-License-Identifier: Apache-2.0
/*
 * Samplers: is this trace kept? Decided before a span is filled.
 *
 * Door of the folder. To add one: its file, and one line in registry.c.
 * Deciding is pure, thread-safe and async-signal-safe.
 */
#ifndef AT_SAMPLER_H
#define AT_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/span.h"

enum at_decision {
	AT_DROP,
	AT_RECORD_AND_SAMPLE,
};

struct at_sample_request {
	const struct at_context *parent; /* NULL: a root */
	const uint8_t *trace_id;         /* AT_TRACE_ID_BYTES, never NULL */
};

/* A sampler's parameters, made once by at_sampler_open(). */
struct at_sampler {
	const struct at_sampler_kind *kind;
	uint64_t threshold; /* ratio samplers: keep below (SMP-5) */
};

struct at_sampler_kind {
	const char *name; /* as in OTEL_TRACES_SAMPLER */
	/* Parse the argument ("" when not given). 0, or -EINVAL: default used. */
	int (*open)(struct at_sampler *sampler, const char *arg);
	enum at_decision (*decide)(const struct at_sampler *sampler,
				   const struct at_sample_request *request);
};

/* NULL-terminated. */
extern const struct at_sampler_kind *const at_sampler_kinds[];

/*
 * The sampler called `name` with its argument. An unknown name gives
 * parentbased_always_on and -ENOENT, a bad argument the sampler's default and
 * -EINVAL; *sampler is usable in every case.
 */
int at_sampler_open(struct at_sampler *sampler, const char *name,
		    const char *arg);

enum at_decision at_sample(const struct at_sampler *sampler,
			   const struct at_sample_request *request);

#endif
