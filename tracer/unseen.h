// SPDX-License-Identifier: Apache-2.0
/*
 * A transfer of libcurl's that came to something, or to nothing, and of whose
 * request not a byte was seen: HTTP/3, a TLS library that is not hooked, a
 * handshake that failed (private to tracer/).
 */
#ifndef TRACER_UNSEEN_H
#define TRACER_UNSEEN_H

#include "tracer/tracer.h"
#include "tracer/transfer.h"

/*
 * One CLIENT span from what libcurl says; none when it is not of HTTP, or
 * neither failed nor got an answer. `hops`: requests it meant to send so far.
 */
void unseen_report(const struct at_transfer *transfer,
		   const struct transfer_hop *hop, uint32_t hops,
		   const char *error);

#endif
