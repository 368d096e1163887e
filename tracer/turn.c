// SPDX-License-Identifier: Apache-2.0
#include "tracer/turn.h"

#include "core/sys.h"
#include "tracer/conn.h"
#include "tracer/fdtable.h"
#include "tracer/sole.h"

/* So many requests in a row, each on its own thread, and threads are believed. */
#define PROOF 32

static _Atomic bool mixed; /* threads tell nothing here */
static _Atomic uint32_t proven_count;
static bool only_certain;

static __thread struct request *busy_with; /* with a reference */
static __thread bool waited;               /* for others, meanwhile */

void turn_start(const struct at_config *config)
{
	only_certain = config->parent_rules[0] == 'c';
	sole_start(config);
}

static void let_go(void)
{
	struct request *request = busy_with;

	busy_with = NULL;
	if (request)
		request_free(request);
}

/* What this thread read before is over, wherever it was answered. */
static void look_back(void)
{
	if (busy_with && atomic_load(&busy_with->done))
		let_go();
}

void turn_begins(struct request *request)
{
	sole_opens(request);
	look_back();
	if (busy_with)
		atomic_store(&mixed, true);
	let_go();
	if (atomic_load_explicit(&mixed, memory_order_relaxed))
		return;
	request_hold(request);
	busy_with = request;
	waited = false;
}

void turn_ends(struct request *request)
{
	if (atomic_exchange(&request->done, true))
		return;
	if (request == busy_with) {
		atomic_fetch_add(&proven_count, 1);
		let_go();
	} else {
		/* Whoever holds it may read no other, and keep it for ever. */
		atomic_store(&mixed, true);
	}
}

const struct at_context *turn_context(void)
{
	look_back();
	if (!busy_with || waited ||
	    atomic_load_explicit(&mixed, memory_order_relaxed))
		return NULL;
	if (only_certain && atomic_load(&proven_count) < PROOF)
		return NULL;
	busy_with->has_below = true;
	return &busy_with->context;
}

struct baggage *turn_baggage(void)
{
	return busy_with->baggage;
}

bool at_turn_is_on(void)
{
	return busy_with != NULL;
}

void at_turn_waits_for_many(void)
{
	waited = true;
}

/*
 * Its own sockets, pipes and timers do not count: whoever serves others as well
 * waits for their connections, or for new ones.
 */
void at_turn_waits_for(int fd)
{
	uint64_t slot = fdtable_get(fd);
	struct conn *conn;

	if (slot == AT_FD_LISTENS)
		waited = true;
	conn = waited ? NULL : conn_hold(slot);
	if (!conn)
		return;
	if (conn->server)
		waited = true;
	conn_release(conn);
}

void turn_after_fork_child(void)
{
	/* The parent answers; what is called here is still that request's. */
	atomic_store(&proven_count, 0);
	sole_after_fork_child();
}
