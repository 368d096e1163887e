// SPDX-License-Identifier: Apache-2.0
/*
 * What is to come of a run by how it went: --keep and --fail-on. Pure.
 */
#ifndef AT_CLI_POLICY_H
#define AT_CLI_POLICY_H

#include "cli/forest.h"

/* Which traces leave the house. */
struct at_keep {
	bool asked; /* else all of them */
	bool errors;
	uint64_t slow_ns; /* UINT64_MAX: never for being slow */
};

/* Set what --keep says ("errors,slow:2s"). 0 or -EINVAL. */
int at_keep_parse(struct at_keep *keep, const char *list);

/* What makes a command fail that did not fail itself. */
struct at_fail_on {
	bool http_5xx;
	bool http_error;
	bool crash;
};

/* Set what --fail-on says. 0 or -EINVAL. */
int at_fail_on_parse(struct at_fail_on *fail_on, const char *list);

/* `10s`, `1.5s`, `250ms`, `2m`, `1h`. 0 and *ns, or -EINVAL. */
int at_duration_parse(struct at_text text, uint64_t *ns);

/* Is the trace kept? Where that cannot be told, it is. */
bool at_keep_wants(const struct at_keep *keep, const struct at_span_list *list,
		   const uint8_t *head_id);

/* How many spans break the rule; the first of them in *span. */
size_t at_fail_on_count(const struct at_fail_on *fail_on,
			const struct at_span_list *list,
			const struct at_shown **span);

#endif
