// SPDX-License-Identifier: Apache-2.0
/* What the command finds in its environment. */
#ifndef AT_CLI_CHILD_ENV_H
#define AT_CLI_CHILD_ENV_H

#include <stddef.h>

struct at_env_change {
	const char *name;
	const char *value; /* NULL: taken out */
};

/*
 * The environment block with the changes made, every earlier entry of those
 * names gone. One allocation, to be freed; it points to the strings of
 * `environment`. NULL when there is no memory.
 */
char **at_environment_with(char *const *environment,
			   const struct at_env_change *changes,
			   size_t change_count);

/*
 * LD_PRELOAD with `library` at its end, unless it is already in it. Allocated;
 * NULL when there is no memory. `existing` may be NULL.
 */
char *at_preload_with(const char *existing, const char *library);

/*
 * LD_PRELOAD without `library`. Allocated; NULL when nothing is left of it, or
 * there is no memory. `existing` may be NULL.
 */
char *at_preload_without(const char *existing, const char *library);

/*
 * Absolute path of libautotrace.so, beside this program or in ../lib.
 * 0 and an allocated *path; -ENOENT; -EINVAL when LD_PRELOAD cannot hold the
 * path (blank or colon; *path is set all the same); -ENOMEM.
 */
int at_find_library(char **path);

#endif
