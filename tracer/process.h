// SPDX-License-Identifier: Apache-2.0
/* The span of the program itself (private to tracer/; hooks: tracer.h). */
#ifndef TRACER_PROCESS_H
#define TRACER_PROCESS_H

#include "core/hub.h"
#include "core/span.h"

/* The context of the program and of its forked children; NULL: none. */
const struct at_context *process_context(void);

/* Where to tell of programs; NULL: nobody listens. */
struct at_hub *process_hub(void);

/* Is there a hub, and does it know this process by a span of its own? */
bool process_is_told(void);

/*
 * Another image is about to take the place of this one: its span begins now,
 * not when ld.so is through with it. 0: it did not come to that. Also in a
 * vfork child.
 */
void process_execs(uint64_t now_ns);

/* The same for a process that has been started as another image at once. */
void process_spawned(uint32_t pid, uint64_t begun_ns);

/* Will the image that comes next be kept from the hub? */
bool process_is_apart(void);

/* In a forked child: it goes on in the same context, without a span. */
void process_after_fork_child(void);

#endif
