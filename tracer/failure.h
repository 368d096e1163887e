// SPDX-License-Identifier: Apache-2.0
/*
 * Connections that never came about become error spans (private to tracer/).
 *
 * Thread-safe, async-signal-safe, errno is kept. Whoever does not get the
 * tables within a short spin leaves without (counted when a report is lost).
 */
#ifndef TRACER_FAILURE_H
#define TRACER_FAILURE_H

#include <stdatomic.h>
#include <stdbool.h>

/* Some connect waits for its answer, or something will fall due. */
extern _Atomic bool failure_watching;

/* Use failure_closing(). */
void failure_closed(unsigned int first, unsigned int last);

/* The descriptors first..last are about to be closed. */
static inline void failure_closing(unsigned int first, unsigned int last)
{
	if (atomic_load_explicit(&failure_watching, memory_order_relaxed))
		failure_closed(first, last);
}

/* What is held or being folded goes out now (end of the process). */
void failure_flush(void);

/* What the parent had seen is the parent's to report. */
void failure_after_fork_child(void);

#endif
