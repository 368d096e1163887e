// SPDX-License-Identifier: Apache-2.0
/*
 * Text that grows. Once memory ran out `failed` is set and everything later
 * is ignored. Zero-filled is empty and ready.
 */
#ifndef AT_EXPORTER_BUFFER_H
#define AT_EXPORTER_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
	uint8_t *ptr;
	size_t len;
	size_t cap;
	bool failed;
};

/* Room for `more` bytes behind the text, or NULL; len is the caller's. */
uint8_t *buffer_room(struct buffer *buffer, size_t more);
void buffer_add(struct buffer *buffer, const void *bytes, size_t len);
void buffer_free(struct buffer *buffer);

#endif
