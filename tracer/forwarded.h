// SPDX-License-Identifier: Apache-2.0
/*
 * What proxies say about the client whose request they hand on (private to
 * tracer/): Forwarded (RFC 7239), else X-Forwarded-For, -Host and -Proto; of
 * several hops the first. Pure; views of the head.
 */
#ifndef TRACER_FORWARDED_H
#define TRACER_FORWARDED_H

#include "core/text.h"

/* Each is empty when nobody says it. */
struct forwarded {
	struct at_text client; /* an address, without brackets and port */
	struct at_text host;   /* host[:port] */
	struct at_text proto;
};

void forwarded_read(struct forwarded *forwarded, struct at_text head);

#endif
