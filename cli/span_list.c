// SPDX-License-Identifier: Apache-2.0
#include "cli/span_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (64 * 1024)

struct at_text_chunk {
	struct at_text_chunk *next;
	size_t used;
	size_t room;
	char bytes[];
};

/* A copy that lives as long as the list; NULL when there is no memory. */
static const char *keep(struct at_span_list *list, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 1;
	struct at_text_chunk *chunk = list->chunks;

	if (size == 1)
		return "";
	if (!chunk || chunk->room - chunk->used < size) {
		size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		chunk = malloc(sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->next = list->chunks;
		chunk->used = 0;
		chunk->room = room;
		list->chunks = chunk;
	}
	chunk->used += size;
	return memcpy(chunk->bytes + chunk->used - size, text, size);
}

static int make_room(struct at_span_list *list)
{
	size_t room = list->room ? list->room * 2 : 64;
	struct at_shown *item;

	if (list->max_count && list->count >= list->max_count)
		return -ENOSPC;
	/* Indices of spans and traces together are 32 bits. */
	if (list->count >= UINT32_MAX / 4)
		return -ENOSPC;
	if (list->count < list->room)
		return 0;
	item = reallocarray(list->item, room, sizeof(*item));
	if (!item)
		return -ENOMEM;
	list->item = item;
	list->room = room;
	return 0;
}

int at_span_list_add(struct at_span_list *list, const struct at_shown *shown)
{
	int error = make_room(list);
	struct at_shown copy = *shown;

	if (!error) {
		copy.label = keep(list, shown->label);
		copy.error_type = keep(list, shown->error_type);
		copy.program = keep(list, shown->program);
		copy.blind_spot = keep(list, shown->blind_spot);
		copy.stack = keep(list, shown->stack);
		if (!copy.label || !copy.error_type || !copy.program ||
		    !copy.blind_spot || !copy.stack)
			error = -ENOMEM;
	}
	if (error) {
		list->left_out_count++;
		return error;
	}
	list->item[list->count++] = copy;
	return 0;
}

void at_span_list_free(struct at_span_list *list)
{
	struct at_text_chunk *chunk = list->chunks, *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(list->item);
	memset(list, 0, sizeof(*list));
}
