// SPDX-License-Identifier: Apache-2.0
#include "exporter/buffer.h"

#include <string.h>

#include "exporter/heap.h"

uint8_t *buffer_room(struct buffer *buffer, size_t more)
{
	size_t cap = buffer->cap ? buffer->cap : 4096;
	uint8_t *moved;

	if (buffer->failed)
		return NULL;
	if (buffer->cap - buffer->len >= more)
		return buffer->ptr + buffer->len;
	while (cap - buffer->len < more)
		cap *= 2;
	moved = heap_resize(buffer->ptr, cap);
	if (!moved) {
		buffer->failed = true;
		return NULL;
	}
	buffer->ptr = moved;
	buffer->cap = cap;
	return moved + buffer->len;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t len)
{
	uint8_t *room = len ? buffer_room(buffer, len) : NULL;

	if (!room)
		return;
	memcpy(room, bytes, len);
	buffer->len += len;
}

void buffer_free(struct buffer *buffer)
{
	heap_free(buffer->ptr);
	*buffer = (struct buffer){ 0 };
}
