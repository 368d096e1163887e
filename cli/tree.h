// SPDX-License-Identifier: Apache-2.0
/*
 * The trace as a tree of lines: spans in, text out, nothing else read.
 *
 * Shared by `run` and `view`. Three steps, a file each: who is whose child
 * (forest.c), which of them are worth a line (plan.c), and the drawing
 * (tree.c). What it draws may come from anybody: ids that repeat, parents in
 * a circle and names full of escapes are drawn like everything else.
 */
#ifndef AT_CLI_TREE_H
#define AT_CLI_TREE_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/span_list.h"

#define AT_TREE_LINES 40

struct at_tree_style {
	unsigned int columns;   /* width to fit in; at least 20 is used */
	unsigned int max_lines; /* 0: every span on a line of its own */
	bool colour;
	bool utf8;   /* names may be printed as they are */
	bool blocks; /* bars and branches in Unicode's block characters */
};

/*
 * Draw all spans of the list. 0, or -ENOMEM with nothing drawn. An empty list
 * draws nothing.
 */
int at_tree_draw(FILE *out, const struct at_span_list *list,
		 const struct at_tree_style *style);

#endif
