// SPDX-License-Identifier: Apache-2.0
/*
 * One round of a write call (private to tracer/): plan, send, settle.
 *
 * A call is worked off in rounds; nearly always one is enough. Planning reads
 * the application's bytes with a copy of the machine: where do heads end, and
 * what is to be inserted there. Settling keeps exactly as much of the plan as
 * the kernel took.
 *
 * For the thread that holds conn->writer only.
 */
#ifndef TRACER_ROUND_H
#define TRACER_ROUND_H

#include "tracer/conn.h"

#define ROUND_IOV 72

/* A place in the bytes of a call. */
struct place {
	size_t index; /* of the iovec */
	size_t skip;  /* bytes of it that lie before */
};

/* Bytes that lie in one iovec. */
struct stretch {
	const char *ptr;
	size_t len;
};

/* A head whose end lies in this round. */
struct head {
	size_t at; /* application bytes of the round before the blank line */
	struct request *request;
};

struct round {
	struct conn *conn;
	const struct at_send *send;
	const struct at_hold *hold;
	bool editable; /* may anything be inserted into this call? */
	bool insert;   /* there is something of ours to be sent */
	bool failed;   /* not understood beyond `planned` */
	enum at_counter why;
	struct place start;
	size_t limit;   /* application bytes of this round */
	size_t planned; /* of these, understood */
	uint32_t base;  /* conn->added before the heads were queued */
	unsigned int head_count;
	struct head heads[CONN_PIPELINE];
	struct at_http1 machine; /* behind the planned bytes */
	struct request *draft;   /* of the head that the round leaves open */
};

/* What is handed to the kernel. */
struct outgoing {
	const struct iovec *list; /* `iov`, or a part of the call's own */
	size_t count;
	size_t bytes;
	struct iovec iov[ROUND_IOV];
	/* whose bytes: 0 the application's, else see round.c */
	uint8_t owner[ROUND_IOV];
};

/* What the kernel took. */
struct taken {
	size_t application;
	unsigned int heads; /* of those with a header: how many are begun */
	struct request *carry_of;
	uint16_t carry_at;
};

/*
 * NULL, NULL and an offset, or a negative number: the kernel says EFAULT, and
 * nobody else must read it before.
 */
static inline bool stretch_is_wild(struct stretch part)
{
	return part.len && (intptr_t)part.ptr < 4096;
}

/* The next bytes from *place on, at most `max`; moves the place. */
struct stretch stretch_next(const struct at_send *send, struct place *place,
			    size_t max);
/* Pass over `len` bytes; the end of an iovec is the start of the next one. */
void stretch_skip(const struct at_send *send, struct place *place, size_t len);

/*
 * Fill the round; conn, send, editable, start and limit are set. The heads
 * enter the connection's queue. It always ends with round_settle().
 */
void round_plan(struct round *round);

void round_compose(const struct round *round, struct outgoing *out);

/* `result` bytes of the composed ones were taken. */
void round_account(const struct round *round, const struct outgoing *out,
		   size_t result, struct taken *taken);

/* Keep what was taken, which may be nothing. */
void round_settle(struct round *round, const struct taken *taken);

#endif
