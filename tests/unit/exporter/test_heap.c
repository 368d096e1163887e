// SPDX-License-Identifier: Apache-2.0
#include "exporter/heap.h"

#include <criterion/criterion.h>
#include <string.h>

#define LIVE_MAX 400

static uint32_t seed = 1;

static uint32_t next_random(void)
{
	seed = seed * 1103515245 + 12345;
	return seed >> 8;
}

static size_t random_size(void)
{
	static const size_t limits[] = { 16, 100, 1024, 5000, 70000, 300000 };

	return next_random() % limits[next_random() % 6];
}

/* Bytes that follow from the place in the table: another block's would not. */
static void fill(uint8_t *bytes, size_t len, size_t number)
{
	size_t i;

	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(number + i * 7);
}

static void expect_filled(const uint8_t *bytes, size_t len, size_t number)
{
	size_t i;

	for (i = 0; i < len; i++)
		cr_assert_eq(bytes[i], (uint8_t)(number + i * 7));
}

Test(exporter_heap, blocks_keep_their_contents_through_alloc_resize_and_free)
{
	uint8_t *live[LIVE_MAX] = { 0 };
	size_t len[LIVE_MAX] = { 0 };
	int round;
	size_t i;

	for (round = 0; round < 40000; round++) {
		i = next_random() % LIVE_MAX;
		expect_filled(live[i], len[i], i);
		if (next_random() % 3 == 0) {
			size_t more = random_size();
			size_t kept = more < len[i] ? more : len[i];

			live[i] = heap_resize(live[i], more);
			expect_filled(live[i], kept, i);
			len[i] = more;
		} else {
			heap_free(live[i]);
			len[i] = random_size();
			live[i] = heap_alloc(len[i]);
		}
		cr_assert_not_null(live[i]);
		cr_assert_eq((uintptr_t)live[i] % 16, 0);
		fill(live[i], len[i], i);
	}
	for (i = 0; i < LIVE_MAX; i++)
		heap_free(live[i]);
}

Test(exporter_heap, freed_blocks_are_used_again)
{
	void *first = heap_alloc(200);

	heap_free(first);
	cr_assert_eq(heap_alloc(200), first);
}

Test(exporter_heap, zeroed_memory_is_zero_also_the_second_time)
{
	uint8_t *bytes = heap_alloc(500);
	size_t i;

	memset(bytes, 0xff, 500);
	heap_free(bytes);
	bytes = heap_zalloc(50, 10);
	for (i = 0; i < 500; i++)
		cr_assert_eq(bytes[i], 0);
}

Test(exporter_heap, sizes_that_cannot_be_had_give_null)
{
	cr_assert_null(heap_alloc(SIZE_MAX));
	cr_assert_null(heap_alloc(SIZE_MAX - 4096));
	cr_assert_null(heap_zalloc(SIZE_MAX / 2, 3));
	cr_assert_not_null(heap_alloc(0));
}

Test(exporter_heap, a_block_that_cannot_grow_stays_as_it_was)
{
	char *text = heap_copy("stay");

	cr_assert_null(heap_resize(text, SIZE_MAX));
	cr_assert_str_eq(text, "stay");
}

Test(exporter_heap, the_nth_allocation_can_be_made_to_fail)
{
	heap_fail_at = 2;
	cr_assert_not_null(heap_alloc(10));
	cr_assert_null(heap_alloc(10));
	cr_assert_not_null(heap_alloc(10));
}
