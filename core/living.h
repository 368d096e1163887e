// SPDX-License-Identifier: Apache-2.0
/*
 * Who lives: a table in the hub's memory, so that a child can ask what its
 * parent's span is where no environment block says so (system, popen).
 *
 * Entries are found by process id, in a window of slots. A full window means
 * that nobody can ask for that process; nothing else depends on it. Safe
 * between processes that do not trust each other's survival: no lock, no wait.
 * All functions are thread-safe and async-signal-safe, and need no system
 * call.
 */
#ifndef AT_CORE_LIVING_H
#define AT_CORE_LIVING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/span.h"

#define AT_LIVING_SLOTS 4096
#define AT_LIVING_WINDOW 16

/* What is told of a process: that of its current image. */
struct at_life {
	uint64_t since_ns; /* CLOCK_BOOTTIME; the process began no later */
	uint64_t exec_ns;  /* monotonic: another image follows; 0: none does */
	uint8_t trace_id[AT_TRACE_ID_BYTES];
	uint8_t given[AT_SPAN_ID_BYTES]; /* in its environment; 0: none */
	uint8_t own[AT_SPAN_ID_BYTES];   /* what its children belong to */
	uint8_t flags;
};

struct at_living_slot {
	_Alignas(64) _Atomic uint64_t
		owner; /* pid << 32 | version; odd: being written */
	struct at_life life;
};

struct at_living {
	struct at_living_slot slot[AT_LIVING_SLOTS];
};

/* Enter `pid`, or renew what is said of it. False: no room. */
bool at_living_enter(struct at_living *living, uint32_t pid,
		     const struct at_life *life);

/* The same, unless something is known of it already. */
bool at_living_introduce(struct at_living *living, uint32_t pid,
			 const struct at_life *life);

/* What is known of `pid`. */
bool at_living_find(struct at_living *living, uint32_t pid,
		    struct at_life *life);

/* Take `pid` out, if its span is still `own` (NULL: whatever it is). */
void at_living_leave(struct at_living *living, uint32_t pid,
		     const uint8_t *own);

/* The process in a slot; 0: none. For a sweep over all. */
uint32_t at_living_pid(const struct at_living *living, uint32_t slot);

#endif
