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

#include "propagator/propagator.h"
#include "tracer/conn.h"

#define ROUND_IOV 72
#define ROUND_RESETS 12

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

/* Bytes of the application's that ours take the place of. */
struct patch {
	size_t at; /* application bytes of the round before them */
	const void *bytes;
	size_t len;
};

/* A head whose end lies in this round. */
struct head {
	/*
	 * Application bytes of the round before the place of our header: the
	 * blank line; in HTTP/2 the end of the header block.
	 */
	size_t at;
	struct request *request;
	/*
	 * Where our span's id belongs in the application's traceparent, or in
	 * HTTP/2 request->frame_length; or HEAD_UNPATCHED
	 */
	size_t patch_at;
};

#define HEAD_UNPATCHED SIZE_MAX

/* What head->patch_at says; len 0: nothing. */
static inline struct patch head_patch(const struct head *head)
{
	if (head->patch_at == HEAD_UNPATCHED)
		return (struct patch){ 0 };
	if (head->request->rewrites)
		return (struct patch){ head->patch_at, head->request->header,
				       AT_TRACEPARENT_PARENT_BYTES };
	return (struct patch){ head->patch_at, head->request->frame_length,
			       sizeof(head->request->frame_length) };
}

/* The client does not want the answer any more. */
struct stream_reset {
	uint32_t stream;
	uint32_t code;
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
	union { /* behind the planned bytes */
		struct at_http1 machine;
		struct at_http2 machine2; /* when conn->http2 is there */
	};
	struct request *draft; /* of the head that the round leaves open */
	struct patch resumed;  /* what is owed of the head left open */
	/* HTTP/2, see http2.h */
	uint32_t untraced; /* streams for which there is no room */
	uint32_t reset_count;
	struct stream_reset resets[ROUND_RESETS];
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

/* Not understood from `at` on. */
void round_fails(struct round *round, size_t at, enum at_counter why);

/* What of our header the kernel has yet to take. */
void round_set_carry(struct conn *conn, const struct taken *taken);

/* The round's references; that of `open` becomes the connection's. */
void round_let_go(struct round *round, struct request *open);

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
