// SPDX-License-Identifier: Apache-2.0
/*
 * The table of descriptor numbers (private to tracer/). Thread-safe,
 * async-signal-safe; a slot is one atomic word.
 */
#ifndef TRACER_FDTABLE_H
#define TRACER_FDTABLE_H

#include "tracer/tracer.h"

/* AT_FD_UNKNOWN for numbers out of range. */
uint64_t fdtable_get(int fd);

/* Store; *old gets what was there. 0, or -ENOMEM (value not stored). */
int fdtable_set(int fd, uint64_t value, uint64_t *old);

/* Store if still `expected`. 0, -EAGAIN if not, -ENOMEM. */
int fdtable_replace(int fd, uint64_t expected, uint64_t value);

/* For walking ranges: first number of the page after fd's. */
int fdtable_next_page(int fd);
bool fdtable_page_exists(int fd);

#endif
