// SPDX-License-Identifier: Apache-2.0
/*
 * What a job's later steps have to find in their environment, handed to the
 * shell or to the runner. Pure but for the FILE.
 */
#ifndef AT_CLI_JOB_ENV_H
#define AT_CLI_JOB_ENV_H

#include <stdio.h>

#include "core/config.h"

enum at_env_form {
	AT_ENV_SHELL, /* export NAME='value'; unset NAME */
	AT_ENV_FILE,  /* GitHub's: NAME=value; empty for unset */
};

/*
 * Print the setting of one variable; value NULL takes it away. Whatever the
 * value, the reader gets just that.
 */
void at_env_print(FILE *out, enum at_env_form form, const char *name,
		  const char *value);

/* Is this a setting that traced processes need, and no secret? */
bool at_env_is_passed_on(enum at_setting setting);

#endif
