// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <time.h>

static uint64_t read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void expect_monotonic(void)
{
	uint64_t before = read_ns(CLOCK_MONOTONIC);
	uint64_t now = at_clock_now_ns();

	cr_expect_geq(now, before);
	cr_expect_leq(now, read_ns(CLOCK_MONOTONIC));
}

/* As libc's, with an int for the clock. */
static int libc_gettime(int clock, struct timespec *now)
{
	return clock_gettime(clock, now);
}

static int failing_gettime(int clock, struct timespec *now)
{
	(void)clock;
	now->tv_sec = 12345;
	errno = ENOSYS;
	return -1;
}

/* CLOCK_REALTIME jumps by an hour at every look, as under a fake clock. */
static int jumping_gettime(int clock, struct timespec *now)
{
	static int hours;
	int result = clock_gettime(clock, now);

	if (clock == CLOCK_REALTIME)
		now->tv_sec += 3600 * hours++;
	return result;
}

Test(core_clock, it_is_the_monotonic_clock_by_system_call)
{
	expect_monotonic();
}

Test(core_clock, it_is_the_monotonic_clock_by_the_function_given)
{
	at_clock_use(libc_gettime);
	expect_monotonic();
}

Test(core_clock, a_function_that_fails_is_not_believed)
{
	at_clock_use(failing_gettime);
	expect_monotonic();
}

Test(core_clock, stamps_become_the_time_of_day)
{
	uint64_t before = read_ns(CLOCK_REALTIME);
	uint64_t stamp = at_clock_unix_ns(at_clock_now_ns());
	uint64_t after = read_ns(CLOCK_REALTIME);

	/* The two clocks were not read at once; a millisecond is plenty. */
	cr_expect_gt(stamp + 1000000, before);
	cr_expect_lt(stamp, after + 1000000);
}

Test(core_clock, a_step_of_the_wall_clock_moves_no_span)
{
	uint64_t first, second;

	at_clock_use(jumping_gettime);
	first = at_clock_unix_ns(1000);
	second = at_clock_unix_ns(3000);
	cr_expect_eq(second - first, 2000);
}
