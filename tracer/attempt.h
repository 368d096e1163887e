// SPDX-License-Identifier: Apache-2.0
/*
 * Which failed connects belong together (private to tracer/).
 *
 * A client that is given several addresses for a name tries one after the
 * other, or some side by side; only when none of them answered has its attempt
 * failed. Three small tables: names lately resolved, connects without an
 * answer yet, and attempts of which some addresses have failed.
 *
 * An address that no known resolution gave is an attempt of its own, but for
 * 127.0.0.1 and ::1, which may be somebody's idea of localhost. What stays
 * incomplete (the client tried only one of its addresses) counts as failed
 * when ATTEMPT_HOLD_NS have passed.
 *
 * No clock, no lock, no system call: the caller serialises.
 */
#ifndef TRACER_ATTEMPT_H
#define TRACER_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"
#include "tracer/address.h"

#define ATTEMPT_HOLD_NS 10000000000u
/* Further addresses of a name are not remembered: attempts of their own. */
#define ATTEMPT_ADDRESSES 8
#define ATTEMPT_HOST_BYTES 255
#define ATTEMPT_PENDING 64

/* One end of TCP; IPv4 is kept as IPv4-mapped IPv6, as some clients use it. */
struct endpoint {
	uint8_t ip[16];
	uint16_t port;
};

/* What a span says of connections that never came about. */
struct failure {
	const char *type; /* error.type; static */
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t first_end_ns; /* of the first, where it stands for several */
	uint32_t count;        /* attempts that it stands for */
	bool repeated;         /* it follows on a span of the same */
	bool has_peer;         /* false: the name could not be resolved */
	uint8_t host_len;
	uint16_t port;        /* 0: unknown */
	struct endpoint peer; /* the last one tried */
	char host[ATTEMPT_HOST_BYTES];
};

/* One address that was tried. */
struct tried {
	struct endpoint to;
	const char *type; /* NULL: given up before there was an answer */
	bool no_way;      /* nothing was sent; another address may say more */
	uint64_t start_ns;
	uint64_t end_ns;
	const void *thread; /* identity, never followed */
};

/* A connect without an answer. */
struct pending {
	int fd;
	struct endpoint to;
	uint64_t start_ns;
};

/* As text; v4-mapped shows as IPv4. */
void endpoint_text(const struct endpoint *endpoint, struct address *address);

/* A name has been resolved to `count` addresses (ports are ignored). */
void attempt_resolved(struct at_text host, const struct endpoint *list,
		      unsigned int count, const void *thread);

/* When there is no room, the oldest of its neighbours is forgotten. */
void attempt_pending(const struct pending *pending);
/* Take out one whose fd lies in first..last; false when there is none. */
bool attempt_take_pending(unsigned int first, unsigned int last,
			  struct pending *pending);

/* The connection came about: what was held of its attempt is forgotten. */
void attempt_succeeded(const struct endpoint *to);

/*
 * An address did not work out. True: the whole attempt has failed, and *out
 * says how.
 */
bool attempt_failed(const struct tried *tried, struct failure *out);

/*
 * A name could not be resolved in `family`, AF_UNSPEC, AF_INET or AF_INET6; a
 * client may ask for one family after the other. `failure` is what to report
 * if that was all. As attempt_failed().
 */
bool attempt_name_failed(const struct failure *failure, int family,
			 struct failure *out);

/* Take out an incomplete attempt whose time is over; UINT64_MAX: any. */
bool attempt_due(uint64_t now_ns, struct failure *out);

/* To be read only: connects that wait (a bit each), attempts half failed. */
extern uint64_t attempt_pending_bits;
extern unsigned int attempt_held_count;

void attempt_forget_all(void);

#endif
