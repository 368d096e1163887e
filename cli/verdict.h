// SPDX-License-Identifier: Apache-2.0
/*
 * What went wrong, as a person would see it. Pure.
 *
 * `grep -q` and `[` fail in every good build, so a process that failed counts
 * only when its failure reached the head of the tree, each image in between
 * having failed as well; or when it died of a signal that nobody sends to ask
 * for an end.
 */
#ifndef AT_CLI_VERDICT_H
#define AT_CLI_VERDICT_H

#include "cli/forest.h"

/* Did this process crash, or was it killed (SIGKILL: also for want of memory)?
 * SIGPIPE, SIGTERM, SIGINT and SIGHUP are ways to be told to end. */
bool at_crashed(const struct at_shown *span);

/* A request that failed: status 400 and more, or no answer. */
bool at_http_failed(const struct at_shown *span);

#define AT_CHAIN_MAX 64

/* How a failure went up: node[0] is the head, the last is where it began. */
struct at_chain {
	uint32_t node[AT_CHAIN_MAX];
	uint32_t count; /* 0: nothing failed that mattered */
};

/*
 * Follow the failure of `head` down. A head that is no process (the span of a
 * whole job) is passed through. Longer chains lose their middle.
 */
void at_chain_find(const struct at_forest *forest, uint32_t head,
		   struct at_chain *chain);

#endif
