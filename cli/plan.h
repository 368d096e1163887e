// SPDX-License-Identifier: Apache-2.0
/*
 * Which spans get a line, and where.
 *
 * Private to the tree. With a limit, repeats are folded first (spans of one
 * parent with the same label and outcome, and the same below them); when that
 * is not enough, the
 * slowest path and the failures are taken first, each with its ancestors,
 * then the rest by duration for as long as lines are left.
 */
#ifndef AT_CLI_PLAN_H
#define AT_CLI_PLAN_H

#include "cli/forest.h"

struct at_line {
	uint32_t node;  /* a trace's: its heading */
	uint32_t depth; /* shown ancestors, the heading not counted */
	/* The spans it stands for; 1 is the usual case. */
	uint32_t span_count;
	uint32_t hidden_count; /* children without a line */
	uint64_t total_ns;
	uint64_t min_ns;
	uint64_t max_ns;
	bool gap;     /* between it and the line above are hidden ones */
	bool slowest; /* on the slowest path of the longest trace */
	bool more_siblings;
};

struct at_plan {
	struct at_line *line;
	uint32_t line_count;
	uint32_t hidden_count; /* spans without a line */
	uint32_t *fold_next;   /* by span: next one of the same line */
};

/* 0 or -ENOMEM; to be freed in either case. max_lines 0: everything. */
int at_plan_make(struct at_plan *plan, const struct at_forest *forest,
		 uint32_t max_lines);
void at_plan_free(struct at_plan *plan);

#endif
