// SPDX-License-Identifier: Apache-2.0
#include "cli/forest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_ids(const struct at_shown *span, const uint8_t *trace_id,
		       const uint8_t *span_id)
{
	int order = memcmp(span->trace_id, trace_id, AT_TRACE_ID_BYTES);

	return order ? order : memcmp(span->span_id, span_id, AT_SPAN_ID_BYTES);
}

static int compare_by_id(const void *a, const void *b, void *context)
{
	const struct at_shown *span = context;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	int order = compare_ids(&span[i], span[j].trace_id, span[j].span_id);

	return order ? order : compare_u64(i, j);
}

/* First of the spans with this id (of several: the first in the list). */
static uint32_t find(const struct at_forest *forest, const uint32_t *by_id,
		     const uint8_t *trace_id, const uint8_t *span_id)
{
	uint32_t low = 0, high = forest->span_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (compare_ids(&forest->span[by_id[middle]], trace_id,
				span_id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == forest->span_count ||
	    compare_ids(&forest->span[by_id[low]], trace_id, span_id) != 0)
		return AT_NO_NODE;
	return by_id[low];
}

static struct at_trace *add_trace(struct at_forest *forest,
				  const struct at_shown *span)
{
	uint32_t node = forest->span_count + forest->trace_count;
	struct at_trace *trace = &forest->trace[forest->trace_count++];

	memcpy(trace->id, span->trace_id, AT_TRACE_ID_BYTES);
	trace->start_ns = UINT64_MAX;
	forest->node[node].parent = AT_NO_NODE;
	forest->node[node].trace = node;
	forest->node_count = node + 1;
	return trace;
}

/* Makes the traces, and each span a root of its own for now. */
static int find_traces(struct at_forest *forest, const uint32_t *by_id)
{
	struct at_trace *trace = NULL;
	uint32_t i;

	forest->trace = calloc(forest->span_count, sizeof(*forest->trace));
	if (!forest->trace)
		return -ENOMEM;
	for (i = 0; i < forest->span_count; i++) {
		const struct at_shown *span = &forest->span[by_id[i]];
		struct at_node *node = &forest->node[by_id[i]];

		if (!trace ||
		    memcmp(trace->id, span->trace_id, AT_TRACE_ID_BYTES) != 0)
			trace = add_trace(forest, span);
		if (span->start_ns < trace->start_ns)
			trace->start_ns = span->start_ns;
		if (at_shown_end_ns(span) > trace->end_ns)
			trace->end_ns = at_shown_end_ns(span);
		node->trace = forest->node_count - 1;
		node->parent = node->trace;
		node->root = AT_ROOT_TRUE;
	}
	return 0;
}

static void find_parents(struct at_forest *forest, const uint32_t *by_id)
{
	uint32_t i, parent;

	for (i = 0; i < forest->span_count; i++) {
		const struct at_shown *span = &forest->span[i];

		if (!span->has_parent)
			continue;
		parent = find(forest, by_id, span->trace_id, span->parent_id);
		if (parent == AT_NO_NODE || parent == i) {
			forest->node[i].root = AT_ROOT_ORPHAN;
		} else {
			forest->node[i].parent = parent;
			forest->node[i].root = AT_ROOT_NOT;
		}
	}
}

/*
 * Follow each span up; whoever comes back to where this walk has been is in a
 * circle, which is cut there. `place` serves as the mark of the walk.
 */
static void cut_circles(struct at_forest *forest)
{
	uint32_t i, at;

	for (i = 0; i < forest->node_count; i++)
		forest->node[i].place = AT_NO_NODE;
	for (i = 0; i < forest->span_count; i++) {
		for (at = i; at < forest->span_count &&
			     forest->node[at].place == AT_NO_NODE;
		     at = forest->node[at].parent)
			forest->node[at].place = i;
		if (at < forest->span_count && forest->node[at].place == i) {
			forest->node[at].parent = forest->node[at].trace;
			forest->node[at].root = AT_ROOT_ORPHAN;
		}
	}
}

static uint64_t start_ns(const struct at_forest *forest, uint32_t node)
{
	if (node < forest->span_count)
		return forest->span[node].start_ns;
	return forest->trace[node - forest->span_count].start_ns;
}

static int compare_siblings(const void *a, const void *b, void *context)
{
	const struct at_forest *forest = context;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	int order = compare_u64(forest->node[i].parent, forest->node[j].parent);

	if (!order)
		order = compare_u64(start_ns(forest, i), start_ns(forest, j));
	return order ? order : compare_u64(i, j);
}

static int sort_children(struct at_forest *forest)
{
	uint32_t i;

	forest->child = calloc(forest->node_count + 1, sizeof(*forest->child));
	if (!forest->child)
		return -ENOMEM;
	for (i = 0; i < forest->node_count; i++)
		forest->child[i] = i;
	qsort_r(forest->child, forest->node_count, sizeof(*forest->child),
		compare_siblings, forest);
	for (i = 0; i < forest->node_count; i++) {
		uint32_t parent = forest->node[forest->child[i]].parent;

		forest->node[forest->child[i]].place = i;
		if (parent == AT_NO_NODE)
			continue;
		if (!forest->node[parent].child_count++)
			forest->node[parent].first_child = i;
	}
	return 0;
}

static int link_spans(struct at_forest *forest, uint32_t *by_id)
{
	uint32_t i;
	int error;

	for (i = 0; i < forest->span_count; i++)
		by_id[i] = i;
	qsort_r(by_id, forest->span_count, sizeof(*by_id), compare_by_id,
		(void *)forest->span);
	error = find_traces(forest, by_id);
	if (!error)
		find_parents(forest, by_id);
	return error;
}

int at_forest_grow(struct at_forest *forest, const struct at_span_list *list)
{
	uint32_t *by_id;
	int error;

	memset(forest, 0, sizeof(*forest));
	forest->span = list->item;
	forest->span_count = (uint32_t)list->count;
	if (!forest->span_count)
		return 0;
	forest->node = calloc(2 * list->count, sizeof(*forest->node));
	by_id = malloc(list->count * sizeof(*by_id));
	error = forest->node && by_id ? link_spans(forest, by_id) : -ENOMEM;
	free(by_id);
	if (error)
		return error;
	cut_circles(forest);
	return sort_children(forest);
}

uint32_t at_forest_find(const struct at_forest *forest, const uint8_t *span_id)
{
	uint32_t i;

	for (i = 0; i < forest->span_count; i++)
		if (!memcmp(forest->span[i].span_id, span_id, AT_SPAN_ID_BYTES))
			return i;
	return AT_NO_NODE;
}

const struct at_trace *at_forest_trace(const struct at_forest *forest,
				       uint32_t node)
{
	return &forest->trace[forest->node[node].trace - forest->span_count];
}

uint32_t at_forest_next(const struct at_forest *forest, uint32_t node)
{
	const struct at_node *at, *parent;

	if (node == AT_NO_NODE)
		return forest->span_count ? forest->child[forest->span_count] :
					    AT_NO_NODE;
	at = &forest->node[node];
	if (at->child_count)
		return forest->child[at->first_child];
	for (; at->parent != AT_NO_NODE; at = parent) {
		parent = &forest->node[at->parent];
		if (at->place + 1 < parent->first_child + parent->child_count)
			return forest->child[at->place + 1];
	}
	/* Traces are nobody's children: they fill the end of child[]. */
	return at->place + 1 < forest->node_count ?
		       forest->child[at->place + 1] :
		       AT_NO_NODE;
}

void at_forest_free(struct at_forest *forest)
{
	free(forest->node);
	free(forest->trace);
	free(forest->child);
	memset(forest, 0, sizeof(*forest));
}
