// SPDX-License-Identifier: Apache-2.0
/*
 * Inside of the HTTP/1 machine (private to protocol/): the states, and what
 * the files of the machine call of each other. Everything is pure.
 */
#ifndef PROTOCOL_HTTP1_MACHINE_H
#define PROTOCOL_HTTP1_MACHINE_H

#include <string.h>

#include "protocol/protocol.h"

/* Up to the blank line. */
#define HTTP1_HEAD_MAX_BYTES (256u * 1024u)

/* In this order: the head, the blank line, the body. */
enum http1_state {
	STATE_START,
	STATE_LINE,
	STATE_NAME,
	STATE_VALUE,
	STATE_SKIP_LINE,
	STATE_BLANK,
	STATE_BLANK_LF,
	STATE_BODY,
	STATE_CHUNK_SIZE,
	STATE_CHUNK_EXTENSION,
	STATE_CHUNK_DATA,
	STATE_CHUNK_END,
	STATE_TRAILER,
	STATE_TRAILER_LINE,
	STATE_UNTIL_CLOSE,
	STATE_OPAQUE,
};

/* One call's bytes and how far they are used. */
struct http1_input {
	const char *ptr;
	size_t len;
	size_t used;
};

/* Bytes of a line, without its LF. */
struct http1_piece {
	const char *ptr;
	size_t len;
	bool ended; /* the LF was there, and is used too */
};

/* What there is of a line of a head. */
static inline struct http1_piece http1_take_line(struct at_http1 *machine,
						 struct http1_input *in)
{
	const char *at = in->ptr + in->used;
	size_t left = in->len - in->used;
	const char *lf = memchr(at, '\n', left);
	size_t len = lf ? (size_t)(lf - at) : left;
	size_t used = len + (lf != NULL);

	in->used += used;
	machine->head_bytes += (uint32_t)used;
	return (struct http1_piece){ at, len, lf != NULL };
}

/* Add to what is kept; true when not everything had room. */
static inline bool http1_append(char *to, uint16_t *have, uint16_t cap,
				struct http1_piece piece)
{
	size_t room = (size_t)(cap - *have);
	bool cut = piece.len > room;

	if (cut)
		piece.len = room;
	memcpy(to + *have, piece.ptr, piece.len);
	*have = (uint16_t)(*have + piece.len);
	return cut;
}

/* May the byte stand in a token (RFC 9110 5.6.2)? */
extern const bool http1_token[256];

static inline bool http1_is_token(char c)
{
	return http1_token[(unsigned char)c];
}

/* Neither empty nor with blanks or control characters? */
bool http1_is_target(const char *bytes, size_t len);

/* OPAQUE, now and for ever. */
enum at_http1_event http1_give_up(struct at_http1 *machine);

/* END; the machine stands before the next message. */
enum at_http1_event http1_finish(struct at_http1 *machine);

/* Steps in the states of header fields; at least one byte is there. */
enum at_http1_event http1_step_name(struct at_http1 *machine,
				    struct http1_input *in);
enum at_http1_event http1_step_value(struct at_http1 *machine,
				     struct at_http1_text *text,
				     struct http1_input *in);
enum at_http1_event http1_step_skip_line(struct at_http1 *machine,
					 struct http1_input *in);

/* Can the length of the body be told from the fields of this head? */
bool http1_framed(const struct at_http1 *machine);

/* The blank line is over: MORE when a body follows, else END or INTERIM. */
enum at_http1_event http1_begin_body(struct at_http1 *machine);

/* One step in a state from STATE_BODY on; at least one byte is there. */
enum at_http1_event http1_step_body(struct at_http1 *machine,
				    struct http1_input *in);

#endif
