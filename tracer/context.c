// SPDX-License-Identifier: Apache-2.0
#include "tracer/context.h"

#include <stdatomic.h>
#include <string.h>

#include "core/environ.h"
#include "core/section.h"
#include "propagator/propagator.h"
#include "tracer/turn.h"

static struct at_context given AT_LARGE;
static struct at_context process_context AT_LARGE;
static bool process_context_known;

/* TRACEPARENT in any case: that is how our own tree hands it on. */
static bool read_given(char *const *environ)
{
	struct at_text value = at_environ_get(environ, "TRACEPARENT");

	if (!value.ptr || at_traceparent_parse(value, &given))
		return false;
	value = at_environ_get(environ, "TRACESTATE");
	if (value.ptr && value.len)
		at_tracestate_parse(&value, 1, &given);
	return true;
}

static bool same_ids(const struct at_context *a, const struct at_context *b)
{
	return !memcmp(a->trace_id, b->trace_id, AT_TRACE_ID_BYTES) &&
	       !memcmp(a->span_id, b->span_id, AT_SPAN_ID_BYTES);
}

/* A frame of its own: few have others, and stacks are small. */
__attribute__((noinline)) static bool read_others(
	struct at_context *context, const struct at_propagator_set *others,
	const struct at_carrier *carrier)
{
	struct at_context found;

	if (at_propagators_extract(others, carrier, &found) ||
	    !at_context_valid(&found) || same_ids(&found, context))
		return false;
	at_context_copy(context, &found);
	return true;
}

bool context_read_others(struct at_context *context,
			 const struct at_propagator_set *others,
			 const struct at_carrier *carrier)
{
	return others->count && read_others(context, others, carrier);
}

void context_start(char *const *environ, const struct at_propagator_set *others)
{
	const struct at_environ_carrier carrier = at_environ_carrier(environ);

	process_context_known = false;
	if (!read_given(environ))
		memset(&given, 0, sizeof(given));
	context_read_others(&given, others, &carrier.carrier);
	if (at_context_valid(&given))
		context_set(&given);
}

const struct at_context *context_given(void)
{
	return &given;
}

void context_set(const struct at_context *own)
{
	process_context = *own;
	process_context_known = true;
}

/* --- contexts that may be seen again --- */

/*
 * Span ids, in sets of which each forgets its oldest: whoever is at work is not
 * forgotten for another's sake.
 */
#define KNOWN_SETS 1024
#define KNOWN_EACH 8
struct known {
	_Atomic uint32_t count;
	_Atomic uint64_t id[KNOWN_EACH];
};
static struct known known[KNOWN_SETS] AT_LARGE;
static _Atomic bool forgetful;

#define TRACE_SETS 32
static struct known traces[TRACE_SETS] AT_LARGE;

static uint64_t id_of(const struct at_context *context)
{
	uint64_t id;

	memcpy(&id, context->span_id, sizeof(id));
	return id;
}

static uint64_t trace_of(const struct at_context *context)
{
	uint64_t id;

	/* The half that is random where the other need not be. */
	memcpy(&id, context->trace_id + AT_TRACE_ID_BYTES - sizeof(id),
	       sizeof(id));
	return id;
}

static struct known *set_of(struct known *sets, size_t count, uint64_t id)
{
	return &sets[(id ^ id >> 32) % count];
}

/* How many had come in before. */
static uint32_t keep(struct known *set, uint64_t id)
{
	uint32_t place =
		atomic_fetch_add_explicit(&set->count, 1, memory_order_relaxed);

	atomic_store_explicit(&set->id[place % KNOWN_EACH], id,
			      memory_order_relaxed);
	return place;
}

static bool is_kept(const struct known *set, uint64_t id)
{
	unsigned int i;

	for (i = 0; i < KNOWN_EACH; i++)
		if (atomic_load_explicit(&set->id[i], memory_order_relaxed) ==
		    id)
			return true;
	return false;
}

void context_came_in(const struct at_context *context)
{
	uint64_t id = id_of(context);

	if (keep(set_of(known, KNOWN_SETS, id), id) >= KNOWN_EACH)
		atomic_store_explicit(&forgetful, true, memory_order_relaxed);
}

void context_trace_comes_in(const struct at_context *context)
{
	uint64_t id = trace_of(context);
	struct known *set = set_of(traces, TRACE_SETS, id);

	/* Mostly all of them belong to one. */
	if (!is_kept(set, id))
		keep(set, id);
}

bool context_trace_came_in(const struct at_context *context)
{
	uint64_t id = trace_of(context);

	return is_kept(set_of(traces, TRACE_SETS, id), id);
}

bool context_is_forgetful(void)
{
	return atomic_load_explicit(&forgetful, memory_order_relaxed);
}

bool context_is_known(const struct at_context *context)
{
	uint64_t id = id_of(context);

	return is_kept(set_of(known, KNOWN_SETS, id), id) ||
	       same_ids(context, &given) ||
	       (process_context_known && same_ids(context, &process_context));
}

/* --- the parent --- */

const struct at_context *context_parent(enum context_rule *rule)
{
	const struct at_context *turn = turn_context();

	if (turn) {
		*rule = CONTEXT_THREAD;
		return turn;
	}
	*rule = process_context_known ? CONTEXT_PROCESS : CONTEXT_ROOT;
	return process_context_known ? &process_context : NULL;
}
