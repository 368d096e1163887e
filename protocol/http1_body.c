// SPDX-License-Identifier: Apache-2.0
/*
 * What follows a head (RFC 9112 6 and 7): lengths, chunks, trailers, or
 * everything until the connection ends. Bytes of a body are never looked at,
 * only the framing between them is.
 */
#include <string.h>

#include "protocol/http1_machine.h"

#define SIZE_MAX_DIGITS 15

/* RFC 9112 6.3; 101 ends HTTP/1 on this connection. */
static bool without_body(const struct at_http1 *m)
{
	return m->response &&
	       ((m->flags & AT_HTTP1_NO_BODY) || m->status == 101 ||
		m->status == 204 || m->status == 304);
}

bool http1_framed(const struct at_http1 *m)
{
	return m->response || !(m->flags & AT_HTTP1_OTHER_CODING);
}

static enum at_http1_event interim_done(struct at_http1 *m)
{
	at_http1_init(m, true);
	return AT_HTTP1_INTERIM;
}

enum at_http1_event http1_begin_body(struct at_http1 *m)
{
	if (m->response && m->status < 200 && m->status != 101)
		return interim_done(m);
	if (without_body(m))
		return http1_finish(m);
	if (m->flags & AT_HTTP1_CHUNKED) {
		m->remaining = 0;
		m->value_len = 0;
		m->state = STATE_CHUNK_SIZE;
		return AT_HTTP1_MORE;
	}
	if ((m->flags & AT_HTTP1_HAS_LENGTH) &&
	    !(m->flags & AT_HTTP1_OTHER_CODING)) {
		m->remaining = m->content_length;
		if (!m->remaining)
			return http1_finish(m);
		m->state = STATE_BODY;
		return AT_HTTP1_MORE;
	}
	if (!m->response)
		return http1_finish(m);
	m->flags |= AT_HTTP1_UNTIL_CLOSE;
	m->state = STATE_UNTIL_CLOSE;
	return AT_HTTP1_MORE;
}

/* As many bytes as belong to the body or the chunk. */
static void take(struct at_http1 *m, struct http1_input *in)
{
	uint64_t left = in->len - in->used;
	uint64_t n = left < m->remaining ? left : m->remaining;

	in->used += (size_t)n;
	m->remaining -= n;
	m->body_bytes += n;
}

/* Up to and with LF; false when there is none yet. */
static bool skip_line(struct http1_input *in)
{
	const char *at = in->ptr + in->used;
	const char *lf = memchr(at, '\n', in->len - in->used);

	in->used = lf ? (size_t)(lf - in->ptr) + 1 : in->len;
	return lf != NULL;
}

static enum at_http1_event step_length(struct at_http1 *m,
				       struct http1_input *in)
{
	take(m, in);
	return m->remaining ? AT_HTTP1_MORE : http1_finish(m);
}

/* --- chunks: value_len counts digits, and says whether a CR was seen --- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = at_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum at_http1_event size_done(struct at_http1 *m)
{
	m->value_len = 0;
	m->state = m->remaining ? STATE_CHUNK_DATA : STATE_TRAILER;
	return AT_HTTP1_MORE;
}

static enum at_http1_event step_chunk_size(struct at_http1 *m,
					   struct http1_input *in)
{
	char c = in->ptr[in->used++];
	int digit = hex_value(c);

	if (digit >= 0) {
		if (++m->value_len > SIZE_MAX_DIGITS)
			return http1_give_up(m);
		m->remaining = m->remaining << 4 | (uint64_t)digit;
		return AT_HTTP1_MORE;
	}
	if (!m->value_len)
		return http1_give_up(m);
	if (c == '\n')
		return size_done(m);
	if (c != ';' && c != '\r' && c != ' ' && c != '\t')
		return http1_give_up(m);
	m->state = STATE_CHUNK_EXTENSION;
	return AT_HTTP1_MORE;
}

static enum at_http1_event step_chunk_data(struct at_http1 *m,
					   struct http1_input *in)
{
	take(m, in);
	if (!m->remaining)
		m->state = STATE_CHUNK_END;
	return AT_HTTP1_MORE;
}

static enum at_http1_event step_chunk_end(struct at_http1 *m,
					  struct http1_input *in)
{
	char c = in->ptr[in->used++];

	if (c == '\r' && !m->value_len) {
		m->value_len = 1;
		return AT_HTTP1_MORE;
	}
	if (c != '\n')
		return http1_give_up(m);
	m->value_len = 0;
	m->state = STATE_CHUNK_SIZE;
	return AT_HTTP1_MORE;
}

/* At the start of a trailer line: a blank one ends the message. */
static enum at_http1_event step_trailer(struct at_http1 *m,
					struct http1_input *in)
{
	char c = in->ptr[in->used++];

	if (c == '\n')
		return http1_finish(m);
	if (m->value_len)
		return http1_give_up(m);
	if (c == '\r')
		m->value_len = 1;
	else
		m->state = STATE_TRAILER_LINE;
	return AT_HTTP1_MORE;
}

enum at_http1_event http1_step_body(struct at_http1 *m, struct http1_input *in)
{
	switch ((enum http1_state)m->state) {
	case STATE_BODY:
		return step_length(m, in);
	case STATE_CHUNK_SIZE:
		return step_chunk_size(m, in);
	case STATE_CHUNK_EXTENSION:
		return skip_line(in) ? size_done(m) : AT_HTTP1_MORE;
	case STATE_CHUNK_DATA:
		return step_chunk_data(m, in);
	case STATE_CHUNK_END:
		return step_chunk_end(m, in);
	case STATE_TRAILER:
		return step_trailer(m, in);
	case STATE_TRAILER_LINE:
		if (skip_line(in))
			m->state = STATE_TRAILER;
		return AT_HTTP1_MORE;
	case STATE_UNTIL_CLOSE:
		m->body_bytes += in->len - in->used;
		in->used = in->len;
		return AT_HTTP1_MORE;
	default:
		return http1_give_up(m);
	}
}

/* --- bytes that nobody showed us --- */

enum at_http1_event at_http1_skip(struct at_http1 *m, uint64_t len)
{
	if (len == 0)
		return AT_HTTP1_MORE;
	if (m->state == STATE_UNTIL_CLOSE) {
		m->body_bytes += len;
		return AT_HTTP1_MORE;
	}
	if ((m->state != STATE_BODY && m->state != STATE_CHUNK_DATA) ||
	    len > m->remaining)
		return http1_give_up(m);
	m->remaining -= len;
	m->body_bytes += len;
	if (m->remaining)
		return AT_HTTP1_MORE;
	if (m->state == STATE_BODY)
		return http1_finish(m);
	m->state = STATE_CHUNK_END;
	return AT_HTTP1_MORE;
}

bool at_http1_eof(struct at_http1 *m)
{
	bool complete = m->state == STATE_UNTIL_CLOSE || at_http1_idle(m);

	m->state = STATE_OPAQUE;
	return complete;
}

void at_http1_body_refused(struct at_http1 *m)
{
	if (!m->response && m->body_bytes == 0 &&
	    (m->state == STATE_BODY ||
	     (m->state == STATE_CHUNK_SIZE && !m->value_len)))
		at_http1_init(m, false);
}
