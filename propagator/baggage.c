// SPDX-License-Identifier: Apache-2.0
/*
 * W3C Baggage. Baggage comes in with a request that is being served, and
 * requests are only seen from the client's side so far: there never is any to
 * send, and by the standard no baggage means no header. The name is known, so
 * that the default list ("tracecontext,baggage") is understood in full.
 */
#include <stddef.h>

#include "propagator/formats.h"

static void inject(const struct at_context *context, struct at_writer *writer)
{
	(void)context;
	(void)writer;
}

const struct at_propagator at_propagator_baggage = { "baggage", inject, NULL,
						     "baggage\0" };
