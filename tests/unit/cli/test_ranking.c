// SPDX-License-Identifier: Apache-2.0
#include "cli/ranking.h"

#include <criterion/criterion.h>

static uint64_t value_at(const void *context, uint32_t i)
{
	return ((const uint64_t *)context)[i];
}

static void expect(const struct at_ranking *ranking, const uint32_t *places,
		   uint32_t count)
{
	uint32_t i;

	cr_assert_eq(ranking->count, count);
	for (i = 0; i < count; i++)
		cr_expect_eq(ranking->place[i], places[i], "%u", i);
}

Test(cli_ranking, the_highest_first_and_nothing_for_zero)
{
	static const uint64_t values[] = { 3, 0, 9, 3, 7, 1 };
	static const uint32_t by_value[] = { 2, 4, 0 };
	static const uint32_t by_place[] = { 0, 2, 4 };
	struct at_ranking ranking;

	at_rank(&ranking, 6, 3, value_at, values);
	expect(&ranking, by_value, 3);
	cr_expect_eq(ranking.value[0], 9);
	at_ranking_by_place(&ranking);
	expect(&ranking, by_place, 3);
	cr_expect_eq(ranking.value[0], 3);
	at_rank(&ranking, 6, AT_RANKING_MAX, value_at, values);
	cr_expect_eq(ranking.count, 5);
	at_rank(&ranking, 0, 3, value_at, values);
	cr_expect_eq(ranking.count, 0);
}
