// SPDX-License-Identifier: Apache-2.0
/*
 * The library's own words: none, unless AUTOTRACE_LOG asks for them.
 *
 * One line is one raw write(2): nothing is buffered, locked or allocated, and
 * the descriptor is open only while the line is written. Thread- and
 * signal-safe; errno is not touched.
 */
#ifndef AT_CORE_LOG_H
#define AT_CORE_LOG_H

#include "core/text.h"

/* "stderr", a path, or "" for silence (AUTOTRACE_LOG). Keeps the pointer. */
void at_log_to(const char *where);
bool at_log_wanted(void);

/*
 * Where descriptor 2 need not be the program's stderr (a thread with a table
 * of its own): this opens it for a line; negative when it cannot.
 */
void at_log_stderr_from(int (*open_stderr)(void));

/*
 * A daemon closes its stderr, and the next thing it opens is number 2: a
 * socket, or a database file that is read as well. Is `fd` neither?
 */
bool at_log_is_for_people(int fd);

/* "autotrace[PID]: " line "\n"; cut at 500 bytes. */
void at_log_line(struct at_text line);

/* Every LOST and LESS counter that is not zero, a line each. */
void at_log_counters(void);

#endif
