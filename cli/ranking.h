// SPDX-License-Identifier: Apache-2.0
/* The few with the most. Pure. */
#ifndef AT_CLI_RANKING_H
#define AT_CLI_RANKING_H

#include <stdint.h>

#define AT_RANKING_MAX 32

struct at_ranking {
	uint32_t place[AT_RANKING_MAX];
	uint64_t value[AT_RANKING_MAX];
	uint32_t count;
};

/*
 * Of 0 .. count-1 those `max` (at most AT_RANKING_MAX) with the highest value,
 * highest first, of equals the first ones. 0 is no value.
 */
void at_rank(struct at_ranking *ranking, uint32_t count, uint32_t max,
	     uint64_t (*value)(const void *context, uint32_t i),
	     const void *context);

/* Put them in the order of their places. */
void at_ranking_by_place(struct at_ranking *ranking);

#endif
