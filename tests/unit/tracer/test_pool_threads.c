// SPDX-License-Identifier: Apache-2.0
/* Many threads take and give: nobody gets what somebody else has. */
#include "tracer/pool.h"

#include <criterion/criterion.h>
#include <pthread.h>

struct thing {
	struct pool_link link;
	int owner;
};

#define THREADS 4
#define ROUNDS 30000
#define HELD 8

static struct pool pool = POOL(struct thing, 2);
static _Atomic int collisions;

static void *work(void *data)
{
	int self = (int)(intptr_t)data, i, j;
	struct thing *held[HELD];

	for (i = 0; i < ROUNDS; i++) {
		int count = 1 + (i + self) % HELD;

		for (j = 0; j < count; j++) {
			held[j] = pool_take(&pool);
			held[j]->owner = self;
		}
		for (j = 0; j < count; j++) {
			if (held[j]->owner != self)
				collisions++;
			pool_give(&pool, held[j]);
		}
	}
	return NULL;
}

Test(pool_threads, an_object_has_one_owner)
{
	pthread_t thread[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, work,
			       (void *)(intptr_t)(i + 1));
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	cr_expect_eq(collisions, 0);
	cr_expect_eq(pool_in_use(&pool), 0);
	cr_expect(pool_used(&pool) <= THREADS * HELD);
}
