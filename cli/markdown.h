// SPDX-License-Identifier: Apache-2.0
/* Markdown that stays a table whatever is put into it. */
#ifndef AT_CLI_MARKDOWN_H
#define AT_CLI_MARKDOWN_H

#include <stdio.h>

/*
 * Print a text from anywhere as code: neither markup, links, mentions nor
 * control characters work in it, and it does not end a cell. Cut in its middle
 * at 100 columns.
 */
void at_markdown_code(FILE *out, const char *text);

/* A heading, and the head of a table whose columns are parted by `|`. */
void at_markdown_table(FILE *out, const char *heading, const char *columns);

#endif
