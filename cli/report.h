// SPDX-License-Identifier: Apache-2.0
/* What `run` prints when the command has ended. */
#ifndef AT_CLI_REPORT_H
#define AT_CLI_REPORT_H

#include <stdbool.h>

#include "cli/session.h"
#include "cli/tree.h"

struct at_report {
	int fd;
	bool quiet;
	bool tree;
	unsigned int max_lines;
};

/* Set what --tree says. 0, or -EINVAL: none of auto, all, none. */
int at_report_tree(struct at_report *report, const char *value);

/* Tree and last line of a session that has ended, in one piece. */
void at_report_run(const struct at_report *report,
		   const struct at_session *session, char *const *environment);

#endif
