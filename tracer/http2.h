// SPDX-License-Identifier: Apache-2.0
/*
 * A connection that speaks HTTP/2 (private to tracer/): conn->http2 and what
 * differs from HTTP/1, called where the paths of conn.h and round.h part.
 *
 * A request is a stream. Its fields are added at the end of its header block,
 * so the length of the block's last frame grows, and those three bytes lie
 * before everything else: ours take their place (struct patch). From the
 * moment that the kernel has taken one of them the fields are promised: they
 * have to follow at the block's end, whatever becomes of the connection
 * (http2_is_bound). Nothing is promised unless the frame begins in the same
 * call, for only then all of the block is known.
 *
 * Behind the fields of the last request the application may have nothing more
 * to send, and would never come back to bring the rest of them. So while
 * some are owed, its last byte, which has left, is not reported as taken: it
 * comes again and is skipped (byte_ahead).
 */
#ifndef TRACER_HTTP2_H
#define TRACER_HTTP2_H

#include "tracer/round.h"

/* Unanswered ones on one connection. */
#define HTTP2_STREAMS 256
#define HTTP2_BUCKETS 64

struct http2 {
	struct pool_link link;
	/* the writer's */
	struct at_http2 out;
	bool byte_ahead;
	/* of the round at work, should it never come back */
	struct request *round[CONN_PIPELINE];
	/* under the lock; conn->added - conn->taken of them */
	struct request *bucket[HTTP2_BUCKETS];
	struct at_http2 in;
	struct at_http2_table out_table;
	struct at_http2_table in_table;
};

/* --- the way out; for the writer --- */

/*
 * The first bytes of a connection were no HTTP/1: are they HTTP/2's? Then the
 * round begins anew.
 */
bool http2_begins(struct round *round);

/* A round begins. False: nothing is to be planned. */
bool http2_plan(struct round *round);
void http2_plan_stretch(struct round *round, struct stretch part, size_t at);

/* Under the lock: what was planned becomes known to whoever reads. */
void http2_queue(struct round *round);
void http2_settle(struct round *round, const struct taken *kernel);

/* Must the next bytes be edited, whatever has become of the connection? */
bool http2_is_bound(const struct conn *conn);

/* A call of `total` bytes begins: how many of them have left already. */
size_t http2_resend(struct conn *conn, size_t total);

/*
 * A call ends with `done` of `total` bytes taken: how many the application
 * hears of.
 */
size_t http2_told(struct conn *conn, size_t done, size_t total);

/* In a forked child: what is promised is the parent's to send. */
void http2_disown(struct conn *conn);

/* --- under the lock --- */

void http2_received(struct conn *conn, const char *bytes, size_t len);
/* Bytes that nobody showed us. */
void http2_received_unseen(struct conn *conn, size_t count);

struct request *http2_any(const struct http2 *http2);
struct request *http2_find(const struct http2 *http2, uint32_t stream);
void http2_add(struct conn *conn, struct request *request);
void http2_remove(struct conn *conn, struct request *request);

/* The client does not want the answer. */
void http2_cancelled(struct conn *conn, uint32_t stream, uint32_t code);

/* As conn_end_requests() and conn_give_up(): those that have surely left. */
void http2_end_left(struct conn *conn, const char *error);
void http2_abandon_left(struct conn *conn);

/* The round's own references. */
void http2_forget_round(struct conn *conn);

/* The connection is over. */
void http2_drop(struct conn *conn);

/*
 * It speaks HTTP/2, and `before` bytes of the preface have been sent already.
 * False: no room (counted), or it was somebody else's to say.
 */
bool http2_start(struct conn *conn, size_t before);

/*
 * Nobody looked at `fd` before these bytes were read from it. Those of an
 * HTTP/2 server make it a connection (with a reference held); else NULL.
 */
struct conn *http2_adopt(int fd, const struct iovec *iov, size_t len);

#endif
