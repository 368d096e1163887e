// SPDX-License-Identifier: Apache-2.0
/*
 * Folding the same failure over and over (private to tracer/).
 *
 * The first one is reported at once; those that follow within
 * REPEAT_WINDOW_NS are counted and reported as one when the window is over.
 *
 * No clock, no lock, no system call: the caller serialises.
 */
#ifndef TRACER_REPEAT_H
#define TRACER_REPEAT_H

#include "tracer/attempt.h"

#define REPEAT_WINDOW_NS 10000000000u

/*
 * True: report *failure now (of several, only the first; the rest is kept).
 * False: it has been counted. The same failure is the same host, port
 * and error.type.
 */
bool repeat_first(struct failure *failure);

/*
 * Close a window that is over (UINT64_MAX: any). True: *out is to be reported,
 * nothing happened in the others.
 */
bool repeat_due(uint64_t now_ns, struct failure *out);

/* To be read only: windows that are open. */
extern unsigned int repeat_open_count;

void repeat_forget_all(void);

#endif
