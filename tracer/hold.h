// SPDX-License-Identifier: Apache-2.0
/*
 * What a thread holds while it is inside the application's call: a reference
 * and a role of a connection (private to tracer/).
 *
 * Threads leave such a call without coming back: cancelled, by an exception
 * thrown in a signal handler, by siglongjmp. Unwinding passes AT_UNWINDS in
 * the frame that waits. A jump tells nobody: the thread's next call finds
 * that the frame is not there any more.
 */
#ifndef TRACER_HOLD_H
#define TRACER_HOLD_H

#include "tracer/conn.h"

struct held {
	struct conn *conn;
	_Atomic uint32_t *role;
	const struct at_hold *where; /* NULL: nothing is held (yet) */
	uint64_t mark;
};

/* Signal handlers that do HTTP on top of one another. */
#define HOLD_DEPTH 4

extern __thread struct held hold_stack[HOLD_DEPTH];
extern __thread unsigned int hold_depth;
extern __thread uint64_t hold_mark;

/* What was left behind is given up. Out of line: nearly never. */
void hold_look(const struct at_hold *next);

/*
 * At the begin of a call that is going to hold with `next`, before a role is
 * asked for.
 */
static inline void hold_prune(const struct at_hold *next)
{
	if (__builtin_expect(hold_depth != 0, 0))
		hold_look(next);
}

/*
 * From now on the thread may leave and never come back. `hold` lies in a
 * frame that waits for the call; conn may be NULL.
 */
static inline void hold_begin(struct at_hold *hold, struct conn *conn,
			      _Atomic uint32_t *role)
{
	struct held *held = &hold_stack[hold_depth];

	/* In this order: a signal handler uses the slots above. */
	hold_depth++;
	atomic_signal_fence(memory_order_seq_cst);
	hold->mark = ++hold_mark;
	held->conn = conn;
	held->role = role;
	held->mark = hold->mark;
	atomic_signal_fence(memory_order_seq_cst);
	held->where = hold;
}

/*
 * Back from a call. False: the thread was taken for gone meanwhile, and the
 * connection is none of its business any more.
 */
static inline bool hold_lasts(const struct at_hold *hold)
{
	return hold_depth && hold_stack[hold_depth - 1].mark == hold->mark;
}

/* The same, and it ends here. */
static inline bool hold_end(const struct at_hold *hold)
{
	if (!hold_lasts(hold))
		return false;
	hold_stack[hold_depth - 1].where = NULL;
	atomic_signal_fence(memory_order_seq_cst);
	hold_depth--;
	return true;
}

#endif
