// SPDX-License-Identifier: Apache-2.0
#include "core/ids.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#define THREADS 4
#define DRAWS 20000

static uint64_t ids[THREADS][DRAWS];

static void *draw(void *argument)
{
	uint64_t *own = argument;
	int i;

	for (i = 0; i < DRAWS; i++) {
		at_ids_span((uint8_t *)&own[i]);
		if (i % 1000 == 0)
			at_ids_reseed();
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

Test(core_ids_threads, threads_never_draw_the_same_id)
{
	uint64_t *all = &ids[0][0];
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, draw, ids[i]),
			     0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	qsort(all, THREADS * DRAWS, sizeof(*all), compare);
	for (i = 1; i < THREADS * DRAWS; i++)
		cr_assert_neq(all[i - 1], all[i]);
}
