// SPDX-License-Identifier: Apache-2.0
/* HTTP/2, the way out: planning a round and settling it. */
#include <string.h>

#include "tracer/http2.h"
#include "tracer/transfer.h"

/* A frame's header begins with its length. */
#define LENGTH_BYTES 3

/* So much of a preface is no HTTP/1: "PRI ". */
#define PREFACE_SURE 4

/* --- the preface --- */

/* How much of it the calls before brought; all of it: something else. */
static size_t preface_before(const struct round *round)
{
	const struct at_http1 *out = &round->conn->out;

	if (at_http1_idle(out))
		return 0;
	if (!round->draft || out->head_bytes != out->line_len ||
	    out->line_len >= AT_HTTP2_PREFACE_BYTES ||
	    memcmp(round->draft->text.line, AT_HTTP2_PREFACE, out->line_len))
		return AT_HTTP2_PREFACE_BYTES;
	return out->line_len;
}

static bool is_preface(const struct round *round, size_t at)
{
	struct place place = round->start;

	while (at < PREFACE_SURE) {
		struct stretch part =
			stretch_next(round->send, &place, PREFACE_SURE - at);

		if (!part.len || stretch_is_wild(part) ||
		    memcmp(part.ptr, &AT_HTTP2_PREFACE[at], part.len) != 0)
			return false;
		at += part.len;
	}
	return at < AT_HTTP2_PREFACE_BYTES;
}

bool http2_begins(struct round *round)
{
	size_t before = preface_before(round);

	if (round->conn->added || round->head_count ||
	    !is_preface(round, before) || !http2_start(round->conn, before))
		return false;
	if (round->draft)
		request_free(round->draft);
	round->draft = NULL;
	round->failed = false;
	round->planned = round->limit;
	return http2_plan(round);
}

/* --- planning --- */

static bool is_promised(const struct request *request)
{
	return request && request->promised;
}

/* Not followed any more: at most a promise is to be kept. */
static bool is_over(const struct conn *conn)
{
	return atomic_load(&conn->opaque) || atomic_load(&conn->out_lost);
}

bool http2_plan(struct round *round)
{
	const struct http2 *http2 = round->conn->http2;
	uint32_t have = http2->out.frame_at;

	round->machine2 = http2->out;
	round->untraced = 0;
	if (!is_promised(round->draft))
		return !is_over(round->conn);
	round->insert = true;
	if (have < LENGTH_BYTES && round->limit) {
		round->resumed.at = 0;
		round->resumed.bytes = round->draft->frame_length + have;
		round->resumed.len = LENGTH_BYTES - have;
		if (round->resumed.len > round->limit)
			round->resumed.len = round->limit;
	}
	return true;
}

/* The rest is another round's. */
static void cut(struct round *round, size_t at)
{
	round->insert = true;
	round->limit = at;
	round->planned = at;
}

/* A stream begins. Without a request its bytes are followed all the same. */
static void open_stream(struct round *round)
{
	struct conn *conn = round->conn;

	if (!round->draft) {
		if (round->head_count == CONN_PIPELINE ||
		    conn_waiting(conn) + round->head_count >= HTTP2_STREAMS) {
			round->untraced++;
			return;
		}
		round->draft = request_begin(conn->secure);
	}
	if (round->draft)
		round->draft->stream = round->machine2.stream;
}

/*
 * Only where the frame begins in this round its length can be another, and
 * only as long as the frame's size is one that everybody takes.
 */
static bool may_grow(const struct round *round, size_t at)
{
	const struct at_http2 *machine = &round->machine2;

	return round->editable && machine->frame_at <= at &&
	       machine->length + REQUEST_HEADER_BYTES <= AT_HTTP2_FRAME_BYTES;
}

/* Our fields have a place; the length that says so. */
static void patch_length(struct round *round, struct head *head)
{
	struct request *request = head->request;
	uint32_t length = round->machine2.length + request->header_len;

	request->own_length = round->machine2.length;
	request->frame_length[0] = (uint8_t)(length >> 16);
	request->frame_length[1] = (uint8_t)(length >> 8);
	request->frame_length[2] = (uint8_t)length;
	head->patch_at = head->at - round->machine2.frame_at;
	round->insert = true;
}

static void plan_head(struct round *round, size_t at)
{
	struct head *head = &round->heads[round->head_count];
	struct request *request = round->draft;

	if (!request || !round->machine2.is_request)
		return;
	round->head_count++;
	round->draft = NULL;
	head->at = at;
	head->request = request;
	head->patch_at = HEAD_UNPATCHED;
	if (!request->promised) {
		request_prepare_http2(
			request, &round->machine2, &round->conn->peer,
			may_grow(round, at) ? REQUEST_INSERT : REQUEST_UNSAFE);
		if (request->header_len)
			patch_length(round, head);
	} else if (request->own_length != round->machine2.length) {
		/* Not what it was before: nobody does that. */
		request->promised = false;
		round_fails(round, at, AT_COUNT_OPAQUE_REQUEST);
	}
	if (is_over(round->conn) ||
	    (round->head_count == CONN_PIPELINE && round->editable))
		cut(round, at);
}

static void plan_reset(struct round *round)
{
	struct stream_reset *reset = &round->resets[round->reset_count];

	if (round->reset_count == ROUND_RESETS)
		return; /* the connection's end ends it */
	reset->stream = round->machine2.stream;
	reset->code = round->machine2.code;
	round->reset_count++;
}

void http2_plan_stretch(struct round *round, struct stretch part, size_t at)
{
	struct at_http2_table *table = &round->conn->http2->out_table;

	while (part.len && !round->failed && at < round->limit) {
		size_t used, before = at;
		enum at_http2_event event = at_http2_feed(
			&round->machine2, table,
			round->draft ? &round->draft->text2 : NULL, part.ptr,
			part.len, &used);

		part.ptr += used;
		part.len -= used;
		at += used;
		if (event == AT_HTTP2_BEGIN)
			open_stream(round);
		else if (event == AT_HTTP2_HEAD)
			plan_head(round, at);
		else if (event == AT_HTTP2_RESET)
			plan_reset(round);
		else if (event == AT_HTTP2_OPAQUE)
			round_fails(round, before,
				    at_http2_in_preface(&round->machine2) ?
					    CONN_NOT_COUNTED :
					    AT_COUNT_OPAQUE_REQUEST);
	}
}

void http2_queue(struct round *round)
{
	struct conn *conn = round->conn;
	unsigned int i;

	for (i = 0; i < round->head_count; i++) {
		http2_add(conn, round->heads[i].request);
		conn->http2->round[i] = round->heads[i].request;
	}
	for (i = 0; i < round->reset_count; i++)
		http2_cancelled(conn, round->resets[i].stream,
				round->resets[i].code);
}

/* --- settling --- */

/*
 * Heads that have left: those of whose block the kernel took the last byte. Of
 * one that our fields belong to, they are owed now.
 */
static unsigned int heads_gone(const struct round *round, struct taken *taken)
{
	unsigned int gone = 0;

	while (gone < round->head_count &&
	       round->heads[gone].at <= taken->application)
		gone++;
	if (gone > taken->heads && round->heads[gone - 1].request->header_len) {
		taken->carry_of = round->heads[gone - 1].request;
		taken->carry_at = 0;
	}
	return gone;
}

/* The same bytes once more, as far as they were taken. */
static bool follow(struct round *round, size_t upto)
{
	struct http2 *http2 = round->conn->http2;
	struct place place = round->start;
	size_t at = 0;

	while (at < upto) {
		struct stretch part =
			stretch_next(round->send, &place, upto - at);

		at += part.len;
		while (part.len) {
			size_t used;

			if (at_http2_feed(&http2->out, &http2->out_table, NULL,
					  part.ptr, part.len,
					  &used) == AT_HTTP2_OPAQUE)
				return false;
			part.ptr += used;
			part.len -= used;
		}
	}
	return true;
}

static bool advance(struct round *round, size_t upto)
{
	struct http2 *http2 = round->conn->http2;

	if (round->failed && upto > round->planned)
		return false;
	if (round->failed || upto < round->limit) {
		if (!follow(round, upto))
			return false;
	} else {
		http2->out = round->machine2;
		if (round->untraced)
			at_count(AT_COUNT_PIPELINE_FULL, round->untraced);
	}
	at_http2_commit(&http2->out, &http2->out_table);
	return true;
}

/*
 * The request of the head that is left open: promised, if the kernel took a
 * byte of ours.
 */
static struct request *open_request(const struct round *round,
				    unsigned int gone, size_t upto)
{
	const struct at_http2 *out = &round->conn->http2->out;
	const struct head *head = &round->heads[gone];
	struct request *request = round->draft;

	if (gone < round->head_count) {
		request = head->request;
		if (head->patch_at < upto)
			request->promised = true;
	}
	if (is_promised(request) || (request && at_http2_in_head(out) &&
				     request->stream == out->block_stream))
		return request;
	return NULL;
}

static void settle(struct round *round, struct taken *taken)
{
	struct conn *conn = round->conn;
	unsigned int gone = heads_gone(round, taken), i;
	bool understood = advance(round, taken->application);

	round_set_carry(conn, taken);
	for (i = 0; i < round->head_count; i++) {
		struct request *request = round->heads[i].request;

		request->left = i < gone;
		if (request->left) {
			request_sent(request);
			transfer_joins(request);
		} else {
			http2_remove(conn, request);
		}
	}
	if (!understood)
		conn_lose(conn, round->why);
	round_let_go(round, open_request(round, gone, taken->application));
}

void http2_settle(struct round *round, const struct taken *kernel)
{
	struct conn *conn = round->conn;
	struct taken taken = *kernel;

	/* In the middle of a body nobody else is concerned. */
	if (!round->head_count && !round->failed && !round->draft &&
	    !conn->carry_of && taken.application == round->limit) {
		advance(round, taken.application);
		return;
	}
	if (conn_lock(conn)) {
		settle(round, &taken);
		conn_unlock(conn);
		return;
	}
	/* Nothing can be said about the requests; bytes are still owed. */
	heads_gone(round, &taken);
	round_set_carry(conn, &taken);
}

/* --- what is owed --- */

bool http2_is_bound(const struct conn *conn)
{
	return conn->http2 &&
	       (conn->http2->byte_ahead || is_promised(conn->draft));
}

size_t http2_resend(struct conn *conn, size_t total)
{
	if (!conn->http2 || !conn->http2->byte_ahead || !total)
		return 0;
	conn->http2->byte_ahead = false;
	return 1;
}

size_t http2_told(struct conn *conn, size_t done, size_t total)
{
	if (!conn->http2 || !conn->carry_of || !done || done < total)
		return done;
	conn->http2->byte_ahead = true;
	return done - 1;
}

void http2_disown(struct conn *conn)
{
	if (!conn->http2)
		return;
	conn->http2->byte_ahead = false;
	if (conn->draft)
		conn->draft->promised = false;
}
