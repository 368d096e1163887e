// SPDX-License-Identifier: Apache-2.0
/* Socket addresses as text, and which of them are ours (private to tracer/). */
#ifndef TRACER_ADDRESS_H
#define TRACER_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "core/text.h"

/* "ffff:...:ffff" or a UNIX socket's path (108 bytes). */
#define ADDRESS_BYTES 112

struct address {
	char text[ADDRESS_BYTES];
	uint8_t len;   /* 0: unknown */
	uint16_t port; /* 0: none (UNIX socket) */
	bool internal; /* loopback, private, link-local, unique-local, UNIX */
};

/* From the kernel's form; IPv4-mapped IPv6 is shown as IPv4 (RFC 5952 text). */
void address_from(struct address *address, const struct sockaddr *from,
		  socklen_t len);

/*
 * An IP literal as written in an authority (without brackets): is it one, and
 * does it lie in an internal range?
 */
bool address_literal(struct at_text host, bool *internal);

/*
 * Split host[:port] or [v6][:port]. *port is 0 when absent. False when the
 * text is not an authority.
 */
bool address_split(struct at_text authority, struct at_text *host,
		   uint16_t *port);

#endif
