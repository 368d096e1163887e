// SPDX-License-Identifier: Apache-2.0
/*
 * Who is whose child: spans sorted into traces and trees.
 *
 * Private to the tree. Nodes are numbers: span i of the list is node i, trace
 * t is node span_count + t and the parent of its roots. Every walk is a loop,
 * so depth costs no stack, and nothing takes more than n log n.
 */
#ifndef AT_CLI_FOREST_H
#define AT_CLI_FOREST_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/span_list.h"

#define AT_NO_NODE UINT32_MAX

enum at_root {
	AT_ROOT_NOT, /* has a parent here */
	AT_ROOT_TRUE,
	AT_ROOT_ORPHAN, /* its parent is not here, or a circle was cut */
};

struct at_node {
	uint32_t parent;      /* AT_NO_NODE for a trace */
	uint32_t trace;       /* the trace's node */
	uint32_t place;       /* in child[]: among its siblings */
	uint32_t first_child; /* index into child[] */
	uint32_t child_count;
	uint8_t root; /* enum at_root */
};

/* Spans and traces, and each trace's extent on the time axis. */
struct at_trace {
	uint8_t id[AT_TRACE_ID_BYTES];
	uint64_t start_ns;
	uint64_t end_ns;
};

struct at_forest {
	const struct at_shown *span;
	uint32_t span_count;
	uint32_t trace_count;
	uint32_t node_count; /* both */
	struct at_node *node;
	struct at_trace *trace;
	uint32_t *child; /* nodes by parent, then start; traces at the end */
};

/* 0 or -ENOMEM; to be freed in either case. */
int at_forest_grow(struct at_forest *forest, const struct at_span_list *list);
void at_forest_free(struct at_forest *forest);

/* The first span with this id, whatever its trace; AT_NO_NODE: none. */
uint32_t at_forest_find(const struct at_forest *forest, const uint8_t *span_id);

/* The trace that `node` belongs to, or is. */
const struct at_trace *at_forest_trace(const struct at_forest *forest,
				       uint32_t node);

/*
 * The node after `node` when every node is visited before its children,
 * traces in order of time; start with AT_NO_NODE, which also ends the walk.
 */
uint32_t at_forest_next(const struct at_forest *forest, uint32_t node);

#endif
