// SPDX-License-Identifier: Apache-2.0
#include "tracer/pool.h"

#include "core/sys.h"

/*
 * Memory of our own is out of the sanitizer's sight: tell it what is free, so
 * that a pointer kept too long shows.
 */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(ptr, bytes) ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(ptr, bytes) ((void)0)
#endif

static char *chunk_of(struct pool *pool, uint32_t index)
{
	_Atomic(char *) *entry = &pool->chunk[index / pool->per_chunk];
	size_t bytes = (size_t)pool->object_bytes * pool->per_chunk;
	char *chunk = atomic_load(entry);
	char *none = NULL;

	if (chunk)
		return chunk;
	chunk = sys_map(bytes);
	if (!chunk)
		return NULL;
	if (atomic_compare_exchange_strong(entry, &none, chunk))
		return chunk;
	sys_unmap(chunk, bytes);
	return none;
}

void *pool_at(struct pool *pool, uint32_t index)
{
	char *chunk;

	if (index >= POOL_CHUNKS * pool->per_chunk)
		return NULL;
	chunk = atomic_load(&pool->chunk[index / pool->per_chunk]);
	return chunk ? chunk + (size_t)(index % pool->per_chunk) *
				       pool->object_bytes :
		       NULL;
}

static struct pool_link *take_free(struct pool *pool)
{
	uint64_t head = atomic_load(&pool->free_head);

	while ((uint32_t)head) {
		struct pool_link *link = pool_at(pool, (uint32_t)head - 1);
		uint64_t next = ((head >> 32) + 1) << 32 |
				atomic_load(&link->next);

		if (atomic_compare_exchange_weak(&pool->free_head, &head, next))
			return link;
	}
	return NULL;
}

void *pool_take(struct pool *pool)
{
	struct pool_link *link = take_free(pool);
	uint32_t index;

	if (link) {
		ASAN_UNPOISON_MEMORY_REGION(link, pool->object_bytes);
		return link;
	}
	index = atomic_load(&pool->used_count);
	do {
		if (index >= POOL_CHUNKS * pool->per_chunk)
			return NULL;
	} while (!atomic_compare_exchange_weak(&pool->used_count, &index,
					       index + 1));
	if (!chunk_of(pool, index))
		return NULL; /* the number is lost, which costs nothing */
	link = pool_at(pool, index);
	link->index = index;
	return link;
}

void pool_give(struct pool *pool, void *object)
{
	struct pool_link *link = object;
	uint64_t head = atomic_load(&pool->free_head);
	uint64_t next;

	ASAN_POISON_MEMORY_REGION((char *)object + pool->kept_bytes,
				  pool->object_bytes - pool->kept_bytes);
	do {
		atomic_store(&link->next, (uint32_t)head);
		next = ((head >> 32) + 1) << 32 | (link->index + 1);
	} while (!atomic_compare_exchange_weak(&pool->free_head, &head, next));
}

uint32_t pool_used(struct pool *pool)
{
	return atomic_load(&pool->used_count);
}

#ifdef AT_UNIT_TEST
uint32_t pool_in_use(struct pool *pool)
{
	uint32_t count = pool_used(pool);
	uint32_t next = (uint32_t)atomic_load(&pool->free_head);

	for (; next; count--) {
		struct pool_link *link = pool_at(pool, next - 1);

		next = atomic_load(&link->next);
	}
	return count;
}
#endif
