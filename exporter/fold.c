// SPDX-License-Identifier: Apache-2.0
#include "exporter/fold.h"

#include <string.h>

#include "core/span.h"
#include "exporter/heap.h"

#define KEY_BYTES 8
#define SIZE_FIRST 1024

/* Of a span, or of a trace (by the end of its id): counts the sent there. */
struct fold_entry {
	uint8_t key[KEY_BYTES];
	uint32_t count; /* folded into it, or sent of it */
	bool in_use;
	bool is_parent; /* of a span that was sent */
	bool sent;
};

/* --- the table --- */

static struct fold_entry *slot_of(struct fold_entry *table, uint32_t size,
				  const uint8_t *key)
{
	uint32_t i;

	memcpy(&i, key, sizeof(i));
	for (;; i++) {
		struct fold_entry *entry = &table[i & (size - 1)];

		if (!entry->in_use || !memcmp(entry->key, key, KEY_BYTES))
			return entry;
	}
}

static bool grow(struct fold *fold)
{
	uint32_t size = fold->size ? fold->size * 2 : SIZE_FIRST, i;
	struct fold_entry *table = heap_zalloc(size, sizeof(*table));

	if (!table)
		return false;
	for (i = 0; i < fold->size; i++)
		if (fold->table[i].in_use)
			*slot_of(table, size, fold->table[i].key) =
				fold->table[i];
	heap_free(fold->table);
	fold->table = table;
	fold->size = size;
	return true;
}

/* NULL: no memory. Good until the next one is asked for. */
static struct fold_entry *entry_of(struct fold *fold, const uint8_t *key)
{
	struct fold_entry *entry;

	if (fold->used * 2 >= fold->size && !grow(fold))
		return NULL;
	entry = slot_of(fold->table, fold->size, key);
	if (!entry->in_use) {
		memcpy(entry->key, key, KEY_BYTES);
		entry->in_use = true;
		fold->used++;
	}
	return entry;
}

/* --- spans --- */

static bool has_ids(const Otlp__Span *span)
{
	return span->trace_id.len == AT_TRACE_ID_BYTES &&
	       span->span_id.len == AT_SPAN_ID_BYTES;
}

static const uint8_t *trace_key(const Otlp__Span *span)
{
	return span->trace_id.data + AT_TRACE_ID_BYTES - KEY_BYTES;
}

static const Otlp__AnyValue *find_value(const Otlp__Span *span,
					const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < span->n_attributes; i++) {
		const Otlp__KeyValue *pair = span->attributes[i];

		if (pair->key.len == len && !memcmp(pair->key.data, name, len))
			return pair->value;
	}
	return NULL;
}

static bool is_program(const Otlp__Span *span)
{
	return span->kind == AT_KIND_INTERNAL &&
	       find_value(span, "process.executable.name");
}

/* It has ended, well and soon, and whoever reads the trace misses nothing. */
static bool is_plain(const Otlp__Span *span)
{
	const Otlp__AnyValue *code = find_value(span, "process.exit.code");

	return code && code->value_case == OTLP__ANY_VALUE__VALUE_INT_VALUE &&
	       !code->int_value &&
	       (!span->status || span->status->code != AT_STATUS_ERROR) &&
	       span->end_time_unix_nano - span->start_time_unix_nano <
		       FOLD_SHORT_NS &&
	       !find_value(span, "autotrace.blind_spot") &&
	       span->parent_span_id.len == AT_SPAN_ID_BYTES;
}

static bool is_too_many(struct fold *fold, const Otlp__Span *span)
{
	const struct fold_entry *trace = entry_of(fold, trace_key(span));

	return trace && trace->count >= fold->max;
}

/* True when it is counted in its parent. */
static bool fold_into_parent(struct fold *fold, const Otlp__Span *span,
			     const struct at_exporter_books *books)
{
	struct fold_entry *entry;
	uint32_t count;

	if (!is_too_many(fold, span) || !is_plain(span) ||
	    (books && books->is_parent(books->context, span->span_id.data)))
		return false;
	entry = entry_of(fold, span->span_id.data);
	if (!entry || entry->is_parent)
		return false;
	count = entry->count + 1;
	entry = entry_of(fold, span->parent_span_id.data);
	if (!entry || entry->sent)
		return false;
	entry->count += count;
	return true;
}

struct count_pair {
	Otlp__KeyValue item;
	Otlp__AnyValue value;
	Otlp__KeyValue *list[];
};

static void add_count(Otlp__Span *span, uint32_t count, struct arena *arena)
{
	const char *name = at_attr_table[AT_ATTR_AUTOTRACE_FOLDED_COUNT].name;
	size_t n = span->n_attributes;
	struct count_pair *pair = arena_alloc(
		arena, sizeof(*pair) + (n + 1) * sizeof(pair->list[0]));

	if (!pair)
		return;
	otlp__key_value__init(&pair->item);
	otlp__any_value__init(&pair->value);
	pair->item.key.data = (uint8_t *)(uintptr_t)name;
	pair->item.key.len = strlen(name);
	pair->item.value = &pair->value;
	pair->value.value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	pair->value.int_value = count;
	memcpy(pair->list, span->attributes, n * sizeof(pair->list[0]));
	pair->list[n] = &pair->item;
	span->attributes = pair->list;
	span->n_attributes = n + 1;
}

static void send(struct fold *fold, Otlp__Span *span, struct arena *arena)
{
	struct fold_entry *entry;

	if (span->parent_span_id.len == AT_SPAN_ID_BYTES) {
		entry = entry_of(fold, span->parent_span_id.data);
		if (entry)
			entry->is_parent = true;
	}
	if (!is_program(span))
		return;
	entry = entry_of(fold, trace_key(span));
	if (entry)
		entry->count++;
	entry = entry_of(fold, span->span_id.data);
	if (!entry)
		return;
	entry->sent = true;
	if (entry->count)
		add_count(span, entry->count, arena);
}

static uint32_t fold_scope(struct fold *fold, Otlp__ScopeSpans *scope,
			   struct arena *arena,
			   const struct at_exporter_books *books)
{
	uint32_t folded = 0;
	size_t i, kept = 0;

	for (i = 0; i < scope->n_spans; i++) {
		Otlp__Span *span = scope->spans[i];

		if (has_ids(span) && is_program(span) &&
		    fold_into_parent(fold, span, books)) {
			folded++;
			continue;
		}
		if (has_ids(span))
			send(fold, span, arena);
		scope->spans[kept++] = span;
	}
	scope->n_spans = kept;
	return folded;
}

uint32_t fold_traces(struct fold *fold, Otlp__TracesData *traces,
		     struct arena *arena, const struct at_exporter_books *books)
{
	uint32_t folded = 0;
	size_t i, j;

	for (i = 0; i < traces->n_resource_spans; i++) {
		Otlp__ResourceSpans *resource = traces->resource_spans[i];

		for (j = 0; j < resource->n_scope_spans; j++)
			folded += fold_scope(fold, resource->scope_spans[j],
					     arena, books);
	}
	return folded;
}

void fold_free(struct fold *fold)
{
	heap_free(fold->table);
	fold->table = NULL;
	fold->size = 0;
	fold->used = 0;
}
