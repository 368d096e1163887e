// SPDX-License-Identifier: Apache-2.0
/*
 * Crashes: a process that is about to die waits in a box of the hub's memory
 * until its stack has been read from outside, or its patience is over.
 *
 * Nothing of it is unwound in the process itself: that would need a library
 * and a stack of its own there. All functions are safe between processes that
 * may die at any moment.
 */
#ifndef AT_CORE_CRASH_H
#define AT_CORE_CRASH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define AT_CRASH_BOXES 16

/* What the signal's handler was told. */
struct at_crash {
	uint32_t pid;
	uint32_t tid;
	int32_t number;   /* of the signal */
	int32_t code;     /* si_code */
	uint64_t address; /* si_addr; of a signal that was sent: by which pid */
	uint64_t context; /* address of the thread's ucontext_t */
	uint64_t unix_ns;
};

struct at_crash_box {
	_Alignas(64) _Atomic uint32_t state;
	struct at_crash crash;
};

struct at_crashes {
	_Atomic uint32_t reader; /* pid; 0: nobody reads */
	_Atomic uint32_t asked_count;
	struct at_crash_box box[AT_CRASH_BOXES];
};

/*
 * In the dying process: leave *crash and wait until it has been read.
 * Async-signal-safe. 0; -ESRCH nobody reads, -EBUSY all boxes are taken,
 * -ETIMEDOUT nobody has answered (it may still be read).
 */
int at_crash_ask(struct at_crashes *crashes, const struct at_crash *crash,
		 uint64_t patience_ns);

/* --- the reader; one thread of one process --- */

/* The next crash, or false. Its box has to be answered. */
bool at_crash_take(struct at_crashes *crashes, struct at_crash *crash,
		   uint32_t *box);

/* It has been read: its process may go on dying. */
void at_crash_answer(struct at_crashes *crashes, uint32_t box);

/* Sleep until somebody asks or at_crash_wake(). `seen`: asked_count before
 * the last at_crash_take(). */
void at_crash_wait(struct at_crashes *crashes, uint32_t seen);
void at_crash_wake(struct at_crashes *crashes);

#endif
