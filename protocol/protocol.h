// SPDX-License-Identifier: Apache-2.0
/*
 * Protocols: bytes in, events out. Door of the folder.
 *
 * A machine follows one direction of one connection, fed with any split of
 * the bytes. It performs no I/O, allocates nothing, reads no clock, and never
 * guesses: a byte that it cannot explain is AT_HTTP1_OPAQUE, for ever.
 *
 * Copying `struct at_http1` saves a machine's place: the caller plans with a
 * copy and keeps it only when the bytes were really sent. Captured text lies
 * apart in `struct at_http1_text`, which only grows behind the lengths that
 * the machine holds, except at the start of a new head.
 */
#ifndef AT_PROTOCOL_H
#define AT_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"
#include "protocol/http2.h"

#define AT_HTTP1_LINE_BYTES 1600
#define AT_HTTP1_HOST_BYTES 256
#define AT_HTTP1_CONTEXT_BYTES 64
#define AT_HTTP1_VALUE_BYTES 128
#define AT_HTTP1_NAME_BYTES 20
#define AT_HTTP1_TAIL_BYTES 10

enum at_http1_event {
	/* All bytes consumed; nothing to report. */
	AT_HTTP1_MORE,
	/*
	 * The head is known. Consumed are the bytes before the blank line:
	 * whatever is to be added to the head belongs exactly here.
	 */
	AT_HTTP1_HEAD,
	/* The message is complete (its last byte is consumed). */
	AT_HTTP1_END,
	/* Response only: an interim 1xx head (not 101) is complete. */
	AT_HTTP1_INTERIM,
	/* Not HTTP/1 from here on (or never was). */
	AT_HTTP1_OPAQUE,
};

enum at_http1_flag {
	AT_HTTP1_HAS_LENGTH = 1 << 0,
	AT_HTTP1_CHUNKED = 1 << 1,
	AT_HTTP1_EXPECT_CONTINUE = 1 << 2,
	AT_HTTP1_UPGRADE = 1 << 3,
	AT_HTTP1_LINE_CUT = 1 << 4,
	AT_HTTP1_HOST_CUT = 1 << 5,
	AT_HTTP1_LF_ONLY = 1 << 6,
	AT_HTTP1_HAS_TRACESTATE = 1 << 7,
	/* Set by the caller at AT_HTTP1_HEAD of a response: no body follows. */
	AT_HTTP1_NO_BODY = 1 << 8,
	AT_HTTP1_UNTIL_CLOSE = 1 << 9,
	AT_HTTP1_STARTED = 1 << 10, /* some byte of this message was seen */
	/* The last transfer coding is not chunked. */
	AT_HTTP1_OTHER_CODING = 1 << 11,
	AT_HTTP1_HAS_BAGGAGE = 1 << 12,
	/* A context in a format that is not W3C's: B3, Jaeger's, ... */
	AT_HTTP1_HAS_OTHERS = 1 << 13,
};

struct at_http1 {
	uint8_t state;
	bool response;
	uint16_t flags; /* enum at_http1_flag, of the current message */
	uint16_t line_len;
	uint16_t host_len;
	uint16_t context_len;
	uint16_t value_len;
	uint16_t status;
	uint8_t method_len;
	uint8_t minor; /* HTTP/1.minor */
	uint8_t host_count;
	uint8_t context_count; /* traceparent fields seen */
	uint8_t field;
	uint8_t name_len;
	uint32_t head_bytes; /* of this message's head, so far */
	uint32_t context_at; /* where the traceparent value begins in it */
	uint64_t content_length;
	uint64_t remaining; /* of the body or the current chunk */
	/* of the body so far, framing not counted; also of the last message */
	uint64_t body_bytes;
	char name[AT_HTTP1_NAME_BYTES];
	char tail[AT_HTTP1_TAIL_BYTES]; /* last bytes of the request line */
};

struct at_http1_text {
	char value[AT_HTTP1_VALUE_BYTES];
	char context[AT_HTTP1_CONTEXT_BYTES];
	char host[AT_HTTP1_HOST_BYTES];
	char line[AT_HTTP1_LINE_BYTES]; /* last: most requests touch little */
};

/* A machine at the start of a connection. */
void at_http1_init(struct at_http1 *machine, bool response);

/*
 * Feed up to `len` bytes; *consumed says how many were taken. Call again with
 * the rest after any event but MORE and OPAQUE (which take everything).
 */
enum at_http1_event at_http1_feed(struct at_http1 *machine,
				  struct at_http1_text *text, const char *bytes,
				  size_t len, size_t *consumed);

/*
 * Skip `len` bytes that nobody showed us (sendfile, splice, MSG_TRUNC): MORE
 * or END when they lie inside a body of known length, else OPAQUE.
 */
enum at_http1_event at_http1_skip(struct at_http1 *machine, uint64_t len);

/* The connection has ended. True when the message is complete by that. */
bool at_http1_eof(struct at_http1 *machine);

/* Between two messages, with nothing of the next one seen? */
bool at_http1_idle(const struct at_http1 *machine);

/* Inside a head: its first byte was seen, its end was not? */
bool at_http1_in_head(const struct at_http1 *machine);

/*
 * The peer answered finally without asking for the body (Expect): the next
 * bytes may be a new request. Only when no body byte was sent yet.
 */
void at_http1_body_refused(struct at_http1 *machine);

/* Parts of the captured request; views into *text, cut where flags say so. */
struct at_text at_http1_method(const struct at_http1 *machine,
			       const struct at_http1_text *text);
struct at_text at_http1_target(const struct at_http1 *machine,
			       const struct at_http1_text *text);
struct at_text at_http1_host(const struct at_http1 *machine,
			     const struct at_http1_text *text);
struct at_text at_http1_context(const struct at_http1 *machine,
				const struct at_http1_text *text);

/*
 * The next field of this name in the lines of a head, which are cut off its
 * front: a view of its value without blanks around it. False: none is left. A
 * start line is none, having no colon behind a token.
 */
bool at_http1_next_field(struct at_text *head, struct at_text name,
			 struct at_text *value);

/* The value of the first one; empty when there is none. */
struct at_text at_http1_find_field(struct at_text head, struct at_text name);

enum at_match {
	AT_MATCH_NO,
	AT_MATCH_MAYBE, /* too short to tell */
	AT_MATCH_YES,
};

/*
 * Could a connection's first bytes begin an HTTP/1 request, or HTTP/2's
 * preface? One cheap look, meant to turn redis, TLS, SSH and everything else
 * away.
 */
enum at_match at_http1_match(const char *bytes, size_t len);

/* --- TLS, seen from outside (RFC 8446 section 5.1, RFC 5246 section 6.2) --- */

/* Do a connection's first bytes begin a ClientHello? */
bool at_tls_hello(const char *bytes, size_t len);

/*
 * The name of the server that a ClientHello asks for (RFC 6066 section 3), a
 * view; empty when there is none, or it lies behind `len`.
 */
struct at_text at_tls_server_name(const char *bytes, size_t len);

enum at_tls_seen {
	AT_TLS_SEEN_CIPHER = 1 << 0, /* a change of cipher spec */
	AT_TLS_SEEN_DATA = 1 << 1,   /* a protected record (TLS 1.3: any) */
	AT_TLS_SEEN_ALERT = 1 << 2,  /* a fatal alert in the clear */
	AT_TLS_SEEN_OTHER = 1 << 3,  /* not a record; nothing more is read */
};

/* Records of one direction, by their headers; all zero at the start. */
struct at_tls_records {
	uint8_t seen; /* enum at_tls_seen */
	uint8_t head_len;
	uint8_t head[5];
	uint8_t alert_len;
	uint8_t alert[2];     /* level, description */
	uint16_t first_bytes; /* of the first protected record */
	uint32_t left;        /* of the record at hand */
};

void at_tls_feed(struct at_tls_records *records, const char *bytes, size_t len);

/* error.type for an alert's description, a static text. */
const char *at_tls_alert_name(uint8_t description);

#endif
