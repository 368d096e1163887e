// SPDX-License-Identifier: Apache-2.0
/* HTTP/2: the streams of a connection, and the way in. */
#include "tracer/http2.h"

#include <string.h>

#include "tracer/transfer.h"

static struct pool connections = POOL(struct http2, 8);

static struct http2 *new (size_t before)
{
	struct http2 *http2 = pool_take(&connections);
	size_t used;

	if (!http2) {
		at_count(AT_COUNT_CONNECTIONS_FULL, 1);
		return NULL;
	}
	memset((char *)http2 + sizeof(http2->link), 0,
	       offsetof(struct http2, out_table) - sizeof(http2->link));
	at_http2_init(&http2->out, false);
	at_http2_init(&http2->in, true);
	at_http2_feed(&http2->out, &http2->out_table, NULL, AT_HTTP2_PREFACE,
		      before, &used);
	return http2;
}

/* Whoever reads or writes meanwhile sees all of it or nothing. */
bool http2_start(struct conn *conn, size_t before)
{
	struct http2 *http2 = new (before);
	bool right = false;

	if (!http2)
		return false;
	if (conn_lock(conn)) {
		right = !conn->http2 && !conn->added;
		if (right)
			conn->http2 = http2;
		conn_unlock(conn);
	}
	if (!right)
		pool_give(&connections, http2);
	return right;
}

struct conn *http2_adopt(int fd, const struct iovec *iov, size_t len)
{
	struct conn *conn = NULL;

	if (at_http2_match_server(iov->iov_base,
				  iov->iov_len < len ? iov->iov_len : len))
		conn = conn_adopt(fd, NULL, 0);
	if (conn)
		http2_start(conn, 0);
	return conn;
}

void http2_drop(struct conn *conn)
{
	if (!conn->http2)
		return;
	while (conn_oldest(conn))
		conn_drop_oldest(conn);
	pool_give(&connections, conn->http2);
	conn->http2 = NULL;
}

/* --- streams --- */

/* Clients' streams are odd. */
static unsigned int bucket_of(uint32_t stream)
{
	return stream / 2 % HTTP2_BUCKETS;
}

struct request *http2_find(const struct http2 *http2, uint32_t stream)
{
	struct request *request = http2->bucket[bucket_of(stream)];

	while (request && request->stream != stream)
		request = request->next;
	return request;
}

struct request *http2_any(const struct http2 *http2)
{
	unsigned int i = 0;

	while (i < HTTP2_BUCKETS && !http2->bucket[i])
		i++;
	return i < HTTP2_BUCKETS ? http2->bucket[i] : NULL;
}

void http2_add(struct conn *conn, struct request *request)
{
	struct request **bucket =
		&conn->http2->bucket[bucket_of(request->stream)];

	request_hold(request);
	request->next = *bucket;
	*bucket = request;
	conn->added++;
}

void http2_remove(struct conn *conn, struct request *request)
{
	struct request **at = &conn->http2->bucket[bucket_of(request->stream)];

	while (*at && *at != request)
		at = &(*at)->next;
	if (!*at)
		return; /* answered already */
	*at = request->next;
	conn->taken++;
	request_free(request);
}

static void remove_ended(struct conn *conn, struct request *request)
{
	http2_remove(conn, request);
	if (atomic_load(&conn->out_lost) && !conn_waiting(conn))
		atomic_store(&conn->opaque, 1);
}

static void end(struct conn *conn, struct request *request, const char *error)
{
	request_end(request, error);
	remove_ended(conn, request);
}

/*
 * Whoever stops in the middle of an answer has what it wanted; libcurl is about
 * to say why.
 */
void http2_cancelled(struct conn *conn, uint32_t stream, uint32_t code)
{
	struct request *request = http2_find(conn->http2, stream);
	const char *error;

	if (!request || !request->left)
		return;
	error = request->status ? NULL : at_http2_error_name(code);
	if (transfer_keeps(request))
		remove_ended(conn, request);
	else
		end(conn, request, error);
}

/*
 * Those that have left and whose stream is beyond `last`; `error` as for
 * request_end(), or abandoned.
 */
static void end_many(struct conn *conn, uint32_t last, const char *error,
		     bool abandoned)
{
	unsigned int i;

	for (i = 0; i < HTTP2_BUCKETS; i++) {
		struct request *request = conn->http2->bucket[i], *next;

		for (; request; request = next) {
			next = request->next;
			if (!request->left || request->stream <= last)
				continue;
			if (abandoned)
				request_abandon(request);
			else if (error || !transfer_keeps(request))
				request_end(request, error);
			http2_remove(conn, request);
		}
	}
}

void http2_end_left(struct conn *conn, const char *error)
{
	end_many(conn, 0, error, false);
}

void http2_abandon_left(struct conn *conn)
{
	end_many(conn, 0, NULL, true);
}

void http2_forget_round(struct conn *conn)
{
	uint32_t i;

	for (i = 0; i < conn->round_heads; i++)
		request_free(conn->http2->round[i]);
}

/* --- the way in --- */

static void head_seen(struct conn *conn, const struct at_http2 *in)
{
	struct request *request = http2_find(conn->http2, in->stream);

	if (!request)
		return;
	if (request->transfer && !request->answer_begun)
		request_answer_begins(request);
	if (in->status >= 200)
		request_answered(request, in->status);
	if (in->end_stream ||
	    (request->is_connect && in->status >= 200 && in->status < 300))
		end(conn, request, NULL);
}

static void stream_ended(struct conn *conn, const char *error)
{
	struct request *request =
		http2_find(conn->http2, conn->http2->in.stream);

	if (request)
		end(conn, request, error);
}

/* What came behind the last stream that is answered never will be. */
static void going_away(struct conn *conn, const struct at_http2 *in)
{
	end_many(conn, in->stream,
		 in->code ? at_http2_error_name(in->code) : "refused_stream",
		 false);
}

/* One event; false: nothing more is to be read. */
static bool seen(struct conn *conn, enum at_http2_event event,
		 enum at_counter why)
{
	const struct at_http2 *in = &conn->http2->in;

	switch (event) {
	case AT_HTTP2_HEAD:
		head_seen(conn, in);
		break;
	case AT_HTTP2_END:
		stream_ended(conn, NULL);
		break;
	case AT_HTTP2_RESET:
		stream_ended(conn, at_http2_error_name(in->code));
		break;
	case AT_HTTP2_GOAWAY:
		going_away(conn, in);
		break;
	case AT_HTTP2_OPAQUE:
		conn_give_up(conn, at_http2_in_preface(&conn->http2->out) ?
					   CONN_NOT_COUNTED :
					   why);
		return false;
	default:
		break;
	}
	return true;
}

void http2_received(struct conn *conn, const char *bytes, size_t len)
{
	struct http2 *http2 = conn->http2;

	while (len && !atomic_load(&conn->opaque)) {
		size_t used = len;
		enum at_http2_event event = at_http2_feed(
			&http2->in, &http2->in_table, NULL, bytes, len, &used);

		if (!seen(conn, event, AT_COUNT_OPAQUE_RESPONSE))
			return;
		bytes += used;
		len -= used;
	}
	at_http2_commit(&http2->in, &http2->in_table);
}

void http2_received_unseen(struct conn *conn, size_t count)
{
	seen(conn, at_http2_skip(&conn->http2->in, count),
	     AT_COUNT_OPAQUE_BYPASSED);
}
