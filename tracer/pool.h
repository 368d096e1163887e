// SPDX-License-Identifier: Apache-2.0
/*
 * A fixed pool of equal objects (private to tracer/): lock-free, mapped in
 * chunks when first needed, never unmapped, so that a stale pointer always
 * points at memory. Thread-safe and async-signal-safe.
 */
#ifndef TRACER_POOL_H
#define TRACER_POOL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_CHUNKS 256

struct pool {
	uint32_t object_bytes;
	uint32_t per_chunk;
	uint32_t kept_bytes; /* of a free object that may still be read */
	_Atomic uint64_t free_head; /* tag:32 index+1:32 */
	_Atomic uint32_t used_count;
	_Atomic(char *) chunk[POOL_CHUNKS];
};

/* Every object begins with this; it belongs to the pool while it is free. */
struct pool_link {
	_Atomic uint32_t next; /* index+1 */
	uint32_t index;
};

#define POOL(type, count_per_chunk) \
	POOL_KEEPING(type, count_per_chunk, sizeof(struct pool_link))

/* Of a free object, stale pointers may still look at the first bytes. */
#define POOL_KEEPING(type, count_per_chunk, kept)                             \
	{                                                                     \
		.object_bytes = sizeof(type), .per_chunk = (count_per_chunk), \
		.kept_bytes = (kept)                                          \
	}

/* A zeroed (first use) or stale (reused) object; NULL when there is no room. */
void *pool_take(struct pool *pool);
void pool_give(struct pool *pool, void *object);

/* Object number `index`, or NULL if it was never taken. */
void *pool_at(struct pool *pool, uint32_t index);

/* Numbers below this may have been taken. */
uint32_t pool_used(struct pool *pool);

#ifdef AT_UNIT_TEST
/* Objects taken and not given back; nobody else may be at work. */
uint32_t pool_in_use(struct pool *pool);
#endif

#endif
