// SPDX-License-Identifier: Apache-2.0
/*
 * Text as a terminal shows it: columns, and nothing that could steer it.
 *
 * Span names come from anywhere. What is printed of them is made of cells: a
 * printable character, or an escape in its place (\x1b, \xff for a byte that
 * is not UTF-8, \u202e for what would turn the line around).
 *
 * Pure but for the FILE given; knows no locale.
 */
#ifndef AT_CLI_CELLS_H
#define AT_CLI_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/text.h"

/* Bytes of the character at the front of a text that is not empty, and its
 * code point; 0 when it is not UTF-8. */
size_t at_utf8_decode(struct at_text text, uint32_t *c);

struct at_cell {
	char bytes[12];
	uint8_t len;
	uint8_t columns; /* 0 for combining characters */
};

/*
 * Take the next cell off the front of *rest; false when nothing was left.
 * Without `utf8` everything beyond ASCII comes as an escape.
 */
bool at_cell_next(struct at_text *rest, bool utf8, struct at_cell *cell);

/* Columns the whole text takes. */
size_t at_cells_columns(struct at_text text, bool utf8);

/*
 * Print the text in at most `max_columns`, with a mark in its middle where
 * something was left out. Columns printed.
 */
size_t at_cells_print(FILE *out, struct at_text text, size_t max_columns,
		      bool utf8);

#endif
