// SPDX-License-Identifier: Apache-2.0
#include "tracer/conn.h"

#include <errno.h>
#include <string.h>

#include "core/sys.h"
#include "tracer/fdtable.h"
#include "tracer/fork.h"
#include "tracer/http2.h"
#include "tracer/sealed.h"
#include "tracer/served.h"
#include "tracer/transfer.h"

static struct pool conns =
	POOL_KEEPING(struct conn, 64, offsetof(struct conn, lock));

/* --- life --- */

uint64_t conn_slot(const struct conn *conn)
{
	return (uint64_t)atomic_load(&conn->generation) << 32 |
	       (conn->link.index + AT_FD_CONN);
}

struct conn *conn_hold(uint64_t slot)
{
	struct conn *conn;
	uint32_t refs;

	if ((uint32_t)slot < AT_FD_CONN)
		return NULL;
	conn = pool_at(&conns, (uint32_t)slot - AT_FD_CONN);
	if (!conn)
		return NULL;
	refs = atomic_load(&conn->refs);
	do {
		if (!refs)
			return NULL;
	} while (!atomic_compare_exchange_weak(&conn->refs, &refs, refs + 1));
	if (atomic_load(&conn->generation) == (uint32_t)(slot >> 32))
		return conn;
	conn_release(conn);
	return NULL;
}

/* The last descriptor is gone and nobody works on it any more. */
static void conn_end(struct conn *conn)
{
	const char *error = conn->write_error ?
				    request_error_name(conn->write_error) :
				    conn->end_error;

	sealed_end(conn, atomic_load(&conn->opaque));
	if (conn->server)
		served_end(conn);
	if (conn->draft)
		request_free(conn->draft);
	if (conn->carry_of)
		request_free(conn->carry_of);
	conn->draft = NULL;
	conn->carry_of = NULL;
	conn->sent = conn->added;
	if (atomic_load(&conn->opaque) && !error)
		conn_give_up(conn, CONN_NOT_COUNTED);
	else
		conn_end_requests(conn, error);
	tls_drop_edit(conn);
	http2_drop(conn);
	atomic_fetch_add(&conn->generation, 1);
	pool_give(&conns, conn);
}

void conn_release(struct conn *conn)
{
	if (atomic_fetch_sub(&conn->refs, 1) == 1)
		conn_end(conn);
}

void conn_detach(struct conn *conn, int fd, uint64_t value)
{
	if (fdtable_replace(fd, conn_slot(conn), value) == 0)
		conn_release(conn);
}

static void reset(struct conn *conn)
{
	size_t from = offsetof(struct conn, lock);

	memset((char *)conn + from, 0, sizeof(*conn) - from);
	at_http1_init(&conn->out, false);
	at_http1_init(&conn->in, true);
}

static bool is_stream_socket(int fd, const struct stat *status)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return S_ISSOCK(status->st_mode) &&
	       sys_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM;
}

bool conn_possible(int fd)
{
	struct stat status;

	return sys_fstat(fd, &status) == 0 && is_stream_socket(fd, &status);
}

void conn_find_peer(struct conn *conn, int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	if (sys_getpeername(fd, (struct sockaddr *)&peer, &len) == 0)
		address_from(&conn->peer, (struct sockaddr *)&peer, len);
}

static struct conn *make(int fd, uint64_t inode, const struct sockaddr *to,
			 socklen_t to_len)
{
	struct conn *conn = pool_take(&conns);

	if (!conn) {
		at_count(AT_COUNT_CONNECTIONS_FULL, 1);
		return NULL;
	}
	fork_watch();
	reset(conn);
	conn->inode = inode;
	conn_find_peer(conn, fd);
	if (!conn->peer.len && to)
		address_from(&conn->peer, to, to_len);
	/* One for the descriptor, one for the caller. */
	atomic_store(&conn->refs, 2);
	return conn;
}

struct conn *conn_open_secure(int fd)
{
	struct conn *conn = make(fd, 0, NULL, 0);

	if (conn)
		conn->secure = true;
	return conn;
}

static bool is_twin(uint64_t slot)
{
	return (uint32_t)slot == AT_FD_TWIN;
}

/*
 * What the other numbers of a socket mean, now that one has spoken: the same
 * connection, or (NULL) a bystander. Once for each socket that was duplicated
 * before anybody spoke.
 */
static void tell_twins(uint64_t slot, struct conn *conn)
{
	int fd;

	for (fd = 0; fd < AT_FD_MAX; fd++) {
		if (!fdtable_page_exists(fd)) {
			fd = fdtable_next_page(fd) - 1;
			continue;
		}
		if (fdtable_get(fd) != slot)
			continue;
		if (conn)
			atomic_fetch_add(&conn->refs, 1);
		if (fdtable_replace(fd, slot,
				    conn ? conn_slot(conn) : AT_FD_IGNORED) &&
		    conn)
			conn_release(conn);
	}
}

void conn_ignore(int fd, uint64_t slot)
{
	fdtable_replace(fd, slot, AT_FD_IGNORED);
	if (is_twin(slot))
		tell_twins(slot, NULL);
}

struct conn *conn_moved(int fd)
{
	uint64_t slot = fdtable_get(fd);

	if (at_fd_is_conn(slot))
		return conn_hold(slot);
	if (slot != AT_FD_IGNORED)
		conn_ignore(fd, slot);
	return NULL;
}

static struct conn *adopt(int fd, const struct sockaddr *to, socklen_t to_len,
			  struct sealed *sealed)
{
	uint64_t slot = fdtable_get(fd);
	struct stat status;
	struct conn *conn;

	if (slot != AT_FD_UNKNOWN && !is_twin(slot))
		return NULL;
	if (sys_fstat(fd, &status) || !is_stream_socket(fd, &status)) {
		conn_ignore(fd, slot);
		return NULL;
	}
	if ((unsigned int)fd >= AT_FD_MAX) {
		at_count(AT_COUNT_FD_TOO_HIGH, 1);
		return NULL;
	}
	conn = make(fd, status.st_ino, to, to_len);
	if (!conn) {
		conn_ignore(fd, slot);
		return NULL;
	}
	conn->sealed = sealed;
	if (fdtable_replace(fd, slot, conn_slot(conn)) == 0) {
		if (is_twin(slot))
			tell_twins(slot, conn);
		return conn;
	}
	conn->sealed = NULL;
	conn_release(conn);
	conn_release(conn);
	return NULL;
}

struct conn *conn_adopt(int fd, const struct sockaddr *to, socklen_t to_len)
{
	return adopt(fd, to, to_len, NULL);
}

struct conn *conn_adopt_sealed(int fd, const struct sockaddr *to,
			       socklen_t to_len, struct sealed *sealed)
{
	struct conn *conn = adopt(fd, to, to_len, sealed);

	if (!conn)
		sealed_free(sealed);
	return conn;
}

bool conn_still(const struct conn *conn, int fd)
{
	struct stat status;

	return sys_fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) &&
	       status.st_ino == conn->inode;
}

void conn_each(void (*visit)(struct conn *conn))
{
	uint32_t count = pool_used(&conns);
	uint32_t i;

	for (i = 0; i < count; i++) {
		struct conn *conn = pool_at(&conns, i);

		if (!conn || !atomic_load(&conn->refs))
			continue;
		conn = conn_hold(conn_slot(conn));
		if (!conn)
			continue;
		visit(conn);
		conn_release(conn);
	}
}

/* --- lock and roles --- */

#define SPINS 1000
#define NAP_NS 100000
#define LOCK_NAPS 1000
#define ROLE_NAPS 300

/* Names a thread, without a system call. */
static uint32_t self(void)
{
	static __thread char here;

	return (uint32_t)(uintptr_t)&here | 1;
}

/*
 * Wait for whoever has it to be done. Not for a thread that we interrupted:
 * that would be for ever.
 */
static bool take(_Atomic uint32_t *word, int naps)
{
	uint32_t mine = self(), holder = 0;
	int i;

	for (;;) {
		for (i = 0; i < SPINS; i++) {
			holder = 0;
			if (atomic_compare_exchange_strong(word, &holder, mine))
				return true;
			if (holder == mine)
				return false;
			sys_relax();
		}
		if (!naps--)
			return false;
		sys_futex_wait(word, holder, NAP_NS);
	}
}

/* Held for some hundred instructions, unless its holder was descheduled. */
bool conn_lock(struct conn *conn)
{
	if (take(&conn->lock, LOCK_NAPS))
		return true;
	if (!atomic_exchange(&conn->opaque, 1))
		at_count(AT_COUNT_OPAQUE_SHARED, 1);
	return false;
}

void conn_unlock(struct conn *conn)
{
	atomic_store_explicit(&conn->lock, 0, memory_order_release);
}

/*
 * The one before may have made its system call, which let us go on, and not
 * yet have come to say so.
 */
bool conn_enter(_Atomic uint32_t *role)
{
	return take(role, ROLE_NAPS);
}

void conn_leave(_Atomic uint32_t *role)
{
	atomic_store_explicit(role, 0, memory_order_release);
}

/* --- requests under way --- */

uint32_t conn_waiting(struct conn *conn)
{
	return atomic_load(&conn->added) - atomic_load(&conn->taken);
}

struct request *conn_oldest(struct conn *conn)
{
	if (conn->http2)
		return http2_any(conn->http2);
	return conn_waiting(conn) ?
		       conn->requests[conn->taken % CONN_PIPELINE] :
		       NULL;
}

void conn_drop_oldest(struct conn *conn)
{
	struct request *request = conn_oldest(conn);

	if (conn->http2) {
		http2_remove(conn, request);
		return;
	}
	/* Whoever is answered has been sent. */
	if (conn->sent == conn->taken)
		conn->sent++;
	conn->taken++;
	request_free(request);
}

void conn_add_request(struct conn *conn, struct request *request)
{
	request_hold(request);
	conn->requests[conn->added % CONN_PIPELINE] = request;
	conn->added++;
}

void conn_end_requests(struct conn *conn, const char *error)
{
	conn->end_error = error;
	if (conn->http2)
		http2_end_left(conn, error);
	while (!conn->http2 && conn->taken != conn->sent) {
		if (error || !transfer_keeps(conn_oldest(conn)))
			request_end(conn_oldest(conn), error);
		conn_drop_oldest(conn);
	}
}

void conn_give_up(struct conn *conn, enum at_counter why)
{
	if (!atomic_exchange(&conn->opaque, 1) && why != CONN_NOT_COUNTED)
		at_count(why, 1);
	if (conn->http2)
		http2_abandon_left(conn);
	while (!conn->http2 && conn->taken != conn->sent) {
		request_abandon(conn_oldest(conn));
		conn_drop_oldest(conn);
	}
}

void conn_mark_opaque(struct conn *conn, enum at_counter why)
{
	if (!conn_lock(conn))
		return;
	conn_give_up(conn, why);
	conn_unlock(conn);
}

/* The round's own references; the queue's stay. */
static void forget_round(struct conn *conn)
{
	uint32_t i;

	if (conn->http2)
		http2_forget_round(conn);
	for (i = 0; !conn->http2 && i < conn->round_heads; i++)
		request_free(
			conn->requests[(conn->round_base + i) % CONN_PIPELINE]);
	if (conn->round_draft)
		request_free(conn->round_draft);
	conn->round_heads = 0;
	conn->round_draft = NULL;
}

void conn_abandon(struct conn *conn, _Atomic uint32_t *role)
{
	bool halfway = atomic_load(&conn->lock) == self();

	if (halfway || !conn_lock(conn)) {
		/* The queue is as it is: never touched again, nor freed. */
		if (!atomic_exchange(&conn->opaque, 1))
			at_count(AT_COUNT_OPAQUE_LEFT, 1);
		atomic_store(&conn->out_lost, 1);
		if (halfway)
			conn_unlock(conn);
		conn_leave(role);
		return;
	}
	if (role == &conn->writer)
		forget_round(conn);
	conn_give_up(conn, AT_COUNT_OPAQUE_LEFT);
	conn_unlock(conn);
	conn_leave(role);
	conn_release(conn);
}

void conn_lose(struct conn *conn, enum at_counter why)
{
	if (!atomic_exchange(&conn->out_lost, 1) && why != CONN_NOT_COUNTED)
		at_count(why, 1);
	if (!conn_waiting(conn))
		atomic_store(&conn->opaque, 1);
}

bool conn_skip_out(struct conn *conn, uint64_t count)
{
	if (!conn->http2)
		return at_http1_skip(&conn->out, count) != AT_HTTP1_OPAQUE;
	return !http2_is_bound(conn) &&
	       at_http2_skip(&conn->http2->out, count) != AT_HTTP2_OPAQUE;
}

#ifdef AT_UNIT_TEST
uint32_t conn_in_use(void)
{
	return pool_in_use(&conns);
}
#endif
