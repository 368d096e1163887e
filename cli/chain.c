// SPDX-License-Identifier: Apache-2.0
/*
 * The failure chain: which child made its parent fail?
 *
 * Nobody says so. What can be seen: whoever stops at a failure (set -e, make)
 * starts nothing any more after it; whoever hands it on ends with the same
 * exit code; and some programs are known to go on and fail at their end. A
 * failure that fits none of this was dealt with, and the chain ends above it.
 */
#include <string.h>

#include "cli/verdict.h"

/* They start more after a failure, and report it all the same. */
static const char *const collectors[] = { "make",  "gmake",    "ninja",
					  "ctest", "parallel", "xargs" };

static bool collects(const struct at_shown *span)
{
	size_t i;

	for (i = 0; i < sizeof(collectors) / sizeof(collectors[0]); i++)
		if (!strcmp(span->program, collectors[i]))
			return true;
	return false;
}

/* When the last child process of `node` was started. */
static uint64_t last_start(const struct at_forest *forest, uint32_t node)
{
	const struct at_node *at = &forest->node[node];
	uint64_t last = 0;
	uint32_t i;

	for (i = 0; i < at->child_count; i++) {
		const struct at_shown *child =
			&forest->span[forest->child[at->first_child + i]];

		if (child->process && child->start_ns > last)
			last = child->start_ns;
	}
	return last;
}

/* Failed children of one parent: the candidates. */
struct suspects {
	uint32_t final; /* first that nothing was started after */
	uint32_t alike; /* last with the parent's own exit code */
	uint32_t first; /* to have failed */
};

static void note_suspect(struct suspects *suspects,
			 const struct at_forest *forest, uint32_t child,
			 const struct at_shown *parent, uint64_t last_ns)
{
	const struct at_shown *span = &forest->span[child];
	uint64_t end = at_shown_end_ns(span);

	if (end >= last_ns &&
	    (suspects->final == AT_NO_NODE ||
	     end < at_shown_end_ns(&forest->span[suspects->final])))
		suspects->final = child;
	if (span->exit_code == parent->exit_code && span->exit_code > 0 &&
	    (suspects->alike == AT_NO_NODE ||
	     end > at_shown_end_ns(&forest->span[suspects->alike])))
		suspects->alike = child;
	if (suspects->first == AT_NO_NODE ||
	    end < at_shown_end_ns(&forest->span[suspects->first]))
		suspects->first = child;
}

static uint32_t cause_of(const struct at_forest *forest, uint32_t node)
{
	struct suspects suspects = { AT_NO_NODE, AT_NO_NODE, AT_NO_NODE };
	const struct at_shown *parent = &forest->span[node];
	const struct at_node *at = &forest->node[node];
	uint64_t last_ns = last_start(forest, node);
	uint32_t i;

	for (i = 0; i < at->child_count; i++) {
		uint32_t child = forest->child[at->first_child + i];

		if (forest->span[child].process && forest->span[child].failed)
			note_suspect(&suspects, forest, child, parent, last_ns);
	}
	/* A job goes on with its other steps; its first failure is its own. */
	if (collects(parent) || !parent->process)
		return suspects.first;
	return suspects.final != AT_NO_NODE ? suspects.final : suspects.alike;
}

static void add(struct at_chain *chain, uint32_t node)
{
	if (chain->count == AT_CHAIN_MAX)
		chain->count--;
	chain->node[chain->count++] = node;
}

void at_chain_find(const struct at_forest *forest, uint32_t head,
		   struct at_chain *chain)
{
	const struct at_shown *span = &forest->span[head];
	uint32_t at;

	chain->count = 0;
	if (span->process && !span->failed)
		return;
	for (at = head; at != AT_NO_NODE; at = cause_of(forest, at))
		add(chain, at);
	/* The job's span alone is no chain, unless it is said to have failed. */
	if (chain->count == 1 && !span->failed)
		chain->count = 0;
}
