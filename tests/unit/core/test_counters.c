// SPDX-License-Identifier: Apache-2.0
#include "core/counters.h"

#include <criterion/criterion.h>
#include <string.h>

static struct at_counters shared;

Test(core_counters, every_counter_has_a_name_of_its_own_and_a_phrase)
{
	int i, j;

	for (i = 0; i < AT_COUNTER_COUNT; i++) {
		cr_expect_gt(strlen(at_counter_table[i].name), 0);
		cr_expect_gt(strlen(at_counter_table[i].phrase), 0);
		cr_expect_leq(at_counter_table[i].class, AT_COUNTER_NOTE);
		for (j = 0; j < i; j++)
			cr_expect_str_neq(at_counter_table[i].name,
					  at_counter_table[j].name);
	}
}

Test(core_counters, each_counts_for_itself)
{
	int i, j;

	for (i = 0; i < AT_COUNTER_COUNT; i++)
		for (j = 0; j <= i; j++)
			at_count((enum at_counter)j, 1);
	for (i = 0; i < AT_COUNTER_COUNT; i++)
		cr_expect_eq(at_counter_value((enum at_counter)i),
			     AT_COUNTER_COUNT - i);
}

Test(core_counters, sharing_moves_what_was_counted_and_what_will_be)
{
	at_count(AT_COUNT_QUEUE_FULL, 3);
	atomic_store(&shared.value[AT_COUNT_QUEUE_FULL], 100);
	at_counters_share(&shared);
	cr_expect_eq(atomic_load(&shared.value[AT_COUNT_QUEUE_FULL]), 103);
	at_count(AT_COUNT_QUEUE_FULL, 4);
	at_count(AT_COUNT_VALUES_CUT, 1);
	cr_expect_eq(atomic_load(&shared.value[AT_COUNT_QUEUE_FULL]), 107);
	cr_expect_eq(atomic_load(&shared.value[AT_COUNT_VALUES_CUT]), 1);
	cr_expect_eq(at_counter_value(AT_COUNT_QUEUE_FULL), 107);
}

Test(core_counters, a_reset_forgets_this_process_only)
{
	at_count(AT_COUNT_QUEUE_FULL, 3);
	at_counters_reset();
	cr_expect_eq(at_counter_value(AT_COUNT_QUEUE_FULL), 0);
	at_counters_share(&shared);
	at_count(AT_COUNT_QUEUE_FULL, 5);
	at_counters_reset();
	cr_expect_eq(at_counter_value(AT_COUNT_QUEUE_FULL), 5);
}
