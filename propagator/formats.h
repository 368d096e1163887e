// SPDX-License-Identifier: Apache-2.0
/* The propagators of this folder. Private to propagator/. */
#ifndef AT_PROPAGATOR_FORMATS_H
#define AT_PROPAGATOR_FORMATS_H

#include "propagator/propagator.h"

extern const struct at_propagator at_propagator_tracecontext;
extern const struct at_propagator at_propagator_baggage;
extern const struct at_propagator at_propagator_b3;
extern const struct at_propagator at_propagator_b3multi;
extern const struct at_propagator at_propagator_jaeger;
extern const struct at_propagator at_propagator_xray;
extern const struct at_propagator at_propagator_datadog;

/*
 * An id of `count` bytes from at most as many pairs of digits; shorter ones get
 * zeros in front (PRP-41). 0; -EBADMSG, also for one that is all zeros.
 */
int context_id_parse(struct at_text digits, uint8_t *id, size_t count);
bool context_id_is_zero(const uint8_t *id, size_t count);

/* What was found becomes the context; a tracestate is not in it. */
void context_take(struct at_context *context, const struct at_context *found);

/* Trace id, separator, span id. */
void context_write_ids(struct at_writer *writer,
		       const struct at_context *context, char separator);

bool context_is_sampled(const struct at_context *context);

#endif
