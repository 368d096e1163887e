// SPDX-License-Identifier: Apache-2.0
/*
 * Start and end of the tracer, the descriptors' life, and who must keep off.
 */
#include "tracer/tracer.h"

#include <errno.h>

#include "core/counters.h"
#include "core/environ.h"
#include "core/sys.h"
#include "tracer/conn.h"
#include "tracer/context.h"
#include "tracer/failure.h"
#include "tracer/fdtable.h"
#include "tracer/fork.h"
#include "tracer/output.h"
#include "tracer/propagate.h"
#include "tracer/sdk.h"
#include "tracer/sealed.h"
#include "tracer/served.h"
#include "tracer/transfer.h"
#include "tracer/turn.h"

extern char **environ;

static _Atomic bool active;

/* --- threads that must keep off --- */

static __thread bool thread_is_ours;
static __thread int vfork_tid;        /* 0: no vfork under way on this thread */
static __thread bool block_is_shared; /* and may be for long */

void at_thread_is_ours(void)
{
	thread_is_ours = true;
}

void at_vfork_begin(bool runs_beside)
{
	vfork_tid = sys_gettid();
	if (runs_beside)
		block_is_shared = true;
}

/*
 * A vfork child runs on its parent's thread block: only the kernel can tell
 * the two apart. Asked only while the mark is set.
 */
static bool in_vfork_child(void)
{
	if (sys_gettid() != vfork_tid)
		return true;
	if (!block_is_shared)
		vfork_tid = 0;
	return false;
}

bool at_thread_hands_off(void)
{
	if (thread_is_ours)
		return true;
	return vfork_tid && in_vfork_child();
}

void thread_is_alone(void)
{
	vfork_tid = 0;
	block_is_shared = false;
}

/* --- start and end --- */

void at_tracer_start(const struct at_config *config)
{
	propagate_start(config->propagate_to);
	request_start(config);
	context_start(environ, request_others());
	sealed_start(config);
	served_start(config);
	sdk_start(config);
	turn_start(config);
	output_start(config);
	atomic_store(&active, true);
}

void at_tracer_prepare(void)
{
	output_prepare();
}

void at_tracer_stop(void)
{
	atomic_store(&active, false);
}

bool at_tracer_active(void)
{
	return atomic_load_explicit(&active, memory_order_relaxed);
}

static void end_open(struct conn *conn)
{
	struct request *request;

	if (!conn_lock(conn))
		return;
	sealed_end(conn, false); /* the kernel closes it now */
	while ((request = conn_oldest(conn))) {
		request_abandon(request);
		conn_drop_oldest(conn);
	}
	conn_unlock(conn);
}

void at_tracer_flush(void)
{
	failure_flush();
}

void at_tracer_end_open(void)
{
	failure_flush();
	conn_each(end_open);
	transfer_end_open();
}

/* --- descriptors --- */

bool at_fd_followed(int fd)
{
	return at_fd_is_conn(fdtable_get(fd));
}

static void let_go(uint64_t slot)
{
	struct conn *conn = conn_hold(slot);

	if (!conn)
		return;
	conn_release(conn); /* ours */
	conn_release(conn); /* the descriptor's */
}

static void forget_fd(int fd)
{
	uint64_t old = fdtable_get(fd);

	if (old == AT_FD_UNKNOWN)
		return;
	if (at_fd_is_conn(old))
		at_notice_fork();
	fdtable_set(fd, AT_FD_UNKNOWN, &old);
	if (at_fd_is_conn(old))
		let_go(old);
}

void at_fd_opened(int fd)
{
	if (fd < 0 || at_thread_hands_off())
		return;
	at_tracer_resume();
	forget_fd(fd);
}

void at_fd_accepts(int fd)
{
	uint64_t slot = fdtable_get(fd);

	if (!at_fd_is_conn(slot) && slot != AT_FD_LISTENS &&
	    !at_thread_hands_off() && at_tracer_active()) {
		fdtable_replace(fd, slot, AT_FD_LISTENS);
		sdk_accepts();
	}
}

void at_fd_closing(int fd)
{
	if (fd < 0 || at_thread_hands_off())
		return;
	at_tracer_resume();
	failure_closing((unsigned int)fd, (unsigned int)fd);
	forget_fd(fd);
}

void at_fd_range_closing(unsigned int first, unsigned int last)
{
	int fd, end;

	if (at_thread_hands_off() || first >= AT_FD_MAX)
		return;
	at_tracer_resume();
	failure_closing(first, last);
	end = last >= AT_FD_MAX ? AT_FD_MAX - 1 : (int)last;
	for (fd = (int)first; fd <= end; fd++) {
		if (fdtable_page_exists(fd))
			forget_fd(fd);
		else
			fd = fdtable_next_page(fd) - 1;
	}
}

/* A set of numbers that mean the same and of which none has spoken yet. */
static uint64_t new_twins(void)
{
	static _Atomic uint32_t count;

	return (uint64_t)(atomic_fetch_add(&count, 1) + 1) << 32 | AT_FD_TWIN;
}

void at_fd_duplicated(int from, int to)
{
	uint64_t slot, old;
	struct conn *conn = NULL;

	if (from == to || from < 0 || to < 0 || at_thread_hands_off() ||
	    !at_tracer_active())
		return;
	failure_closing((unsigned int)to, (unsigned int)to);
	slot = fdtable_get(from);
	if (slot == AT_FD_UNKNOWN) {
		/* Whichever speaks first, the other is the same socket. */
		slot = new_twins();
		fdtable_replace(from, AT_FD_UNKNOWN, slot);
	} else if (at_fd_is_conn(slot)) {
		conn = conn_hold(slot); /* becomes the descriptor's */
		if (!conn)
			slot = AT_FD_UNKNOWN;
	}
	if (fdtable_set(to, slot, &old) && conn) {
		/* One of the socket's numbers is out of our sight. */
		conn_mark_opaque(conn, AT_COUNT_FD_TOO_HIGH);
		conn_release(conn);
	}
	if (at_fd_is_conn(old))
		let_go(old);
}
