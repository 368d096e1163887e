// SPDX-License-Identifier: Apache-2.0
/* What the span of a request says that is served (private to tracer/). */
#ifndef TRACER_SERVED_SPAN_H
#define TRACER_SERVED_SPAN_H

#include "tracer/conn.h"
#include "tracer/request.h"

/*
 * From what the connection has just read of the request; `head` are its lines,
 * or empty where they did not come in one piece.
 */
void served_fill_span(const struct conn *conn, struct request *request,
		      struct at_text head);

#endif
