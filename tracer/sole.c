// SPDX-License-Identifier: Apache-2.0
#include "tracer/sole.h"

#include <string.h>

#include "tracer/baggage.h"
#include "tracer/served.h"

/*
 * All that is open in one word: how often it has changed (24 bits), how many
 * requests are open (14), the sum of their numbers (26). With one open the sum
 * is its number. Both fields hold whatever CONN_PIPELINE and the pool allow:
 * 8,192 requests with numbers below 8,192.
 */
#define SUM_BITS 26
#define COUNT_BITS 14
#define SUM(word) ((uint32_t)((word) & ((1u << SUM_BITS) - 1)))
#define COUNT(word) ((uint32_t)((word) >> SUM_BITS) & ((1u << COUNT_BITS) - 1))
#define ONE_OPEN (UINT64_C(1) << SUM_BITS)
#define ONE_CHANGE (UINT64_C(1) << (SUM_BITS + COUNT_BITS))

static _Atomic uint64_t open;
static _Atomic uint32_t generation = 1; /* another one in each forked child */
static bool wanted;

/* Whom is called in the background: a bit each; two may share one. */
#define BACKGROUND_WORDS 32
static _Atomic uint32_t background[BACKGROUND_WORDS];

void sole_start(const struct at_config *config)
{
	wanted = config->parent_rules[0] != 'c' && served_is_wanted(config);
}

void sole_opens(struct request *request)
{
	if (!wanted)
		return;
	atomic_store(&request->opened, atomic_load(&generation));
	atomic_fetch_add(&open, ONE_CHANGE + ONE_OPEN + request->link.index);
}

void sole_closes(struct request *request)
{
	uint32_t opened =
		atomic_load_explicit(&request->opened, memory_order_relaxed);

	/* Once, however many threads end it. */
	if (!opened || !atomic_exchange(&request->opened, 0) ||
	    opened != atomic_load(&generation))
		return;
	atomic_fetch_add(&open, ONE_CHANGE - ONE_OPEN - request->link.index);
}

/* FNV-1a of host and port; never 0. */
static uint32_t callee_hash(const struct target *target)
{
	uint32_t hash = AT_HASH_BEGIN;
	size_t i;

	for (i = 0; i < target->host.len; i++)
		hash = at_hash_byte(hash,
				    (uint8_t)at_lower(target->host.ptr[i]));
	hash = at_hash_byte(hash, (uint8_t)target->port);
	hash = at_hash_byte(hash, (uint8_t)(target->port >> 8));
	return hash ? hash : 1;
}

static bool is_background(uint32_t callee)
{
	return atomic_load_explicit(&background[callee % BACKGROUND_WORDS],
				    memory_order_relaxed) &
	       (1u << (callee / BACKGROUND_WORDS % 32));
}

static void mark_background(uint32_t callee)
{
	if (!is_background(callee))
		atomic_fetch_or(&background[callee % BACKGROUND_WORDS],
				1u << (callee / BACKGROUND_WORDS % 32));
}

/* A frame of its own: stacks are small. */
__attribute__((noinline)) bool sole_context(struct request *call,
					    const struct target *target,
					    struct at_context *context)
{
	uint64_t word = atomic_load(&open);
	struct request *cause;
	uint32_t callee;
	bool same;

	if (!wanted || COUNT(word) > 1)
		return false;
	callee = callee_hash(target);
	if (!COUNT(word))
		mark_background(callee);
	if (is_background(callee) || !(cause = request_hold_at(SUM(word))))
		return false;
	/* Held while nothing has changed: it is the one. */
	same = atomic_load(&open) == word;
	if (same) {
		at_context_copy(context, &cause->context);
		call->baggage = baggage_hold(cause->baggage);
		call->callee = callee;
		call->cause = SUM(word);
		cause->has_below = true;
	}
	request_free(cause);
	return same;
}

void sole_answered(const struct request *call)
{
	struct request *cause = request_hold_at(call->cause);

	if (!cause || !atomic_load(&cause->opened) ||
	    memcmp(cause->context.span_id, call->span.parent_id,
		   AT_SPAN_ID_BYTES) != 0)
		mark_background(call->callee);
	if (cause)
		request_free(cause);
}

void sole_after_fork_child(void)
{
	atomic_store(&open, 0);
	atomic_fetch_add(&generation, 1);
}
