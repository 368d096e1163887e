// SPDX-License-Identifier: Apache-2.0
/*
 * May this host get our context? (private to tracer/)
 *
 * Default `internal`: loopback, private, link-local and unique-local
 * addresses, single-label names, well-known internal suffixes and the search
 * domains of resolv.conf, judged by the request's authority; the peer's
 * address counts only for a direct connection, never a proxy's.
 */
#ifndef TRACER_PROPAGATE_H
#define TRACER_PROPAGATE_H

#include <stdbool.h>

#include "tracer/address.h"

/* Keeps `list` (AUTOTRACE_PROPAGATE_TO). */
void propagate_start(const char *list);

/* `peer` is NULL when the connection goes through a proxy or is unknown. */
bool propagate_to(struct at_text host, const struct address *peer);

#endif
