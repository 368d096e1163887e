// SPDX-License-Identifier: Apache-2.0
/* Whose child is it? (private to tracer/) */
#ifndef TRACER_CONTEXT_H
#define TRACER_CONTEXT_H

#include "core/span.h"

enum context_rule {
	CONTEXT_ROOT,    /* nobody's: a new trace */
	CONTEXT_HEADER,  /* the request carries a context already */
	CONTEXT_PROCESS, /* the context this process was started with */
};

/* Read TRACEPARENT and TRACESTATE once; `environ` may be NULL. */
void context_start(char *const *environ);

/*
 * The parent for a request made now by this thread. NULL for a root; the
 * result stays valid for the life of the process.
 */
const struct at_context *context_parent(enum context_rule *rule);

#endif
