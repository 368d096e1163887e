// SPDX-License-Identifier: Apache-2.0
/*
 * Connects that really fail, on loopback, told to the tracer as hooks do, and
 * what comes out of the ring. Time is the test's own. Any failure of these
 * functions is a failed assertion.
 */
#ifndef AT_TESTS_UNIT_TRACER_FAILING_H
#define AT_TESTS_UNIT_TRACER_FAILING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/span.h"

/* Not 127.0.0.1, which may be followed by ::1. */
#define HERE "127.0.0.9"
#define MS 1000000ull
#define S (1000 * MS)

/* What the tracer takes for the time; each connect lasts 5 ms. */
extern _Atomic uint64_t now_ns;

/* Start the tracer with up to two settings, "NAME=value". */
void start_with(char *first, char *second);
void start(void);

/* --- spans --- */

/* The one next_span() found. */
extern struct at_span span;

bool next_span(void);
/* NULL: absent */
void expect_text(enum at_attr attr, const char *expected);
/* -1: absent */
void expect_int(enum at_attr attr, int64_t expected);
/* The next span is this one; peer NULL: none, port -1 and repeated -1: none. */
void expect_span(const char *host, int port, const char *peer, const char *type,
		 int64_t repeated);
void expect_none(void);

/* --- sockets --- */

struct end {
	struct sockaddr_storage name;
	socklen_t len;
	int port;
};

/* A free port of an address; `fd` gets the bound socket. */
struct end bound(const char *address, int *fd);
/* Free ports of HERE. */
struct end refusing(void);
struct end listening(void);
/* 127.0.0.<last> with end's port. */
struct end on(unsigned int last, const struct end *end);

int new_socket(int flags);
/* 0 or the errno of connect. */
int connect_as_hook(int fd, const struct end *end);
void close_as_hook(int fd);
/* A blocking socket, connected or not, and closed. */
void try_once(const struct end *end);

/* `host` has these addresses. */
void resolves(const char *host, const struct end *ends, size_t count);

#endif
