// SPDX-License-Identifier: Apache-2.0
/*
 * Who reads the stacks of programs that crash: a thread beside the hub's
 * reader, and a short-lived process for each.
 */
#ifndef AT_CLI_CRASH_H
#define AT_CLI_CRASH_H

#include <pthread.h>
#include <stdbool.h>

#include "core/crash.h"
#include "core/hub.h"
#include "core/span.h"

struct at_crash_reader {
	struct at_hub *hub;
	pthread_t thread;
	bool running;
	_Atomic bool over;
};

/* There is going to be a reader: who crashes before may wait for it. */
void at_crash_reader_expect(struct at_hub *hub);

/* 0 or negative errno: crashes then are without stacks. */
int at_crash_reader_start(struct at_crash_reader *reader, struct at_hub *hub);

/* Waits for what is being read. */
void at_crash_reader_stop(struct at_crash_reader *reader);

/* What is known of a crash, as a record for the books (cli/processes.h). */
void at_crash_fill(struct at_span *record, const struct at_crash *crash,
		   struct at_text stack);

#endif
