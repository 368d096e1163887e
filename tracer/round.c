// SPDX-License-Identifier: Apache-2.0
/* Planning a round, composing it for the kernel, reading the kernel's answer. */
#include "tracer/round.h"

#include <string.h>

#include "tracer/capture.h"
#include "tracer/http2.h"
#include "tracer/rewrite.h"

/* Owners of outgoing bytes: the application, head i + 1, or what is owed. */
#define OWNER_APPLICATION 0
#define OWNER_PATCH 0xfe /* in place of the application's */
#define OWNER_CARRY 0xff

_Static_assert(CONN_PIPELINE < OWNER_PATCH, "heads are numbered in a byte");

/* --- the application's bytes --- */

struct stretch stretch_next(const struct at_send *send, struct place *place,
			    size_t max)
{
	struct stretch found = { NULL, 0 };

	for (; place->index < send->iov_count; place->index++) {
		const struct iovec *iov = &send->iov[place->index];

		if (place->skip < iov->iov_len) {
			/* An address may be wrong: as a number. */
			found.ptr = (const char *)((uintptr_t)iov->iov_base +
						   place->skip);
			found.len = iov->iov_len - place->skip;
			if (found.len > max)
				found.len = max;
			place->skip += found.len;
			break;
		}
		place->skip = 0;
	}
	return found;
}

void stretch_skip(const struct at_send *send, struct place *place, size_t len)
{
	while (len)
		len -= stretch_next(send, place, len).len;
	if (place->index < send->iov_count &&
	    place->skip == send->iov[place->index].iov_len) {
		place->index++;
		place->skip = 0;
	}
}

/* --- planning --- */

void round_fails(struct round *round, size_t at, enum at_counter why)
{
	round->failed = true;
	round->planned = at;
	round->why = why;
}

/*
 * Behind an unanswered Upgrade or CONNECT the bytes may be of another protocol
 * by the time they arrive: they are not followed, and nothing is put between.
 */
static bool may_leave_http(const struct round *round)
{
	const struct conn *conn = round->conn;
	unsigned int i;

	for (i = 0; i < round->head_count; i++)
		if (round->heads[i].request->is_upgrade ||
		    round->heads[i].request->is_connect)
			return true;
	return (int32_t)(conn->leaving_at - conn->taken) > 0;
}

/* A message begins: it needs a place to keep its head, and one in the queue. */
static void open_draft(struct round *round, size_t at)
{
	if (round->draft)
		return;
	if (may_leave_http(round)) {
		round_fails(round, at, AT_COUNT_OPAQUE_REQUEST);
		return;
	}
	if (conn_waiting(round->conn) + round->head_count >= CONN_PIPELINE) {
		round_fails(round, at, AT_COUNT_PIPELINE_FULL);
		return;
	}
	round->draft = request_begin(round->conn->secure);
	if (!round->draft)
		round_fails(round, at, CONN_NOT_COUNTED); /* it is already */
}

static void prepare(const struct round *round, struct head *head,
		    struct at_text lines)
{
	enum request_insertion insertion = REQUEST_UNSAFE;
	size_t place = HEAD_UNPATCHED;

	if (round->editable)
		insertion = REQUEST_INSERT;
	if (round->editable && round->machine.context_count == 1)
		place = rewrite_place(round, head);
	if (place != HEAD_UNPATCHED)
		insertion = REQUEST_REWRITE;
	request_prepare(head->request, &round->machine, &round->conn->peer,
			insertion, lines);
	if (head->request->rewrites)
		head->patch_at = place;
}

static void capture_request(struct request *request, struct at_text lines)
{
	if (request->sampled && capture_is_on(CAPTURE_CLIENT_REQUEST))
		capture_fill(&request->span, CAPTURE_CLIENT_REQUEST, lines);
}

/* `lines` are empty when they are not in one piece. */
static void plan_head(struct round *round, size_t at, struct at_text lines)
{
	struct head *head = &round->heads[round->head_count++];

	head->at = at;
	head->patch_at = HEAD_UNPATCHED;
	head->request = round->draft;
	head->request->machine = round->machine;
	if (!head->request->id_told) {
		prepare(round, head, lines);
		capture_request(head->request, lines);
	}
	if (head->request->header_len || head->patch_at != HEAD_UNPATCHED)
		round->insert = true;
	round->draft = NULL;
}

/* Who never sent a request line is a bystander: nothing is lost. */
static enum at_counter why_opaque(const struct round *round)
{
	return round->machine.method_len || round->head_count ||
			       round->conn->added ?
		       AT_COUNT_OPAQUE_REQUEST :
		       CONN_NOT_COUNTED;
}

static void plan_stretch(struct round *round, struct stretch part, size_t at)
{
	const char *begin = part.ptr;

	while (part.len) {
		enum at_http1_event event;
		size_t used;

		if (at_http1_idle(&round->machine))
			open_draft(round, at);
		if (round->failed)
			return;
		event = at_http1_feed(&round->machine,
				      round->draft ? &round->draft->text : NULL,
				      part.ptr, part.len, &used);
		if (event == AT_HTTP1_OPAQUE) {
			round_fails(round, at, why_opaque(round));
			return;
		}
		part.ptr += used;
		part.len -= used;
		at += used;
		if (event == AT_HTTP1_HEAD)
			plan_head(round, at,
				  capture_head(begin, part.ptr,
					       round->machine.head_bytes));
	}
}

static void plan_bytes(struct round *round)
{
	struct place place = round->start;
	unsigned int pieces = 0;
	size_t at = 0;

	while (at < round->limit && !round->failed) {
		struct stretch part =
			stretch_next(round->send, &place, round->limit - at);

		if (stretch_is_wild(part))
			round_fails(round, at, CONN_NOT_COUNTED);
		else if (round->conn->http2)
			http2_plan_stretch(round, part, at);
		else
			plan_stretch(round, part, at);
		at += part.len;
		/* More could not be composed: the rest is another round's. */
		if (++pieces >= ROUND_IOV && round->insert && at < round->limit)
			round->limit = at;
	}
}

/* Heads that nobody is going to answer: the plan is void. */
static void plan_nothing(struct round *round)
{
	while (round->head_count)
		request_free(round->heads[--round->head_count].request);
	if (round->draft)
		request_free(round->draft);
	round->draft = NULL;
	round->insert = round->conn->carry_of != NULL;
	round_fails(round, 0, CONN_NOT_COUNTED);
}

static void queue_heads(struct round *round)
{
	struct conn *conn = round->conn;
	unsigned int i;

	if (!round->head_count && !round->reset_count)
		return;
	if (!conn_lock(conn)) {
		plan_nothing(round);
		return;
	}
	round->base = conn->added;
	if (conn->http2)
		http2_queue(round);
	for (i = 0; !conn->http2 && i < round->head_count; i++)
		conn_add_request(conn, round->heads[i].request);
	conn_unlock(conn);
}

static void plan_http1(struct round *round)
{
	struct conn *conn = round->conn;

	round->machine = conn->out;
	if (atomic_load(&conn->opaque) || atomic_load(&conn->out_lost) ||
	    (at_http1_in_head(&round->machine) && !round->draft)) {
		plan_nothing(round);
		return;
	}
	rewrite_resume(round);
	plan_bytes(round);
	/* Not HTTP/1: what it looks like only the first bytes say. */
	if (round->failed && http2_begins(round))
		plan_bytes(round);
}

void round_plan(struct round *round)
{
	struct conn *conn = round->conn;

	round->insert = conn->carry_of != NULL;
	round->failed = false;
	round->planned = round->limit;
	round->head_count = 0;
	round->reset_count = 0;
	round->resumed.len = 0;
	round->draft = conn->draft;
	conn->draft = NULL;
	if (!conn->http2)
		plan_http1(round);
	else if (http2_plan(round))
		plan_bytes(round);
	else
		plan_nothing(round);
	queue_heads(round);
	conn->round_base = round->base;
	conn->round_heads = round->head_count;
	conn->round_draft = round->draft;
}

/* --- what goes to the kernel --- */

static bool add_piece(struct outgoing *out, const void *ptr, size_t len,
		      uint8_t owner)
{
	if (out->count == ROUND_IOV)
		return false;
	out->iov[out->count].iov_base = (void *)(uintptr_t)ptr;
	out->iov[out->count].iov_len = len;
	out->owner[out->count++] = owner;
	out->bytes += len;
	return true;
}

static bool add_application(const struct round *round, struct outgoing *out,
			    struct place *place, size_t len)
{
	while (len) {
		struct stretch part = stretch_next(round->send, place, len);

		if (!add_piece(out, part.ptr, part.len, OWNER_APPLICATION))
			return false;
		len -= part.len;
	}
	return true;
}

static bool add_patched(const struct round *round, struct outgoing *out,
			struct place *place, const struct patch *patch,
			size_t *at)
{
	if (!patch->len)
		return true;
	if (!add_application(round, out, place, patch->at - *at) ||
	    !add_piece(out, patch->bytes, patch->len, OWNER_PATCH))
		return false;
	stretch_skip(round->send, place, patch->len);
	*at = patch->at + patch->len;
	return true;
}

/* What finds no room is left to the next round. */
static void compose_edited(const struct round *round, struct outgoing *out)
{
	const struct conn *conn = round->conn;
	struct place place = round->start;
	size_t at = 0;
	unsigned int i;

	if (conn->carry_of)
		add_piece(out, request_header(conn->carry_of) + conn->carry_at,
			  (size_t)conn->carry_of->header_len - conn->carry_at,
			  OWNER_CARRY);
	if (!add_patched(round, out, &place, &round->resumed, &at))
		return;
	for (i = 0; i < round->head_count; i++) {
		const struct head *head = &round->heads[i];
		struct patch patch = head_patch(head);

		if (!add_patched(round, out, &place, &patch, &at))
			return;
		if (!head->request->header_len)
			continue;
		if (!add_application(round, out, &place, head->at - at) ||
		    !add_piece(out, request_header(head->request),
			       head->request->header_len, (uint8_t)(i + 1)))
			return;
		at = head->at;
	}
	add_application(round, out, &place, round->limit - at);
}

void round_compose(const struct round *round, struct outgoing *out)
{
	out->list = out->iov;
	out->count = 0;
	out->bytes = 0;
	if (round->insert || round->start.skip) {
		compose_edited(round, out);
		return;
	}
	out->list = round->send->iov + round->start.index;
	out->count = round->send->iov_count - round->start.index;
	out->bytes = round->limit;
}

void round_account(const struct round *round, const struct outgoing *out,
		   size_t result, struct taken *taken)
{
	size_t i;

	taken->application = 0;
	taken->heads = 0;
	taken->carry_of = round->conn->carry_of;
	taken->carry_at = round->conn->carry_at;
	if (out->list != out->iov)
		taken->application = result;
	for (i = 0; out->list == out->iov && i < out->count && result; i++) {
		size_t len = out->iov[i].iov_len;
		size_t n = result < len ? result : len;

		result -= n;
		if (out->owner[i] == OWNER_APPLICATION ||
		    out->owner[i] == OWNER_PATCH) {
			taken->application += n;
			continue;
		}
		if (out->owner[i] != OWNER_CARRY) {
			taken->heads = out->owner[i];
			taken->carry_of =
				round->heads[taken->heads - 1].request;
			taken->carry_at = 0;
		}
		taken->carry_at = (uint16_t)(taken->carry_at + n);
		if (n == len)
			taken->carry_of = NULL;
	}
}
