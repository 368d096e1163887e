// SPDX-License-Identifier: Apache-2.0
/*
 * Up to eight requests are sent, then bytes come in: byte 0 says how many
 * requests, byte 1 of which kinds, byte 2 how it ends, byte 3 how it is read,
 * the others are what the server says. Every request ends once, nothing is
 * left over, and reading the same bytes in other pieces gives the same spans.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/wire.h"

#define REQUESTS 8
#define HEADER_BYTES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one span said. */
struct outcome {
	int64_t status;
	int64_t incomplete;
	char url[32];
	char error[32];
};

static struct wire wire;

#define require(ok) ((ok) ? (void)0 : die(__LINE__, #ok))

static void die(int line, const char *what)
{
	fprintf(stderr, "line %d: %s\n", line, what);
	abort();
}

static void ask(unsigned int number, unsigned int kind)
{
	static const char *const forms[] = {
		"GET /%u HTTP/1.1\r\nHost: h\r\n\r\n",
		"HEAD /%u HTTP/1.1\r\nHost: h\r\n\r\n",
		("PUT /%u HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
		 "Content-Length: 0\r\n\r\n"),
		"GET /%u HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\n\r\n",
		"CONNECT h:%u HTTP/1.1\r\nHost: h\r\n\r\n",
	};
	char request[200];
	int len = sprintf(request, forms[kind % 5], number);

	require(wire_write(&wire, request, (size_t)len) == len);
}

/* What follows an Upgrade or CONNECT unanswered may be no HTTP any more. */
static unsigned int followed(unsigned int count, unsigned int kinds)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if ((kinds & (1 << i) ? kinds + i : 0) % 5 >= 3)
			return i + 1;
	return count;
}

/* --- reading --- */

struct reading {
	uint32_t seed; /* 0: all at once */
	bool noise;    /* reads that change nothing in between */
};

static uint32_t next(struct reading *reading)
{
	reading->seed = reading->seed * 1103515245 + 12345;
	return reading->seed >> 16;
}

static void noise(struct reading *reading, const char *bytes, size_t len)
{
	switch (next(reading) % 6) {
	case 0:
		wire_read(&wire, NULL, -EAGAIN);
		break;
	case 1:
		wire_read(&wire, NULL, -EINTR);
		break;
	case 2:
		wire_read_flags(&wire, bytes, (ssize_t)len, MSG_PEEK);
		break;
	}
}

/* A copy of its own, so that the sanitizer sees the piece's end. */
static void read_piece(const char *bytes, size_t len)
{
	char *copy = malloc(len);

	memcpy(copy, bytes, len);
	wire_read(&wire, copy, (ssize_t)len);
	free(copy);
}

static void read_scattered(const char *bytes, size_t len)
{
	char *copy = malloc(len);
	struct iovec iov[3] = {
		{ copy, len / 3 },
		{ NULL, 0 },
		{ copy + len / 3, len },
	};
	struct at_receive receive;

	memcpy(copy, bytes, len);
	if (at_receive_begin(&receive, wire.fd))
		at_receive_end(&receive, iov, 3, (ssize_t)len, 0, 0);
	free(copy);
}

static void read_all(struct reading *reading, const char *bytes, size_t len)
{
	while (len) {
		size_t n = reading->seed ? 1 + next(reading) % 50 : len;

		if (n > len)
			n = len;
		if (reading->noise)
			noise(reading, bytes, len);
		if (reading->seed % 5 == 1)
			read_scattered(bytes, n);
		else
			read_piece(bytes, n);
		bytes += n;
		len -= n;
	}
}

/* While a read is under way, its number is closed, or another one begins. */
static void read_disturbed(bool closed)
{
	struct iovec iov = { (void *)(uintptr_t) "HTTP/1.1 200 x\r\n\r\n", 18 };
	struct at_receive one, two;
	bool first = at_receive_begin(&one, wire.fd);

	if (closed)
		at_fd_closing(wire.fd);
	else if (at_receive_begin(&two, wire.fd))
		at_receive_end(&two, &iov, 1, 18, 0, 0);
	if (first)
		at_receive_end(&one, &iov, 1, 18, 0, 0);
}

static void finish(uint8_t how)
{
	static const int errors[] = { ECONNRESET, ETIMEDOUT, EBADF, EIO };

	switch (how % 12) {
	case 0: /* closed by us */
		break;
	case 1:
	case 2:
		wire_read(&wire, NULL, 0);
		break;
	case 3: /* the rest is not seen */
		at_moved_in(wire.fd, how);
		break;
	case 8:
		wire_read_flags(&wire, "", how, MSG_TRUNC);
		break;
	case 9:
		wire_read_flags(&wire, NULL, 0, MSG_PEEK);
		break;
	case 10:
	case 11:
		read_disturbed(how % 12 == 10);
		break;
	default:
		wire_read(&wire, NULL, -errors[how % 4]);
	}
}

/* --- outcomes --- */

static unsigned int take_outcomes(struct outcome *outcome)
{
	struct at_span span;
	unsigned int count = 0;

	while (wire_next_span(&span)) {
		struct outcome *o = &outcome[count++];

		require(count <= REQUESTS + 1);
		memset(o, 0, sizeof(*o));
		o->status =
			wire_number(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE);
		o->incomplete =
			wire_number(&span, AT_ATTR_AUTOTRACE_INCOMPLETE);
		snprintf(o->url, sizeof(o->url), "%s",
			 wire_text(&span, AT_ATTR_URL_FULL));
		snprintf(o->error, sizeof(o->error), "%s",
			 wire_text(&span, AT_ATTR_ERROR_TYPE));
		require(o->status == -1 ||
			(o->status >= 100 && o->status <= 999));
		require(span.status ==
			(o->error[0] ? AT_STATUS_ERROR : AT_STATUS_UNSET));
		if (o->status >= 400)
			require(atoi(o->error) == o->status);
	}
	return count;
}

static unsigned int converse(const uint8_t *data, size_t size,
			     struct reading reading, struct outcome *outcome)
{
	unsigned int count = data[0] % (REQUESTS + 1), i, kinds = data[1];

	for (i = 0; i < count; i++)
		ask(i, kinds & (1 << i) ? kinds + i : 0);
	read_all(&reading, (const char *)data + HEADER_BYTES,
		 size - HEADER_BYTES);
	finish(data[2]);
	/* What comes later changes nothing that has ended. */
	wire_read(&wire, "HTTP/1.1 500 x\r\n\r\n", 18);
	ask(99, 0);
	wire_reset(&wire);
	return take_outcomes(outcome);
}

static bool is_one_of_ours(const struct outcome *o)
{
	return !strstr(o->url, "/99");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct outcome whole[REQUESTS + 1], pieces[REQUESTS + 1];
	static char setting[] = "AUTOTRACE_SERVER_SPANS=false";
	char *const settings[] = { setting, NULL };
	struct reading at_once = { 0, false };
	struct reading in_pieces;
	unsigned int count, other, i, asked;

	if (size < HEADER_BYTES)
		return 0;
	if (!wire.fd) {
		/* What is read is answers: fuzz_served.c has the others. */
		wire_start(settings);
		wire_open(&wire, AF_UNIX);
	}
	in_pieces.seed = 2u * data[3] + 1;
	in_pieces.noise = data[3] & 1;
	asked = followed(data[0] % (REQUESTS + 1), data[1]);
	count = converse(data, size, at_once, whole);
	other = converse(data, size, in_pieces, pieces);
	require(count == other);
	for (i = 0; i < count; i++)
		require(!memcmp(&whole[i], &pieces[i], sizeof(whole[i])));
	for (i = 0; i < count; i++)
		asked -= is_one_of_ours(&whole[i]);
	require(asked == 0);
	return 0;
}
