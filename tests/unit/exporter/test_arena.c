// SPDX-License-Identifier: Apache-2.0
#include "exporter/arena.h"

#include <criterion/criterion.h>
#include <string.h>

#include "exporter/heap.h"

Test(exporter_arena, memory_is_aligned_and_does_not_overlap)
{
	struct arena arena = { 0 };
	uint8_t *parts[2000];
	size_t i, j;

	for (i = 0; i < 2000; i++) {
		parts[i] = arena_alloc(&arena, 1 + i);
		cr_assert_eq((uintptr_t)parts[i] % 16, 0);
		memset(parts[i], (int)i, 1 + i);
	}
	for (i = 0; i < 2000; i++)
		for (j = 0; j <= i; j++)
			cr_assert_eq(parts[i][j], (uint8_t)i);
	arena_free(&arena);
}

Test(exporter_arena, a_reset_reuses_the_memory)
{
	struct arena arena = { 0 };
	void *first = arena_alloc(&arena, 100);
	void *second = arena_alloc(&arena, 1 << 20);

	arena_reset(&arena);
	cr_assert_eq(arena_alloc(&arena, 100), first);
	cr_assert_eq(arena_alloc(&arena, 1 << 20), second);
	arena_free(&arena);
}

Test(exporter_arena, no_memory_gives_null_and_leaves_it_usable)
{
	struct arena arena = { 0 };

	cr_assert_null(arena_alloc(&arena, SIZE_MAX / 2));
	heap_fail_at = 1;
	cr_assert_null(arena_alloc(&arena, 10));
	cr_assert_not_null(arena_alloc(&arena, 10));
	arena_free(&arena);
}
