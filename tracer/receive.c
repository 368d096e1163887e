// SPDX-License-Identifier: Apache-2.0
/*
 * The way in: follow what the application reads, end what is answered.
 */
#include <errno.h>
#include <string.h>

#include "tracer/capture.h"
#include "tracer/conn.h"
#include "tracer/fdtable.h"
#include "tracer/hold.h"
#include "tracer/http2.h"
#include "tracer/sealed.h"
#include "tracer/served.h"

/* MSG_* with which a read takes nothing of the stream. */
#define NOTHING_TAKEN (MSG_PEEK | MSG_ERRQUEUE | MSG_OOB)

/* --- answers --- */

static void head_seen(struct conn *conn, struct request *request,
		      struct at_text head)
{
	uint16_t status = conn->in.status;

	if (status == 100)
		request->interim_seen = true;
	if (status < 200 && status != 101)
		return;
	request_answered(request, status);
	if (request->sampled && capture_is_on(CAPTURE_CLIENT_RESPONSE))
		capture_fill(&request->span, CAPTURE_CLIENT_RESPONSE, head);
	if (request_answer_has_no_body(request))
		conn->in.flags |= AT_HTTP1_NO_BODY;
}

/*
 * Asked for leave to send its body, and refused: the client goes on with
 * another request. After a 2xx it sends the body all the same.
 */
static bool refuses_body(const struct request *request)
{
	return request->expects_continue && !request->interim_seen &&
	       request->status >= 300;
}

static void answer_complete(struct conn *conn, struct request *request)
{
	bool leaves = request_leaves_http(request);
	bool refused = refuses_body(request);

	request_end(request, NULL);
	conn_drop_oldest(conn);
	if (leaves)
		conn_give_up(conn, AT_COUNT_UPGRADED);
	else if (refused)
		atomic_store(&conn->refused_at, conn->taken);
	if (atomic_load(&conn->out_lost) && !conn_waiting(conn))
		atomic_store(&conn->opaque, 1);
}

/*
 * Nobody asked. Between requests that is a server's good-bye (408 on an idle
 * connection), and nothing is lost.
 */
static void unasked(struct conn *conn, const char *bytes, size_t len)
{
	bool goodbye = len >= 7 && !memcmp(bytes, "HTTP/1.", 7) &&
		       !atomic_load(&conn->writer) && !conn->draft;

	conn_give_up(conn,
		     goodbye ? CONN_NOT_COUNTED : AT_COUNT_OPAQUE_RESPONSE);
}

static void received(struct conn *conn, const char *bytes, size_t len)
{
	const char *begin = bytes;

	if (conn->http2) {
		http2_received(conn, bytes, len);
		return;
	}
	while (len && !atomic_load(&conn->opaque)) {
		struct request *request = conn_oldest(conn);
		size_t used = len;

		if (!request) {
			unasked(conn, bytes, len);
			return;
		}
		if (request->transfer && !request->answer_begun)
			request_answer_begins(request);
		switch (at_http1_feed(&conn->in, &request->text, bytes, len,
				      &used)) {
		case AT_HTTP1_HEAD:
			head_seen(conn, request,
				  capture_head(begin, bytes + used,
					       conn->in.head_bytes));
			break;
		case AT_HTTP1_END:
			answer_complete(conn, request);
			break;
		case AT_HTTP1_OPAQUE:
			conn_give_up(conn, AT_COUNT_OPAQUE_RESPONSE);
			return;
		case AT_HTTP1_INTERIM:
		case AT_HTTP1_MORE:
			break;
		}
		bytes += used;
		len -= used;
	}
}

static void received_all(struct conn *conn, const struct iovec *iov,
			 size_t iov_count, size_t result)
{
	size_t i;

	for (i = 0; i < iov_count && result; i++) {
		size_t n = iov[i].iov_len < result ? iov[i].iov_len : result;

		received(conn, iov[i].iov_base, n);
		result -= n;
	}
}

static void received_unseen(struct conn *conn, size_t count)
{
	struct request *request = conn_oldest(conn);

	if (conn->http2) {
		http2_received_unseen(conn, count);
		return;
	}
	switch (at_http1_skip(&conn->in, count)) {
	case AT_HTTP1_END:
		if (request)
			answer_complete(conn, request);
		break;
	case AT_HTTP1_OPAQUE:
		conn_give_up(conn, AT_COUNT_OPAQUE_BYPASSED);
		break;
	default:
		break;
	}
}

/* What a write call has been told the kernel does not tell a read again. */
static const char *end_cause(struct conn *conn)
{
	int error = atomic_load(&conn->write_error);

	return error ? request_error_name(error) : "response_truncated";
}

static void ended(struct conn *conn)
{
	bool begun = !at_http1_idle(&conn->in);
	bool complete = at_http1_eof(&conn->in);

	if (begun && complete && conn_oldest(conn)) {
		request_end(conn_oldest(conn), NULL);
		conn_drop_oldest(conn);
	}
	conn_end_requests(conn, end_cause(conn));
	atomic_store(&conn->opaque, 1);
}

static void failed(struct conn *conn, int error)
{
	switch (error) {
	case EAGAIN:
	case EINTR:
	case EINVAL:
	case EFAULT:
	case ENOMEM:
	case ENOTCONN: /* opened by its first bytes, and not yet answered */
		break;
	case EBADF:
	case ENOTSOCK:
		conn_give_up(conn, AT_COUNT_OPAQUE_BYPASSED);
		break;
	default:
		conn_end_requests(conn, request_error_name(error));
		atomic_store(&conn->opaque, 1);
	}
}

/* --- the hooks' side --- */

static bool hold_reader(struct conn *conn)
{
	if (conn_enter(&conn->reader))
		return true;
	conn_mark_opaque(conn, AT_COUNT_OPAQUE_SHARED);
	return false;
}

bool at_receive_begin(struct at_receive *receive, int fd)
{
	uint64_t slot = fdtable_get(fd);

	receive->fd = fd;
	receive->slot = slot;
	receive->conn = NULL;
	if (slot == AT_FD_IGNORED || (unsigned int)fd >= AT_FD_MAX ||
	    at_thread_hands_off() || !at_tracer_active())
		return false;
	if (at_fd_is_conn(slot))
		at_notice_fork();
	hold_prune(&receive->hold);
	if (at_fd_is_conn(slot) && !(receive->conn = conn_hold(slot)))
		return false;
	if (receive->conn) {
		if (atomic_load(&receive->conn->opaque) ||
		    !hold_reader(receive->conn)) {
			conn_release(receive->conn);
			return false;
		}
	}
	hold_begin(&receive->hold, receive->conn,
		   receive->conn ? &receive->conn->reader : NULL);
	return true;
}

static size_t asked_bytes(const struct iovec *iov, size_t iov_count)
{
	size_t total = 0, i;

	for (i = 0; i < iov_count; i++)
		total += iov[i].iov_len;
	return total;
}

static void served(struct conn *conn, const struct iovec *iov, size_t iov_count,
		   ssize_t result, int error, int flags)
{
	if (result > 0 && !(flags & MSG_TRUNC))
		served_received(conn, iov, iov_count, (size_t)result);
	else if (result > 0)
		served_moved(conn, 0, (uint64_t)result);
	else if (result < 0 && request_error_ends(error))
		served_input_ended(conn, request_error_name(error));
}

void conn_received(struct conn *conn, const struct iovec *iov, size_t iov_count,
		   ssize_t result, int error, int flags)
{
	/* A peek takes nothing, yet an end or an error is one all the same. */
	if ((flags & MSG_PEEK) && result > 0)
		conn->peeked = true;
	if ((flags & (MSG_ERRQUEUE | MSG_OOB)) ||
	    ((flags & MSG_PEEK) && result > 0))
		return;
	if (!conn_lock(conn))
		return;
	if (atomic_load(&conn->opaque))
		;
	else if (conn->sealed)
		sealed_received(conn, iov, flags & MSG_TRUNC ? 0 : iov_count,
				result, error);
	else if (conn->server)
		served(conn, iov, iov_count, result, error, flags);
	else if (result < 0)
		failed(conn, error);
	else if (result == 0 && asked_bytes(iov, iov_count))
		ended(conn);
	else if (flags & MSG_TRUNC)
		received_unseen(conn, (size_t)result);
	else
		received_all(conn, iov, iov_count, (size_t)result);
	conn_unlock(conn);
}

/*
 * Nobody had looked at the descriptor when the read began. Whoever reads first
 * is no client, unless what it reads is an HTTP/2 server's, or another thread
 * has sent a request meanwhile; it is a server if that is a request.
 */
static struct conn *adopted_meanwhile(const struct at_receive *receive,
				      const struct iovec *iov, ssize_t result,
				      int flags)
{
	bool anything = result > 0 && !(flags & NOTHING_TAKEN);
	struct conn *conn = NULL;

	/* With MSG_TRUNC the bytes are gone: there may be no buffer at all. */
	if (anything && !(flags & MSG_TRUNC))
		conn = http2_adopt(receive->fd, iov, (size_t)result);
	if (!conn && result > 0 &&
	    !(flags & (MSG_ERRQUEUE | MSG_OOB | MSG_TRUNC)))
		conn = served_adopt(receive->fd, iov, (size_t)result);
	if (anything && !conn)
		fdtable_replace(receive->fd, receive->slot, AT_FD_IGNORED);
	if (!conn)
		conn = conn_hold(fdtable_get(receive->fd));
	if (conn && !hold_reader(conn)) {
		conn_release(conn);
		conn = NULL;
	}
	return conn;
}

/* With `room` bytes free behind what was read. How many are in use now. */
static size_t receive_end(struct at_receive *receive, const struct iovec *iov,
			  size_t iov_count, ssize_t result, int error,
			  int flags, size_t room)
{
	struct conn *conn = receive->conn;

	if (!hold_end(&receive->hold))
		return 0;
	if (!conn)
		conn = adopted_meanwhile(receive, iov, result, flags);
	else if (fdtable_get(receive->fd) != receive->slot) {
		/*
		 * The number changed its meaning while we were blocked: these
		 * bytes are missing from what other numbers read.
		 */
		if (result > 0)
			conn_mark_opaque(conn, AT_COUNT_OPAQUE_BYPASSED);
		result = -1;
		error = EAGAIN;
	}
	if (!conn)
		return 0;
	conn->room = room;
	conn_received(conn, iov, iov_count, result, error, flags);
	room -= conn->room;
	conn_leave(&conn->reader);
	conn_release(conn);
	return room;
}

void at_receive_end(struct at_receive *receive, const struct iovec *iov,
		    size_t iov_count, ssize_t result, int error, int flags)
{
	receive_end(receive, iov, iov_count, result, error, flags, 0);
}

ssize_t at_receive_into(struct at_receive *receive, const struct iovec *iov,
			ssize_t result, int error, int flags)
{
	size_t room = result > 0 && !flags ? iov->iov_len - (size_t)result : 0;

	return result + (ssize_t)receive_end(receive, iov, 1, result, error,
					     flags, room);
}

void at_moved_in(int fd, ssize_t count)
{
	struct conn *conn;

	if (count <= 0 || at_thread_hands_off())
		return;
	conn = conn_moved(fd);
	if (!conn)
		return;
	if (conn_lock(conn)) {
		if (conn->sealed)
			sealed_moved(conn, 0, (uint64_t)count);
		else if (conn->server && !atomic_load(&conn->opaque))
			served_moved(conn, 0, (uint64_t)count);
		else if (!atomic_load(&conn->opaque))
			received_unseen(conn, (size_t)count);
		conn_unlock(conn);
	}
	conn_release(conn);
}
