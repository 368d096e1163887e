// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/living.h"

static struct at_living *table(void)
{
	struct at_living *living = aligned_alloc(64, sizeof(struct at_living));

	cr_assert_not_null(living);
	return memset(living, 0, sizeof(*living));
}

static struct at_life life_of(uint8_t own)
{
	struct at_life life = { .since_ns = own, .flags = 1 };

	memset(life.own, own, sizeof(life.own));
	memset(life.given, own + 1, sizeof(life.given));
	return life;
}

Test(core_living, who_enters_is_found_until_it_leaves)
{
	struct at_living *living = table();
	struct at_life life = life_of(7), found;

	cr_expect_not(at_living_find(living, 100, &found));
	cr_expect(at_living_enter(living, 100, &life));
	cr_assert(at_living_find(living, 100, &found));
	cr_expect_arr_eq(&found, &life, sizeof(life));
	at_living_leave(living, 100, NULL);
	cr_expect_not(at_living_find(living, 100, &found));
	free(living);
}

Test(core_living, an_entry_is_renewed)
{
	struct at_living *living = table();
	struct at_life first = life_of(1), second = life_of(2), found;

	at_living_enter(living, 5, &first);
	cr_expect(at_living_enter(living, 5, &second));
	cr_assert(at_living_find(living, 5, &found));
	cr_expect_eq(found.own[0], 2);
	/* Whoever heard of the first one's end late does no harm. */
	at_living_leave(living, 5, first.own);
	cr_expect(at_living_find(living, 5, &found));
	at_living_leave(living, 5, second.own);
	cr_expect_not(at_living_find(living, 5, &found));
	free(living);
}

Test(core_living, an_introduction_does_not_renew)
{
	struct at_living *living = table();
	struct at_life first = life_of(1), second = life_of(2), found;

	cr_expect(at_living_introduce(living, 5, &first));
	cr_expect_not(at_living_introduce(living, 5, &second));
	cr_assert(at_living_find(living, 5, &found));
	cr_expect_eq(found.own[0], 1);
	cr_expect(at_living_enter(living, 5, &second));
	cr_assert(at_living_find(living, 5, &found));
	cr_expect_eq(found.own[0], 2);
	free(living);
}

/* Numbers that fall into the same place. */
Test(core_living, a_window_fills_and_is_free_again)
{
	struct at_living *living = table();
	struct at_life life = life_of(3), found;
	uint32_t i;

	for (i = 1; i <= AT_LIVING_WINDOW; i++)
		cr_expect(at_living_enter(living, i * AT_LIVING_SLOTS, &life));
	cr_expect_not(at_living_enter(living, i * AT_LIVING_SLOTS, &life));
	cr_expect_not(at_living_find(living, i * AT_LIVING_SLOTS, &found));
	at_living_leave(living, 3 * AT_LIVING_SLOTS, NULL);
	cr_expect(at_living_enter(living, i * AT_LIVING_SLOTS, &life));
	cr_expect(at_living_find(living, i * AT_LIVING_SLOTS, &found));
	cr_expect(at_living_find(living, 9 * AT_LIVING_SLOTS, &found));
	free(living);
}

Test(core_living, what_is_half_written_is_not_read)
{
	struct at_living *living = table();
	struct at_life life = life_of(4), found;

	at_living_enter(living, 8, &life);
	living->slot[8].owner |= 1; /* its writer died in the middle */
	cr_expect_not(at_living_find(living, 8, &found));
	cr_expect_eq(at_living_pid(living, 8), 8);
	/* The number's next owner is not kept out. */
	cr_expect(at_living_enter(living, 8, &life));
	cr_expect(at_living_find(living, 8, &found));
	free(living);
}

Test(core_living, nobody_has_the_number_0)
{
	struct at_living *living = table();
	struct at_life found;

	cr_expect_not(at_living_find(living, 0, &found));
	at_living_leave(living, 0, NULL);
	free(living);
}
