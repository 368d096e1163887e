// SPDX-License-Identifier: Apache-2.0
/* What the programs that measure costs measure with. */
#ifndef TESTS_PROGRAMS_COST_H
#define TESTS_PROGRAMS_COST_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Of the calling thread. */
static inline int64_t cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static inline int64_t wall_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

#endif
