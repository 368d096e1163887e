// SPDX-License-Identifier: Apache-2.0
/*
 * The library's own memcpy and the like, hidden: ThreadSanitizer replaces
 * those of a program, and would see two threads of it write the same memory
 * of ours, while the atomic operations between them are out of its sight. It
 * must not hear of our memory at all.
 */
#include <stddef.h>
#include <stdint.h>

#define OWN __attribute__((visibility("hidden"), used))
/* The compiler must not make calls of what these functions are. */
#define KEEP_LOOP __asm__ volatile("" ::: "memory")

typedef uint64_t block __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint64_t word8 __attribute__((aligned(1), may_alias));
typedef uint32_t word4 __attribute__((aligned(1), may_alias));

OWN void *memcpy(void *restrict to, const void *restrict from, size_t len);
OWN void *memmove(void *to, const void *from, size_t len);
OWN void *memset(void *to, int value, size_t len);

/* Less than a block: both ends, which may overlap. */
static inline void copy_small(char *to, const char *from, size_t len)
{
	if (len >= 8) {
		uint64_t first = *(const word8 *)from;
		uint64_t last = *(const word8 *)(from + len - 8);

		*(word8 *)to = first;
		*(word8 *)(to + len - 8) = last;
	} else if (len >= 4) {
		uint32_t first = *(const word4 *)from;
		uint32_t last = *(const word4 *)(from + len - 4);

		*(word4 *)to = first;
		*(word4 *)(to + len - 4) = last;
	} else if (len) {
		char first = from[0], middle = from[len / 2];
		char last = from[len - 1];

		to[0] = first;
		to[len / 2] = middle;
		to[len - 1] = last;
	}
}

/* Upwards: right for what overlaps, too, when `to` lies below. */
static inline void copy_up(char *to, const char *from, size_t len)
{
	block last = *(const block *)(from + len - 16);
	char *end = to + len - 16;

	for (; to < end; to += 16, from += 16) {
		*(block *)to = *(const block *)from;
		KEEP_LOOP;
	}
	*(block *)end = last;
}

static inline void copy_down(char *to, const char *from, size_t len)
{
	block first = *(const block *)from;

	for (; len > 16; len -= 16) {
		*(block *)(to + len - 16) = *(const block *)(from + len - 16);
		KEEP_LOOP;
	}
	*(block *)to = first;
}

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
	if (len < 16)
		copy_small(to, from, len);
	else
		copy_up(to, from, len);
	return to;
}

void *memmove(void *to, const void *from, size_t len)
{
	if (len < 16)
		copy_small(to, from, len);
	else if ((uintptr_t)to - (uintptr_t)from >= len)
		copy_up(to, from, len);
	else
		copy_down(to, from, len);
	return to;
}

void *memset(void *to, int value, size_t len)
{
	uint64_t word = (uint8_t)value * UINT64_C(0x0101010101010101);
	block all = { word, word };
	char *at = to, *end = at + len;

	if (len < 16) {
		while (at < end) {
			*at++ = (char)value;
			KEEP_LOOP;
		}
		return to;
	}
	for (; at + 16 < end; at += 16) {
		*(block *)at = all;
		KEEP_LOOP;
	}
	*(block *)(end - 16) = all;
	return to;
}
