// SPDX-License-Identifier: Apache-2.0
/*
 * Counters of everything dropped or noted (rows: core/counters.def).
 *
 * They live in this process until at_counters_share() moves them to memory
 * that outlives it. Adding is one relaxed atomic add: thread-safe and
 * async-signal-safe.
 */
#ifndef AT_CORE_COUNTERS_H
#define AT_CORE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

enum at_counter {
#define COUNTER(id, name, class, phrase) AT_COUNT_##id,
#include "core/counters.def"
#undef COUNTER
	AT_COUNTER_COUNT
};

enum at_counter_class {
	AT_COUNTER_LOST,
	AT_COUNTER_LESS,
	AT_COUNTER_NOTE,
};

struct at_counter_info {
	const char *name;
	enum at_counter_class class;
	const char *phrase;
};

extern const struct at_counter_info at_counter_table[AT_COUNTER_COUNT];

struct at_counters {
	_Atomic uint64_t value[AT_COUNTER_COUNT];
};

void at_count(enum at_counter counter, uint64_t by);
uint64_t at_counter_value(enum at_counter counter);

/* Where counting goes at the moment; for handing to another copy of us. */
struct at_counters *at_counters_current(void);

/*
 * From now on count into `shared` (which stays mapped for ever); what was
 * counted so far is added to it once. Not to be called twice.
 */
void at_counters_share(struct at_counters *shared);

/* In a forked child: what the parent counted is the parent's. */
void at_counters_reset(void);

#endif
