// SPDX-License-Identifier: Apache-2.0
#include "tracer/rewrite.h"

#include <string.h>

#include "core/text.h"
#include "propagator/propagator.h"

#define ID_BYTES AT_TRACEPARENT_PARENT_BYTES

static bool is_signed(const struct round *round, size_t from, size_t upto)
{
	struct place place = round->start;

	stretch_skip(round->send, &place, from);
	while (from < upto) {
		struct stretch part =
			stretch_next(round->send, &place, upto - from);

		if (at_traceparent_is_signed(
			    (struct at_text){ part.ptr, part.len }))
			return true;
		from += part.len;
	}
	return false;
}

/* Behind the colon; or where nothing of a traceparent fits. */
static size_t value_at(const struct round *round, size_t from, size_t end)
{
	struct place place = round->start;

	stretch_skip(round->send, &place, from);
	while (from < end) {
		struct stretch part = stretch_next(round->send, &place, 1);

		if (*part.ptr != ' ' && *part.ptr != '\t')
			break;
		from++;
	}
	return from;
}

/* Do digits of the parent's id, from number `have` on, stand there? */
static bool stands(const struct round *round, size_t at,
		   const struct request *request, size_t have, size_t len)
{
	char digits[ID_BYTES];
	struct at_writer writer = AT_WRITER(digits, sizeof(digits));
	struct place place = round->start;

	at_write_hex(&writer, request->span.parent_id, AT_SPAN_ID_BYTES);
	stretch_skip(round->send, &place, at);
	while (len) {
		struct stretch part = stretch_next(round->send, &place, len);

		if (stretch_is_wild(part) ||
		    memcmp(part.ptr, digits + have, part.len) != 0)
			return false;
		have += part.len;
		len -= part.len;
	}
	return true;
}

/* Rarely called, and its frame would be everybody's. */
__attribute__((noinline)) size_t rewrite_place(const struct round *round,
					       const struct head *head)
{
	const struct at_http1 *machine = &round->machine;
	struct request *request = head->request;
	size_t at = head->at, len = machine->head_bytes, place;

	/* Planned before, and sent in part. */
	if (request->rewrites) {
		if (request->id_behind > at)
			return HEAD_UNPATCHED;
		place = at - request->id_behind;
		return stands(round, place, request, 0, ID_BYTES) ?
			       place :
			       HEAD_UNPATCHED;
	}
	if (len > at || is_signed(round, at - len, at))
		return HEAD_UNPATCHED;
	place = value_at(round, at - (len - machine->context_at), at);
	if (place + AT_TRACEPARENT_BYTES > at)
		return HEAD_UNPATCHED;
	place += AT_TRACEPARENT_PARENT_AT;
	request->id_behind = (uint32_t)(at - place);
	return place;
}

void rewrite_resume(struct round *round)
{
	struct request *request = round->draft;
	size_t have, len;

	if (!request || !request->id_owed || !round->limit)
		return;
	have = ID_BYTES - request->id_owed;
	len = request->id_owed < round->limit ? request->id_owed : round->limit;
	/* Otherwise the rest is the application's, for good. */
	if (!round->editable || !stands(round, 0, request, have, len)) {
		request->id_owed = 0;
		request_not_propagated(request, "unsafe_io");
		return;
	}
	round->resumed.at = 0;
	round->resumed.bytes = request->header + have;
	round->resumed.len = len;
	round->insert = true;
}

void rewrite_taken(const struct round *round, size_t upto, unsigned int gone)
{
	const struct head *head = &round->heads[gone];
	bool planned = gone < round->head_count;
	struct request *request = planned ? head->request : round->draft;
	size_t begin = planned ? head->patch_at : HEAD_UNPATCHED, left;

	if (begin < upto) {
		left = upto - begin < ID_BYTES ? ID_BYTES - (upto - begin) : 0;
		request->id_told = true;
		request->id_owed = (uint8_t)left;
	} else if (!gone && request) {
		left = request->id_owed > upto ? request->id_owed - upto : 0;
		request->id_owed = (uint8_t)left;
	}
}
