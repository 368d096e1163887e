// SPDX-License-Identifier: Apache-2.0
#include "tracer/served.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "propagator/propagator.h"
#include "tracer/capture.h"
#include "tracer/round.h"
#include "tracer/route.h"
#include "tracer/turn.h"

/* "traceparent: ", the value, CRLF */
#define INSERTED_BYTES (13 + AT_TRACEPARENT_BYTES + 2)

/* A first line begins to look like HTTP, or does not, within so many bytes. */
#define LOOK_BYTES 96

static bool wanted;
static bool may_rewrite;
static bool may_insert;

/* They hand on what they read, and do nothing with it themselves. */
static bool is_edge_proxy(void)
{
	return !strcmp(program_invocation_short_name, "nginx") ||
	       !strcmp(program_invocation_short_name, "haproxy");
}

void served_start(const struct at_config *config)
{
	route_start(config);
	wanted = config->server_spans[0] == 't' ||
		 (config->server_spans[0] == 'a' && config->hub[0]);
	may_rewrite = config->inbound[0] != 'o';
	may_insert = config->inbound[0] == 'i' ||
		     (config->inbound[0] == 'a' && is_edge_proxy());
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

struct conn *served_adopt(int fd, const struct iovec *iov, size_t len)
{
	struct conn *conn;

	if (!wanted || look(iov, len) == AT_MATCH_NO)
		return NULL;
	conn = conn_adopt(fd, NULL, 0);
	if (!conn)
		return NULL;
	conn->server = true;
	at_http1_init(&conn->in, false);
	at_http1_init(&conn->out, true);
	return conn;
}

/* --- the span --- */

static void fill_target(struct at_span *span, const struct conn *conn,
			const struct request *request)
{
	struct at_text target = at_http1_target(&conn->in, &request->text);
	struct at_text path = at_text_before(target, "?");

	route_fill(span, path);
	at_span_set_text(span, AT_ATTR_URL_SCHEME, AT_TEXT("http"));
	at_span_set_text(span, AT_ATTR_URL_PATH, path);
	if (path.len < target.len)
		at_span_set_text(span, AT_ATTR_URL_QUERY,
				 (struct at_text){ path.ptr + path.len + 1,
						   target.len - path.len - 1 });
}

static void fill_host(struct at_span *span, const struct conn *conn,
		      const struct request *request)
{
	struct at_text authority = at_http1_host(&conn->in, &request->text);
	struct at_text host;
	uint16_t port;

	if (!authority.len)
		return;
	if (!address_split(authority, &host, &port)) {
		host = authority;
		port = 0;
	}
	at_span_set_text(span, AT_ATTR_SERVER_ADDRESS, host);
	at_span_set_int(span, AT_ATTR_SERVER_PORT, port ? port : 80);
}

static void fill_fields(struct at_span *span, struct at_text head)
{
	struct at_text agent = at_http1_find_field(head, AT_TEXT("user-agent"));

	if (capture_is_on(CAPTURE_SERVER_REQUEST))
		capture_fill(span, CAPTURE_SERVER_REQUEST, head);
	if (agent.len)
		at_span_set_text(span, AT_ATTR_USER_AGENT_ORIGINAL, agent);
}

/* `head` is empty when it did not come in one piece. */
static void fill_span(struct conn *conn, struct request *request,
		      struct at_text head)
{
	struct at_span *span = &request->span;
	const struct address *peer = &conn->peer;

	request_fill_method(span, at_http1_method(&conn->in, &request->text));
	fill_target(span, conn, request);
	fill_host(span, conn, request);
	if (peer->len)
		at_span_set_text(span, AT_ATTR_CLIENT_ADDRESS,
				 (struct at_text){ peer->text, peer->len });
	request_fill_peer(span, peer);
	fill_fields(span, head);
	at_span_set_text(span, AT_ATTR_NETWORK_PROTOCOL_VERSION,
			 conn->in.minor ? AT_TEXT("1.1") : AT_TEXT("1.0"));
	if (conn->in.flags & (AT_HTTP1_LINE_CUT | AT_HTTP1_HOST_CUT))
		span->truncated = 1;
}

/* The one that came with the request, or NULL: a trace of its own. */
static const struct at_context *read_parent(const struct conn *conn,
					    const struct request *request,
					    struct at_context *parent)
{
	struct at_text value = at_http1_context(&conn->in, &request->text);

	return conn->in.context_count == 1 &&
			       !at_traceparent_parse(value, parent) ?
		       parent :
		       NULL;
}

/* False: it begins a trace of its own. */
static bool open_request(struct conn *conn, struct request *request,
			 struct at_text head)
{
	struct at_context given, *own = &request->context;
	const struct at_context *parent = read_parent(conn, request, &given);

	request_identity(own, parent);
	request->sampled = own->flags & AT_FLAG_SAMPLED;
	request->is_head = at_text_equal(
		at_http1_method(&conn->in, &request->text), AT_TEXT("HEAD"));
	request->is_connect = at_text_equal(
		at_http1_method(&conn->in, &request->text), AT_TEXT("CONNECT"));
	if (request->sampled) {
		request_open_span(&request->span, own, parent, CONTEXT_HEADER,
				  request->start_ns);
		request->span.kind = AT_KIND_SERVER;
		fill_span(conn, request, head);
	}
	return parent;
}

/* --- requests --- */

/*
 * The value of the one, valid traceparent, when all of it lies in this read:
 * its parent's id becomes ours. `end` is behind the last line of the head.
 */
static void rewrite(const struct conn *conn, const struct request *request,
		    char *begin, char *end)
{
	size_t behind = conn->in.head_bytes - conn->in.context_at;
	struct at_writer writer;
	char *value = end - behind;

	if (!may_rewrite || conn->peeked || behind > (size_t)(end - begin))
		return;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	if (end - value < AT_TRACEPARENT_BYTES ||
	    at_traceparent_is_signed(
		    (struct at_text){ begin, (size_t)(end - begin) }))
		return;
	writer = AT_WRITER(value + AT_TRACEPARENT_PARENT_AT,
			   AT_TRACEPARENT_PARENT_BYTES);
	at_write_hex(&writer, request->context.span_id, AT_SPAN_ID_BYTES);
}

/*
 * Nobody has sent a context: ours goes behind the last line of the head, when
 * the head came whole, before `behind` bytes more, and there is room for it in
 * the application's buffer. The number of bytes added.
 */
static size_t insert(struct conn *conn, const struct request *request,
		     const char *begin, char *end, size_t behind)
{
	char line[INSERTED_BYTES];
	struct at_writer writer = AT_WRITER(line, sizeof(line));

	if (conn->in.context_count || conn->room < sizeof(line) ||
	    (conn->in.flags & AT_HTTP1_HAS_TRACESTATE) || conn->peeked ||
	    conn->in.head_bytes > (size_t)(end - begin))
		return 0;
	at_write_string(&writer, "traceparent: ");
	at_traceparent_write(&writer, &request->context);
	at_write_string(&writer, "\r\n");
	memmove(end + sizeof(line), end, behind);
	memcpy(end, line, sizeof(line));
	conn->room -= sizeof(line);
	return sizeof(line);
}

/* How many bytes of ours lie at `end` now. */
static size_t head_read(struct conn *conn, char *begin, char *end,
			size_t behind)
{
	struct request *request = conn->draft;
	struct at_text head = capture_head(begin, end, conn->in.head_bytes);
	size_t inserted = 0;

	conn->draft = NULL;
	if (open_request(conn, request, head))
		rewrite(conn, request, begin, end);
	else if (may_insert)
		inserted = insert(conn, request, begin, end, behind);
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
