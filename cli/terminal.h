// SPDX-License-Identifier: Apache-2.0
/* What the place the tree goes to can show. */
#ifndef AT_CLI_TERMINAL_H
#define AT_CLI_TERMINAL_H

#include "cli/tree.h"

/*
 * Width, colour and characters for `fd`, asked of it and of the environment
 * (COLUMNS, NO_COLOR, TERM, and the locale's variables by name, since the
 * locale itself is often not installed). max_lines is left to the caller.
 */
void at_terminal_style(struct at_tree_style *style, int fd,
		       char *const *environment);

#endif
