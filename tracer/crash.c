// SPDX-License-Identifier: Apache-2.0
/*
 * A program that crashes: the hub's owner is asked to read the stack, while
 * the signal's handler waits. The handler itself is hooks/signal.c's.
 */
#include "core/clock.h"
#include "core/crash.h"
#include "core/hub.h"
#include "core/sys.h"
#include "tracer/process.h"
#include "tracer/tracer.h"

/* Who crashes is late by as much, at most. */
#define PATIENCE_NS UINT64_C(2000000000)

bool at_crash_is_wanted(const struct at_config *config)
{
	return config->stacks[0] == 'c' && process_is_told();
}

/* A signal that somebody has sent has no address, but a sender. */
static uint64_t address_of(const siginfo_t *info)
{
	return info->si_code > 0 ? (uint64_t)(uintptr_t)info->si_addr :
				   (uint64_t)info->si_pid;
}

void at_crash_report(int number, const siginfo_t *info, const void *context)
{
	static _Atomic bool told;
	struct at_crash crash = {
		.pid = (uint32_t)sys_getpid(),
		.tid = (uint32_t)sys_gettid(),
		.number = number,
		.code = info->si_code,
		.address = address_of(info),
		.context = (uint64_t)(uintptr_t)context,
	};

	/* A forked child has no span; of several threads the first is told. */
	if (!process_is_told() || atomic_exchange(&told, true))
		return;
	crash.unix_ns = at_clock_unix_ns(at_clock_now_ns());
	if (at_crash_ask(&process_hub()->crashes, &crash, PATIENCE_NS))
		at_count(AT_COUNT_STACKS_MISSED, 1);
}
