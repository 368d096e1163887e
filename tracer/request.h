// SPDX-License-Identifier: Apache-2.0
/* One HTTP request on its way, and its span (private to tracer/). */
#ifndef TRACER_REQUEST_H
#define TRACER_REQUEST_H

#include "core/config.h"
#include "core/span.h"
#include "protocol/protocol.h"
#include "tracer/address.h"
#include "tracer/context.h"
#include "tracer/pool.h"

/* traceparent (70), a full tracestate (528), all other formats (540), with CRLF. */
#define REQUEST_HEADER_BYTES 1216

struct request {
	struct pool_link link;
	_Atomic uint32_t refs; /* who holds it: see conn.h, transfer.h */
	uint8_t unsent_why;    /* enum at_counter: why there is no header */
	uint64_t start_ns;
	uint64_t end_ns;     /* 0: not yet */
	_Atomic bool ended;  /* its span has been handed over */
	uint64_t transfer;   /* libcurl's, see transfer.h; 0: none */
	bool transfer_sent;  /* it has been told */
	bool answer_begun;   /* only asked for where there is a transfer */
	uint16_t header_len; /* what to insert; 0: nothing */
	/*
	 * Of one that is served: what it brought. Of a call: its lines, where
	 * `header` has no room for them; or NULL
	 */
	struct baggage *baggage;
	uint16_t status; /* of the final response; 0: none yet */
	bool sampled;
	bool left_out;  /* telemetry, or an SDK's business: see sdk.h */
	bool has_below; /* somebody may have been told of its span */
	bool secure;    /* https; set before request_prepare() */
	bool is_head;
	bool is_connect;
	bool is_upgrade;
	bool expects_continue;
	bool interim_seen;
	uint32_t callee; /* a guess, see sole.c: 0: none; whom it calls */
	uint32_t cause;  /* and the number of the request that is its parent */
	bool rewrites;   /* `header` is the id for its own traceparent */
	bool id_told;    /* some of it is out: it is what it is */
	uint8_t id_owed; /* digits of it that are not */
	uint32_t id_behind; /* from where it stands to the end of the head */
	/* HTTP/2, see http2.h */
	bool left;     /* it has surely been sent */
	bool promised; /* the length of a frame with our fields is out */
	uint8_t frame_length[3]; /* that length */
	uint32_t own_length;     /* the application's */
	uint32_t stream;
	struct request *next; /* of those in one bucket */
	/* One that is served, see served.h */
	_Atomic bool done;       /* over, however */
	_Atomic uint32_t opened; /* see sole.c */
	union {
		char header[REQUEST_HEADER_BYTES];
		struct at_context context; /* of one that is served */
	};
	struct at_http1 machine; /* as it stood at the end of the head */
	struct at_span span;     /* filled only when sampled */
	union {
		struct at_http1_text text;
		struct at_http2_text text2;
	};
};

/* Why a header cannot be inserted in the call at hand, or REQUEST_INSERT. */
enum request_insertion {
	REQUEST_INSERT,
	REQUEST_REWRITE, /* or its own traceparent may be edited */
	REQUEST_UNSAFE,  /* the call may not be edited */
};

void request_start(const struct at_config *settings);

/* The propagators in force besides those of W3C, in the order listed. */
const struct at_propagator_set *request_others(void);

/* With one reference; NULL when there is no room (counted). */
struct request *request_new(void);
/* The same for a client's request whose first byte has been seen. */
struct request *request_begin(bool secure);
/* What is to be inserted: header_len bytes. */
const char *request_header(const struct request *request);

void request_hold(struct request *request);
/* The request in place `index` of the pool, held; NULL when it is free. */
struct request *request_hold_at(uint32_t index);
/* Gives a reference back; with the last one the memory. */
void request_free(struct request *request);

/*
 * The head is known: choose parent, ids and sampling, fill the span, write the
 * header to insert. `machine` is the one that read the head into
 * request->text, `lines` the head where it is in one piece.
 */
void request_prepare(struct request *request, const struct at_http1 *machine,
		     const struct address *peer,
		     enum request_insertion insertion, struct at_text lines);

/* The same for HTTP/2: the header is a piece of a header block. */
void request_prepare_http2(struct request *request,
			   const struct at_http2 *machine,
			   const struct address *peer,
			   enum request_insertion insertion);

/* Whom it calls does not know of its span, and why. */
void request_not_propagated(struct request *request, const char *why);

/* Its head has left: count it if no header went along. */
void request_sent(struct request *request);

/* The first bytes of the answer are here. */
void request_answer_begins(struct request *request);

/* The final response's status line. */
void request_answered(struct request *request, uint16_t status);

/* The same for one that this program has answered. */
void request_served(struct request *request, uint16_t status);

/*
 * End it: `error` is a low-cardinality cause, or NULL. The span is handed
 * over, once; the request is to be freed by the caller.
 */
void request_end(struct request *request, const char *error);

/* End it without knowing how it went. */
void request_abandon(struct request *request);

/*
 * A new span's identity below `parent` (NULL: a root): trace id, the sampler's
 * answer in the flags, span id.
 */
void request_identity(struct at_context *context,
		      const struct at_context *parent);

/* An empty CLIENT span with that identity, begun at start_ns. */
void request_open_span(struct at_span *span, const struct at_context *context,
		       const struct at_context *parent, enum context_rule rule,
		       uint64_t start_ns);

/* network.peer.*, as far as it is known. */
void request_fill_peer(struct at_span *span, const struct address *peer);

/* Does HTTP/1 end on the connection with this answer? RFC 9110 7.8, 9.3.6. */
bool request_leaves_http(const struct request *request);

/* Has its answer no body, whatever its fields say? RFC 9112 6.3. */
bool request_answer_has_no_body(const struct request *request);

/* error.type for a transport errno. */
const char *request_error_name(int error);

/* Is the connection at its end with this errno? */
bool request_error_ends(int error);

#ifdef AT_UNIT_TEST
/* Requests that somebody holds. */
uint32_t request_in_use(void);
#endif

#endif
