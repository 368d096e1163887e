// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/1.0 and 1.1, one direction (RFC 9112): the machine, and its heads.
 *
 * One function a state; each takes some bytes and may change the state.
 */
#include <string.h>

#include "protocol/http1_machine.h"

#define METHOD_MAX_BYTES 32
#define VERSION_BYTES 9 /* " HTTP/1.1" */
#define BLANKS_BEFORE_MAX 4

/* clang-format off */
const bool http1_token[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
	['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true,
	['\''] = true, ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true,
	['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true,
};
/* clang-format on */

/* Blanks and control characters. */
static const bool no_target[256] = { [0 ... ' '] = true, [127] = true };

void at_http1_init(struct at_http1 *m, bool response)
{
	memset(m, 0, sizeof(*m));
	m->response = response;
	m->state = STATE_START;
}

enum at_http1_event http1_finish(struct at_http1 *m)
{
	uint64_t body_bytes = m->body_bytes;

	at_http1_init(m, m->response);
	m->body_bytes = body_bytes;
	return AT_HTTP1_END;
}

enum at_http1_event http1_give_up(struct at_http1 *m)
{
	m->state = STATE_OPAQUE;
	return AT_HTTP1_OPAQUE;
}

bool at_http1_idle(const struct at_http1 *m)
{
	return m->state == STATE_START;
}

bool at_http1_in_head(const struct at_http1 *m)
{
	return m->state >= STATE_LINE && m->state <= STATE_SKIP_LINE;
}

/* --- request and status line --- */

/* RFC 9112 2.2: empty lines before a message are ignored. */
static enum at_http1_event step_start(struct at_http1 *m,
				      struct http1_input *in)
{
	char c = in->ptr[in->used];

	if (c == '\r' || c == '\n') {
		if (m->head_bytes++ >= BLANKS_BEFORE_MAX)
			return http1_give_up(m);
		in->used++;
		return AT_HTTP1_MORE;
	}
	if (!http1_is_token(c))
		return http1_give_up(m);
	m->head_bytes = 0;
	m->body_bytes = 0;
	m->flags |= AT_HTTP1_STARTED;
	m->state = STATE_LINE;
	return AT_HTTP1_MORE;
}

/* The version stands at the end of a line that may be longer than we keep. */
static void keep_tail(struct at_http1 *m, const char *bytes, size_t len)
{
	size_t keep;

	if (len >= AT_HTTP1_TAIL_BYTES) {
		memcpy(m->tail, bytes + len - AT_HTTP1_TAIL_BYTES,
		       AT_HTTP1_TAIL_BYTES);
		return;
	}
	keep = AT_HTTP1_TAIL_BYTES - len;
	memmove(m->tail, m->tail + len, keep);
	memcpy(m->tail + keep, bytes, len);
}

static bool parse_version(const char *version, uint8_t *minor)
{
	if (memcmp(version, "HTTP/1.", 7) ||
	    (version[7] != '0' && version[7] != '1'))
		return false;
	*minor = (uint8_t)(version[7] - '0');
	return true;
}

bool http1_is_target(const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (no_target[(unsigned char)bytes[i]])
			return false;
	return len > 0;
}

/*
 * method SP target SP HTTP/1.x: no other blank, target not empty. The line
 * had `total` bytes, of which the first are kept.
 */
static bool check_request_line(struct at_http1 *m, const char *line,
			       size_t total)
{
	const char *version = m->tail + (AT_HTTP1_TAIL_BYTES - VERSION_BYTES);
	size_t method = 0;

	if (total < VERSION_BYTES + 3 || version[0] != ' ' ||
	    !parse_version(version + 1, &m->minor))
		return false;
	total -= VERSION_BYTES;
	if (total <= m->line_len) {
		m->line_len = (uint16_t)total;
		m->flags &= (uint16_t)~AT_HTTP1_LINE_CUT;
	}
	while (method < m->line_len && http1_is_token(line[method]))
		method++;
	if (method == 0 || method > METHOD_MAX_BYTES || method >= m->line_len ||
	    line[method] != ' ' ||
	    !http1_is_target(line + method + 1, m->line_len - method - 1))
		return false;
	m->method_len = (uint8_t)method;
	return true;
}

static bool check_status_line(struct at_http1 *m, const char *line,
			      size_t total)
{
	int i;

	if (total < 12 || !parse_version(line, &m->minor) || line[8] != ' ' ||
	    (total > 12 && line[12] != ' '))
		return false;
	m->status = 0;
	for (i = 9; i < 12; i++) {
		if (line[i] < '0' || line[i] > '9')
			return false;
		m->status = (uint16_t)(m->status * 10 + line[i] - '0');
	}
	return m->status >= 100;
}

/* The whole line was seen; its LF was byte number head_bytes. */
static enum at_http1_event line_done(struct at_http1 *m,
				     struct at_http1_text *text)
{
	size_t total = m->head_bytes - 1;
	bool right;

	/* The CR stands last in the tail, wherever the split fell. */
	if (m->tail[AT_HTTP1_TAIL_BYTES - 1] == '\r') {
		memmove(m->tail + 1, m->tail, AT_HTTP1_TAIL_BYTES - 1);
		total--;
	} else {
		m->flags |= AT_HTTP1_LF_ONLY;
	}
	right = m->response ? check_status_line(m, text->line, total) :
			      check_request_line(m, text->line, total);
	if (!right)
		return http1_give_up(m);
	m->state = STATE_NAME;
	return AT_HTTP1_MORE;
}

static enum at_http1_event step_line(struct at_http1 *m,
				     struct at_http1_text *text,
				     struct http1_input *in)
{
	uint16_t cap = m->response ? AT_HTTP1_VALUE_BYTES : AT_HTTP1_LINE_BYTES;
	struct http1_piece piece = http1_take_line(m, in);

	if (http1_append(text->line, &m->line_len, cap, piece))
		m->flags |= AT_HTTP1_LINE_CUT;
	keep_tail(m, piece.ptr, piece.len);
	return piece.ended ? line_done(m, text) : AT_HTTP1_MORE;
}

/* --- the blank line --- */

static enum at_http1_event step_blank(struct at_http1 *m,
				      struct http1_input *in)
{
	char c = in->ptr[in->used++];

	m->head_bytes++;
	if (m->state == STATE_BLANK && c == '\r') {
		m->state = STATE_BLANK_LF;
		return AT_HTTP1_MORE;
	}
	return c == '\n' ? http1_begin_body(m) : http1_give_up(m);
}

/* --- the machine --- */

static enum at_http1_event step(struct at_http1 *m, struct at_http1_text *text,
				struct http1_input *in)
{
	switch ((enum http1_state)m->state) {
	case STATE_START:
		return step_start(m, in);
	case STATE_LINE:
		return step_line(m, text, in);
	case STATE_NAME:
		return http1_step_name(m, in);
	case STATE_VALUE:
		return http1_step_value(m, text, in);
	case STATE_SKIP_LINE:
		return http1_step_skip_line(m, in);
	case STATE_BLANK:
	case STATE_BLANK_LF:
		return step_blank(m, in);
	default:
		return http1_step_body(m, in);
	}
}

enum at_http1_event at_http1_feed(struct at_http1 *m,
				  struct at_http1_text *text, const char *bytes,
				  size_t len, size_t *consumed)
{
	struct http1_input in = { bytes, len, 0 };
	enum at_http1_event event = AT_HTTP1_MORE;

	while (in.used < in.len && event == AT_HTTP1_MORE)
		event = step(m, text, &in);
	if (m->head_bytes > HTTP1_HEAD_MAX_BYTES && at_http1_in_head(m))
		event = http1_give_up(m);
	*consumed = event == AT_HTTP1_OPAQUE ? len : in.used;
	return event;
}

/* --- parts of the captured request --- */

struct at_text at_http1_method(const struct at_http1 *m,
			       const struct at_http1_text *text)
{
	return (struct at_text){ text->line, m->method_len };
}

struct at_text at_http1_target(const struct at_http1 *m,
			       const struct at_http1_text *text)
{
	size_t at = (size_t)m->method_len + 1;
	struct at_text target = { text->line + at, 0 };

	if (m->line_len > at)
		target.len = m->line_len - at;
	return target;
}

struct at_text at_http1_host(const struct at_http1 *m,
			     const struct at_http1_text *text)
{
	return at_text_trim((struct at_text){ text->host, m->host_len });
}

struct at_text at_http1_context(const struct at_http1 *m,
				const struct at_http1_text *text)
{
	return at_text_trim((struct at_text){ text->context, m->context_len });
}
