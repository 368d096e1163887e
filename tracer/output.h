// SPDX-License-Identifier: Apache-2.0
/* Where ended spans go: the tree's hub or our own ring (private to tracer/). */
#ifndef TRACER_OUTPUT_H
#define TRACER_OUTPUT_H

#include "core/config.h"
#include "core/span.h"

void output_start(const struct at_config *settings);

/* Join the hub or make the ring now, while system calls are still allowed. */
void output_prepare(void);

/*
 * Hand an ended span over: pid and tid are filled in, the span is copied. Full
 * or without any place to go: dropped and counted.
 */
void output_span(struct at_span *span);

void output_after_fork_child(void);

#endif
