// SPDX-License-Identifier: Apache-2.0
#include "exporter/batch.h"

#include <errno.h>
#include <string.h>

#include "exporter/heap.h"

int batch_open(struct batch *batch, uint32_t max)
{
	size_t bytes = (size_t)max * sizeof(struct at_span);

	memset(batch, 0, sizeof(*batch));
	batch->max = max;
	batch->cap_bytes = bytes < BATCH_MAX_BYTES ? bytes : BATCH_MAX_BYTES;
	batch->records = heap_alloc(batch->cap_bytes);
	return batch->records ? 0 : -ENOMEM;
}

void batch_clear(struct batch *batch)
{
	batch->used_bytes = 0;
	batch->count = 0;
	batch->traces = NULL;
	arena_reset(&batch->arena);
}

void batch_free(struct batch *batch)
{
	heap_free(batch->records);
	arena_free(&batch->arena);
	memset(batch, 0, sizeof(*batch));
}

bool batch_full(const struct batch *batch)
{
	return batch->count >= batch->max ||
	       batch->cap_bytes - batch->used_bytes < sizeof(struct at_span);
}

static struct at_span *span_at(const struct batch *batch, size_t offset)
{
	return (struct at_span *)(void *)(batch->records + offset);
}

static bool has_ids(const struct at_span *span)
{
	static const uint8_t zero[AT_TRACE_ID_BYTES];

	return memcmp(span->trace_id, zero, AT_TRACE_ID_BYTES) != 0 &&
	       memcmp(span->span_id, zero, AT_SPAN_ID_BYTES) != 0;
}

static int pop(struct at_ring_reader *reader, const struct batch_intake *intake,
	       struct at_span *span, uint64_t now_ns)
{
	const struct at_exporter_books *books = intake->books;

	if (books)
		return books->pop(books->context, reader, span, now_ns);
	return at_ring_pop(reader, span, sizeof(*span), now_ns);
}

uint32_t batch_fill(struct batch *batch, struct at_ring_reader *reader,
		    const struct batch_intake *intake, uint64_t now_ns)
{
	uint32_t bad_count = 0;

	while (!batch_full(batch)) {
		struct at_span *span = span_at(batch, batch->used_bytes);
		int len = pop(reader, intake, span, now_ns);

		if (len == 0)
			break;
		if (len < 0 || at_span_check(span, (uint32_t)len) ||
		    span->record != AT_RECORD_SPAN || !has_ids(span)) {
			bad_count++;
			continue;
		}
		redact_span(&intake->redact, span);
		if (intake->observe)
			intake->observe(intake->observe_context, span);
		batch->used_bytes += (span->size_bytes + 7) & ~(size_t)7;
		batch->count++;
	}
	return bad_count;
}

const struct at_span *batch_next(const struct batch *batch, size_t *offset)
{
	const struct at_span *span = span_at(batch, *offset);

	if (*offset >= batch->used_bytes)
		return NULL;
	*offset += (span->size_bytes + 7) & ~(size_t)7;
	return span;
}
