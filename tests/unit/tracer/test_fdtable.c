// SPDX-License-Identifier: Apache-2.0
#include "tracer/fdtable.h"

#include <criterion/criterion.h>
#include <errno.h>

#define LAST (AT_FD_MAX - 1)

static const int numbers[] = { 0, 1, 511, 512, 1024, 40000, LAST };
#define COUNT (sizeof(numbers) / sizeof(numbers[0]))

Test(fdtable, nothing_is_known_at_first)
{
	size_t i;

	for (i = 0; i < COUNT; i++) {
		cr_expect_eq(fdtable_get(numbers[i]), AT_FD_UNKNOWN);
		cr_expect_not(at_fd_ignored(numbers[i]));
		cr_expect_not(at_fd_followed(numbers[i]));
	}
	cr_expect(fdtable_page_exists(0));
	cr_expect(fdtable_page_exists(511));
	cr_expect_not(fdtable_page_exists(512));
}

Test(fdtable, a_slot_keeps_what_was_set)
{
	uint64_t old = 5;
	size_t i;

	for (i = 0; i < COUNT; i++) {
		cr_expect_eq(fdtable_set(numbers[i], 1000 + i, &old), 0);
		cr_expect_eq(old, AT_FD_UNKNOWN);
	}
	for (i = 0; i < COUNT; i++) {
		cr_expect_eq(fdtable_get(numbers[i]), 1000 + i);
		cr_expect(at_fd_followed(numbers[i]));
		cr_expect_eq(fdtable_set(numbers[i], AT_FD_IGNORED, &old), 0);
		cr_expect_eq(old, 1000 + i);
		cr_expect(at_fd_ignored(numbers[i]));
		cr_expect_not(at_fd_followed(numbers[i]));
	}
}

Test(fdtable, a_slot_is_replaced_if_it_is_as_expected)
{
	cr_expect_eq(fdtable_replace(600, AT_FD_UNKNOWN, 7), 0);
	cr_expect_eq(fdtable_replace(600, AT_FD_UNKNOWN, 8), -EAGAIN);
	cr_expect_eq(fdtable_get(600), 7);
	cr_expect_eq(fdtable_replace(600, 7, AT_FD_IGNORED), 0);
	cr_expect(at_fd_ignored(600));
}

/* To forget what was never known needs no memory. */
Test(fdtable, forgetting_makes_no_page)
{
	uint64_t old = 5;

	cr_expect_eq(fdtable_set(5000, AT_FD_UNKNOWN, &old), 0);
	cr_expect_eq(old, AT_FD_UNKNOWN);
	cr_expect_not(fdtable_page_exists(5000));
}

Test(fdtable, numbers_out_of_range_are_unknown)
{
	static const int out[] = { -1, AT_FD_MAX, 100000, INT32_MAX,
				   INT32_MIN };
	uint64_t old = 5;
	size_t i;

	for (i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
		cr_expect_eq(fdtable_get(out[i]), AT_FD_UNKNOWN);
		cr_expect_eq(fdtable_set(out[i], 9, &old), -ENOMEM);
		cr_expect_eq(old, AT_FD_UNKNOWN);
		cr_expect_eq(fdtable_set(out[i], AT_FD_UNKNOWN, &old), 0);
		cr_expect_eq(fdtable_replace(out[i], 0, 9), -ENOMEM);
		cr_expect_not(at_fd_ignored(out[i]));
		cr_expect_not(fdtable_page_exists(out[i]));
	}
}

Test(fdtable, pages_follow_one_another)
{
	cr_expect_eq(fdtable_next_page(0), 512);
	cr_expect_eq(fdtable_next_page(511), 512);
	cr_expect_eq(fdtable_next_page(512), 1024);
	cr_expect_eq(fdtable_next_page(LAST), AT_FD_MAX);
}
