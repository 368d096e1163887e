// SPDX-License-Identifier: Apache-2.0
/* After the kernel's answer: what of the plan became true. */
#include "tracer/http2.h"
#include "tracer/rewrite.h"
#include "tracer/round.h"

/*
 * Heads that have left: those whose header is begun, and those without one
 * when the byte behind them was taken. They leave in order.
 */
static unsigned int heads_gone(const struct round *round,
			       const struct taken *taken)
{
	unsigned int gone = taken->heads;

	while (gone < round->head_count) {
		const struct head *head = &round->heads[gone];

		if (head->request->header_len || head->at >= taken->application)
			break;
		gone++;
	}
	return gone;
}

/* The one being read when `gone` heads have left. */
static struct request *open_request(const struct round *round,
				    unsigned int gone)
{
	return gone < round->head_count ? round->heads[gone].request :
					  round->draft;
}

/*
 * The same bytes once more, from the last head that has left as far as they
 * were taken. False: these are not the bytes that were planned.
 */
static bool follow(const struct round *round, size_t from, size_t upto,
		   struct request *open)
{
	struct at_http1_text *text = open ? &open->text : NULL;
	struct place place = round->start;

	stretch_skip(round->send, &place, from);
	while (from < upto) {
		struct stretch part =
			stretch_next(round->send, &place, upto - from);
		enum at_http1_event event;
		size_t used;

		from += part.len;
		while (part.len) {
			event = at_http1_feed(&round->conn->out, text, part.ptr,
					      part.len, &used);
			if (event == AT_HTTP1_HEAD || event == AT_HTTP1_OPAQUE)
				return false;
			part.ptr += used;
			part.len -= used;
		}
	}
	return true;
}

/*
 * Move the connection's machine; *open gets the request of the head that is
 * left open. False: what is sent is no longer understood.
 */
static bool advance(struct round *round, size_t upto, unsigned int gone,
		    struct request **open)
{
	struct conn *conn = round->conn;
	const struct head *last = gone ? &round->heads[gone - 1] : NULL;
	struct request *next = open_request(round, gone);

	*open = NULL;
	if (round->failed && upto > round->planned)
		return false;
	if (!round->failed && upto == round->limit &&
	    gone == round->head_count) {
		conn->out = round->machine;
		*open = round->draft;
		return true;
	}
	if (last)
		conn->out = last->request->machine;
	if (!follow(round, last ? last->at : 0, upto, next)) {
		round->why = AT_COUNT_OPAQUE_BYPASSED;
		return false;
	}
	if (at_http1_in_head(&conn->out))
		*open = next;
	return true;
}

/*
 * Heads that have not left leave the queue again. False when one of them has
 * been answered: whoever does that is not waited for with an explanation.
 */
static bool unqueue(struct round *round, unsigned int gone)
{
	struct conn *conn = round->conn;
	uint32_t keep = round->base + gone;
	bool ahead = (int32_t)(conn->taken - keep) > 0;

	if (ahead)
		keep = conn->taken;
	else if (gone < round->head_count && conn->taken == keep)
		ahead = !at_http1_idle(&conn->in);
	while (conn->added != keep) {
		conn->added--;
		request_free(conn->requests[conn->added % CONN_PIPELINE]);
	}
	conn->sent = keep;
	return !ahead;
}

/* The carry is the writer's own: it is kept even without the lock. */
void round_set_carry(struct conn *conn, const struct taken *taken)
{
	struct request *before = conn->carry_of;

	conn->carry_at = taken->carry_at;
	if (taken->carry_of == before)
		return;
	conn->carry_of = taken->carry_of;
	if (conn->carry_of)
		request_hold(conn->carry_of);
	if (before)
		request_free(before);
}

void round_let_go(struct round *round, struct request *open)
{
	unsigned int i;

	for (i = 0; i < round->head_count; i++)
		if (round->heads[i].request != open)
			request_free(round->heads[i].request);
	if (round->draft && round->draft != open)
		request_free(round->draft);
	round->conn->draft = open;
}

static void head_left(struct conn *conn, struct request *request,
		      uint32_t answered_at)
{
	request_sent(request);
	if (request->is_upgrade || request->is_connect)
		conn->leaving_at = answered_at;
}

static void settle(struct round *round, const struct taken *taken)
{
	struct conn *conn = round->conn;
	unsigned int gone = heads_gone(round, taken), i;
	struct request *open;
	bool understood = advance(round, taken->application, gone, &open);

	round_set_carry(conn, taken);
	if (round->head_count && !unqueue(round, gone)) {
		conn_give_up(conn, AT_COUNT_OPAQUE_RESPONSE);
		open = NULL;
	}
	for (i = 0; i < gone; i++)
		head_left(conn, round->heads[i].request, round->base + i + 1);
	if (!understood)
		conn_lose(conn, round->why);
	round_let_go(round, open);
}

void round_settle(struct round *round, const struct taken *taken)
{
	struct conn *conn = round->conn;

	conn->round_heads = 0;
	conn->round_draft = NULL;
	if (conn->http2) {
		http2_settle(round, taken);
		return;
	}
	if (round->insert)
		rewrite_taken(round, taken->application,
			      heads_gone(round, taken));
	/* In the middle of a body or a head nobody else is concerned. */
	if (!round->head_count && !round->failed && !conn->carry_of) {
		struct request *open;

		if (advance(round, taken->application, 0, &open)) {
			round_let_go(round, open);
			return;
		}
		round->failed = true;
		round->planned = 0;
	}
	if (conn_lock(conn)) {
		settle(round, taken);
		conn_unlock(conn);
		return;
	}
	/* Nothing can be said about the requests; bytes are still owed. */
	round_set_carry(conn, taken);
}
