// SPDX-License-Identifier: Apache-2.0
/*
 * Header fields. Only the few that decide framing, identity or context are
 * looked at; all other lines are skipped at memchr speed. What a name that is
 * none of ours looks like is the peers' concern.
 */
#include <string.h>

#include "protocol/http1_machine.h"

enum field {
	FIELD_LINE, /* no field yet: the line before is the start line */
	FIELD_OTHER,
	FIELD_HOST,
	FIELD_TRACEPARENT,
	FIELD_TRACESTATE,
	FIELD_CONTENT_LENGTH,
	FIELD_TRANSFER_ENCODING,
	FIELD_EXPECT,
	FIELD_UPGRADE,
	FIELD_BAGGAGE,
	FIELD_OTHERS, /* another format's context */
};

_Static_assert(FIELD_LINE == 0, "a machine begins so");

/* --- names --- */

/* Of a line, enough to tell our names: the longest and the byte behind it. */
#define NAME_SEEN_BYTES 19

_Static_assert(NAME_SEEN_BYTES <= AT_HTTP1_NAME_BYTES, "kept when split");

struct field_name {
	struct at_text text;
	enum field field;
};

static const struct field_name field_names[] = {
	{ AT_TEXT("content-length"), FIELD_CONTENT_LENGTH },
	{ AT_TEXT("expect"), FIELD_EXPECT },
	{ AT_TEXT("host"), FIELD_HOST },
	{ AT_TEXT("upgrade"), FIELD_UPGRADE },
	{ AT_TEXT("uber-trace-id"), FIELD_OTHERS },
	{ AT_TEXT("tracestate"), FIELD_TRACESTATE },
	{ AT_TEXT("traceparent"), FIELD_TRACEPARENT },
	{ AT_TEXT("transfer-encoding"), FIELD_TRANSFER_ENCODING },
	{ AT_TEXT("baggage"), FIELD_BAGGAGE },
	{ AT_TEXT("b3"), FIELD_OTHERS },
	{ AT_TEXT("x-b3-traceid"), FIELD_OTHERS },
	{ AT_TEXT("x-b3-sampled"), FIELD_OTHERS },
	{ AT_TEXT("x-b3-flags"), FIELD_OTHERS },
	{ AT_TEXT("x-amzn-trace-id"), FIELD_OTHERS },
	{ AT_TEXT("x-datadog-trace-id"), FIELD_OTHERS },
	{ AT_TEXT(""), FIELD_OTHER },
};

/*
 * What a line's first byte says: most lines are none of ours. From FIRST_NAME
 * on, where in field_names its names begin.
 */
enum first {
	FIRST_OTHER,
	FIRST_BLANK, /* a fold */
	FIRST_END,   /* the blank line */
	FIRST_NAME,
};

static const uint8_t first_byte[256] = {
	[' '] = FIRST_BLANK,     ['\t'] = FIRST_BLANK,
	['\r'] = FIRST_END,      ['\n'] = FIRST_END,
	['C'] = FIRST_NAME,      ['c'] = FIRST_NAME,
	['E'] = FIRST_NAME + 1,  ['e'] = FIRST_NAME + 1,
	['H'] = FIRST_NAME + 2,  ['h'] = FIRST_NAME + 2,
	['U'] = FIRST_NAME + 3,  ['u'] = FIRST_NAME + 3,
	['T'] = FIRST_NAME + 5,  ['t'] = FIRST_NAME + 5,
	['B'] = FIRST_NAME + 8,  ['b'] = FIRST_NAME + 8,
	['X'] = FIRST_NAME + 10, ['x'] = FIRST_NAME + 10,
};

static uint8_t first_of(const char *line)
{
	return first_byte[(unsigned char)*line];
}

/* The byte behind the name tells most of them apart. */
static bool begins_with(const char *line, size_t len, struct at_text name)
{
	size_t i;

	if (len <= name.len || http1_is_token(line[name.len]))
		return false;
	for (i = 1; i < name.len; i++)
		if (at_lower(line[i]) != name.ptr[i])
			return false;
	return true;
}

/*
 * The field that a line begins with, or NULL. `line` holds NAME_SEEN_BYTES,
 * or less when it ends in a byte that is in no name.
 */
static const struct field_name *find_field(const char *line, size_t len)
{
	const struct field_name *name =
		&field_names[first_of(line) - FIRST_NAME];
	char first = name->text.ptr[0];

	for (; name->text.ptr[0] == first; name++)
		if (begins_with(line, len, name->text))
			return name;
	return NULL;
}

/* Its colon was seen. */
static enum at_http1_event name_done(struct at_http1 *m, enum field field)
{
	m->field = (uint8_t)field;
	m->value_len = 0;
	m->state = STATE_VALUE;
	switch (field) {
	case FIELD_TRACESTATE:
		m->flags |= AT_HTTP1_HAS_TRACESTATE;
		m->state = STATE_SKIP_LINE;
		break;
	case FIELD_BAGGAGE:
	case FIELD_OTHERS:
		m->flags |= field == FIELD_BAGGAGE ? AT_HTTP1_HAS_BAGGAGE :
						     AT_HTTP1_HAS_OTHERS;
		m->field = FIELD_OTHER;
		m->state = STATE_SKIP_LINE;
		break;
	case FIELD_TRACEPARENT:
		m->context_count++;
		m->context_len = 0;
		m->context_at = m->head_bytes;
		break;
	case FIELD_HOST:
		m->host_count++;
		m->host_len = 0;
		break;
	default:
		break;
	}
	return AT_HTTP1_MORE;
}

/*
 * Anything but a colon behind a name of ours ("Content-Length : 5"): some
 * receivers take it for what it looks like, some do not.
 */
static enum at_http1_event ours(struct at_http1 *m,
				const struct field_name *name, const char *line)
{
	return line[name->text.len] == ':' ? name_done(m, name->field) :
					     http1_give_up(m);
}

/* Too little of the line is here: keep it until there is more. */
static enum at_http1_event collect_name(struct at_http1 *m,
					struct http1_input *in)
{
	while (in->used < in->len) {
		char c = in->ptr[in->used++];
		const struct field_name *name;

		m->head_bytes++;
		m->name[m->name_len++] = c;
		if (http1_is_token(c) && m->name_len < NAME_SEEN_BYTES)
			continue;
		name = find_field(m->name, m->name_len);
		m->name_len = 0;
		if (name)
			return ours(m, name, m->name);
		m->field = FIELD_OTHER;
		if (c != '\n')
			m->state = STATE_SKIP_LINE;
		return AT_HTTP1_MORE;
	}
	return AT_HTTP1_MORE;
}

/* Lines up to one that needs a closer look. */
static enum at_http1_event skip_others(struct at_http1 *m,
				       struct http1_input *in)
{
	const char *at = in->ptr + in->used, *end = in->ptr + in->len;
	const char *begin = at;

	m->field = FIELD_OTHER;
	do {
		const char *lf = memchr(at, '\n', (size_t)(end - at));

		if (!lf)
			m->state = STATE_SKIP_LINE;
		at = lf ? lf + 1 : end;
	} while (at < end && first_of(at) == FIRST_OTHER);
	in->used += (size_t)(at - begin);
	m->head_bytes += (uint32_t)(at - begin);
	return AT_HTTP1_MORE;
}

/* obs-fold: harmless only where the value is none of ours. */
static enum at_http1_event folded_line(struct at_http1 *m)
{
	if (m->field != FIELD_OTHER && m->field != FIELD_TRACESTATE)
		return http1_give_up(m);
	m->state = STATE_SKIP_LINE;
	return AT_HTTP1_MORE;
}

static enum at_http1_event blank_line(struct at_http1 *m)
{
	if (!http1_framed(m) || m->head_bytes > HTTP1_HEAD_MAX_BYTES)
		return http1_give_up(m);
	m->state = STATE_BLANK;
	return AT_HTTP1_HEAD;
}

enum at_http1_event http1_step_name(struct at_http1 *m, struct http1_input *in)
{
	const char *line = in->ptr + in->used;
	const struct field_name *name;

	if (m->name_len)
		return collect_name(m, in);
	switch (first_of(line)) {
	case FIRST_OTHER:
		return skip_others(m, in);
	case FIRST_BLANK:
		return folded_line(m);
	case FIRST_END:
		return blank_line(m);
	}
	if (in->len - in->used < NAME_SEEN_BYTES)
		return collect_name(m, in);
	name = find_field(line, NAME_SEEN_BYTES);
	if (!name)
		return skip_others(m, in);
	in->used += name->text.len + 1;
	m->head_bytes += (uint32_t)name->text.len + 1;
	return ours(m, name, line);
}

enum at_http1_event http1_step_skip_line(struct at_http1 *m,
					 struct http1_input *in)
{
	if (http1_take_line(m, in).ended) {
		m->state = STATE_NAME;
		m->name_len = 0;
	}
	return AT_HTTP1_MORE;
}

/* --- values --- */

static enum at_http1_event length_known(struct at_http1 *m,
					struct at_text value)
{
	uint64_t length;

	if (at_text_to_u64(value, &length))
		return http1_give_up(m);
	if ((m->flags & AT_HTTP1_HAS_LENGTH) && length != m->content_length)
		return http1_give_up(m);
	m->flags |= AT_HTTP1_HAS_LENGTH;
	m->content_length = length;
	return AT_HTTP1_MORE;
}

/* Only when chunked comes last, and once, do chunks frame the body. */
static enum at_http1_event coding_known(struct at_http1 *m,
					struct at_text value)
{
	struct at_text coding;

	while (at_text_next(&value, ',', &coding)) {
		coding = at_text_trim(coding);
		if (!coding.len ||
		    at_text_equal_nocase(coding, AT_TEXT("identity")))
			continue;
		if (m->flags & AT_HTTP1_CHUNKED)
			return http1_give_up(m);
		if (at_text_equal_nocase(coding, AT_TEXT("chunked"))) {
			m->flags &= (uint16_t)~AT_HTTP1_OTHER_CODING;
			m->flags |= AT_HTTP1_CHUNKED;
		} else {
			m->flags |= AT_HTTP1_OTHER_CODING;
		}
	}
	return AT_HTTP1_MORE;
}

static enum at_http1_event value_known(struct at_http1 *m,
				       struct at_http1_text *text)
{
	struct at_text value =
		at_text_trim((struct at_text){ text->value, m->value_len });

	switch ((enum field)m->field) {
	case FIELD_CONTENT_LENGTH:
		return length_known(m, value);
	case FIELD_TRANSFER_ENCODING:
		return coding_known(m, value);
	case FIELD_EXPECT:
		if (at_text_equal_nocase(value, AT_TEXT("100-continue")))
			m->flags |= AT_HTTP1_EXPECT_CONTINUE;
		return AT_HTTP1_MORE;
	default:
		m->flags |= AT_HTTP1_UPGRADE;
		return AT_HTTP1_MORE;
	}
}

/* As much of a value as there is and has room; *cut when not all of it had. */
static bool keep_value(struct at_http1 *m, struct http1_input *in, char *to,
		       uint16_t *have, uint16_t cap, bool *cut)
{
	struct http1_piece piece = http1_take_line(m, in);

	*cut = http1_append(to, have, cap, piece);
	if (piece.ended && *have && to[*have - 1] == '\r')
		--*have;
	return piece.ended;
}

/* Half a length is no length. */
static bool decides_framing(enum field field)
{
	return field == FIELD_CONTENT_LENGTH ||
	       field == FIELD_TRANSFER_ENCODING;
}

enum at_http1_event http1_step_value(struct at_http1 *m,
				     struct at_http1_text *text,
				     struct http1_input *in)
{
	bool cut, done;

	if (m->field == FIELD_HOST) {
		done = keep_value(m, in, text->host, &m->host_len,
				  AT_HTTP1_HOST_BYTES, &cut);
		if (cut)
			m->flags |= AT_HTTP1_HOST_CUT;
	} else if (m->field == FIELD_TRACEPARENT) {
		done = keep_value(m, in, text->context, &m->context_len,
				  AT_HTTP1_CONTEXT_BYTES, &cut);
	} else {
		done = keep_value(m, in, text->value, &m->value_len,
				  AT_HTTP1_VALUE_BYTES, &cut);
		if (cut && decides_framing(m->field))
			return http1_give_up(m);
		if (done && value_known(m, text) == AT_HTTP1_OPAQUE)
			return AT_HTTP1_OPAQUE;
	}
	if (done)
		m->state = STATE_NAME;
	return AT_HTTP1_MORE;
}

/* --- a head that is there as a whole --- */

bool at_http1_next_field(struct at_text *head, struct at_text name,
			 struct at_text *value)
{
	struct at_text line;

	while (at_text_next(head, '\n', &line)) {
		struct at_text key = { line.ptr, name.len };

		if (line.len <= name.len || line.ptr[name.len] != ':' ||
		    !at_text_equal_nocase(key, name))
			continue;
		line.ptr += name.len + 1;
		line.len -= name.len + 1;
		if (line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
		*value = at_text_trim(line);
		return true;
	}
	return false;
}

struct at_text at_http1_find_field(struct at_text head, struct at_text name)
{
	struct at_text value;

	return at_http1_next_field(&head, name, &value) ?
		       value :
		       (struct at_text){ NULL, 0 };
}
