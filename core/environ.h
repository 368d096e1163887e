// SPDX-License-Identifier: Apache-2.0
/*
 * The environment block, read without libc (getenv is not safe beside
 * setenv, and may be replaced).
 */
#ifndef AT_CORE_ENVIRON_H
#define AT_CORE_ENVIRON_H

#include "core/text.h"

/*
 * Value of `name` in the block, or a text with ptr NULL. The view points into
 * the block. Signal-safe.
 */
struct at_text at_environ_get(char *const *environ, const char *name);

#endif
