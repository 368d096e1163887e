// SPDX-License-Identifier: Apache-2.0
/* Whose child is it? (private to tracer/) */
#ifndef TRACER_CONTEXT_H
#define TRACER_CONTEXT_H

#include "core/span.h"
#include "propagator/propagator.h"

enum context_rule {
	CONTEXT_ROOT,    /* nobody's: a new trace */
	CONTEXT_HEADER,  /* the request carries a context already */
	CONTEXT_THREAD,  /* the request that this thread is busy with */
	CONTEXT_SOLE,    /* the one request that is open, see sole.h */
	CONTEXT_PROCESS, /* the program's own span, or what it was given */
};

/*
 * Read TRACEPARENT and TRACESTATE once, and what the `others` have in the
 * environment: theirs wins. `environ` may be NULL.
 */
void context_start(char *const *environ,
		   const struct at_propagator_set *others);

/*
 * What the `others` find in a carrier replaces a context that a traceparent
 * gave (ids 0: none) where it says something else (PRP-20); where they say the
 * same, the traceparent says it with more. True if it was replaced.
 */
bool context_read_others(struct at_context *context,
			 const struct at_propagator_set *others,
			 const struct at_carrier *carrier);

/* What was read; ids 0: nothing. */
const struct at_context *context_given(void);

/* The span of the program itself is everything's parent from now on. */
void context_set(const struct at_context *own);

/*
 * A context that a served request brought, or the one that is its own here:
 * whoever hands that on means this request.
 */
void context_came_in(const struct at_context *context);

/* The same for the trace of one that somebody else began. */
void context_trace_comes_in(const struct at_context *context);
bool context_trace_came_in(const struct at_context *context);

/* More have come in than are kept. */
bool context_is_forgetful(void);

/*
 * Has it come in, lately, or is it what this program was given? A context of
 * somebody else's is that of another tracer in this process, which may export
 * its spans to where ours are not. False also for the oldest of many.
 */
bool context_is_known(const struct at_context *context);

/*
 * The parent for a request made now by this thread. NULL for a root; the
 * result stays valid until this thread reads or answers a request.
 */
const struct at_context *context_parent(enum context_rule *rule);

#endif
