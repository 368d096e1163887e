// SPDX-License-Identifier: Apache-2.0
/*
 * What a machine says about some bytes, as one line of text: every event with
 * its offset, what a head was understood to be, and how it stands at the end.
 */
#ifndef TESTS_TRANSCRIPT_H
#define TESTS_TRANSCRIPT_H

#include "protocol/protocol.h"

/*
 * A conversation in one direction:
 *
 *	HEAD@41 GET /x 1.1 h END@43 idle
 *
 * A request's head shows method, target, version, host, then the context if
 * there is one; a response's its version and status; both their flags:
 * L=n length, C chunked, E expects 100, U upgrade, S tracestate, F lines end
 * in LF, T coding other than chunked, X line cut, Y host cut, nH, nT hosts or
 * traceparents when not one. After the events: idle, head, open or opaque.
 */
struct conversation {
	const char *what;
	bool response;
	bool no_body; /* the answers are to HEAD requests */
	const char *bytes;
	size_t len; /* 0: bytes is a string */
	const char *expected;
};

/*
 * The transcript must be the expected one for the bytes whole, split at every
 * byte, at every two bytes when short, and fed one by one; each part ends
 * right before a guard page.
 */
void expect_transcript(const struct conversation *conversation);

#define EXPECT_TRANSCRIPTS(table)                                           \
	do {                                                                \
		size_t i_;                                                  \
                                                                            \
		for (i_ = 0; i_ < sizeof(table) / sizeof((table)[0]); i_++) \
			expect_transcript(&(table)[i_]);                    \
	} while (0)

#endif
