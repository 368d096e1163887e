// SPDX-License-Identifier: Apache-2.0
/*
 * Baggage that came in with a served request and goes out with its calls
 * (private to tracer/). A pool of bounded size, touched only by requests that
 * have some. Thread- and async-signal-safe.
 */
#ifndef TRACER_BAGGAGE_H
#define TRACER_BAGGAGE_H

#include "core/text.h"
#include "propagator/propagator.h"
#include "tracer/request.h"

/* The line of the longest that is carried, or all lines of a call with it. */
#define BAGGAGE_ROOM (REQUEST_HEADER_BYTES + AT_BAGGAGE_BYTES + 32)

struct baggage {
	struct pool_link link;
	_Atomic uint32_t refs;
	uint16_t len;
	char text[BAGGAGE_ROOM];
};

/* Is it among these propagators? */
void baggage_start(const struct at_propagator_set *propagators);

/* Of the head of a served request, which is empty where it came in pieces. */
struct baggage *baggage_read(struct at_text head);

/* One more reference, one less; of NULL nothing. */
struct baggage *baggage_hold(struct baggage *baggage);
void baggage_release(struct baggage *baggage);

/*
 * request->header is written; what its parent brought goes behind it, if it
 * may be `max` bytes long then. Where that is more than it has room for, all of
 * it moves to request->baggage, which is NULL otherwise.
 */
void baggage_append(struct request *request, bool as_fields, size_t max);

#ifdef AT_UNIT_TEST
/* Those that somebody holds. */
uint32_t baggage_in_use(void);
#endif

#endif
