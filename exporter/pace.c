// SPDX-License-Identifier: Apache-2.0
#include "exporter/pace.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/sys.h"

void pace_init(struct pace *pace, struct at_exporter_host *host,
	       uint64_t budget_ns)
{
	memset(pace, 0, sizeof(*pace));
	pace->host = host;
	pace->budget_ns = budget_ns;
}

void pace_start(struct pace *pace)
{
	pace->started_ns = at_clock_now_ns();
	pace->pause_since_ns = 0;
}

void pace_stop(struct pace *pace)
{
	uint64_t took_ns = at_clock_now_ns() - pace->started_ns;

	if (pace->budget_ns != AT_NO_LIMIT)
		pace->budget_ns -= took_ns < pace->budget_ns ? took_ns :
							       pace->budget_ns;
}

static enum at_export_command command_of(const struct at_exporter_host *host)
{
	return (enum at_export_command)atomic_load(&host->command);
}

enum at_export_command pace_command(const struct pace *pace)
{
	return command_of(pace->host);
}

static uint64_t until(uint64_t end_ns, uint64_t now_ns)
{
	return end_ns > now_ns ? end_ns - now_ns : 0;
}

static uint64_t command_left_ns(struct pace *pace, uint64_t now_ns, int *why)
{
	switch (pace_command(pace)) {
	case AT_EXPORT_PAUSE:
		if (pace->out)
			return AT_NO_LIMIT;
		/* fall through */
	case AT_EXPORT_ABORT:
		if (!pace->pause_since_ns)
			pace->pause_since_ns = now_ns;
		*why = -EAGAIN;
		return until(pace->pause_since_ns + PACE_PAUSE_NS, now_ns);
	case AT_EXPORT_DRAIN:
		*why = -ETIME;
		return until(atomic_load(&pace->host->deadline_ns), now_ns);
	default:
		return AT_NO_LIMIT;
	}
}

uint64_t pace_left_ns(struct pace *pace, int *why)
{
	uint64_t now_ns = at_clock_now_ns(), left_ns, own_ns = AT_NO_LIMIT;
	int unused;

	if (!why)
		why = &unused;
	left_ns = command_left_ns(pace, now_ns, why);
	if (pace->budget_ns != AT_NO_LIMIT)
		own_ns = until(pace->started_ns + pace->budget_ns, now_ns);
	if (own_ns < left_ns) {
		*why = -ETIMEDOUT;
		left_ns = own_ns;
	}
	return left_ns;
}

void pace_lock(const struct at_exporter_host *host)
{
	if (host->lock)
		host->lock();
}

void pace_unlock(const struct at_exporter_host *host)
{
	if (host->unlock)
		host->unlock();
}

int pace_poll(struct pace *pace, struct pollfd *fds, unsigned int count,
	      uint64_t timeout_ns)
{
	struct timespec timeout = { 0 };
	int ready;

	if (timeout_ns > PACE_SLICE_NS)
		timeout_ns = PACE_SLICE_NS;
	timeout.tv_nsec = (long)timeout_ns;
	pace_unlock(pace->host);
	ready = (int)sys_call5(SYS_ppoll, fds, count, &timeout, NULL, 8);
	pace_lock(pace->host);
	return ready < 0 ? 0 : ready;
}

/*
 * at_ring_wait() with the command read between the futex word and the sleep:
 * a command given in between must not be slept through.
 */
void pace_wait_ring(struct at_exporter_host *host, enum at_export_command known,
		    uint32_t at_least, uint64_t until_ns)
{
	struct at_ring *ring = host->ring;
	uint32_t seen = atomic_load(&ring->wake);
	uint64_t timeout_ns = UINT64_MAX;

	if (until_ns != AT_NO_LIMIT)
		timeout_ns = until(until_ns, at_clock_now_ns());
	atomic_store(&ring->wait_for, at_least);
	if (command_of(host) == known && at_ring_count(ring) < at_least &&
	    timeout_ns) {
		pace_unlock(host);
		sys_futex_wait(&ring->wake, seen, timeout_ns);
		pace_lock(host);
	}
	atomic_store(&ring->wait_for, 0);
}

int pace_sleep(struct pace *pace)
{
	for (;;) {
		enum at_export_command command = pace_command(pace);
		uint64_t now_ns = at_clock_now_ns();
		int why = 0;

		if (command == AT_EXPORT_PAUSE || command == AT_EXPORT_ABORT) {
			pace->pause_since_ns = now_ns;
			return -EAGAIN;
		}
		if (now_ns >= pace->not_before_ns ||
		    (command == AT_EXPORT_DRAIN && pace->unreachable))
			return 0;
		if (pace_left_ns(pace, &why) <= pace->not_before_ns - now_ns)
			return why;
		/* No number of waiting spans ends it. */
		pace_wait_ring(pace->host, command, UINT32_MAX,
			       pace->not_before_ns);
	}
}
