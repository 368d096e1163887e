// SPDX-License-Identifier: Apache-2.0
/* What a person calls a running program. */
#ifndef AT_CORE_PROGRAM_NAME_H
#define AT_CORE_PROGRAM_NAME_H

#include "core/text.h"

/*
 * `git clone`, `python3 manage.py`, `ls`: never an option's value, a path or
 * anything else that was given to it. `argv` may be NULL or empty: nothing is
 * written. Pure, signal-safe.
 */
#define AT_PROGRAM_NAME_BYTES 128
void at_program_name_write(struct at_writer *writer, char *const *argv);

#endif
