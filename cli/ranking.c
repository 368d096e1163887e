// SPDX-License-Identifier: Apache-2.0
#include "cli/ranking.h"

static void insert(struct at_ranking *ranking, uint32_t at, uint32_t place,
		   uint64_t value)
{
	uint32_t i;

	for (i = ranking->count++; i > at; i--) {
		ranking->place[i] = ranking->place[i - 1];
		ranking->value[i] = ranking->value[i - 1];
	}
	ranking->place[at] = place;
	ranking->value[at] = value;
}

void at_rank(struct at_ranking *ranking, uint32_t count, uint32_t max,
	     uint64_t (*value_of)(const void *context, uint32_t i),
	     const void *context)
{
	uint32_t i, at;

	ranking->count = 0;
	for (i = 0; i < count; i++) {
		uint64_t value = value_of(context, i);

		at = ranking->count;
		while (at && ranking->value[at - 1] < value)
			at--;
		if (!value || at == max)
			continue;
		if (ranking->count == max)
			ranking->count--;
		insert(ranking, at, i, value);
	}
}

void at_ranking_by_place(struct at_ranking *ranking)
{
	struct at_ranking all = *ranking;
	uint32_t i, at;

	ranking->count = 0;
	for (i = 0; i < all.count; i++) {
		at = ranking->count;
		while (at && ranking->place[at - 1] > all.place[i])
			at--;
		insert(ranking, at, all.place[i], all.value[i]);
	}
}
