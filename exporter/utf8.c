// SPDX-License-Identifier: Apache-2.0
#include "exporter/utf8.h"

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)
#define REPLACEMENT "\xef\xbf\xbd"

/* Length of the run of ASCII at the start. */
static size_t ascii_run(const uint8_t *at, size_t len)
{
	size_t run = 0;
	uint64_t word;

	for (; len - run >= sizeof(word); run += sizeof(word)) {
		memcpy(&word, at + run, sizeof(word));
		if (word & HIGH_BITS)
			break;
	}
	while (run < len && at[run] < 0x80)
		run++;
	return run;
}

/* Bytes that must follow a lead byte; 0 when it is none. */
static int tail_bytes(uint8_t lead)
{
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef)
		return 2;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 3;
	return 0;
}

/* The second byte decides on overlong forms, surrogates and the upper end. */
static bool second_fits(uint8_t lead, uint8_t second)
{
	switch (lead) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return second >= 0x80 && second <= 0xbf;
	}
}

/*
 * The sequence at the start of a text: its length when valid, else the
 * negative length of what one replacement character stands for.
 */
static int sequence(const uint8_t *at, size_t len)
{
	int tail = tail_bytes(at[0]), i;

	if (at[0] < 0x80)
		return 1;
	if (tail == 0 || len < 2 || !second_fits(at[0], at[1]))
		return -1;
	for (i = 2; i <= tail; i++)
		if ((size_t)i >= len || (at[i] & 0xc0) != 0x80)
			return -i;
	return tail + 1;
}

static size_t valid_bytes(struct at_text text)
{
	const uint8_t *at = (const uint8_t *)text.ptr;
	size_t done = ascii_run(at, text.len);

	while (done < text.len) {
		int step = sequence(at + done, text.len - done);

		if (step < 0)
			break;
		done += (size_t)step;
	}
	return done;
}

struct at_text utf8_repair(struct at_text text, struct arena *arena)
{
	const uint8_t *at = (const uint8_t *)text.ptr;
	size_t done = valid_bytes(text);
	struct at_writer writer;

	if (done == text.len)
		return text;
	writer.cap = done + 3 * (text.len - done);
	writer.ptr = arena_alloc(arena, writer.cap);
	if (!writer.ptr)
		return (struct at_text){ "", 0 };
	writer.len = 0;
	writer.overflow = false;
	at_write_bytes(&writer, at, done);
	while (done < text.len) {
		int step = sequence(at + done, text.len - done);

		if (step < 0) {
			at_write_text(&writer, AT_TEXT(REPLACEMENT));
			step = -step;
		} else {
			at_write_bytes(&writer, at + done, (size_t)step);
		}
		done += (size_t)step;
	}
	return at_writer_text(&writer);
}

struct at_text utf8_cut(struct at_text text, uint64_t max)
{
	size_t at = 0;

	if (text.len <= max)
		return text;
	for (; at < text.len; at++) {
		if (((uint8_t)text.ptr[at] & 0xc0) == 0x80)
			continue;
		if (max-- == 0)
			break;
	}
	text.len = at;
	return text;
}

void utf8_write_harmless(struct at_writer *writer, struct at_text text)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		uint8_t c = (uint8_t)text.ptr[i];
		/* U+0080 to U+009F, in two bytes */
		bool c1 = c == 0xc2 && i + 1 < text.len &&
			  (uint8_t)text.ptr[i + 1] < 0xa0;

		at_write_char(writer,
			      c < ' ' || c == 0x7f || c1 ? '?' : (char)c);
		i += c1;
	}
}
