// SPDX-License-Identifier: Apache-2.0
/*
 * The first byte says which direction and how to split, the others are the
 * conversation. Machines that get it in different pieces say the same, none
 * reads beyond a piece, and one that is not shown a piece of a body is where
 * one is that was.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/protocol.h"

#define EVENTS_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One thing a machine said, and what it knew then. */
struct said {
	enum at_http1_event event;
	size_t at;
	struct at_http1 machine;
	char method[40];
	char host[AT_HTTP1_HOST_BYTES];
	char context[AT_HTTP1_CONTEXT_BYTES];
	size_t host_len, context_len, target_len;
	uint32_t target_sum;
};

struct listener {
	struct at_http1 machine;
	struct at_http1_text text;
	bool no_body;
	bool over;
	size_t at;
	size_t count;
	struct said said[EVENTS_MAX];
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void note_head(struct listener *l, struct said *said)
{
	struct at_text method = at_http1_method(&l->machine, &l->text);
	struct at_text target = at_http1_target(&l->machine, &l->text);
	struct at_text host = at_http1_host(&l->machine, &l->text);
	struct at_text context = at_http1_context(&l->machine, &l->text);
	size_t i;

	if (l->machine.response) {
		if (l->no_body)
			l->machine.flags |= AT_HTTP1_NO_BODY;
		return;
	}
	require(method.len && method.len <= 32 && target.len);
	memcpy(said->method, method.ptr, method.len);
	memcpy(said->host, host.ptr, host.len);
	memcpy(said->context, context.ptr, context.len);
	said->host_len = host.len;
	said->context_len = context.len;
	said->target_len = target.len;
	for (i = 0; i < target.len; i++)
		said->target_sum =
			said->target_sum * 31 + (unsigned char)target.ptr[i];
}

static void note(struct listener *l, enum at_http1_event event)
{
	struct said *said = &l->said[l->count];

	if (event == AT_HTTP1_MORE || l->count == EVENTS_MAX)
		return;
	l->count++;
	memset(said, 0, sizeof(*said));
	said->event = event;
	if (event == AT_HTTP1_OPAQUE) {
		l->over = true;
		return;
	}
	said->at = l->at;
	said->machine.flags = l->machine.flags;
	said->machine.minor = l->machine.minor;
	said->machine.status = l->machine.status;
	said->machine.host_count = l->machine.host_count;
	said->machine.context_count = l->machine.context_count;
	said->machine.content_length = l->machine.content_length;
	if (event == AT_HTTP1_HEAD)
		note_head(l, said);
	else
		require(at_http1_idle(&l->machine));
}

static void feed(struct listener *l, const char *at, size_t len)
{
	while (len && !l->over) {
		size_t used = len + 1;
		enum at_http1_event event =
			at_http1_feed(&l->machine, &l->text, at, len, &used);

		require(used <= len);
		if (event == AT_HTTP1_MORE || event == AT_HTTP1_OPAQUE)
			require(used == len);
		at += used;
		len -= used;
		l->at += used;
		note(l, event);
	}
}

/* A copy of its own, so that the sanitizer sees the piece's end. */
static void hear(struct listener *l, const uint8_t *bytes, size_t len)
{
	static char one;
	char *copy = len == 1 ? &one : malloc(len + !len);
	size_t used;

	memcpy(copy, bytes, len);
	feed(l, copy, len);
	if (copy != &one)
		free(copy);
	if (l->over)
		require(at_http1_feed(&l->machine, &l->text, "GET", 3, &used) ==
			AT_HTTP1_OPAQUE);
}

/* Where may these bytes be skipped, and is that the same as to hear them? */
static void hear_or_skip(struct listener *l, const uint8_t *bytes, size_t len)
{
	struct at_http1 skipped = l->machine;
	enum at_http1_event event;
	size_t count = l->count;

	if (l->over)
		return;
	event = at_http1_skip(&skipped, len);
	hear(l, bytes, len);
	if (event == AT_HTTP1_OPAQUE)
		return;
	require(!memcmp(&skipped, &l->machine, sizeof(skipped)));
	require(l->count == count + (event == AT_HTTP1_END));
}

/* What the end, or a body that nobody wants, makes of a machine. */
static void check_ends(const struct listener *l)
{
	struct at_http1 ended = l->machine, refused = l->machine;
	size_t used;

	require(at_http1_skip(&ended, 0) == AT_HTTP1_MORE);
	if (at_http1_eof(&ended))
		require(at_http1_idle(&l->machine) ||
			(l->machine.flags & AT_HTTP1_UNTIL_CLOSE));
	require(at_http1_feed(&ended, NULL, "x", 1, &used) == AT_HTTP1_OPAQUE);
	at_http1_body_refused(&refused);
	require(at_http1_idle(&refused) ||
		!memcmp(&refused, &l->machine, sizeof(refused)));
	/* Between messages body_bytes are the last one's. */
	require(at_http1_idle(&l->machine) || !l->machine.body_bytes ||
		!at_http1_idle(&refused));
}

static void begin(struct listener *l, uint8_t how)
{
	at_http1_init(&l->machine, how & 1);
	l->no_body = how & 2;
	l->over = false;
	l->at = 0;
	l->count = 0;
}

static void hear_in_pieces(struct listener *l, const uint8_t *bytes, size_t len,
			   uint32_t seed,
			   void (*piece)(struct listener *l,
					 const uint8_t *bytes, size_t len))
{
	while (len) {
		size_t n;

		seed = seed * 1103515245 + 12345;
		n = 1 + (seed >> 16) % (seed >> 30 ? 7 : 300);
		if (n > len)
			n = len;
		piece(l, bytes, n);
		bytes += n;
		len -= n;
	}
}

/* Whoever passes the first look begins with a line the machine takes. */
static void check_match(const uint8_t *bytes, size_t len,
			const struct listener *l)
{
	char *copy = malloc(len ? len : 1);
	enum at_match match;

	memcpy(copy, bytes, len);
	match = at_http1_match(copy, len);
	free(copy);
	if (l->machine.response)
		return;
	if (l->count && l->said[0].event == AT_HTTP1_HEAD &&
	    l->said[0].method[0] >= 'A' && l->said[0].method[0] <= 'Z')
		require(match == AT_MATCH_YES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct listener whole, pieces, single, skipping;
	size_t i;

	if (size < 1)
		return 0;
	begin(&whole, data[0]);
	begin(&pieces, data[0]);
	begin(&single, data[0]);
	begin(&skipping, data[0]);
	hear(&whole, data + 1, size - 1);
	hear_in_pieces(&pieces, data + 1, size - 1, data[0], hear);
	hear_in_pieces(&skipping, data + 1, size - 1, data[0] * 77u,
		       hear_or_skip);
	for (i = 1; i < size; i++)
		hear(&single, data + i, 1);
	require(whole.count == pieces.count && whole.count == single.count);
	require(whole.over == pieces.over && whole.over == single.over);
	require(!memcmp(whole.said, pieces.said,
			whole.count * sizeof(whole.said[0])));
	require(!memcmp(whole.said, single.said,
			whole.count * sizeof(whole.said[0])));
	if (!whole.over)
		require(at_http1_idle(&whole.machine) ==
				at_http1_idle(&pieces.machine) &&
			at_http1_in_head(&whole.machine) ==
				at_http1_in_head(&single.machine));
	check_ends(&whole);
	check_match(data + 1, size - 1, &whole);
	return 0;
}
