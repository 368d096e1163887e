// SPDX-License-Identifier: Apache-2.0
/* The library's own memcpy and the like, under other names, against libc's. */
#include <criterion/criterion.h>
#include <string.h>

#define memcpy own_memcpy
#define memmove own_memmove
#define memset own_memset
#include "preload/memory.c"
#undef memcpy
#undef memmove
#undef memset

#define MOST 130
#define ROOM (3 * MOST)

static char expected[ROOM], seen[ROOM];

static void fill(void)
{
	size_t i;

	for (i = 0; i < ROOM; i++)
		expected[i] = seen[i] = (char)(i * 7 + 1);
}

Test(memory, copies_of_every_length_and_alignment)
{
	size_t len, at;

	for (len = 0; len < MOST; len++)
		for (at = 0; at < 17; at++) {
			fill();
			memcpy(expected + at, expected + 2 * MOST - at, len);
			cr_assert(own_memcpy(seen + at, seen + 2 * MOST - at,
					     len) == seen + at);
			cr_assert_eq(memcmp(expected, seen, ROOM), 0);
		}
}

Test(memory, moves_of_every_distance)
{
	size_t len, at;

	for (len = 0; len < MOST; len++)
		for (at = 0; at < 2 * MOST; at++) {
			fill();
			memmove(expected + at, expected + MOST, len);
			cr_assert(own_memmove(seen + at, seen + MOST, len) ==
				  seen + at);
			cr_assert_eq(memcmp(expected, seen, ROOM), 0);
		}
}

Test(memory, fills_of_every_length)
{
	size_t len, at;

	for (len = 0; len < MOST; len++)
		for (at = 0; at < 17; at++) {
			fill();
			memset(expected + at, 0xa5, len);
			cr_assert(own_memset(seen + at, 0x1a5, len) ==
				  seen + at);
			cr_assert_eq(memcmp(expected, seen, ROOM), 0);
		}
}
