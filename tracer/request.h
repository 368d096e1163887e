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

/* traceparent (70) and a full tracestate (528), each with CRLF. */
#define REQUEST_HEADER_BYTES 640

struct request {
	struct pool_link link;
	uint32_t refs;      /* who holds it: see conn.h; under its lock */
	uint8_t unsent_why; /* enum at_counter: why there is no header */
	uint64_t start_ns;
	uint16_t header_len; /* what to insert; 0: nothing */
	uint16_t status;     /* of the final response; 0: none yet */
	bool sampled;
	bool secure; /* https; set before request_prepare() */
	bool is_head;
	bool is_connect;
	bool is_upgrade;
	bool expects_continue;
	bool interim_seen;
	char header[REQUEST_HEADER_BYTES];
	struct at_http1 machine; /* as it stood at the end of the head */
	struct at_span span;     /* filled only when sampled */
	struct at_http1_text text;
};

/* Why a header cannot be inserted in the call at hand, or REQUEST_INSERT. */
enum request_insertion {
	REQUEST_INSERT,
	REQUEST_UNSAFE, /* the call may not be edited */
};

void request_start(const struct at_config *settings);

/* With one reference; NULL when there is no room (counted). */
struct request *request_new(void);
void request_hold(struct request *request);
/* Gives a reference back; with the last one the memory. */
void request_free(struct request *request);

/*
 * The head is known: choose parent, ids and sampling, fill the span, write the
 * header to insert. `machine` is the one that read the head into
 * request->text.
 */
void request_prepare(struct request *request, const struct at_http1 *machine,
		     const struct address *peer,
		     enum request_insertion insertion);

/* Its head has left: count it if no header went along. */
void request_sent(const struct request *request);

/* The final response's status line. */
void request_answered(struct request *request, uint16_t status);

/*
 * End it: `error` is a low-cardinality cause, or NULL. The span is handed
 * over; the request is to be freed by the caller.
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

/* error.type for a transport errno. */
const char *request_error_name(int error);

#ifdef AT_UNIT_TEST
/* Requests that somebody holds. */
uint32_t request_in_use(void);
#endif

#endif
