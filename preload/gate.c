// SPDX-License-Identifier: Apache-2.0
/*
 * The gate: held by the exporter thread for every instruction inside curl,
 * OpenSSL, c-ares and dlopen, taken by the fork handler so that a child never
 * inherits those in the middle. Tickets make it fair: measured with an unfair
 * mutex, forks waited 50-100 ms while the exporter kept winning.
 */
#include <errno.h>
#include <stdatomic.h>

#include "core/clock.h"
#include "core/sys.h"
#include "preload/preload.h"

static _Atomic uint32_t next_ticket;
static _Atomic uint32_t serving;
/* A ticket whose owner gave up is served and passed on at once. */
static _Atomic uint32_t abandoned; /* ticket + 1; 0: none */

static bool wait_turn(uint32_t ticket, uint64_t deadline_ns)
{
	for (;;) {
		uint32_t now = atomic_load(&serving);
		uint64_t time_ns;

		if (now == ticket)
			return true;
		time_ns = at_clock_now_ns();
		if (time_ns >= deadline_ns)
			return false;
		sys_futex_wait(&serving, now, deadline_ns - time_ns);
	}
}

void gate_lock(void)
{
	wait_turn(atomic_fetch_add(&next_ticket, 1), UINT64_MAX);
}

static void serve_next(void)
{
	uint32_t ticket = atomic_fetch_add(&serving, 1) + 1;
	uint32_t gone = ticket + 1;

	if (atomic_compare_exchange_strong(&abandoned, &gone, 0))
		atomic_fetch_add(&serving, 1);
	sys_futex_wake(&serving, INT32_MAX);
}

void gate_unlock(void)
{
	serve_next();
}

/*
 * Only fork handlers come here, one at a time (libc's fork lock), so one
 * abandoned ticket is all there can be.
 */
bool gate_lock_timed(uint64_t timeout_ns)
{
	uint32_t ticket = atomic_fetch_add(&next_ticket, 1);
	uint32_t mark = ticket + 1;

	if (wait_turn(ticket, at_clock_now_ns() + timeout_ns))
		return true;
	atomic_store(&abandoned, mark);
	if (atomic_load(&serving) != ticket)
		return false;
	/* Our turn came in the same moment: take it back, if still ours. */
	return atomic_compare_exchange_strong(&abandoned, &mark, 0);
}

void gate_after_fork_child(void)
{
	atomic_store(&next_ticket, 0);
	atomic_store(&serving, 0);
	atomic_store(&abandoned, 0);
}
