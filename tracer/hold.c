// SPDX-License-Identifier: Apache-2.0
#include "tracer/hold.h"

#include <signal.h>
#include <unwind.h>

#include "core/sys.h"

/* A frame farther up than this is not looked into: it may be no stack. */
#define LOOK_BYTES (1u << 20)

__thread struct held hold_stack[HOLD_DEPTH];
__thread unsigned int hold_depth;
__thread uint64_t hold_mark;

static void leave_innermost(void)
{
	struct held held = hold_stack[hold_depth - 1];

	hold_stack[hold_depth - 1].where = NULL;
	atomic_signal_fence(memory_order_seq_cst);
	hold_depth--;
	if (held.where && held.conn)
		conn_abandon(held.conn, held.role);
}

static bool lies_in(const stack_t *stack, uintptr_t at)
{
	return at - (uintptr_t)stack->ss_sp < stack->ss_size;
}

/* What lies there may be of any frame, or of none. */
__attribute__((no_sanitize_address)) static bool is_marked(
	const struct held *held)
{
	return held->where->mark == held->mark;
}

/*
 * Is the frame that waits still there? Frames above ours on the same stack
 * may be; then the mark in it says whether something else has been there.
 */
static bool is_gone(const struct held *held, uintptr_t here)
{
	uintptr_t where = (uintptr_t)held->where;
	stack_t other = { .ss_flags = SS_DISABLE };

	if (!where)
		return false;
	sys_sigaltstack(&other);
	if (!(other.ss_flags & SS_DISABLE) &&
	    lies_in(&other, where) != lies_in(&other, here))
		return lies_in(&other, where);
	if (where <= here)
		return true;
	return where - here < LOOK_BYTES && !is_marked(held);
}

void hold_look(const struct at_hold *next)
{
	uintptr_t here = (uintptr_t)next;

	while (hold_depth && (hold_depth == HOLD_DEPTH ||
			      is_gone(&hold_stack[hold_depth - 1], here)))
		leave_innermost();
}

/* Only the unwinder's data refer to it. */
_Unwind_Reason_Code at_unwinding(int version, _Unwind_Action actions,
				 _Unwind_Exception_Class class,
				 struct _Unwind_Exception *exception,
				 struct _Unwind_Context *context)
	__attribute__((used));

/*
 * Called by the unwinder for each frame that has AT_UNWINDS: whatever its
 * reason, the frame does not come back. Nothing is landed on, so none of
 * libgcc_s is needed here.
 */
_Unwind_Reason_Code at_unwinding(int version, _Unwind_Action actions,
				 _Unwind_Exception_Class class,
				 struct _Unwind_Exception *exception,
				 struct _Unwind_Context *context)
{
	(void)version;
	(void)class;
	(void)exception;
	(void)context;
	if ((actions & _UA_CLEANUP_PHASE) && hold_depth)
		leave_innermost();
	return _URC_CONTINUE_UNWIND;
}
