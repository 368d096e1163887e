// SPDX-License-Identifier: Apache-2.0
/*
 * The request that a thread is busy with, and whether that can be told at all
 * in this process (private to tracer/).
 *
 * A thread that blocks reads a request, makes its calls, reads their answers
 * and answers: what it calls meanwhile is that request's doing. Loops that read
 * several requests and run their handlers later, and runtimes that move tasks
 * between threads, give themselves away: by a wait for others while a request
 * is open, by a second request read before the first one's answer, by an answer
 * from another thread. The last two make the process one in which nothing is
 * told by threads any more.
 */
#ifndef TRACER_TURN_H
#define TRACER_TURN_H

#include "tracer/context.h"
#include "tracer/request.h"

void turn_start(const struct at_config *config);

/* `request`, which this thread has read, is open; its context is filled in. */
void turn_begins(struct request *request);

/* It is answered, by this thread, or never will be. Once for each begin. */
void turn_ends(struct request *request);

/* The context of the request that this thread is busy with, or NULL. */
const struct at_context *turn_context(void);

/* Once that was not NULL: what that request brought along, or NULL. */
struct baggage *turn_baggage(void);

/* Of the thread that called fork: it goes on in the same request. */
void turn_after_fork_child(void);

#endif
