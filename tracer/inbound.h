// SPDX-License-Identifier: Apache-2.0
/*
 * The context that a served request brings along, and what its program gets to
 * see of it (private to tracer/). For whoever reads the connection.
 */
#ifndef TRACER_INBOUND_H
#define TRACER_INBOUND_H

#include "tracer/conn.h"
#include "tracer/request.h"

void inbound_start(const struct at_config *config);

/* Does this program hand on what it reads, and do nothing with it itself? */
bool inbound_is_edge_proxy(void);

enum inbound {
	INBOUND_NONE,
	INBOUND_TRACEPARENT,
	INBOUND_OTHER, /* another propagator's fields */
};

/*
 * The parent, with its tracestate. Of `head`, which is empty where it did not
 * come in one piece, come all fields but traceparent.
 */
enum inbound inbound_read(const struct conn *conn,
			  const struct request *request, struct at_text head,
			  struct at_context *parent);

/*
 * The value of the one, valid traceparent, when all of it lies in this read:
 * its parent's id becomes that of request->context. `end` is behind the last
 * line of the head.
 */
void inbound_rewrite(const struct conn *conn, struct request *request,
		     char *begin, char *end);

/*
 * Nobody has sent a context: ours goes to `end`, before the `behind` bytes
 * there, when the head came whole and there is room (conn->room) for it in the
 * application's buffer. The number of bytes added, which is 0 unless
 * AUTOTRACE_INBOUND says that it may be done.
 */
size_t inbound_insert(struct conn *conn, struct request *request,
		      struct at_text head, char *end, size_t behind);

#endif
