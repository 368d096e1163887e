// SPDX-License-Identifier: Apache-2.0
/*
 * The two sides of a fork (private to tracer/; what preload/ and the hooks
 * call is in tracer.h).
 */
#ifndef TRACER_FORK_H
#define TRACER_FORK_H

#include <stdbool.h>

/*
 * From now on there is something that a child must not take for its own. The
 * first call maps a page that the kernel wipes in forked children.
 */
void fork_watch(void);

/* Is this a child that no fork handler has told us about? */
bool fork_unnoticed(void);

/* In a forked child: no vfork of its own is under way. In tracer.c. */
void thread_is_alone(void);

#endif
