// SPDX-License-Identifier: Apache-2.0
/*
 * A program that runs an OpenTelemetry SDK of its own is left to it; telemetry
 * is never traced, whoever sends it (private to tracer/).
 *
 * It gives itself away by sending spans, or by a parent's id that neither came
 * in nor is ours. The latter counts only while all that came in can be known.
 */
#ifndef TRACER_SDK_H
#define TRACER_SDK_H

#include <stdatomic.h>

#include "core/config.h"
#include "core/text.h"
#include "tracer/context.h"

void sdk_start(const struct at_config *config);

extern _Atomic bool sdk_found;

/* HTTP is the SDK's business, from now on. Children of a fork inherit that. */
static inline bool sdk_is_here(void)
{
	return atomic_load_explicit(&sdk_found, memory_order_relaxed);
}

/*
 * Is that request none of ours: telemetry, or of a program with an SDK? `lines`
 * is its head, empty where it is not in one piece. What the program sends may
 * show that it has one, what it serves may not.
 */
bool sdk_leaves_out(struct at_text method, struct at_text target,
		    struct at_text lines, bool served);

/* The same of a request with this traceparent of the program's own. */
bool sdk_sends(const struct at_context *context);

/* What is read first on a descriptor: requests in a form that we cannot read? */
void sdk_reads(int fd, const char *bytes, size_t len);

/* The program takes connections. */
void sdk_accepts(void);

#endif
