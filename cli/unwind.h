// SPDX-License-Identifier: Apache-2.0
/*
 * The stack of a thread of another process, by libunwind: it waits, and we
 * read its memory and the files it was loaded from.
 */
#ifndef AT_CLI_UNWIND_H
#define AT_CLI_UNWIND_H

#include <stdint.h>
#include <sys/types.h>

#include "core/text.h"

/*
 * Write the stack, a line for each function, innermost first:
 *
 *	#0 crash_here+0x15 (prog+0x1139)
 *	#1 recurse+0x16 (prog+0x1195), and again: 12
 *
 * `context` is the address there of the ucontext_t with the registers to begin
 * with. What does not fit is left out by whole lines, the last one says `...`.
 * Nothing is written where the memory may not be read, or the CPU is not known.
 *
 * Files and memory of another process are not to be trusted: to be called in
 * a process of its own. Not thread-safe.
 */
void at_unwind(pid_t pid, uint64_t context, struct at_writer *writer);

#endif
