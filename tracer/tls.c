// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP inside TLS: what the application writes into its session and reads out
 * of it. The machines, the queue and the header are those of plain sockets;
 * what differs is how bytes of ours get between the application's.
 *
 * A TLS library takes one buffer and, refused, wants the same one again. So a
 * write with our header in it becomes two: a copy of the first 16 KiB, header
 * included, in memory of ours that stays, then the rest from where the
 * application has it. A retry goes on with the part that was refused, whatever
 * the library's mode demands of pointers and lengths.
 */
#include <errno.h>
#include <string.h>

#include "tracer/fdtable.h"
#include "tracer/hold.h"
#include "tracer/http2.h"
#include "tracer/round.h"
#include "tracer/sealed.h"

/* One TLS record: it is taken whole, or not at all. */
#define EDIT_BYTES 16384

struct edit {
	struct pool_link link;
	uint32_t len;
	uint32_t sent;
	uint32_t before; /* application bytes of the call in copies before it */
	uint32_t covers; /* and with those in it */
	char bytes[EDIT_BYTES];
};

static struct pool edits = POOL(struct edit, 4);

void tls_drop_edit(struct conn *conn)
{
	if (conn->edit)
		pool_give(&edits, conn->edit);
	conn->edit = NULL;
}

/* --- the copy --- */

/* How many of the heads fit, with all that lies before them. */
static unsigned int heads_that_fit(const struct round *round)
{
	size_t ours = 0;
	unsigned int i;

	for (i = 0; i < round->head_count; i++) {
		ours += round->heads[i].request->header_len;
		if (round->heads[i].at + ours > EDIT_BYTES)
			break;
	}
	return i;
}

/* The application's bytes up to `upto`, as far as there is room. */
static void append(struct edit *edit, const char *application, size_t upto)
{
	size_t at = edit->covers - edit->before, len = upto - at;

	if (len > EDIT_BYTES - edit->len)
		len = EDIT_BYTES - edit->len;
	memcpy(edit->bytes + edit->len, application + at, len);
	edit->len += (uint32_t)len;
	edit->covers += (uint32_t)len;
}

static void append_head(struct edit *edit, const char *application,
			const struct head *head)
{
	const struct patch patch = head_patch(head);
	const struct request *request = head->request;

	if (patch.len) {
		append(edit, application, patch.at + patch.len);
		memcpy(edit->bytes + edit->len - patch.len, patch.bytes,
		       patch.len);
	}
	append(edit, application, head->at);
	memcpy(edit->bytes + edit->len, request_header(request),
	       request->header_len);
	edit->len += request->header_len;
}

/*
 * A full record if there is so much: two short ones where the application had
 * one would wait for each other's acknowledgement (Nagle).
 */
static void fill(struct edit *edit, const struct round *round,
		 unsigned int heads)
{
	const char *bytes = round->send->iov->iov_base;
	unsigned int i;

	edit->len = 0;
	edit->sent = 0;
	edit->before = edit->covers;
	for (i = 0; i < heads; i++)
		append_head(edit, bytes, &round->heads[i]);
	if (heads == round->head_count)
		append(edit, bytes, round->limit);
}

static struct edit *new_edit(void)
{
	struct edit *edit = pool_take(&edits);

	if (edit)
		edit->covers = 0;
	return edit;
}

/*
 * The copy is as good as sent: the library keeps a record that it could not
 * get rid of at once. False: there is none, and nothing is planned any more.
 */
static bool make_edit(struct conn *conn, struct round *round)
{
	struct taken taken = { .heads = heads_that_fit(round) };

	if (taken.heads && !conn->edit)
		conn->edit = new_edit();
	if (!conn->edit)
		taken.heads = 0;
	if (taken.heads) {
		fill(conn->edit, round, taken.heads);
		taken.application = conn->edit->covers - conn->edit->before;
	}
	round_settle(round, &taken);
	return taken.heads;
}

/* --- writing --- */

static void plan(struct round *round, struct conn *conn,
		 const struct at_send *send, bool editable)
{
	round->conn = conn;
	round->send = send;
	round->editable = editable;
	round->start = (struct place){ 0, 0 };
	round->limit = send->iov->iov_len;
	round_plan(round);
}

/* Bytes that stay as they are; the round is planned. */
static int write_planned(const struct at_tls *session, struct round *round,
			 size_t *taken)
{
	struct taken done = { 0 };
	int result = session->write(session, round->send->iov->iov_base,
				    round->send->iov->iov_len, taken);

	done.application = *taken;
	round_settle(round, &done);
	return result;
}

static int write_plain(const struct at_tls *session, struct conn *conn,
		       const struct at_send *send, size_t *taken)
{
	struct round round;

	plan(&round, conn, send, false);
	return write_planned(session, &round, taken);
}

/* The rest of the application's call, behind the copies, as it is. */
static int write_rest(const struct at_tls *session, struct conn *conn,
		      struct round *round, bool planned, size_t *taken)
{
	size_t covers = conn->edit->covers, rest_taken = 0;
	int result =
		planned ? write_planned(session, round, &rest_taken) :
			  write_plain(session, conn, round->send, &rest_taken);

	if (!rest_taken && !session->may_be_partial)
		return result;
	tls_drop_edit(conn);
	*taken = covers + rest_taken;
	return result;
}

/* The copy; false with *result: it is not all taken. */
static bool push(const struct at_tls *session, struct edit *edit, int *result)
{
	while (edit->sent < edit->len) {
		size_t part = 0;

		*result = session->write(session, edit->bytes + edit->sent,
					 edit->len - edit->sent, &part);
		if (!part)
			return false;
		edit->sent += (uint32_t)part;
	}
	return true;
}

static int write_edit(const struct at_tls *session, struct conn *conn,
		      const struct at_send *send, size_t *taken)
{
	struct edit *edit = conn->edit;
	int result = 0;

	while (push(session, edit, &result)) {
		struct iovec rest = { (char *)send->iov->iov_base +
					      edit->covers,
				      send->iov->iov_len - edit->covers };
		struct at_send behind = { .iov = &rest, .iov_count = 1 };
		struct round round;

		/* All; or GnuTLS: "again", without naming the bytes. */
		if (send->iov->iov_len <= edit->covers) {
			*taken = edit->covers;
			tls_drop_edit(conn);
			break;
		}
		plan(&round, conn, &behind, true);
		if (round.insert && make_edit(conn, &round))
			continue;
		return write_rest(session, conn, &round, !round.insert, taken);
	}
	return result;
}

/* Another write than the one that was refused: the library will have its say. */
static bool is_retry(const struct conn *conn, const struct at_send *send)
{
	return send->iov->iov_len >= conn->edit->covers || !send->iov->iov_len;
}

static int write_followed(const struct at_tls *session, struct conn *conn,
			  const struct at_send *send, size_t *taken)
{
	struct round round;

	if (atomic_load(&conn->refused_at) == conn->added)
		at_http1_body_refused(&conn->out);
	if (conn->edit && !is_retry(conn, send)) {
		tls_drop_edit(conn);
		conn_mark_opaque(conn, AT_COUNT_OPAQUE_REQUEST);
	}
	if (conn->edit)
		return write_edit(session, conn, send, taken);
	if (atomic_load(&conn->opaque) || atomic_load(&conn->out_lost))
		return session->write(session, send->iov->iov_base,
				      send->iov->iov_len, taken);
	plan(&round, conn, send, true);
	if (!round.insert)
		return write_planned(session, &round, taken);
	return make_edit(conn, &round) ?
		       write_edit(session, conn, send, taken) :
		       write_plain(session, conn, send, taken);
}

/* --- the hooks' side --- */

/* The session and the connection part. */
static void detach(const struct at_tls *session, struct conn *conn)
{
	if (session->keep(session, AT_FD_IGNORED))
		conn_release(conn);
}

/* With the caller's reference, or NULL. */
static struct conn *open_session(const struct at_tls *session)
{
	struct conn *conn = conn_open_secure(session->fd);

	if (!conn || session->keep(session, conn_slot(conn)))
		return conn;
	conn_release(conn);
	conn_release(conn);
	return NULL;
}

static struct conn *first_bytes(const struct at_tls *session, const void *bytes,
				size_t len)
{
	if (!len)
		return NULL;
	sealed_reached(session->fd);
	if (at_http1_match(bytes, len) != AT_MATCH_NO)
		return open_session(session);
	session->keep(session, AT_FD_IGNORED);
	return NULL;
}

/* Whoever reads first is no client, but for HTTP/2's. */
static struct conn *first_read(const struct at_tls *session,
			       const struct iovec *iov, ssize_t len)
{
	struct conn *conn = NULL;

	if (len <= 0)
		return NULL;
	sealed_reached(session->fd);
	if (at_http2_match_server(iov->iov_base, (size_t)len)) {
		conn = open_session(session);
		if (conn)
			http2_start(conn, 0);
		return conn;
	}
	session->keep(session, AT_FD_IGNORED);
	return NULL;
}

static bool leave_alone(const struct at_tls *session)
{
	return session->slot == AT_FD_IGNORED || at_thread_hands_off() ||
	       !at_tracer_active();
}

/*
 * As the writer, which ends here with the reference. A thread that does not
 * come back from the library's call leaves the session to itself.
 */
__attribute__((noinline)) static int write_held(const struct at_tls *session,
						struct conn *conn,
						const struct at_send *send,
						struct at_hold *hold,
						size_t *taken)
{
	int result, error;

	AT_UNWINDS;
	hold_begin(hold, conn, &conn->writer);
	result = write_followed(session, conn, send, taken);
	if (!hold_end(hold))
		return result;
	error = errno;
	conn_leave(&conn->writer);
	if (atomic_load(&conn->opaque) && !conn->edit)
		detach(session, conn);
	conn_release(conn);
	errno = error;
	return result;
}

int at_tls_write(const struct at_tls *session, const void *bytes, size_t len,
		 size_t *taken)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct at_send send = { .iov = &iov, .iov_count = 1 };
	struct at_hold hold;
	struct conn *conn;
	int error = errno;

	*taken = 0;
	if (leave_alone(session))
		return session->write(session, bytes, len, taken);
	at_notice_fork();
	hold_prune(&hold);
	conn = !at_fd_is_conn(session->slot) ?
		       first_bytes(session, bytes, len) :
		       conn_hold(session->slot);
	errno = error;
	if (!conn)
		return session->write(session, bytes, len, taken);
	if (conn_enter(&conn->writer))
		return write_held(session, conn, &send, &hold, taken);
	conn_mark_opaque(conn, AT_COUNT_OPAQUE_SHARED);
	conn_release(conn);
	errno = error;
	return session->write(session, bytes, len, taken);
}

static void received(const struct at_tls *session, const struct iovec *iov,
		     ssize_t result, int error)
{
	struct conn *conn;

	if (leave_alone(session))
		return;
	conn = at_fd_is_conn(session->slot) ? conn_hold(session->slot) :
					      first_read(session, iov, result);
	if (!conn)
		return;
	conn_received(conn, iov, 1, result, error, 0);
	conn_release(conn);
}

void at_tls_read(const struct at_tls *session, const void *bytes, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, len };

	if (len)
		received(session, &iov, (ssize_t)len, 0);
}

void at_tls_ended(const struct at_tls *session, int error)
{
	char byte;
	struct iovec iov = { &byte, 1 };

	received(session, &iov, error ? -1 : 0, error);
}

void at_tls_moved(const struct at_tls *session, size_t len)
{
	struct conn *conn;

	if (leave_alone(session) || !at_fd_is_conn(session->slot))
		return;
	conn = conn_hold(session->slot);
	if (!conn)
		return;
	if (conn_lock(conn)) {
		if (conn->edit || !conn_skip_out(conn, len))
			conn_lose(conn, AT_COUNT_OPAQUE_BYPASSED);
		conn_unlock(conn);
	}
	conn_release(conn);
}

void at_tls_freed(uint64_t slot)
{
	struct conn *conn = at_thread_hands_off() ? NULL : conn_hold(slot);

	if (!conn)
		return;
	conn_release(conn); /* ours */
	conn_release(conn); /* the session's */
}
