// SPDX-License-Identifier: Apache-2.0
/*
 * The exporter's own memory, straight from the kernel.
 *
 * The application's malloc may be replaced, instrumented, or held by a thread
 * that is not there after fork; nothing here touches it. curl, OpenSSL, c-ares,
 * zlib and protobuf-c get their memory here too.
 *
 * One thread at a time: the worker's, under the host's lock. Not signal-safe.
 * Memory is 16-byte aligned; every function that returns memory returns NULL
 * when there is none.
 */
#ifndef AT_EXPORTER_HEAP_H
#define AT_EXPORTER_HEAP_H

#include <stddef.h>
#include <stdint.h>

void *heap_alloc(size_t size);

/* count * size bytes of zeros. */
void *heap_zalloc(size_t count, size_t size);

/* As realloc, but size 0 is a size like any other. */
void *heap_resize(void *memory, size_t size);

/* NULL is fine. */
void heap_free(void *memory);

/* Copy of a C string. */
char *heap_copy(const char *string);

#ifdef AT_UNIT_TEST
/* The n-th allocation from now fails; 0: none. */
extern uint64_t heap_fail_at;
#endif

#endif
