// SPDX-License-Identifier: Apache-2.0
/*
 * The way out: follow what the application sends, add our header.
 *
 * The application hears only of its own bytes; ours that are still owed go
 * out first next time.
 */
#include <errno.h>
#include <fcntl.h>

#include "core/sys.h"
#include "tracer/fdtable.h"
#include "tracer/hold.h"
#include "tracer/http2.h"
#include "tracer/round.h"
#include "tracer/sdk.h"
#include "tracer/sealed.h"
#include "tracer/served.h"

/* MSG_* with which a call's bytes must not be touched. */
#define FLAG_ZEROCOPY 0x4000000
#define FLAG_FASTOPEN 0x20000000
#define UNEDITABLE_FLAGS (MSG_OOB | FLAG_ZEROCOPY)

/* A first line begins to look like HTTP, or does not, within so many bytes. */
#define LOOK_BYTES 96
#define LOOK_MAX_BYTES 4096

static size_t total_bytes(const struct at_send *send)
{
	size_t total = 0, i;

	for (i = 0; i < send->iov_count; i++)
		total += send->iov[i].iov_len;
	return total;
}

/*
 * Nobody has so many bytes, and the kernel refuses such a call before it looks
 * at one of them. So it does with iovecs at NULL.
 */
#define BYTES_MAX ((size_t)1 << 46)

static bool is_absurd(const struct at_send *send)
{
	size_t total = 0, i;

	if (send->iov_count && (uintptr_t)send->iov < 4096)
		return true;
	for (i = 0; i < send->iov_count; i++) {
		if (send->iov[i].iov_len > BYTES_MAX - total)
			return true;
		total += send->iov[i].iov_len;
	}
	return false;
}

/* --- the first look --- */

static enum at_match look(const struct at_send *send)
{
	char begin[LOOK_BYTES];
	struct place place = { 0, 0 };
	struct stretch part = stretch_next(send, &place, LOOK_MAX_BYTES);
	size_t have = 0, i;

	if (part.len >= LOOK_BYTES && !stretch_is_wild(part))
		return at_http1_match(part.ptr, part.len);
	while (part.len && !stretch_is_wild(part)) {
		for (i = 0; i < part.len; i++)
			begin[have++] = part.ptr[i];
		part = stretch_next(send, &place, LOOK_BYTES - have);
	}
	return have ? at_http1_match(begin, have) : AT_MATCH_NO;
}

static struct conn *not_http(const struct at_send *send, uint64_t slot)
{
	struct sealed *sealed = sealed_begins(send) ? sealed_new() : NULL;

	if (sealed)
		return conn_adopt_sealed(send->fd, send->to, send->to_len,
					 sealed);
	conn_ignore(send->fd, slot);
	return NULL;
}

/*
 * Nobody looked at this descriptor yet. A write of a single byte may be a
 * test whether its address can be read (libunwind's way): then the byte must
 * not be touched, unless there is a stream socket it might really go to.
 */
static struct conn *first_look(const struct at_send *send, uint64_t slot)
{
	size_t total = total_bytes(send);
	struct place place = { 0, 0 };

	/* Nothing, or a mistake: that says nothing about what comes. */
	if (!total || stretch_is_wild(stretch_next(send, &place, 1)))
		return NULL;
	if (total == 1 && !conn_possible(send->fd)) {
		conn_ignore(send->fd, slot);
		return NULL;
	}
	if (look(send) == AT_MATCH_NO || sdk_is_here())
		return not_http(send, slot);
	return conn_adopt(send->fd, send->to, send->to_len);
}

/* --- the kernel --- */

/* Does the call go on until the application's bytes are taken? */
static bool may_block(const struct at_send *send)
{
	struct timeval timeout = { 0, 0 };
	socklen_t len = sizeof(timeout);
	int flags;

	if (send->flags & MSG_DONTWAIT)
		return false;
	flags = sys_fcntl(send->fd, F_GETFL, 0);
	if (flags < 0 || (flags & O_NONBLOCK))
		return false;
	/* Only its time limit makes such a call end early. */
	return sys_getsockopt(send->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
			      &len) ||
	       (!timeout.tv_sec && !timeout.tv_usec);
}

/*
 * With the first system call of a write the connection is open. Once some of
 * the application's bytes are gone, the signal of a failure is for its next
 * call to raise.
 */
static ssize_t transmit(const struct at_send *send, const struct outgoing *out,
			bool first, size_t done)
{
	struct msghdr message = {
		.msg_iov = (struct iovec *)(uintptr_t)out->list,
		.msg_iovlen = out->count,
	};
	int flags = send->flags | (done ? MSG_NOSIGNAL : 0);

	if (!first) {
		flags &= ~FLAG_FASTOPEN;
	} else if (send->message) {
		message.msg_name = send->message->msg_name;
		message.msg_namelen = send->message->msg_namelen;
		/* Only where an edit cannot be put off. */
		message.msg_control = send->message->msg_control;
		message.msg_controllen = send->message->msg_controllen;
	} else {
		message.msg_name = (void *)(uintptr_t)send->to;
		message.msg_namelen = send->to_len;
	}
	return send->sendmsg(send->fd, &message, flags);
}

static void note_write_error(struct conn *conn, int error)
{
	if (error == EPIPE || error == ECONNRESET || error == ETIMEDOUT ||
	    error == EHOSTUNREACH)
		conn->write_error = error;
}

/* --- one round --- */

static void settle_failed(struct round *round)
{
	struct taken nothing = { .carry_of = round->conn->carry_of,
				 .carry_at = round->conn->carry_at };
	int error = errno;

	note_write_error(round->conn, error);
	round_settle(round, &nothing);
	errno = error;
}

/* The unedited call, as it was made. */
static ssize_t send_original(struct round *round)
{
	struct taken taken = { 0 };
	ssize_t result = round->send->original(round->send);

	if (!hold_lasts(round->hold))
		return result;
	if (result < 0) {
		settle_failed(round);
		return result;
	}
	taken.application = (size_t)result;
	round_settle(round, &taken);
	return result;
}

/*
 * A composed round: the application's bytes taken, or -1 with errno; *more
 * says that the call goes on.
 */
static ssize_t send_composed(struct round *round, bool first, size_t done,
			     bool *more)
{
	struct outgoing out;
	struct taken taken;
	ssize_t result;

	round_compose(round, &out);
	*more = false;
	result = transmit(round->send, &out, first, done);
	if (result < 0) {
		if (hold_lasts(round->hold))
			settle_failed(round);
		return -1;
	}
	round_account(round, &out, (size_t)result, &taken);
	if (!hold_lasts(round->hold))
		return (ssize_t)taken.application;
	round_settle(round, &taken);
	*more = (size_t)result == out.bytes;
	if (taken.application || *more)
		return (ssize_t)taken.application;
	*more = result && may_block(round->send);
	if (*more)
		return 0;
	errno = EAGAIN;
	return -1;
}

/* --- one call --- */

/* The number means another socket by now, and nothing was sent. */
#define NOT_OURS (-2)

/* How many bytes of the call the application is told of. */
static ssize_t told(struct conn *conn, size_t done, size_t total, int error)
{
	done = http2_told(conn, done, total);
	if (done || !total)
		return (ssize_t)done;
	errno = error;
	return -1;
}

static ssize_t send_rounds(struct conn *conn, const struct at_send *send,
			   const struct at_hold *hold, bool editable, bool sure)
{
	struct place place = { 0, 0 };
	size_t total = total_bytes(send), done = http2_resend(conn, total);
	bool first = true, more;

	stretch_skip(send, &place, done);
	for (;; first = false) {
		struct round round;
		ssize_t result;

		round.conn = conn;
		round.send = send;
		round.hold = hold;
		round.editable = editable;
		round.start = place;
		round.limit = total - done;
		round_plan(&round);
		if (first && !round.insert && !done)
			return send_original(&round);
		if (!sure && !conn_still(conn, send->fd)) {
			round_settle(&round, &(struct taken){ 0 });
			return NOT_OURS;
		}
		sure = true;
		result = send_composed(&round, first, done, &more);
		if (result < 0)
			return told(conn, done, total, errno);
		done += (size_t)result;
		if (!more || (done == total && !conn->carry_of))
			return told(conn, done, total, EAGAIN);
		stretch_skip(send, &place, (size_t)result);
	}
}

static bool may_edit(const struct at_send *send)
{
	return !(send->flags & UNEDITABLE_FLAGS) &&
	       !(send->message && send->message->msg_controllen);
}

/* What is owed goes out alone, before a call that may not be edited. */
static bool pay(struct conn *conn, const struct at_send *send,
		const struct at_hold *hold)
{
	struct iovec nothing = { NULL, 0 };
	struct at_send empty = *send;
	bool more;

	empty.iov = &nothing;
	empty.iov_count = 0;
	empty.message = NULL;
	empty.to = NULL;
	empty.to_len = 0;
	empty.flags &= ~UNEDITABLE_FLAGS;
	while (conn->carry_of) {
		struct round round = { .conn = conn,
				       .send = &empty,
				       .hold = hold };

		round_plan(&round);
		if (send_composed(&round, true, 0, &more) < 0)
			return false;
		if (!hold_lasts(hold))
			break;
	}
	return true;
}

static ssize_t send_followed(struct conn *conn, const struct at_send *send,
			     const struct at_hold *hold, bool sure)
{
	bool editable = may_edit(send);

	if (!editable && conn->carry_of && !pay(conn, send, hold))
		return -1;
	return send_rounds(conn, send, hold, editable, sure);
}

/*
 * Does a message begin, or is something of ours unfinished? Then make sure
 * that it is still our socket: one system call a request, and one for each
 * further piece of a head. In a body only when a head follows in one call.
 */
static bool at_head(const struct conn *conn)
{
	/* Frames begin everywhere: what is inserted is asked for then. */
	if (conn->http2)
		return conn->draft || conn->carry_of;
	return at_http1_idle(&conn->out) || conn->draft || conn->carry_of;
}

/* The server did not want the body that was to come next. */
static void skip_refused(struct conn *conn)
{
	if (atomic_load(&conn->refused_at) == conn->added)
		at_http1_body_refused(&conn->out);
}

/* One that is inside a call of an opaque connection is not waited for. */
static bool become_writer(struct conn *conn)
{
	if (atomic_load(&conn->opaque) && atomic_load(&conn->writer))
		return false;
	if (conn_enter(&conn->writer))
		return true;
	conn_mark_opaque(conn, AT_COUNT_OPAQUE_SHARED);
	return false;
}

/* A forked child uses what its parent was in the middle of using. */
static void count_inherited(struct conn *conn)
{
	uint32_t inherited = CONN_INHERITED;

	if (atomic_compare_exchange_strong(&conn->opaque, &inherited, 1))
		at_count(AT_COUNT_OPAQUE_SHARED, 1);
}

/*
 * As the writer, which ends here. False: the number means another socket by
 * now; otherwise the reference is given back as well.
 */
__attribute__((noinline)) static bool send_on(struct conn *conn,
					      const struct at_send *send,
					      struct at_hold *hold,
					      ssize_t *result)
{
	bool sure, known;
	int error;

	AT_UNWINDS;
	hold_begin(hold, conn, &conn->writer);
	count_inherited(conn);
	skip_refused(conn);
	sure = at_head(conn);
	known = !sure || conn_still(conn, send->fd);
	/* Adopted while it was being connected. */
	if (known && !conn->peer.len && !conn->peer.internal)
		conn_find_peer(conn, send->fd);
	if (!known)
		;
	else if (!conn->carry_of && !http2_is_bound(conn) &&
		 (atomic_load(&conn->opaque) || atomic_load(&conn->out_lost)))
		*result = send->original(send);
	else
		*result = send_followed(conn, send, hold, sure);
	if (!hold_end(hold))
		return true;
	error = errno;
	known = known && *result != NOT_OURS;
	/* Nothing more to do for this connection: a bystander from now on. */
	if (known && atomic_load(&conn->opaque) && !conn->carry_of &&
	    !http2_is_bound(conn))
		conn_detach(conn, send->fd, AT_FD_IGNORED);
	conn_leave(&conn->writer);
	if (known)
		conn_release(conn);
	errno = error;
	return known;
}

/* The same for TLS and for answers, which are only looked at. */
__attribute__((noinline)) static bool send_watched(struct conn *conn,
						   const struct at_send *send,
						   struct at_hold *hold,
						   ssize_t *result)
{
	int error;

	AT_UNWINDS;
	hold_begin(hold, conn, &conn->writer);
	*result = send->original(send);
	if (!hold_end(hold))
		return true;
	error = errno;
	if (conn->sealed)
		sealed_sent(conn, send, *result);
	else if (!atomic_load(&conn->opaque))
		served_sent(conn, send, *result);
	if (atomic_load(&conn->opaque))
		conn_detach(conn, send->fd, AT_FD_IGNORED);
	conn_leave(&conn->writer);
	conn_release(conn);
	errno = error;
	return true;
}

/* Closed and opened again behind our back: what it means now is looked up. */
static struct conn *look_again(struct conn *conn, const struct at_send *send)
{
	if (conn->draft || conn->carry_of || conn_waiting(conn))
		at_count(AT_COUNT_OPAQUE_BYPASSED, 1);
	conn_detach(conn, send->fd, AT_FD_UNKNOWN);
	conn_release(conn);
	return first_look(send, AT_FD_UNKNOWN);
}

ssize_t at_send(const struct at_send *send)
{
	uint64_t slot;
	struct conn *conn;
	struct at_hold hold;
	ssize_t result;
	int saved = errno;

	if (at_thread_hands_off() || !at_tracer_active())
		return send->original(send);
	slot = fdtable_get(send->fd);
	if (slot == AT_FD_IGNORED || is_absurd(send))
		return send->original(send);
	at_notice_fork();
	hold_prune(&hold);
	conn = at_fd_is_conn(slot) ? conn_hold(slot) : first_look(send, slot);
	errno = saved;
	while (conn && become_writer(conn)) {
		if (conn->sealed || conn->server ?
			    send_watched(conn, send, &hold, &result) :
			    send_on(conn, send, &hold, &result)) {
			/* A call that succeeds leaves errno alone. */
			if (result >= 0)
				errno = saved;
			return result;
		}
		conn = look_again(conn, send);
		errno = saved;
	}
	if (conn)
		conn_release(conn);
	errno = saved;
	return send->original(send);
}

/* --- bytes that somebody else moves --- */

static void skip(struct conn *conn, uint64_t count)
{
	if (atomic_load(&conn->opaque) || atomic_load(&conn->out_lost))
		return;
	if (conn->carry_of || !conn_skip_out(conn, count))
		conn_lose(conn, AT_COUNT_OPAQUE_BYPASSED);
}

/* As the writer, which ends here with the reference. */
__attribute__((noinline)) static bool pay_before(struct conn *conn,
						 const struct at_send *send,
						 struct at_hold *hold)
{
	bool ready = true;
	int error;

	AT_UNWINDS;
	hold_begin(hold, conn, &conn->writer);
	if (conn->carry_of && conn_still(conn, send->fd))
		ready = pay(conn, send, hold);
	if (!hold_end(hold))
		return ready;
	error = errno;
	conn_leave(&conn->writer);
	conn_release(conn);
	errno = error;
	return ready;
}

bool at_moving_out(int fd, at_sendmsg *sendmsg)
{
	struct at_send send = { .fd = fd, .sendmsg = sendmsg };
	uint64_t slot = fdtable_get(fd);
	struct at_hold hold;
	struct conn *conn;

	if (!at_fd_is_conn(slot) || at_thread_hands_off() ||
	    !(conn = conn_hold(slot)))
		return true;
	hold_prune(&hold);
	/* What stays noted of the frame is found out by its mark (hold.h). */
	if (become_writer(conn))
		/* NOLINTNEXTLINE(clang-analyzer-core.StackAddressEscape) */
		return pay_before(conn, &send, &hold);
	conn_release(conn);
	return true;
}

static void moved_out(struct conn *conn, uint64_t count)
{
	if (!become_writer(conn))
		return;
	if (conn_lock(conn)) {
		if (conn->sealed)
			sealed_moved(conn, count, 0);
		else if (conn->server && !atomic_load(&conn->opaque))
			served_moved(conn, count, 0);
		else
			skip(conn, count);
		conn_unlock(conn);
	}
	conn_leave(&conn->writer);
}

void at_moved_out(int fd, ssize_t count)
{
	struct conn *conn;

	if (count <= 0 || at_thread_hands_off())
		return;
	conn = conn_moved(fd);
	if (!conn)
		return;
	moved_out(conn, (uint64_t)count);
	conn_release(conn);
}
