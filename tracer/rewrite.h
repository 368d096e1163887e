// SPDX-License-Identifier: Apache-2.0
/*
 * A traceparent that the application sends itself (private to tracer/): where
 * it can be done, its parent's id becomes our span's, so that whom it calls
 * hangs below the call.
 *
 * The kernel may take a part of it. Then the id is fixed, and what is owed of
 * it takes the place of the application's digits in the calls that follow.
 *
 * For the thread that holds conn->writer only.
 */
#ifndef TRACER_REWRITE_H
#define TRACER_REWRITE_H

#include "tracer/round.h"

/*
 * Where in the round's bytes the parent's id stands of a head that ends there.
 * HEAD_UNPATCHED: the head did not begin in this call, or its traceparent may
 * be signed.
 */
size_t rewrite_place(const struct round *round, const struct head *head);

/* A round begins with a head that is being sent: what is owed goes first. */
void rewrite_resume(struct round *round);

/* `upto` of the round's bytes were taken, and the first `gone` heads have left. */
void rewrite_taken(const struct round *round, size_t upto, unsigned int gone);

#endif
