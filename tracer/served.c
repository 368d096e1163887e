// SPDX-License-Identifier: Apache-2.0
#include "tracer/served.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "tracer/baggage.h"
#include "tracer/capture.h"
#include "tracer/inbound.h"
#include "tracer/round.h"
#include "tracer/route.h"
#include "tracer/sdk.h"
#include "tracer/served_span.h"
#include "tracer/turn.h"

/* A first line begins to look like HTTP, or does not, within so many bytes. */
#define LOOK_BYTES 96

static bool wanted;

void served_start(const struct at_config *config)
{
	route_start(config);
	inbound_start(config);
	wanted = served_is_wanted(config);
}

bool served_is_wanted(const struct at_config *config)
{
	return config->server_spans[0] == 't' ||
	       (config->server_spans[0] == 'a' && config->hub[0]);
}

/* --- the first look --- */

static enum at_match look(const struct iovec *iov, size_t len)
{
	char begin[LOOK_BYTES];
	size_t have = 0, i;

	for (; len && have < LOOK_BYTES; iov++) {
		size_t part = iov->iov_len < len ? iov->iov_len : len;

		for (i = 0; i < part && have < LOOK_BYTES; i++)
			begin[have++] = ((const char *)iov->iov_base)[i];
		len -= part;
	}
	/* HTTP/2's preface is a request line by its looks. */
	if (have >= 3 && !memcmp(begin, "PRI", 3))
		return AT_MATCH_NO;
	return have ? at_http1_match(begin, have) : AT_MATCH_NO;
}

/* What does not begin a request here may do so elsewhere. */
static bool begins_request(int fd, const struct iovec *iov, size_t len)
{
	if (look(iov, len) != AT_MATCH_NO)
		return true;
	if (len && iov->iov_len)
		sdk_reads(fd, iov->iov_base,
			  len < iov->iov_len ? len : iov->iov_len);
	return false;
}

struct conn *served_adopt(int fd, const struct iovec *iov, size_t len)
{
	struct conn *conn;

	if (!wanted || sdk_is_here() || !begins_request(fd, iov, len))
		return NULL;
	conn = conn_adopt(fd, NULL, 0);
	if (!conn)
		return NULL;
	conn->server = true;
	at_http1_init(&conn->in, false);
	at_http1_init(&conn->out, true);
	return conn;
}

/* --- requests --- */

/* Where its parent was found. */
static enum inbound open_request(struct conn *conn, struct request *request,
				 struct at_text head)
{
	struct at_context given, *own = &request->context;
	enum inbound found = inbound_read(conn, request, head, &given);
	const struct at_context *parent = found ? &given : NULL;

	request_identity(own, parent);
	if (parent) {
		context_came_in(parent);
		context_trace_comes_in(parent);
	}
	context_came_in(own);
	if (conn->in.flags & AT_HTTP1_HAS_BAGGAGE)
		request->baggage = baggage_read(head);
	request->left_out = sdk_leaves_out(
		at_http1_method(&conn->in, &request->text),
		at_http1_target(&conn->in, &request->text), head, true);
	/* Neither is what it causes anybody's. */
	if (request->left_out)
		own->flags &= (uint8_t)~AT_FLAG_SAMPLED;
	request->sampled = own->flags & AT_FLAG_SAMPLED;
	request->is_head = at_text_equal(
		at_http1_method(&conn->in, &request->text), AT_TEXT("HEAD"));
	request->is_connect = at_text_equal(
		at_http1_method(&conn->in, &request->text), AT_TEXT("CONNECT"));
	if (request->sampled) {
		request_open_span(&request->span, own, parent, CONTEXT_HEADER,
				  request->start_ns);
		request->span.kind = AT_KIND_SERVER;
		served_fill_span(conn, request, head);
	}
	return request->left_out ? INBOUND_OTHER : found;
}

/* How many bytes of ours lie at `end` now. */
static size_t head_read(struct conn *conn, char *begin, char *end,
			size_t behind)
{
	struct request *request = conn->draft;
	struct at_text head = capture_head(begin, end, conn->in.head_bytes);
	size_t inserted = 0;

	conn->draft = NULL;
	switch (open_request(conn, request, head)) {
	case INBOUND_NONE:
		inserted = inbound_insert(conn, request, head, end, behind);
		break;
	case INBOUND_TRACEPARENT:
		inbound_rewrite(conn, request, begin, end);
		break;
	case INBOUND_OTHER:
		break;
	}
	conn_add_request(conn, request);
	conn->sent = conn->added;
	turn_begins(request);
	request_free(request);
	return inserted;
}

/* The request that came last is here whole, and maybe answered already. */
static void body_read(struct conn *conn)
{
	struct request *request;

	if (!conn_waiting(conn) || !conn->in.body_bytes)
		return;
	request = conn->requests[(conn->added - 1) % CONN_PIPELINE];
	if (request->sampled)
		at_span_set_int(&request->span, AT_ATTR_HTTP_REQUEST_BODY_SIZE,
				(int64_t)conn->in.body_bytes);
}

/* A request begins: it needs a place in the queue. */
static bool open_draft(struct conn *conn)
{
	if (conn_waiting(conn) >= CONN_PIPELINE) {
		conn_give_up(conn, AT_COUNT_PIPELINE_FULL);
		return false;
	}
	conn->draft = request_begin(false);
	if (!conn->draft)
		conn_give_up(conn, CONN_NOT_COUNTED);
	return conn->draft;
}

static void read_piece(struct conn *conn, char *bytes, size_t len)
{
	char *begin = bytes;

	while (len && !atomic_load(&conn->opaque)) {
		size_t used = len;

		if (at_http1_idle(&conn->in) && !conn->draft &&
		    !open_draft(conn))
			return;
		switch (at_http1_feed(&conn->in,
				      conn->draft ? &conn->draft->text : NULL,
				      bytes, len, &used)) {
		case AT_HTTP1_HEAD:
			bytes += head_read(conn, begin, bytes + used,
					   len - used);
			break;
		case AT_HTTP1_END:
			body_read(conn);
			break;
		case AT_HTTP1_OPAQUE:
			conn_give_up(conn, conn->added ?
						   AT_COUNT_OPAQUE_REQUEST :
						   CONN_NOT_COUNTED);
			return;
		default:
			break;
		}
		bytes += used;
		len -= used;
	}
}

void served_received(struct conn *conn, const struct iovec *iov,
		     size_t iov_count, size_t len)
{
	size_t i;

	for (i = 0; i < iov_count && len; i++) {
		size_t part = iov[i].iov_len < len ? iov[i].iov_len : len;

		read_piece(conn, iov[i].iov_base, part);
		len -= part;
	}
}

/* A client that sends no more may still wait for its answer. */
void served_input_ended(struct conn *conn, const char *error)
{
	if (error)
		conn->end_error = error;
}

/* --- answers --- */

static void fill_answer_size(const struct conn *conn, struct request *request)
{
	if (request->sampled)
		at_span_set_int(&request->span, AT_ATTR_HTTP_RESPONSE_BODY_SIZE,
				(int64_t)conn->out.body_bytes);
}

static void answer_complete(struct conn *conn, struct request *request)
{
	bool leaves = request_leaves_http(request);

	fill_answer_size(conn, request);
	turn_ends(request);
	request_end(request, NULL);
	conn_drop_oldest(conn);
	if (leaves)
		conn_give_up(conn, AT_COUNT_UPGRADED);
}

/* HTTP-12: of a server's answers only 5xx are errors of its own. */
static void answered(struct conn *conn, struct request *request,
		     struct at_text head)
{
	uint16_t status = conn->out.status;

	if (status < 200 && status != 101)
		return;
	request_served(request, status);
	if (request->sampled && capture_is_on(CAPTURE_SERVER_RESPONSE))
		capture_fill(&request->span, CAPTURE_SERVER_RESPONSE, head);
	if (request_answer_has_no_body(request))
		conn->out.flags |= AT_HTTP1_NO_BODY;
}

static void write_piece(struct conn *conn, const char *bytes, size_t len)
{
	const char *begin = bytes;

	while (len && !atomic_load(&conn->opaque)) {
		struct request *request = conn_oldest(conn);
		size_t used = len;

		if (!request) {
			/* Nobody has asked: a good-bye to an idle client. */
			conn_give_up(conn, CONN_NOT_COUNTED);
			return;
		}
		switch (at_http1_feed(&conn->out, &request->text, bytes, len,
				      &used)) {
		case AT_HTTP1_HEAD:
			answered(conn, request,
				 capture_head(begin, bytes + used,
					      conn->out.head_bytes));
			break;
		case AT_HTTP1_END:
			answer_complete(conn, request);
			break;
		case AT_HTTP1_OPAQUE:
			conn_give_up(conn, AT_COUNT_OPAQUE_RESPONSE);
			return;
		default:
			break;
		}
		bytes += used;
		len -= used;
	}
}

void served_sent(struct conn *conn, const struct at_send *send, ssize_t result)
{
	struct place place = { 0, 0 };
	size_t left = result > 0 ? (size_t)result : 0;
	int error = errno;

	if (!result || !conn_lock(conn))
		return;
	if (result < 0 && request_error_ends(error))
		conn->end_error = request_error_name(error);
	while (left) {
		struct stretch part = stretch_next(send, &place, left);

		if (!part.len)
			break;
		write_piece(conn, part.ptr, part.len);
		left -= part.len;
	}
	conn_unlock(conn);
}

void served_moved(struct conn *conn, uint64_t out_bytes, uint64_t in_bytes)
{
	struct request *request = conn_oldest(conn);
	enum at_http1_event event = AT_HTTP1_MORE;

	if (in_bytes)
		event = at_http1_skip(&conn->in, in_bytes);
	if (event == AT_HTTP1_END)
		body_read(conn);
	if (event != AT_HTTP1_OPAQUE && out_bytes) {
		event = request ? at_http1_skip(&conn->out, out_bytes) :
				  AT_HTTP1_OPAQUE;
		if (event == AT_HTTP1_END)
			answer_complete(conn, request);
	}
	if (event == AT_HTTP1_OPAQUE)
		conn_give_up(conn, AT_COUNT_OPAQUE_BYPASSED);
}

/* --- the end --- */

static const char *why_unanswered(const struct conn *conn, bool begun)
{
	if (conn->end_error)
		return conn->end_error;
	return begun ? "response_truncated" : "no_response";
}

void served_end(struct conn *conn)
{
	bool begun = !at_http1_idle(&conn->out);
	bool complete = at_http1_eof(&conn->out);
	struct request *request;

	for (; (request = conn_oldest(conn)); begun = complete = false) {
		if (begun && complete)
			fill_answer_size(conn, request);
		turn_ends(request);
		if (atomic_load(&conn->opaque))
			request_abandon(request);
		else
			request_end(request,
				    begun && complete ?
					    NULL :
					    why_unanswered(conn, begun));
		conn_drop_oldest(conn);
	}
}
