// SPDX-License-Identifier: Apache-2.0
/*
 * TLS connections whose plaintext nobody shows us (private to tracer/): one
 * honest span each, from the ClientHello to the end or to 60 s of silence.
 */
#ifndef TRACER_SEALED_H
#define TRACER_SEALED_H

#include "tracer/conn.h"

void sealed_start(const struct at_config *config);

/* Does this write begin a TLS connection that is to have a span? */
bool sealed_begins(const struct at_send *send);

/* For a connection that is about to be made; NULL: not sampled, no room. */
struct sealed *sealed_new(void);
void sealed_free(struct sealed *sealed);

/* The call has been made: `result` bytes have left, or -1. As the writer. */
void sealed_sent(struct conn *conn, const struct at_send *send, ssize_t result);

/* Bytes, an end (0) or an error (-1) have come in. Under the lock. */
void sealed_received(struct conn *conn, const struct iovec *iov,
		     size_t iov_count, ssize_t result, int error);

/* Bytes that nobody showed us have passed (splice). Under the lock. */
void sealed_moved(struct conn *conn, uint64_t out_bytes, uint64_t in_bytes);

/* It is over; `incomplete`: or our view of it is. */
void sealed_end(struct conn *conn, bool incomplete);

/*
 * A TLS library shows us the plaintext of a session. `fd` is its transport, or
 * -1: then nobody can tell which connection of this process it is, and none
 * has a span of its own.
 */
void sealed_reached(int fd);

#endif
