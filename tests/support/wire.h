// SPDX-License-Identifier: Apache-2.0
/*
 * An application's connection as the hooks see it, and a kernel that takes
 * and gives exactly what the test says.
 *
 * The descriptor is a real socket (the tracer looks at it), but no byte goes
 * through it: what the kernel takes is kept here. Failures abort, so that it
 * serves unit tests and fuzz tests alike.
 */
#ifndef AT_TESTS_WIRE_H
#define AT_TESTS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "core/span.h"
#include "tracer/tracer.h"

/* "traceparent: 00-...-..-01\r\n" */
#define WIRE_HEADER_BYTES 70

struct wire {
	int fd;
	int peer;
	/* taken by the kernel so far */
	char *out;
	size_t out_len;
	size_t out_cap;
	/*
	 * How the kernel answers a write that offers `len` bytes: how many it
	 * takes, or a negative errno. NULL takes all.
	 */
	ssize_t (*answer)(struct wire *wire, size_t len);
	void *answer_data;
	/* how the writes came */
	unsigned int original_count;
	unsigned int edited_count;
	int flags;        /* of the last one */
	size_t iov_count; /* of the last one */
	bool had_control; /* any of them */
	bool had_name;    /* the last one */
};

/*
 * Start the tracer, once a process, with settings as "NAME=value" (NULL ends
 * the list). Spans go to the process's own ring.
 */
void wire_start(char *const *settings);

/* A connected pair: AF_UNIX, or AF_INET on loopback. */
void wire_open(struct wire *wire, int domain);
/* Close it as a program does; nothing may be left in use by then. */
void wire_close(struct wire *wire);

/* The same descriptors as a new connection, and nothing was taken yet. */
void wire_reset(struct wire *wire);

void wire_nonblocking(struct wire *wire, bool on);

/* As the calls of these names, with the tracer's errno. */
ssize_t wire_write(struct wire *wire, const void *bytes, size_t len);
ssize_t wire_writev(struct wire *wire, const struct iovec *iov, size_t count);
ssize_t wire_send(struct wire *wire, const void *bytes, size_t len, int flags);
ssize_t wire_sendmsg(struct wire *wire, const struct msghdr *message,
		     int flags);

/*
 * Bytes that reach the kernel by another way (sendfile), and the reports.
 * False, with errno: what was owed before them did not go.
 */
bool wire_move(struct wire *wire, const void *bytes, size_t len);

/* Write all of it as careful programs do; true when nothing failed. */
bool wire_write_all(struct wire *wire, const void *bytes, size_t len);

/* The application reads: `len` bytes came, or 0 at the end, or -errno. */
void wire_read(struct wire *wire, const void *bytes, ssize_t len);
void wire_read_string(struct wire *wire, const char *string);
void wire_read_flags(struct wire *wire, const void *bytes, ssize_t len,
		     int flags);

/* How many bytes at this place of `out` are the beginning of a header. */
size_t wire_header_at(const struct wire *wire, size_t at);

/*
 * Is `out` what the application sent (`in`), with one header before each of
 * the offsets `at` of `in`, and nothing else? The last header may be begun
 * only, if nothing follows it. Offsets behind in_len are not reached yet.
 */
bool wire_is_sent(const struct wire *wire, const char *in, size_t in_len,
		  const size_t *at, size_t at_count);

/* The span id in header number `index` of what was sent, as text. */
void wire_span_id(const struct wire *wire, unsigned int index, char hex[17]);

/* The process goes on as its child. */
void wire_fork(void);

/* The next ended span, checked; false when there is none. */
bool wire_next_span(struct at_span *span);
unsigned int wire_drop_spans(void);

/* A span's text attribute or field; "" when it is not there. */
const char *wire_text(const struct at_span *span, enum at_attr attr);
/* A number attribute; -1 when it is not there. */
int64_t wire_number(const struct at_span *span, enum at_attr attr);

#endif
