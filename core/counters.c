// SPDX-License-Identifier: Apache-2.0
#include "core/counters.h"

#include <stddef.h>

const struct at_counter_info at_counter_table[AT_COUNTER_COUNT] = {
#define COUNTER(id, name, class, phrase) { name, AT_COUNTER_##class, phrase },
#include "core/counters.def"
#undef COUNTER
};

static struct at_counters own;
static _Atomic(struct at_counters *) current = &own;

void at_count(enum at_counter counter, uint64_t by)
{
	struct at_counters *counters = atomic_load(&current);

	atomic_fetch_add_explicit(&counters->value[counter], by,
				  memory_order_relaxed);
}

uint64_t at_counter_value(enum at_counter counter)
{
	return atomic_load_explicit(&atomic_load(&current)->value[counter],
				    memory_order_relaxed);
}

struct at_counters *at_counters_current(void)
{
	return atomic_load(&current);
}

void at_counters_share(struct at_counters *shared)
{
	int i;

	atomic_store(&current, shared);
	for (i = 0; i < AT_COUNTER_COUNT; i++)
		at_count((enum at_counter)i, atomic_exchange(&own.value[i], 0));
}

void at_counters_reset(void)
{
	int i;

	for (i = 0; i < AT_COUNTER_COUNT; i++)
		atomic_store(&own.value[i], 0);
}
