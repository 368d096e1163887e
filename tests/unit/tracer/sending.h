// SPDX-License-Identifier: Apache-2.0
/* What the tests of the way out and in have in common. */
#ifndef TESTS_SENDING_H
#define TESTS_SENDING_H

#include <criterion/criterion.h>

#include "tests/support/wire.h"

#define HOST "Host: localhost\r\n"
#define GET "GET /x HTTP/1.1\r\n" HOST "\r\n"
#define POST "POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

/* The connection of the test at hand: AF_UNIX, non-blocking. */
extern struct wire wire;

/* Start the tracer with default settings, and open the connection. */
void open_wire(void);
/* A new connection, as if nothing had been. */
void again(void);

/* Where the only (or first) head of these bytes ends. */
size_t head_end(const char *bytes);

/* The kernel has in_len bytes of `in`, and a header where its head ends. */
void expect_sent(const char *in, size_t in_len);
/* Nothing but these. */
void expect_untouched(const char *in, size_t in_len);

/* A kernel with a script: the next answers, and what comes behind them. */
struct script {
	const ssize_t *step;
	size_t count;
	size_t at;
	ssize_t otherwise;
};

void use_script(struct script *script);

#endif
