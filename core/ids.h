// SPDX-License-Identifier: Apache-2.0
/*
 * Trace and span ids: random, never zero, never shared with a forked child.
 *
 * The generator is per thread (xoshiro256**), seeded from getrandom(2). A new
 * generation (at_ids_reseed, called in a forked child) makes every thread
 * seed again. Thread-safe; async-signal-safe in the sense that a handler that
 * interrupts a draw may at worst repeat the state it interrupted, so handlers
 * on a traced path are kept out by the hook guard.
 */
#ifndef AT_CORE_IDS_H
#define AT_CORE_IDS_H

#include <stdint.h>

#include "core/span.h"

void at_ids_trace(uint8_t trace_id[AT_TRACE_ID_BYTES]);
void at_ids_span(uint8_t span_id[AT_SPAN_ID_BYTES]);

/* 64 random bits. */
uint64_t at_ids_random(void);

/* In a forked child, before any id is drawn. */
void at_ids_reseed(void);

#endif
