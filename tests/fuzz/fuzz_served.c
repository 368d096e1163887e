// SPDX-License-Identifier: Apache-2.0
/*
 * A server's connection: byte 0 says where the stream is cut, byte 1 how it is
 * read; the others come in and go out in turn, up to each NUL byte. What the
 * program reads is what came, but for ids of a traceparent; what it writes is
 * what leaves; nothing is left over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/wire.h"

#define HEADER_BYTES 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct wire wire;

#define require(ok) ((ok) ? (void)0 : die(__LINE__, #ok))

static void die(int line, const char *what)
{
	fprintf(stderr, "line %d: %s\n", line, what);
	abort();
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* The same, but for digits that became others. */
static void require_alike(const char *read, const char *sent, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		require(read[i] == sent[i] ||
			(is_hex(read[i]) && is_hex(sent[i])));
}

/* A copy of its own, so that the sanitizer sees the piece's end. */
static void hear(const char *bytes, size_t len, int flags)
{
	char *copy = malloc(len);

	memcpy(copy, bytes, len);
	wire_read_flags(&wire, copy, (ssize_t)len, flags);
	if (flags & MSG_PEEK)
		require(!memcmp(copy, bytes, len));
	require_alike(copy, bytes, len);
	free(copy);
}

static void say(const char *bytes, size_t len)
{
	wire.out_len = 0;
	require(wire_write(&wire, bytes, len) == (ssize_t)len);
	require(wire.out_len == len && !memcmp(wire.out, bytes, len));
}

static void pass(const char *bytes, size_t len, uint8_t cut, uint8_t how,
		 bool in)
{
	size_t n;

	for (; len; bytes += n, len -= n) {
		n = cut && cut < len ? cut : len;
		if (in && (how & 1))
			hear(bytes, n, MSG_PEEK);
		if (in)
			hear(bytes, n, 0);
		else
			say(bytes, n);
		if (how & 2)
			cut = (uint8_t)(cut * 5 + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char setting[] = "AUTOTRACE_SERVER_SPANS=true";
	char *const settings[] = { setting, NULL };
	const char *at = (const char *)data + HEADER_BYTES;
	bool in = true;

	/* Whoever speaks first is a client. */
	if (size <= HEADER_BYTES || !*at)
		return 0;
	if (!wire.fd) {
		wire_start(settings);
		wire_open(&wire, AF_UNIX);
	}
	size -= HEADER_BYTES;
	while (size) {
		const char *end = memchr(at, 0, size);
		size_t len = end ? (size_t)(end - at) : size;

		pass(at, len, data[0], data[1], in);
		in = !in;
		at += len + (end != NULL);
		size -= len + (end != NULL);
	}
	if (data[1] & 4)
		wire_read(&wire, NULL, data[1] & 8 ? 0 : -104);
	wire_reset(&wire);
	wire_drop_spans();
	return 0;
}
