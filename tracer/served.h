// SPDX-License-Identifier: Apache-2.0
/*
 * Requests that the program serves: HTTP/1 in the clear, seen as it reads and
 * answers (private to tracer/). Of what it answers nothing is changed; of what
 * it reads the context is (inbound.h), so that whatever forwards it goes on
 * from our span.
 *
 * The same connection and queue as a client's (conn.h), the other way round:
 * conn->in and conn->draft follow the requests and belong to the reader under
 * the lock, conn->out follows the answers.
 */
#ifndef TRACER_SERVED_H
#define TRACER_SERVED_H

#include "tracer/conn.h"

void served_start(const struct at_config *config);

/* Are requests that this program serves followed at all? */
bool served_is_wanted(const struct at_config *config);

/*
 * `len` bytes have been read first on a descriptor that nobody knows: do they
 * begin a request? Then the connection, with a reference held; else NULL.
 */
struct conn *served_adopt(int fd, const struct iovec *iov, size_t len);

/* Bytes have been read, or the other side's end. Under the lock. */
void served_received(struct conn *conn, const struct iovec *iov,
		     size_t iov_count, size_t len);
void served_input_ended(struct conn *conn, const char *error);

/* The call has been made: `result` bytes have left, or -1. As the writer. */
void served_sent(struct conn *conn, const struct at_send *send, ssize_t result);

/* Bytes that nobody showed us have passed. Under the lock. */
void served_moved(struct conn *conn, uint64_t out_bytes, uint64_t in_bytes);

/* Nobody is going to answer any more. */
void served_end(struct conn *conn);

#endif
