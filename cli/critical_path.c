// SPDX-License-Identifier: Apache-2.0
#include "cli/critical_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A child may seem to end after the parent that waited for it. */
#define SLACK_NS UINT64_C(1000000)

struct walk {
	const struct at_forest *forest;
	uint32_t *by_end; /* as forest->child, siblings by their end */
	uint32_t *left;   /* of a node on the way: children not looked at */
	uint64_t *until;  /* and the time from which it is walked back */
	uint64_t *own_ns;
	struct at_path *path;
};

static uint64_t start_of(const struct walk *walk, uint32_t node)
{
	return walk->forest->span[node].start_ns;
}

static uint64_t end_of(const struct walk *walk, uint32_t node)
{
	return at_shown_end_ns(&walk->forest->span[node]);
}

static int compare_ends(const void *a, const void *b, void *context)
{
	const struct walk *walk = context;
	uint64_t i = end_of(walk, *(const uint32_t *)a);
	uint64_t j = end_of(walk, *(const uint32_t *)b);

	return i < j ? -1 : i > j;
}

/* The child that was waited for last before until[node]. */
static uint32_t next_child(struct walk *walk, uint32_t node)
{
	const struct at_node *at = &walk->forest->node[node];

	while (walk->left[node]) {
		uint32_t child =
			walk->by_end[at->first_child + --walk->left[node]];

		if (end_of(walk, child) <= walk->until[node] + SLACK_NS &&
		    start_of(walk, child) < walk->until[node] &&
		    end_of(walk, child) > start_of(walk, node))
			return child;
	}
	return AT_NO_NODE;
}

static void enter(struct walk *walk, uint32_t node, uint64_t until_ns)
{
	const struct at_node *at = &walk->forest->node[node];

	walk->left[node] = at->child_count;
	walk->until[node] = until_ns;
	qsort_r(walk->by_end + at->first_child, at->child_count,
		sizeof(*walk->by_end), compare_ends, walk);
	walk->path->step[walk->path->count++].node = node;
}

/* Everything from until[node] back to `back_ns` was its own. */
static void account(struct walk *walk, uint32_t node, uint64_t back_ns)
{
	if (back_ns < walk->until[node]) {
		walk->own_ns[node] += walk->until[node] - back_ns;
		walk->until[node] = back_ns;
	}
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void follow(struct walk *walk, uint32_t head)
{
	uint64_t from_ns = start_of(walk, head);
	uint32_t at = head, child;

	enter(walk, head, end_of(walk, head));
	for (;;) {
		child = next_child(walk, at);
		if (child != AT_NO_NODE) {
			account(walk, at, later(end_of(walk, child), from_ns));
			enter(walk, child, walk->until[at]);
			at = child;
			continue;
		}
		account(walk, at, later(start_of(walk, at), from_ns));
		if (at == head)
			break;
		child = at;
		at = walk->forest->node[at].parent;
		walk->until[at] = walk->until[child];
	}
}

static int compare_steps(const void *a, const void *b, void *context)
{
	const struct walk *walk = context;
	const struct at_path_step *i = a, *j = b;
	uint64_t x = start_of(walk, i->node), y = start_of(walk, j->node);

	if (x != y)
		return x < y ? -1 : 1;
	/* The longer one is above. */
	x = end_of(walk, i->node);
	y = end_of(walk, j->node);
	return x > y ? -1 : x < y;
}

static void put_in_order(struct walk *walk)
{
	struct at_path *path = walk->path;
	uint32_t i;

	for (i = 0; i < path->count; i++)
		path->step[i].own_ns = walk->own_ns[path->step[i].node];
	qsort_r(path->step, path->count, sizeof(*path->step), compare_steps,
		walk);
}

int at_path_find(const struct at_forest *forest, uint32_t head,
		 struct at_path *path)
{
	size_t count = forest->node_count + 1;
	struct walk walk = {
		.forest = forest,
		.by_end = calloc(count, sizeof(*walk.by_end)),
		.left = calloc(count, sizeof(*walk.left)),
		.until = calloc(count, sizeof(*walk.until)),
		.own_ns = calloc(count, sizeof(*walk.own_ns)),
		.path = path,
	};
	int error = -ENOMEM;

	path->count = 0;
	path->all_ns = forest->span[head].duration_ns;
	path->step = calloc(count, sizeof(*path->step));
	if (walk.by_end && walk.left && walk.until && walk.own_ns &&
	    path->step) {
		memcpy(walk.by_end, forest->child,
		       forest->node_count * sizeof(*walk.by_end));
		follow(&walk, head);
		put_in_order(&walk);
		error = 0;
	}
	free(walk.by_end);
	free(walk.left);
	free(walk.until);
	free(walk.own_ns);
	return error;
}

void at_path_free(struct at_path *path)
{
	free(path->step);
	memset(path, 0, sizeof(*path));
}

uint64_t at_own_ns(const struct at_forest *forest, uint32_t node)
{
	const struct at_shown *span = &forest->span[node];
	const struct at_node *at = &forest->node[node];
	uint64_t covered_until = span->start_ns, covered_ns = 0;
	uint64_t end = at_shown_end_ns(span);
	uint32_t i;

	for (i = 0; i < at->child_count; i++) {
		const struct at_shown *child =
			&forest->span[forest->child[at->first_child + i]];
		uint64_t from = later(child->start_ns, covered_until);
		uint64_t to = at_shown_end_ns(child);

		if (to > end)
			to = end;
		if (!child->process || to <= from)
			continue;
		covered_ns += to - from;
		covered_until = to;
	}
	return end - span->start_ns - covered_ns;
}
