// SPDX-License-Identifier: Apache-2.0
/* Where ended spans go: the tree's hub or our own ring (private to tracer/). */
#ifndef TRACER_OUTPUT_H
#define TRACER_OUTPUT_H

#include "core/config.h"
#include "core/hub.h"
#include "core/span.h"

void output_start(const struct at_config *settings);

/* Join the hub or make the ring now, while system calls are still allowed. */
void output_prepare(void);

/*
 * Hand an ended span over: pid and tid are filled in, the span is copied. Full
 * or without any place to go: dropped and counted.
 */
void output_span(struct at_span *span);

/*
 * Tell the hub's reader about a program, where output_hub() is not NULL.
 * span->pid is whom it is about; 0: this process.
 */
void output_record(struct at_span *span, enum at_record what);

/* The hub that was joined; NULL: none. */
struct at_hub *output_hub(void);

/* Path of our executable; empty where it cannot be known. */
struct at_text output_executable(void);

void output_after_fork_child(void);

#endif
