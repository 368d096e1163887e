// SPDX-License-Identifier: Apache-2.0
#include "exporter/arena.h"

#include "exporter/heap.h"

#define CHUNK_BYTES (256u << 10)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size_bytes;
	_Alignas(16) uint8_t bytes[];
};

/* The chunk after the current one, if what waits there is large enough. */
static struct arena_chunk *next_chunk(struct arena *arena, size_t size)
{
	struct arena_chunk **link = arena->current ? &arena->current->next :
						     &arena->first;
	struct arena_chunk *chunk = *link;
	size_t bytes = size > CHUNK_BYTES ? size : CHUNK_BYTES;

	if (chunk && chunk->size_bytes >= size)
		return chunk;
	chunk = heap_alloc(sizeof(*chunk) + bytes);
	if (!chunk)
		return NULL;
	chunk->size_bytes = bytes;
	chunk->next = *link;
	*link = chunk;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->current;
	void *memory;

	size = (size + 15) & ~(size_t)15;
	if (!chunk || chunk->size_bytes - arena->used_bytes < size) {
		chunk = next_chunk(arena, size);
		if (!chunk)
			return NULL;
		arena->current = chunk;
		arena->used_bytes = 0;
	}
	memory = chunk->bytes + arena->used_bytes;
	arena->used_bytes += size;
	return memory;
}

void arena_reset(struct arena *arena)
{
	arena->current = NULL;
	arena->used_bytes = 0;
}

void arena_free(struct arena *arena)
{
	struct arena_chunk *chunk = arena->first, *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		heap_free(chunk);
	}
	*arena = (struct arena){ 0 };
}
