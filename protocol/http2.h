// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/2, one direction of one connection (RFC 9113), with its header
 * compression (RFC 7541). Part of the door protocol.h.
 *
 * The same rules as for HTTP/1: any split of the bytes, no I/O, no allocation,
 * never a guess. And copying `struct at_http2` saves a machine's place here
 * too, although reading a header block changes the compression's table: the
 * entries lie apart in `struct at_http2_table`, and a copy only writes behind
 * those that the machine had at its last at_http2_commit(). What the copy
 * throws out stays where it is. So a block may be read as often as a plan
 * needs, and each time from the same table.
 *
 * The table holds what decoding needs and no more: lengths of everything, the
 * text only of the fields in enum at_http2_field.
 */
#ifndef AT_PROTOCOL_HTTP2_H
#define AT_PROTOCOL_HTTP2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"

#define AT_HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define AT_HTTP2_PREFACE_BYTES 24
#define AT_HTTP2_HEADER_BYTES 9
/* Of a frame, unless the receiver allows more; we never make a larger one. */
#define AT_HTTP2_FRAME_BYTES 16384

/* The largest dynamic table that is followed (RFC 7541 4.1). */
#define AT_HTTP2_TABLE_BYTES 16384
/* What of it lives, and what one plan may add: powers of two. */
#define AT_HTTP2_TABLE_ENTRIES 1024
#define AT_HTTP2_TABLE_TEXT 32768

#define AT_HTTP2_METHOD_BYTES 32
#define AT_HTTP2_SCHEME_BYTES 8
#define AT_HTTP2_AUTHORITY_BYTES 256
#define AT_HTTP2_CONTEXT_BYTES 64
#define AT_HTTP2_PATH_BYTES 1600

/* The fields that matter, all others skipped. */
enum at_http2_field {
	AT_HTTP2_OTHER,
	AT_HTTP2_METHOD,
	AT_HTTP2_SCHEME,
	AT_HTTP2_AUTHORITY,
	AT_HTTP2_PATH,
	AT_HTTP2_TRACEPARENT,
	/* of these only that there is one */
	AT_HTTP2_TRACESTATE,
	AT_HTTP2_BAGGAGE,
	AT_HTTP2_OTHERS, /* a context that is not W3C's */
	AT_HTTP2_STATUS, /* a response's; a number */
	AT_HTTP2_FIELDS,
};

enum at_http2_event {
	/* All bytes consumed; nothing to report. */
	AT_HTTP2_MORE,
	/*
	 * Requests only: the frame header of a new stream's HEADERS is
	 * consumed. The text of what follows is captured from here on.
	 */
	AT_HTTP2_BEGIN,
	/*
	 * A header block is complete: a request's (is_request), a response's
	 * (status; 0 for trailers). Consumed are the bytes up to its end:
	 * a field that is to be added to it belongs exactly here, before the
	 * padding. end_stream says whether it is the stream's last.
	 */
	AT_HTTP2_HEAD,
	/* The stream's last DATA frame is consumed. */
	AT_HTTP2_END,
	/* RST_STREAM: stream, code. */
	AT_HTTP2_RESET,
	/* GOAWAY: code; stream is the last one that is answered. */
	AT_HTTP2_GOAWAY,
	/* Not HTTP/2 from here on (or never was). */
	AT_HTTP2_OPAQUE,
};

struct at_http2_entry {
	uint32_t value; /* where its text begins, or a status */
	uint16_t name_len;
	uint16_t value_len;
	uint8_t name; /* enum at_http2_field */
};

struct at_http2_table {
	struct at_http2_entry entry[AT_HTTP2_TABLE_ENTRIES];
	char text[AT_HTTP2_TABLE_TEXT];
};

struct at_http2_text {
	char method[AT_HTTP2_METHOD_BYTES];
	char scheme[AT_HTTP2_SCHEME_BYTES];
	char authority[AT_HTTP2_AUTHORITY_BYTES];
	char context[AT_HTTP2_CONTEXT_BYTES];
	char path[AT_HTTP2_PATH_BYTES];
};

/* A field of a header block on its way, and the table's place (private). */
struct at_hpack {
	/* entries [first, added) are in the table; kept_* at the last commit */
	uint32_t added;
	uint32_t first;
	uint32_t kept_first;
	uint32_t text_end;
	uint32_t kept_text;
	uint32_t size;
	uint32_t max;
	uint32_t integer;
	uint32_t left; /* of the string */
	uint32_t name_len;
	uint32_t value_len;
	uint32_t number;
	uint64_t bits; /* of Huffman's code, not decoded yet */
	uint8_t bit_count;
	uint8_t state;
	uint8_t kind;
	uint8_t shift;
	uint8_t name; /* enum at_http2_field */
	bool huffman;
	bool any; /* a field was seen in this block */
	char letters[18];
};

struct at_http2 {
	uint8_t state;
	bool response;
	uint8_t have; /* bytes of the preface, a frame header or a payload */
	uint8_t type;
	uint8_t flags;
	uint8_t pad;
	uint8_t header[AT_HTTP2_HEADER_BYTES];
	/* what events tell */
	bool is_request;
	bool end_stream;
	bool authority_cut;
	bool path_cut;
	bool has_tracestate;
	bool has_baggage;
	bool has_others;
	uint8_t context_count;
	uint16_t status;
	uint32_t stream;
	uint32_t code;
	uint32_t frame_at; /* bytes of this frame so far, its header's too */
	uint32_t length;   /* of its payload */
	/* */
	uint32_t left;         /* of the part of the payload at hand */
	uint32_t block_stream; /* whose header block is open; 0: none */
	uint32_t last_stream;
	uint16_t len[AT_HTTP2_FIELDS];
	struct at_hpack hpack;
};

/*
 * Could these be a server's first bytes? It may speak before it has read the
 * client's preface: a SETTINGS frame. At least a frame's header is needed.
 */
bool at_http2_match_server(const char *bytes, size_t len);

/* A machine at the start of a connection. */
void at_http2_init(struct at_http2 *machine, bool response);

/*
 * Feed up to `len` bytes; *consumed says how many were taken. Call again with
 * the rest after any event but MORE and OPAQUE (which take everything).
 * `text` gets a request's fields between BEGIN and HEAD; NULL: keep none (the
 * lengths in the machine are counted all the same).
 */
enum at_http2_event at_http2_feed(struct at_http2 *machine,
				  struct at_http2_table *table,
				  struct at_http2_text *text, const char *bytes,
				  size_t len, size_t *consumed);

/*
 * Skip `len` bytes that nobody showed us: MORE or END when they lie inside one
 * DATA frame's payload, else OPAQUE.
 */
enum at_http2_event at_http2_skip(struct at_http2 *machine, uint64_t len);

/* This is where the connection really is: the past may be overwritten. */
void at_http2_commit(struct at_http2 *machine,
		     const struct at_http2_table *table);

/* Has nothing but (a part of) the preface been seen? Of requests. */
bool at_http2_in_preface(const struct at_http2 *machine);

/* Inside a request's header block, behind BEGIN and before HEAD? */
bool at_http2_in_head(const struct at_http2 *machine);

/* A captured field; a view into *text, cut where the machine says so. */
struct at_text at_http2_field(const struct at_http2 *machine,
			      const struct at_http2_text *text,
			      enum at_http2_field field);

/*
 * Header lines ("name: value" CRLF each) as a piece of a header block: literal
 * fields that no table remembers (RFC 7541 6.2.2).
 */
void at_http2_encode(struct at_text lines, struct at_writer *writer);

/* The name of an error code (RFC 9113 7), lower case; static. */
const char *at_http2_error_name(uint32_t code);

#endif
