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
	size_t size = strlen(text) + 1;
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
		if (!copy.label || !copy.error_type)
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

/* A record's fields on their way to what is shown. */
struct draft {
	struct at_shown shown;
	struct at_label label;
	struct at_text error_type;
	bool exited;
};

static void note_field(struct draft *draft, const struct at_field *field)
{
	struct at_label *label = &draft->label;

	switch ((unsigned int)field->attr) {
	case AT_FIELD_NAME:
		label->name = field->text;
		break;
	case AT_ATTR_HTTP_REQUEST_METHOD:
		if (!label->method.len)
			label->method = field->text;
		break;
	case AT_ATTR_HTTP_REQUEST_METHOD_ORIGINAL:
		label->method = field->text;
		break;
	case AT_ATTR_URL_FULL:
		label->url = field->text;
		break;
	case AT_ATTR_SERVER_ADDRESS:
		label->host = field->text;
		break;
	case AT_ATTR_SERVER_PORT:
		label->port = field->number;
		break;
	case AT_ATTR_HTTP_RESPONSE_STATUS_CODE:
		if (field->number > 0 && field->number < 1000)
			draft->shown.status_code = (uint16_t)field->number;
		break;
	case AT_ATTR_ERROR_TYPE:
		draft->error_type = field->text;
		break;
	case AT_ATTR_PROCESS_EXIT_CODE:
		draft->exited = true;
		break;
	default:
		break;
	}
}

int at_span_list_add_record(struct at_span_list *list,
			    const struct at_span *span)
{
	char label[AT_LABEL_BYTES], outcome[AT_OUTCOME_BYTES];
	struct draft draft = { 0 };
	struct at_shown *shown = &draft.shown;
	struct at_field field;
	uint32_t offset = 0;

	while (at_span_next(span, &offset, &field))
		note_field(&draft, &field);
	memcpy(shown->trace_id, span->trace_id, sizeof(shown->trace_id));
	memcpy(shown->span_id, span->span_id, sizeof(shown->span_id));
	memcpy(shown->parent_id, span->parent_id, sizeof(shown->parent_id));
	shown->has_parent = span->has_parent;
	shown->failed = span->status == AT_STATUS_ERROR;
	shown->start_ns = span->start_unix_ns;
	shown->duration_ns = span->duration_ns;
	at_label_write(label, &draft.label);
	at_outcome_write(outcome, draft.error_type, draft.exited);
	shown->label = label;
	shown->error_type = outcome;
	return at_span_list_add(list, shown);
}
