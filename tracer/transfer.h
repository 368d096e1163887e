// SPDX-License-Identifier: Apache-2.0
/*
 * Transfers of libcurl, as seen from their requests (private to tracer/).
 *
 * libcurl tells on whose behalf the next request is sent; the request itself
 * is seen where its bytes are. Here the two meet.
 */
#ifndef TRACER_TRANSFER_H
#define TRACER_TRANSFER_H

#include "tracer/address.h"
#include "tracer/request.h"

#define TRANSFER_PEER_BYTES 48

/* A request of a transfer: a redirect and an answer to a challenge are more. */
struct transfer_hop {
	uint64_t id;    /* of the transfer, for request->transfer; never 0 */
	uint32_t again; /* how many of the transfer came before it */
	uint64_t start_ns;
	/* what each phase took; negative: there was none */
	int64_t lookup_us, connect_us, tls_us;
	char peer[TRANSFER_PEER_BYTES]; /* address; empty: unknown */
};

/*
 * Whose request this thread begins to send to `peer`, or NULL. It is the
 * caller's until transfer_sent() or transfer_unsent().
 */
const struct transfer_hop *transfer_next(const struct address *peer);
void transfer_sent(uint64_t id);
void transfer_unsent(uint64_t id);

/*
 * The application has closed the connection and the request's answer is not
 * complete: true when the request stays with its transfer, with a reference,
 * until libcurl says why.
 */
bool transfer_keeps(struct request *request);

/*
 * A stream's request has left. Its connection outlives the transfer, which
 * therefore has a reference from now on and ends the request if nobody has.
 */
void transfer_joins(struct request *request);

/* Phases of a hop to `host`. */
void transfer_fill(struct at_span *span, const struct transfer_hop *hop,
		   struct at_text host);

/* Requests that are kept end as incomplete (normal exit). */
void transfer_end_open(void);

/* What the parent had under way is the parent's. */
void transfer_after_fork_child(void);

#endif
