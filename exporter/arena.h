// SPDX-License-Identifier: Apache-2.0
/*
 * Memory that is given back all at once; what a batch is encoded into.
 */
#ifndef AT_EXPORTER_ARENA_H
#define AT_EXPORTER_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *first;
	struct arena_chunk *current;
	size_t used_bytes; /* of the current chunk */
};

/* Zero-filled struct arena is empty and ready. Memory is not zeroed. */
void *arena_alloc(struct arena *arena, size_t size);

/* Forget all contents, keep the memory for next time. */
void arena_reset(struct arena *arena);

/* Give the memory back. */
void arena_free(struct arena *arena);

#endif
