// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"

#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "core/sys.h"

typedef int (*gettime_fn)(int clock, struct timespec *now);

static _Atomic(gettime_fn) gettime;
static _Atomic uint64_t unix_minus_monotonic_ns;

void at_clock_use(gettime_fn clock_gettime)
{
	atomic_store(&gettime, clock_gettime);
}

static uint64_t read_ns(int clock)
{
	gettime_fn read = atomic_load_explicit(&gettime, memory_order_relaxed);
	struct timespec now = { 0 };

	if (!read || read(clock, &now))
		sys_call2(SYS_clock_gettime, clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t at_clock_now_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

#define ANCHOR_TRIES 5
#define ANCHOR_GAP_NS 2000u

/*
 * The two clocks cannot be read at once; a thread may be descheduled between
 * the reads, and all of the process's spans would be late by that. Keep the
 * try with the smallest gap.
 */
static uint64_t measure_offset(void)
{
	uint64_t best_gap_ns = UINT64_MAX, offset = 0;
	int i;

	for (i = 0; i < ANCHOR_TRIES && best_gap_ns > ANCHOR_GAP_NS; i++) {
		uint64_t before = at_clock_now_ns();
		uint64_t unix_ns = read_ns(CLOCK_REALTIME);
		uint64_t gap_ns = at_clock_now_ns() - before;

		if (gap_ns < best_gap_ns) {
			best_gap_ns = gap_ns;
			offset = unix_ns - (before + gap_ns / 2);
		}
	}
	return offset;
}

uint64_t at_clock_unix_ns(uint64_t monotonic_ns)
{
	uint64_t offset = atomic_load_explicit(&unix_minus_monotonic_ns,
					       memory_order_relaxed);
	uint64_t none = 0;

	if (!offset) {
		offset = measure_offset();
		if (!atomic_compare_exchange_strong(&unix_minus_monotonic_ns,
						    &none, offset))
			offset = none;
	}
	return offset + monotonic_ns;
}
