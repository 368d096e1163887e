// SPDX-License-Identifier: Apache-2.0
/* Whose job is this? */
#ifndef AT_CLI_ANCESTRY_H
#define AT_CLI_ANCESTRY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The process that a job ends with: the first one above us that is no shell,
 * thus the runner. Where there are shells only: 0 when each step has one of its
 * own, else the topmost of them. 0: nobody that could be waited for.
 */
uint32_t at_runner_of(uint32_t pid, bool shell_each_step);

#endif
