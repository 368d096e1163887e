// SPDX-License-Identifier: Apache-2.0
#include "tracer/pool.h"

#include <criterion/criterion.h>
#include <sanitizer/asan_interface.h>
#include <string.h>

struct thing {
	struct pool_link link;
	uint32_t kept;
	char bytes[100];
};

#define PER_CHUNK 4
#define MOST (POOL_CHUNKS * PER_CHUNK)

static struct pool pool =
	POOL_KEEPING(struct thing, PER_CHUNK, offsetof(struct thing, bytes));

Test(pool, objects_are_numbered_and_apart)
{
	struct thing *things[100];
	uint32_t i, j;

	cr_expect_null(pool_at(&pool, 0));
	for (i = 0; i < 100; i++) {
		things[i] = pool_take(&pool);
		cr_assert_not_null(things[i]);
		cr_expect_eq(things[i]->link.index, i);
		cr_expect_eq(pool_at(&pool, i), things[i]);
		for (j = 0; j < sizeof(things[i]->bytes); j++)
			cr_assert_eq(things[i]->bytes[j], 0);
		memset(things[i]->bytes, (int)i + 1, sizeof(things[i]->bytes));
	}
	for (i = 0; i < 100; i++)
		for (j = 0; j < sizeof(things[i]->bytes); j++)
			cr_assert_eq(things[i]->bytes[j], (char)(i + 1));
	cr_expect_eq(pool_used(&pool), 100);
	cr_expect_eq(pool_in_use(&pool), 100);
}

Test(pool, what_is_given_back_is_taken_again)
{
	struct thing *a = pool_take(&pool), *b = pool_take(&pool);

	pool_give(&pool, a);
	cr_expect_eq(pool_in_use(&pool), 1);
	pool_give(&pool, b);
	cr_expect_eq(pool_in_use(&pool), 0);
	cr_expect_eq(pool_take(&pool), b);
	cr_expect_eq(pool_take(&pool), a);
	cr_expect_eq(pool_used(&pool), 2);
	cr_expect_eq(pool_in_use(&pool), 2);
	cr_expect_eq(b->link.index, 1);
}

Test(pool, when_all_are_taken_there_is_none)
{
	struct thing *last = NULL;
	int i;

	for (i = 0; i < MOST; i++) {
		last = pool_take(&pool);
		cr_assert_not_null(last);
	}
	cr_expect_null(pool_take(&pool));
	cr_expect_null(pool_take(&pool));
	cr_expect_eq(pool_at(&pool, MOST - 1), last);
	cr_expect_null(pool_at(&pool, MOST));
	pool_give(&pool, last);
	cr_expect_eq(pool_take(&pool), last);
	cr_expect_null(pool_take(&pool));
}

/* Whoever uses a free object is caught. */
Test(pool, free_objects_are_poisoned)
{
	struct thing *thing = pool_take(&pool);

	cr_expect_not(__asan_address_is_poisoned(thing->bytes));
	pool_give(&pool, thing);
	cr_expect(__asan_address_is_poisoned(thing->bytes));
	cr_expect(__asan_address_is_poisoned(thing->bytes + 99));
	cr_expect_not(__asan_address_is_poisoned(&thing->kept));
	cr_expect_not(__asan_address_is_poisoned(&thing->link));
	cr_assert_eq(pool_take(&pool), thing);
	cr_expect_not(__asan_address_is_poisoned(thing->bytes));
	cr_expect_not(__asan_address_is_poisoned(thing->bytes + 99));
}
