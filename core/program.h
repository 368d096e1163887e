// SPDX-License-Identifier: Apache-2.0
/*
 * How programs end, as attributes of their spans. Pure, thread-safe and
 * async-signal-safe.
 */
#ifndef AT_CORE_PROGRAM_H
#define AT_CORE_PROGRAM_H

#include <stdint.h>
#include <sys/resource.h>

#include "core/span.h"

/* `SIGSEGV`; `SIG34` for one without a name. */
void at_program_write_signal(struct at_writer *writer, unsigned int signal);

/* Exit code (128+N for signal N), and error.type where it is not 0. */
void at_program_fill_exit(struct at_span *span, int wait_status);

/*
 * CPU time, peak memory and block I/O; what `before` says (NULL: nothing) is
 * taken off.
 */
void at_program_fill_usage(struct at_span *span, const struct rusage *usage,
			   const struct rusage *before);

#endif
