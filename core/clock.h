// SPDX-License-Identifier: Apache-2.0
/*
 * Time. Wall-clock stamps are anchored once a process, durations are
 * monotonic, so that a clock step never turns a span around.
 *
 * Thread-safe and async-signal-safe.
 */
#ifndef AT_CORE_CLOCK_H
#define AT_CORE_CLOCK_H

#include <stdint.h>

/*
 * Read through libc's own clock_gettime (a vDSO call). `clock_gettime` is the
 * function to use: libfaketime and the like replace the public symbol, and a
 * tracer that believes them lies. NULL: the system call.
 */
struct timespec;
void at_clock_use(int (*clock_gettime)(int clock, struct timespec *now));

/* CLOCK_MONOTONIC in ns. */
uint64_t at_clock_now_ns(void);

/* Wall-clock time of a monotonic stamp, ns since 1970. */
uint64_t at_clock_unix_ns(uint64_t monotonic_ns);

#endif
