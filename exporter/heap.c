// SPDX-License-Identifier: Apache-2.0
#include "exporter/heap.h"

#include <stdbool.h>
#include <string.h>

#include "core/sys.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#define ASAN_UNPOISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#endif

#define GRAIN_BYTES 16u
#define FINE_MAX_BYTES 1024u /* steps of a grain up to here, then doubling */
#define FINE_CLASSES (FINE_MAX_BYTES / GRAIN_BYTES)
#define CLASSED_MAX_BYTES (64u << 10)
#define CLASSES (FINE_CLASSES + 6)
#define CLASS_BIG UINT32_MAX /* a mapping of its own */
#define REGION_BYTES (256u << 10)
#define PAGE_BYTES 4096u
#define BIG_MAX_BYTES ((size_t)1 << 40)

struct block {
	uint32_t kind;
	uint32_t unused;
	union {
		size_t size_bytes;  /* in use: what was asked for */
		struct block *next; /* free */
	};
};

_Static_assert(sizeof(struct block) == GRAIN_BYTES, "payload is aligned");

static struct block *free_blocks[CLASSES];
static uint8_t *region;
static size_t region_left_bytes;

#ifdef AT_UNIT_TEST
uint64_t heap_fail_at;

static bool must_fail(void)
{
	return heap_fail_at && --heap_fail_at == 0;
}
#else
static bool must_fail(void)
{
	return false;
}
#endif

static uint32_t class_of(size_t size)
{
	uint32_t kind = FINE_CLASSES;
	size_t limit = 2 * FINE_MAX_BYTES;

	if (size <= FINE_MAX_BYTES)
		return size ? (uint32_t)((size - 1) / GRAIN_BYTES) : 0;
	for (; limit < size; limit *= 2)
		kind++;
	return kind;
}

static size_t class_bytes(uint32_t kind)
{
	if (kind < FINE_CLASSES)
		return (kind + 1) * GRAIN_BYTES;
	return (size_t)(2 * FINE_MAX_BYTES) << (kind - FINE_CLASSES);
}

static size_t mapping_bytes(size_t size)
{
	return (size + sizeof(struct block) + PAGE_BYTES - 1) &
	       ~(size_t)(PAGE_BYTES - 1);
}

static struct block *new_block(uint32_t kind)
{
	size_t bytes = sizeof(struct block) + class_bytes(kind);
	struct block *block;

	if (region_left_bytes < bytes) {
		region = sys_map(REGION_BYTES);
		region_left_bytes = region ? REGION_BYTES : 0;
		if (!region)
			return NULL;
	}
	block = (struct block *)(void *)region;
	region += bytes;
	region_left_bytes -= bytes;
	block->kind = kind;
	return block;
}

static struct block *take_block(size_t size)
{
	uint32_t kind = class_of(size);
	struct block *block = free_blocks[kind];

	if (block)
		free_blocks[kind] = block->next;
	else
		block = new_block(kind);
	return block;
}

static struct block *map_block(size_t size)
{
	struct block *block =
		size > BIG_MAX_BYTES ? NULL : sys_map(mapping_bytes(size));

	if (block)
		block->kind = CLASS_BIG;
	return block;
}

void *heap_alloc(size_t size)
{
	struct block *block;

	if (must_fail())
		return NULL;
	block = size > CLASSED_MAX_BYTES ? map_block(size) : take_block(size);
	if (!block)
		return NULL;
	block->size_bytes = size;
	if (block->kind != CLASS_BIG)
		ASAN_POISON_MEMORY_REGION(block + 1, class_bytes(block->kind));
	ASAN_UNPOISON_MEMORY_REGION(block + 1, size);
	return block + 1;
}

void *heap_zalloc(size_t count, size_t size)
{
	size_t bytes;
	void *memory;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	memory = heap_alloc(bytes);
	if (memory)
		memset(memory, 0, bytes);
	return memory;
}

void heap_free(void *memory)
{
	struct block *block;

	if (!memory)
		return;
	block = (struct block *)memory - 1;
	if (block->kind == CLASS_BIG) {
		sys_unmap(block, mapping_bytes(block->size_bytes));
		return;
	}
	ASAN_POISON_MEMORY_REGION(memory, class_bytes(block->kind));
	block->next = free_blocks[block->kind];
	free_blocks[block->kind] = block;
}

void *heap_resize(void *memory, size_t size)
{
	struct block *block;
	void *moved;

	if (!memory)
		return heap_alloc(size);
	block = (struct block *)memory - 1;
	if (block->kind != CLASS_BIG && size <= class_bytes(block->kind) &&
	    size >= class_bytes(block->kind) / 4) {
		block->size_bytes = size;
		ASAN_POISON_MEMORY_REGION(memory, class_bytes(block->kind));
		ASAN_UNPOISON_MEMORY_REGION(memory, size);
		return memory;
	}
	moved = heap_alloc(size);
	if (!moved)
		return NULL;
	memcpy(moved, memory,
	       size < block->size_bytes ? size : block->size_bytes);
	heap_free(memory);
	return moved;
}

char *heap_copy(const char *string)
{
	size_t len = strlen(string) + 1;
	char *copy = heap_alloc(len);

	return copy ? memcpy(copy, string, len) : NULL;
}
