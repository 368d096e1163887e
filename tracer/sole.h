// SPDX-License-Identifier: Apache-2.0
/*
 * The one request that is open in the whole process, if it is only one
 * (private to tracer/): whatever is called meanwhile is most likely its doing,
 * on whichever thread. Not so where a server also calls in the background:
 * whoever was called while no request was open, or is answered when its request
 * is over, is not believed any more.
 *
 * A guess: spans say autotrace.parent=sole. Thread- and async-signal-safe.
 */
#ifndef TRACER_SOLE_H
#define TRACER_SOLE_H

#include "tracer/request.h"
#include "tracer/target.h"

void sole_start(const struct at_config *config);

/* A request that this process serves is open; its context is filled in. */
void sole_opens(struct request *request);

/* It is over. Of those that were opened; any number of times. */
void sole_closes(struct request *request);

/*
 * A call to `target` is made: true, and the sole open request's context in
 * *context, if that is to be believed.
 */
bool sole_context(struct request *call, const struct target *target,
		  struct at_context *context);

/*
 * A call that was believed is being answered. Whoever did not wait for that
 * before it answered itself calls in the background.
 */
void sole_answered(const struct request *call);

/* The parent answers what was open at the fork. */
void sole_after_fork_child(void);

#endif
