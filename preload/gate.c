// SPDX-License-Identifier: Apache-2.0
/*
 * The gate: held by the exporter thread for every instruction inside curl,
 * OpenSSL, c-ares and dlopen, closed by the fork handler so that a child never
 * inherits those in the middle.
 *
 * Threads may fork at the same time (since glibc 2.36 no lock of libc's is in
 * their way): they share the gate, and as long as one of them is there or
 * waits the exporter does not come in again. Measured with an unfair mutex,
 * forks waited 50-100 ms while the exporter kept winning.
 */
#include <stdatomic.h>

#include "core/clock.h"
#include "core/sys.h"
#include "preload/preload.h"

#define INSIDE 0x80000000u /* the exporter is; the rest counts forkers */

static _Atomic uint32_t gate;

void gate_lock(void)
{
	for (;;) {
		uint32_t seen = 0;

		if (atomic_compare_exchange_strong(&gate, &seen, INSIDE))
			return;
		sys_futex_wait(&gate, seen, UINT64_MAX);
	}
}

void gate_unlock(void)
{
	atomic_fetch_and(&gate, ~INSIDE);
	sys_futex_wake(&gate, INT32_MAX);
}

bool gate_close(uint64_t timeout_ns)
{
	uint64_t deadline_ns = at_clock_now_ns() + timeout_ns;
	uint32_t seen = atomic_fetch_add(&gate, 1) + 1;

	while (seen & INSIDE) {
		uint64_t now_ns = at_clock_now_ns();

		if (now_ns >= deadline_ns) {
			gate_open();
			return false;
		}
		sys_futex_wait(&gate, seen, deadline_ns - now_ns);
		seen = atomic_load(&gate);
	}
	return true;
}

void gate_open(void)
{
	if (atomic_fetch_sub(&gate, 1) == 1)
		sys_futex_wake(&gate, INT32_MAX);
}

bool gate_after_fork_child(void)
{
	return !(atomic_exchange(&gate, 0) & INSIDE);
}
