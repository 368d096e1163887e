// SPDX-License-Identifier: Apache-2.0
/* What `run` prints when the command has ended. */
#ifndef AT_CLI_REPORT_H
#define AT_CLI_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/session.h"
#include "cli/tree.h"

struct at_report {
	int fd;
	int summary_fd; /* a page of Markdown goes there; -1: none */
	bool quiet;
	bool tree;
	bool not_kept; /* by --keep */
	unsigned int max_lines;
};

/* Set what --tree says. 0, or -EINVAL: none of auto, all, none. */
int at_report_tree(struct at_report *report, const char *value);

/* Print the page of a session that has ended. False: there is none, and why was
 * complained of. */
bool at_report_page(FILE *out, const struct at_session *session);

/* Print tree and last line. The style's max_lines is the report's. */
void at_report_print(FILE *out, const struct at_report *report,
		     const struct at_session *session,
		     const struct at_tree_style *style);

/* A text to a descriptor that may be non-blocking; gives up after a while. */
void at_report_write(int fd, const char *text, size_t len);

/* The page of a session that has ended, in one piece, to summary_fd. */
void at_report_summary(const struct at_report *report,
		       const struct at_session *session);

/* Tree and last line of a session that has ended, in one piece. */
void at_report_run(const struct at_report *report,
		   const struct at_session *session, char *const *environment);

#endif
