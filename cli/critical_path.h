// SPDX-License-Identifier: Apache-2.0
/*
 * Where the time went: the path through the tree that decided how long it
 * took, and what each process did itself. Pure.
 */
#ifndef AT_CLI_CRITICAL_PATH_H
#define AT_CLI_CRITICAL_PATH_H

#include "cli/forest.h"

/* A span on the path, and the time that nothing below it accounts for. */
struct at_path_step {
	uint32_t node;
	uint64_t own_ns;
};

struct at_path {
	struct at_path_step *step; /* by start */
	uint32_t count;
	uint64_t all_ns; /* the head's duration */
};

/*
 * From the end of `head` back: whoever of the children ended last was waited
 * for, then whoever had ended when that one began, and so on down. Children
 * that outlive their parent were not waited for. The own times of all steps
 * are the duration of the head. 0 or -ENOMEM; to be freed in either case.
 */
int at_path_find(const struct at_forest *forest, uint32_t head,
		 struct at_path *path);
void at_path_free(struct at_path *path);

/* Time of a process in which none of its child processes ran. */
uint64_t at_own_ns(const struct at_forest *forest, uint32_t node);

#endif
