// SPDX-License-Identifier: Apache-2.0
#include "core/counters.h"

#include <criterion/criterion.h>
#include <pthread.h>

#define THREADS 4
#define ADDS 50000

static void *add(void *argument)
{
	int i;

	(void)argument;
	for (i = 0; i < ADDS; i++)
		at_count(AT_COUNT_SPANS_ENDED, 2);
	return NULL;
}

Test(core_counters_threads, no_addition_is_lost)
{
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, add, NULL), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(at_counter_value(AT_COUNT_SPANS_ENDED),
		     2 * THREADS * ADDS);
}
