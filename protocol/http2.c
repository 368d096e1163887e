// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/2, one direction (RFC 9113): the frames.
 *
 * One function a state; each takes some bytes and may change the state. The
 * lengths that frames of known types must have are checked: a stream of bytes
 * that is out of step does not stay unnoticed for long.
 */
#include <string.h>

#include "protocol/http2_machine.h"

enum {
	STATE_HEADER,
	STATE_PREFACE,
	STATE_PREFIX, /* of HEADERS and PUSH_PROMISE, before the block */
	STATE_BLOCK,
	STATE_NUMBERS, /* RST_STREAM and GOAWAY */
	STATE_REST,    /* of a payload, skipped */
	STATE_OPAQUE,
};

enum {
	TYPE_DATA,
	TYPE_HEADERS,
	TYPE_PRIORITY,
	TYPE_RST_STREAM,
	TYPE_SETTINGS,
	TYPE_PUSH_PROMISE,
	TYPE_PING,
	TYPE_GOAWAY,
	TYPE_WINDOW_UPDATE,
	TYPE_CONTINUATION,
};

#define FLAG_END_STREAM 0x01 /* DATA, HEADERS */
#define FLAG_ACK 0x01        /* SETTINGS */
#define FLAG_END_HEADERS 0x04
#define FLAG_PADDED 0x08
#define FLAG_PRIORITY 0x20

struct input {
	const char *ptr;
	size_t len;
	size_t used;
};

void at_http2_init(struct at_http2 *m, bool response)
{
	memset(m, 0, sizeof(*m));
	m->response = response;
	m->state = response ? STATE_HEADER : STATE_PREFACE;
	m->hpack.max = 4096;
}

bool at_http2_in_head(const struct at_http2 *m)
{
	return m->is_request && m->block_stream;
}

bool at_http2_in_preface(const struct at_http2 *m)
{
	return m->state == STATE_PREFACE;
}

/* Of some settings, on no stream, not an answer to ours. */
bool at_http2_match_server(const char *bytes, size_t len)
{
	return len >= AT_HTTP2_HEADER_BYTES && !bytes[0] && !bytes[1] &&
	       (unsigned char)bytes[2] % 6 == 0 && bytes[3] == TYPE_SETTINGS &&
	       !memcmp(bytes + 4, "\0\0\0\0\0", 5);
}

static enum at_http2_event give_up(struct at_http2 *m)
{
	m->state = STATE_OPAQUE;
	return AT_HTTP2_OPAQUE;
}

static uint32_t number_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
}

/* --- the end of something --- */

static enum at_http2_event payload_done(struct at_http2 *m)
{
	m->state = STATE_HEADER;
	m->have = 0;
	return m->type == TYPE_DATA && (m->flags & FLAG_END_STREAM) ?
		       AT_HTTP2_END :
		       AT_HTTP2_MORE;
}

static enum at_http2_event skip_rest(struct at_http2 *m, uint32_t len)
{
	m->state = STATE_REST;
	m->left = len;
	return len ? AT_HTTP2_MORE : payload_done(m);
}

/* A frame's part of a header block has been read; padding may follow. */
static enum at_http2_event fragment_done(struct at_http2 *m)
{
	skip_rest(m, m->pad);
	if (!(m->flags & FLAG_END_HEADERS))
		return AT_HTTP2_MORE;
	if (!hpack_end(m))
		return give_up(m);
	m->block_stream = 0;
	return AT_HTTP2_HEAD;
}

static enum at_http2_event fragment_begins(struct at_http2 *m)
{
	if (m->left < m->pad)
		return give_up(m);
	m->state = STATE_BLOCK;
	m->left -= m->pad;
	return m->left ? AT_HTTP2_MORE : fragment_done(m);
}

/* --- frame headers --- */

/* Pad length, priority, promised stream: what lies before the block. */
static uint32_t prefix_bytes(const struct at_http2 *m)
{
	uint32_t bytes = m->flags & FLAG_PADDED ? 1 : 0;

	if (m->type == TYPE_PUSH_PROMISE)
		return bytes + 4;
	return bytes + (m->flags & FLAG_PRIORITY ? 5 : 0);
}

/* Clients open odd streams, each higher than the one before. */
static bool opens_stream(const struct at_http2 *m)
{
	return !m->response && m->type == TYPE_HEADERS &&
	       m->stream > m->last_stream;
}

static enum at_http2_event block_begins(struct at_http2 *m)
{
	bool opens = opens_stream(m);

	if (!m->stream || m->length < prefix_bytes(m) ||
	    (opens && (!(m->stream & 1) || !m->length)))
		return give_up(m);
	hpack_begin(m);
	m->block_stream = m->stream;
	m->is_request = opens;
	m->end_stream = m->type == TYPE_HEADERS && (m->flags & FLAG_END_STREAM);
	m->state = STATE_PREFIX;
	m->left = m->length;
	m->have = 0;
	if (opens) {
		m->last_stream = m->stream;
		return AT_HTTP2_BEGIN;
	}
	return prefix_bytes(m) ? AT_HTTP2_MORE : fragment_begins(m);
}

static enum at_http2_event numbers_begin(struct at_http2 *m, bool right)
{
	if (!right)
		return give_up(m);
	m->state = STATE_NUMBERS;
	m->left = m->length;
	m->have = 0;
	return AT_HTTP2_MORE;
}

static bool is_settings(const struct at_http2 *m)
{
	return !m->stream && m->length % 6 == 0 &&
	       (!(m->flags & FLAG_ACK) || !m->length);
}

/* Frames that say nothing to us. */
static enum at_http2_event pass_over(struct at_http2 *m, bool right)
{
	return right ? skip_rest(m, m->length) : give_up(m);
}

static enum at_http2_event frame_begins(struct at_http2 *m)
{
	if (m->block_stream) {
		if (m->type != TYPE_CONTINUATION ||
		    m->stream != m->block_stream)
			return give_up(m);
		m->pad = 0;
		m->left = m->length;
		return fragment_begins(m);
	}
	m->pad = 0;
	switch (m->type) {
	case TYPE_DATA:
		return pass_over(m, m->stream);
	case TYPE_HEADERS:
		return block_begins(m);
	case TYPE_PRIORITY:
		return pass_over(m, m->stream && m->length == 5);
	case TYPE_RST_STREAM:
		return numbers_begin(m, m->stream && m->length == 4);
	case TYPE_SETTINGS:
		return pass_over(m, is_settings(m));
	case TYPE_PUSH_PROMISE:
		return m->response ? block_begins(m) : give_up(m);
	case TYPE_PING:
		return pass_over(m, !m->stream && m->length == 8);
	case TYPE_GOAWAY:
		return numbers_begin(m, !m->stream && m->length >= 8);
	case TYPE_WINDOW_UPDATE:
		return pass_over(m, m->length == 4);
	case TYPE_CONTINUATION:
		return give_up(m);
	default:
		return pass_over(m, m->length <= AT_HTTP2_FRAME_BYTES);
	}
}

static enum at_http2_event step_header(struct at_http2 *m, struct input *in)
{
	if (!m->have)
		m->frame_at = 0;
	m->header[m->have++] = (uint8_t)in->ptr[in->used++];
	m->frame_at++;
	if (m->have < AT_HTTP2_HEADER_BYTES)
		return AT_HTTP2_MORE;
	m->length = number_at(m->header) >> 8;
	m->type = m->header[3];
	m->flags = m->header[4];
	m->stream = number_at(m->header + 5) & 0x7fffffff;
	return frame_begins(m);
}

/* --- payloads --- */

/* The state stays what it is: whoever says something else never spoke. */
static enum at_http2_event step_preface(struct at_http2 *m, struct input *in)
{
	if (in->ptr[in->used++] != AT_HTTP2_PREFACE[m->have])
		return AT_HTTP2_OPAQUE;
	m->have++;
	if (m->have == AT_HTTP2_PREFACE_BYTES) {
		m->state = STATE_HEADER;
		m->have = 0;
	}
	return AT_HTTP2_MORE;
}

static enum at_http2_event step_prefix(struct at_http2 *m,
				       const struct input *in, size_t *used)
{
	*used = 0;
	if (m->have < prefix_bytes(m)) {
		if (!m->have && (m->flags & FLAG_PADDED))
			m->pad = (uint8_t)in->ptr[in->used];
		m->have++;
		m->left--;
		*used = 1;
	}
	return m->have == prefix_bytes(m) ? fragment_begins(m) : AT_HTTP2_MORE;
}

static enum at_http2_event step_block(struct at_http2 *m,
				      const struct http2_store *store,
				      const char *bytes, size_t len)
{
	if (!hpack_feed(m, store, bytes, len))
		return give_up(m);
	m->left -= (uint32_t)len;
	return m->left ? AT_HTTP2_MORE : fragment_done(m);
}

/* RST_STREAM: code. GOAWAY: last stream, code, and text. */
static enum at_http2_event step_numbers(struct at_http2 *m, uint8_t byte)
{
	uint32_t count = m->type == TYPE_GOAWAY ? 8 : 4;

	m->code = m->code << 8 | byte;
	m->left--;
	if (++m->have == 4 && count == 8)
		m->stream = m->code & 0x7fffffff;
	if (m->have < count)
		return AT_HTTP2_MORE;
	skip_rest(m, m->left);
	return m->type == TYPE_GOAWAY ? AT_HTTP2_GOAWAY : AT_HTTP2_RESET;
}

/* Of what the input offers, this much belongs to the part at hand. */
static size_t offered(const struct at_http2 *m, const struct input *in)
{
	size_t len = in->len - in->used;

	return len < m->left ? len : m->left;
}

static enum at_http2_event step_payload(struct at_http2 *m,
					const struct http2_store *store,
					struct input *in)
{
	const char *bytes = in->ptr + in->used;
	enum at_http2_event event = AT_HTTP2_MORE;
	size_t used = 1;

	switch (m->state) {
	case STATE_PREFIX:
		event = step_prefix(m, in, &used);
		break;
	case STATE_BLOCK:
		used = offered(m, in);
		event = step_block(m, store, bytes, used);
		break;
	case STATE_NUMBERS:
		event = step_numbers(m, (uint8_t)*bytes);
		break;
	default:
		used = offered(m, in);
		m->left -= (uint32_t)used;
		if (!m->left)
			event = payload_done(m);
		break;
	}
	in->used += used;
	m->frame_at += (uint32_t)used;
	return event;
}

enum at_http2_event at_http2_feed(struct at_http2 *m,
				  struct at_http2_table *table,
				  struct at_http2_text *text, const char *bytes,
				  size_t len, size_t *consumed)
{
	struct http2_store store = { table, m->is_request ? text : NULL };
	struct input in = { bytes, len, 0 };
	enum at_http2_event event = AT_HTTP2_MORE;

	while (in.used < in.len && event == AT_HTTP2_MORE) {
		if (m->state == STATE_HEADER)
			event = step_header(m, &in);
		else if (m->state == STATE_PREFACE)
			event = step_preface(m, &in);
		else if (m->state == STATE_OPAQUE)
			event = AT_HTTP2_OPAQUE;
		else
			event = step_payload(m, &store, &in);
	}
	*consumed = event == AT_HTTP2_OPAQUE ? len : in.used;
	return event;
}

enum at_http2_event at_http2_skip(struct at_http2 *m, uint64_t len)
{
	if (m->state != STATE_REST || m->type != TYPE_DATA || len > m->left)
		return give_up(m);
	m->left -= (uint32_t)len;
	m->frame_at += (uint32_t)len;
	return m->left ? AT_HTTP2_MORE : payload_done(m);
}

/* --- what was found --- */

struct at_text at_http2_field(const struct at_http2 *m,
			      const struct at_http2_text *text,
			      enum at_http2_field field)
{
	const char *at = NULL;

	switch (field) {
	case AT_HTTP2_METHOD:
		at = text->method;
		break;
	case AT_HTTP2_SCHEME:
		at = text->scheme;
		break;
	case AT_HTTP2_AUTHORITY:
		at = text->authority;
		break;
	case AT_HTTP2_PATH:
		at = text->path;
		break;
	case AT_HTTP2_TRACEPARENT:
		at = text->context;
		break;
	default:
		return (struct at_text){ NULL, 0 };
	}
	return (struct at_text){ at, m->len[field] };
}

const char *at_http2_error_name(uint32_t code)
{
	static const char names[][20] = {
		"no_error",
		"protocol_error",
		"internal_error",
		"flow_control_error",
		"settings_timeout",
		"stream_closed",
		"frame_size_error",
		"refused_stream",
		"cancel",
		"compression_error",
		"connect_error",
		"enhance_your_calm",
		"inadequate_security",
		"http_1_1_required",
	};

	return code < sizeof(names) / sizeof(names[0]) ? names[code] : "_OTHER";
}
