// SPDX-License-Identifier: Apache-2.0
/*
 * The two sides of a fork.
 *
 * Most children come through libc's fork handlers. Those of _Fork and of raw
 * system calls do not: they are known by a word in a page that the kernel
 * wipes for them (MADV_WIPEONFORK, Linux 4.14; without it they are not known).
 * Children that share our memory find the word as it is, and keep off by
 * at_thread_hands_off().
 */
#include "tracer/fork.h"

#include "core/counters.h"
#include "core/ids.h"
#include "core/sys.h"
#include "tracer/conn.h"
#include "tracer/failure.h"
#include "tracer/http2.h"
#include "tracer/output.h"
#include "tracer/process.h"
#include "tracer/sealed.h"
#include "tracer/tracer.h"
#include "tracer/transfer.h"
#include "tracer/turn.h"

#define PAGE_BYTES 4096
#define WIPEONFORK 18 /* MADV_WIPEONFORK, not known to older headers */

enum { WIPED, IN_PROGRESS, OURS }; /* what the word says */

_Atomic(_Atomic uint32_t *) at_fork_mark;
static _Atomic bool watching;
static _Atomic(void (*)(void)) forked;

/* --- children without handlers --- */

void at_tracer_set_forked(void (*handler)(void))
{
	atomic_store(&forked, handler);
}

void fork_watch(void)
{
	_Atomic uint32_t *page;

	if (atomic_load_explicit(&watching, memory_order_relaxed) ||
	    atomic_exchange(&watching, true))
		return;
	page = sys_map(PAGE_BYTES);
	if (!page)
		return;
	if (sys_madvise(page, PAGE_BYTES, WIPEONFORK)) {
		sys_unmap(page, PAGE_BYTES);
		return;
	}
	atomic_store(page, OURS);
	atomic_store(&at_fork_mark, page);
}

bool fork_unnoticed(void)
{
	_Atomic uint32_t *mark = atomic_load(&at_fork_mark);

	return mark && atomic_load(mark) == WIPED;
}

void at_fork_noticed(void)
{
	void (*handler)(void) = atomic_load(&forked);
	uint32_t wiped = WIPED;

	if (at_thread_hands_off() ||
	    !atomic_compare_exchange_strong(atomic_load(&at_fork_mark), &wiped,
					    IN_PROGRESS))
		return;
	if (handler)
		handler();
	else
		at_tracer_after_fork_child();
}

/* --- what becomes of connections --- */

/*
 * What the parent had under way is the parent's to report, and what it was in
 * the middle of sending or reading goes on there: nobody here can say how far
 * it came. Locks may be held by threads that do not exist here; we are alone.
 */
static void disown(struct conn *conn)
{
	bool under_way = conn->draft || conn->carry_of || conn_waiting(conn) ||
			 !at_http1_idle(&conn->out) ||
			 atomic_load(&conn->writer) ||
			 atomic_load(&conn->reader);

	atomic_store(&conn->lock, 0);
	atomic_store(&conn->writer, 0);
	atomic_store(&conn->reader, 0);
	while (conn_oldest(conn)) {
		at_count(AT_COUNT_FORK_INHERITED, 1);
		conn_drop_oldest(conn);
	}
	if (conn->sealed) {
		at_count(AT_COUNT_FORK_INHERITED, 1);
		atomic_store(&conn->opaque, 1);
		sealed_free(conn->sealed);
		conn->sealed = NULL;
	}
	http2_disown(conn);
	if (under_way && !atomic_load(&conn->opaque))
		atomic_store(&conn->opaque, CONN_INHERITED);
	if (!conn->carry_of)
		return;
	/* The parent owes these bytes. */
	request_free(conn->carry_of);
	conn->carry_of = NULL;
}

/* Two processes may write now, and neither knows whether the other did. */
static void share(struct conn *conn)
{
	uint32_t nobody = 0;

	if (!atomic_compare_exchange_strong(&conn->writer, &nobody, 1))
		return; /* in the middle of it */
	if (conn->carry_of && conn_lock(conn)) {
		conn_lose(conn, AT_COUNT_OPAQUE_SHARED);
		conn_unlock(conn);
	}
	conn_leave(&conn->writer);
}

void at_tracer_after_fork_parent(void)
{
	conn_each(share);
}

void at_tracer_after_fork_child(void)
{
	_Atomic uint32_t *mark = atomic_load(&at_fork_mark);

	thread_is_alone();
	at_counters_reset();
	at_ids_reseed();
	output_after_fork_child();
	process_after_fork_child();
	turn_after_fork_child();
	failure_after_fork_child();
	conn_each(disown);
	transfer_after_fork_child();
	if (mark)
		atomic_store(mark, OURS);
}
