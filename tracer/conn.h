// SPDX-License-Identifier: Apache-2.0
/*
 * A connection that speaks HTTP (private to tracer/).
 *
 * Shared by every descriptor that means the same socket. Whoever works on one
 * holds a reference; memory is never unmapped, so a stale pointer is harmless
 * and the generation tells.
 *
 * What belongs to whom:
 * - the way out (out, draft, carry_*, leaving_at) to the thread that holds
 *   `writer`;
 * - the queue of requests and the way in to whoever holds the lock, for a
 *   moment, never across an application's call.
 *
 * A request is referred to by the queue, by conn->draft, by conn->carry_of
 * and by the round at work; each holds one reference of its own. It enters
 * the queue before its bytes go to the kernel: another thread may read the
 * answer before the call that sent it has returned.
 */
#ifndef TRACER_CONN_H
#define TRACER_CONN_H

#include "core/counters.h"
#include "protocol/protocol.h"
#include "tracer/pool.h"
#include "tracer/request.h"
#include "tracer/tracer.h"

#define CONN_PIPELINE 32

/* For conn_lose() and conn_give_up(): nothing to count. */
#define CONN_NOT_COUNTED AT_COUNTER_COUNT

/*
 * In a forked child, of a connection that the parent was busy with: opaque,
 * and counted when it is written to, for most children never do.
 */
#define CONN_INHERITED 2u

struct conn {
	struct pool_link link;
	_Atomic uint32_t refs;
	_Atomic uint32_t generation;
	_Atomic uint64_t inode;
	/* what lies before is looked at even when it is free */
	_Atomic uint32_t lock;
	_Atomic uint32_t writer; /* a thread is inside a write call */
	_Atomic uint32_t reader;
	_Atomic uint32_t opaque; /* no longer followed; or CONN_INHERITED */
	/* What is sent is not understood any more; answers still are. */
	_Atomic uint32_t out_lost;
	struct at_http1 out;
	struct at_http1 in;
	struct http2 *http2;   /* what there is instead (http2.h); or NULL */
	struct request *draft; /* head being sent */
	/* answered in order; requests[taken % N] .. requests[added % N] */
	struct request *requests[CONN_PIPELINE];
	_Atomic uint32_t added;
	_Atomic uint32_t taken;
	/* of the round at work, should it never come back */
	uint32_t round_base;
	uint32_t round_heads;
	struct request *round_draft;
	uint32_t sent; /* of those added: heads that have surely left */
	/* `taken` when the last Upgrade or CONNECT has been answered */
	uint32_t leaving_at;
	/* `taken` behind the request whose body the server did not want */
	_Atomic uint32_t refused_at;
	/* our bytes that the kernel has not taken yet */
	struct request *carry_of;
	uint16_t carry_at;
	_Atomic int write_error; /* the writer's; a reader looks */
	const char *end_error;   /* why what is under way fails; static */
	struct address peer;
	bool server; /* we are asked here: see served.h */
	bool peeked; /* the application has had bytes before it read them */
	size_t room; /* behind what is being read: see at_receive_into() */
	bool secure; /* inside TLS: no descriptor of its own */
	struct edit *edit; /* of a TLS write under way, see tls.c */
	_Atomic(struct sealed *)
		sealed; /* TLS without its plaintext, see sealed.c */
};

/*
 * Look at a descriptor whose first bytes begin an HTTP request: a stream
 * socket becomes a connection in the table. The connection with a reference
 * held, or NULL (the slot then says AT_FD_IGNORED or what another thread made
 * of it).
 */
struct conn *conn_adopt(int fd, const struct sockaddr *to, socklen_t to_len);

/* The same for one that begins with a ClientHello; takes `sealed` over. */
struct conn *conn_adopt_sealed(int fd, const struct sockaddr *to,
			       socklen_t to_len, struct sealed *sealed);

/*
 * `fd`, whose slot says UNKNOWN or TWIN, is a bystander, and so are the other
 * numbers of its socket.
 */
void conn_ignore(int fd, uint64_t slot);

/*
 * Whose bytes somebody else has moved, with a reference held. NULL: nobody's;
 * a number that began like this is a bystander.
 */
struct conn *conn_moved(int fd);

/*
 * A connection inside TLS, without a descriptor. `fd` is the transport's, or
 * -1. With two references, the session's and the caller's; NULL: no room.
 */
struct conn *conn_open_secure(int fd);

/* Whom it leads to, by now; for the writer. */
void conn_find_peer(struct conn *conn, int fd);

/* Is it a stream socket at all? One or two system calls. */
bool conn_possible(int fd);

/* The connection a slot value names, with a reference; NULL if it is gone. */
struct conn *conn_hold(uint64_t slot);
void conn_release(struct conn *conn);
uint64_t conn_slot(const struct conn *conn);

/*
 * `fd` stops naming the connection and gets `value` instead, if it still
 * names it.
 */
void conn_detach(struct conn *conn, int fd, uint64_t value);

/*
 * Waits for another thread, 100 ms at most, and never for one that we run on
 * top of. False: the connection is opaque now.
 */
bool conn_lock(struct conn *conn);
void conn_unlock(struct conn *conn);

/*
 * Become the one writer (reader). Waits 30 ms at most for one that has done
 * its work and has yet to say so; false: there is another.
 */
bool conn_enter(_Atomic uint32_t *role);
void conn_leave(_Atomic uint32_t *role);

/*
 * The thread with that role (and a reference) has left in the middle of the
 * application's call and does not come back. What the kernel took or gave is
 * not known: the connection is given up. Called by the thread itself.
 */
void conn_abandon(struct conn *conn, _Atomic uint32_t *role);

/*
 * Stop following; requests under way end as incomplete. `why` is counted once.
 * Under the lock.
 */
void conn_give_up(struct conn *conn, enum at_counter why);

/* Same, from where the lock is not held. */
void conn_mark_opaque(struct conn *conn, enum at_counter why);

/*
 * Stop following what is sent; the connection becomes opaque when what is
 * under way has been answered. Under the lock.
 */
void conn_lose(struct conn *conn, enum at_counter why);

/* Bytes that nobody showed us went out. False: not understood. For the writer. */
bool conn_skip_out(struct conn *conn, uint64_t count);

/* Bytes were read, or an end or an error was (receive.c). */
void conn_received(struct conn *conn, const struct iovec *iov, size_t iov_count,
		   ssize_t result, int error, int flags);

/* tls.c: the connection ends. */
void tls_drop_edit(struct conn *conn);

/* Is `fd` still the socket that the connection was made from? */
bool conn_still(const struct conn *conn, int fd);

/*
 * Requests that have surely left all end for this reason (NULL: just ended),
 * the others when the connection ends. Locked.
 */
void conn_end_requests(struct conn *conn, const char *error);

/* Oldest unanswered request, or NULL. */
struct request *conn_oldest(struct conn *conn);
void conn_drop_oldest(struct conn *conn);
/* How many are waiting for their answers. */
uint32_t conn_waiting(struct conn *conn);
/* The queue takes a reference; there must be room. */
void conn_add_request(struct conn *conn, struct request *request);

/* Walk all connections ever made, holding a reference on each live one. */
void conn_each(void (*visit)(struct conn *conn));

#ifdef AT_UNIT_TEST
/* Connections that somebody holds. */
uint32_t conn_in_use(void);
#endif

#endif
