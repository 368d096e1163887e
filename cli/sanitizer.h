// SPDX-License-Identifier: Apache-2.0
/*
 * Programs built with a shared AddressSanitizer refuse to start when another
 * library comes before its runtime, unless they are told not to look.
 */
#ifndef AT_CLI_SANITIZER_H
#define AT_CLI_SANITIZER_H

#include <stdbool.h>

/*
 * Is what execvp() would start for `command` such a program? `path` is PATH;
 * NULL: only a command with a slash is looked at.
 */
bool at_wants_asan_first(const char *command, const char *path);

/* ASAN_OPTIONS for it, from the present one or NULL; malloc'ed, NULL: none. */
char *at_asan_options(const char *existing);

#endif
