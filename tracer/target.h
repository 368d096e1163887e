// SPDX-License-Identifier: Apache-2.0
/*
 * Where a client's request goes, as its own bytes say (private to tracer/).
 * Pure; the texts are views of what the head was read from.
 */
#ifndef TRACER_TARGET_H
#define TRACER_TARGET_H

#include "core/span.h"
#include "core/text.h"
#include "tracer/address.h"

/* A request's head, whatever version of HTTP it was read from. */
struct head_view {
	struct at_text method;
	struct at_text target;
	struct at_text authority; /* Host, :authority */
	struct at_text context;   /* traceparent */
	struct at_text version;
	uint8_t context_count;
	bool has_tracestate;
	bool has_baggage;
	bool has_others; /* another format's context */
	bool cut;
	bool is_upgrade;
	bool expects_continue;
	bool secure;
	bool as_fields; /* ours is written as HTTP/2 wants it */
};

/* Where a request goes, as its own bytes say. */
struct target {
	const struct head_view *head;
	struct at_text authority; /* host[:port]; empty: unknown */
	struct at_text host;
	uint16_t port;
	uint16_t default_port;
	bool absolute; /* through a proxy */
	bool connect;
};

/* `peer` says it where neither Host nor :authority does. */
void target_read(struct target *target, const struct head_view *head,
		 const struct address *peer);

/*
 * url.full: absolute, rebuilt from scheme, authority and target (HTTP-19). In
 * the span itself, since stacks are small; best as its first attribute.
 */
void target_fill_url(struct at_span *span, const struct target *target,
		     const struct address *peer);

#endif
