// SPDX-License-Identifier: Apache-2.0
/* Building span lists and drawing them, for the tests of the tree. */
#ifndef AT_TESTS_CLI_DRAW_H
#define AT_TESTS_CLI_DRAW_H

#include <stdint.h>

#include "cli/tree.h"

#define DRAW_MS UINT64_C(1000000)
#define DRAW_LINES_MAX 4000

/* A span to add; ids are small numbers, parent 0 is none. */
struct draw_span {
	uint8_t trace;
	uint64_t id;
	uint64_t parent;
	const char *label;
	uint64_t start_ms;
	uint64_t duration_ms;
	uint16_t status_code;
	const char *error; /* NULL: not failed */
};

void draw_add(struct at_span_list *list, const struct draw_span *span);

struct drawn {
	char *text;
	char *line[DRAW_LINES_MAX]; /* without newline */
	unsigned int line_count;
};

/* Draws; the lines are cut out of `text`. Freed by draw_free(). */
void draw(struct drawn *drawn, const struct at_span_list *list,
	  const struct at_tree_style *style);
void draw_free(struct drawn *drawn);

/* The first line that contains `text`, or NULL. */
const char *draw_find(const struct drawn *drawn, const char *text);

/* 80 columns, 40 lines, plain ASCII. */
extern const struct at_tree_style draw_plain;

#endif
