// SPDX-License-Identifier: Apache-2.0
#include "core/crash.h"

#include <errno.h>

#include "core/clock.h"
#include "core/sys.h"

/* The lowest bits of a state; the others count how often it was free. */
enum step {
	STEP_FREE,
	STEP_FILLING,
	STEP_ASKED,
	STEP_BITS = 3,
};

/* *state is what it is from then on. */
static struct at_crash_box *claim(struct at_crashes *crashes, uint32_t *state)
{
	struct at_crash_box *box = crashes->box;

	for (; box < crashes->box + AT_CRASH_BOXES; box++) {
		uint32_t now = atomic_load(&box->state);

		*state = now | STEP_FILLING;
		if ((now & STEP_BITS) == STEP_FREE &&
		    atomic_compare_exchange_strong(&box->state, &now, *state))
			return box;
	}
	return NULL;
}

static bool is_alive(uint32_t pid)
{
	return pid && sys_call2(SYS_kill, pid, 0) != -ESRCH;
}

int at_crash_ask(struct at_crashes *crashes, const struct at_crash *crash,
		 uint64_t patience_ns)
{
	uint64_t now_ns = at_clock_now_ns(), until_ns = now_ns + patience_ns;
	uint32_t reader = atomic_load(&crashes->reader), state;
	struct at_crash_box *box;

	if (!is_alive(reader))
		return -ESRCH;
	box = claim(crashes, &state);
	if (!box)
		return -EBUSY;
	/* Where only ancestors may read a process (Yama): the reader, too. */
	sys_prctl(PR_SET_PTRACER, reader, 0, 0, 0);
	box->crash = *crash;
	state ^= STEP_FILLING ^ STEP_ASKED;
	atomic_store(&box->state, state);
	at_crash_wake(crashes);
	while (atomic_load(&box->state) == state) {
		if (now_ns >= until_ns)
			return -ETIMEDOUT;
		sys_futex_wait(&box->state, state, until_ns - now_ns);
		now_ns = at_clock_now_ns();
	}
	return 0;
}

bool at_crash_take(struct at_crashes *crashes, struct at_crash *crash,
		   uint32_t *box)
{
	for (*box = 0; *box < AT_CRASH_BOXES; ++*box) {
		uint32_t state = atomic_load(&crashes->box[*box].state);

		if ((state & STEP_BITS) != STEP_ASKED)
			continue;
		*crash = crashes->box[*box].crash;
		return true;
	}
	return false;
}

void at_crash_answer(struct at_crashes *crashes, uint32_t box)
{
	_Atomic uint32_t *state = &crashes->box[box].state;

	/* From asked to free, one time more. */
	atomic_fetch_add(state, STEP_BITS + 1 - STEP_ASKED);
	sys_futex_wake(state, INT32_MAX);
}

void at_crash_wait(struct at_crashes *crashes, uint32_t seen)
{
	sys_futex_wait(&crashes->asked_count, seen, UINT64_MAX);
}

void at_crash_wake(struct at_crashes *crashes)
{
	atomic_fetch_add(&crashes->asked_count, 1);
	sys_futex_wake(&crashes->asked_count, INT32_MAX);
}
