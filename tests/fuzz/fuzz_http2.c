// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/2's machine: any bytes, in both directions, whole and in pieces, give
 * the same events at the same places. The first byte chooses direction and
 * pieces.
 */
#include <stdlib.h>
#include <string.h>

#include "protocol/protocol.h"

struct session {
	struct at_http2 machine;
	struct at_http2_table table;
	struct at_http2_text text;
	uint64_t digest;
};

static struct session whole, pieces;

static void note(struct session *s, uint64_t value)
{
	s->digest = (s->digest ^ value) * 0x100000001b3;
}

static void run(struct session *s, bool response, const char *bytes, size_t len,
		size_t step)
{
	size_t at = 0;

	at_http2_init(&s->machine, response);
	s->digest = 0;
	while (at < len) {
		size_t n = len - at < step ? len - at : step, used;
		enum at_http2_event event = at_http2_feed(
			&s->machine, &s->table, &s->text, bytes + at, n, &used);

		if (used > n)
			abort();
		at += used;
		if (event == AT_HTTP2_OPAQUE) {
			note(s, event);
			return;
		}
		if (event == AT_HTTP2_MORE)
			continue;
		note(s, event);
		note(s, at);
		note(s, s->machine.stream);
		note(s, s->machine.status);
		note(s, s->machine.len[AT_HTTP2_PATH]);
		note(s, s->machine.hpack.added);
		at_http2_commit(&s->machine, &s->table);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char bytes[65536];
	bool response = size && (data[0] & 1);
	size_t step = size ? 1 + (data[0] >> 1) % 16 : 1, len = 0;

	if (!size || size > sizeof(bytes) - AT_HTTP2_PREFACE_BYTES)
		return 0;
	if (!response) {
		memcpy(bytes, AT_HTTP2_PREFACE, AT_HTTP2_PREFACE_BYTES);
		len = AT_HTTP2_PREFACE_BYTES;
	}
	memcpy(bytes + len, data + 1, size - 1);
	len += size - 1;
	run(&whole, response, bytes, len, len);
	run(&pieces, response, bytes, len, step);
	if (whole.digest != pieces.digest)
		abort();
	return 0;
}
