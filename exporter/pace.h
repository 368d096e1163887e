// SPDX-License-Identifier: Apache-2.0
/*
 * Pace: how long the export of one batch may still take, and every wait in it.
 *
 * The host may ask for a pause (it is about to fork) or for the end (the
 * program exits) at any moment; all waiting goes through here so that it is
 * noticed, and so that the host's lock is free meanwhile.
 */
#ifndef AT_EXPORTER_PACE_H
#define AT_EXPORTER_PACE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "exporter/exporter.h"

/* A transfer that is under way looks at the command this often. */
#define PACE_SLICE_NS UINT64_C(5000000)
/* What it is given to end once a pause is asked for, unless it is all out. */
#define PACE_PAUSE_NS UINT64_C(15000000)

struct pace {
	struct at_exporter_host *host;
	/* Of this batch, kept while the worker is paused: */
	uint64_t budget_ns;     /* AT_NO_LIMIT: none */
	uint64_t not_before_ns; /* a retry has to wait until then */
	uint32_t attempt;       /* transfers that came to an end */
	bool unreachable;       /* the last of them found nobody there */
	/* Of this stretch of work: */
	uint64_t started_ns;
	uint64_t pause_since_ns;
	bool out; /* all of a request is, its answer is not here yet */
};

/* A new batch that may take budget_ns. */
void pace_init(struct pace *pace, struct at_exporter_host *host,
	       uint64_t budget_ns);

/* Work on the batch begins, or goes on after a pause. */
void pace_start(struct pace *pace);

/* Work on the batch stops; what it took is gone from its budget. */
void pace_stop(struct pace *pace);

/* The host's command as it is now. */
enum at_export_command pace_command(const struct pace *pace);

/*
 * Time left in ns. When none is left, 0 and in *why (may be NULL) -EAGAIN: a
 * pause, keep the batch; -ETIME: the program's end; -ETIMEDOUT: the batch's
 * own limit.
 */
uint64_t pace_left_ns(struct pace *pace, int *why);

/*
 * poll(2), for at most timeout_ns and a slice. The count of ready ones;
 * interrupted is 0.
 */
int pace_poll(struct pace *pace, struct pollfd *fds, unsigned int count,
	      uint64_t timeout_ns);

/*
 * Wait until not_before_ns. 0, and that at once when the program's end begins
 * and the last attempt found nobody: one more is all there is time for.
 * -EAGAIN on a pause; -ETIME or -ETIMEDOUT, at once, when there is no time for
 * the wait.
 */
int pace_sleep(struct pace *pace);

/* The host's lock, where there is one. */
void pace_lock(const struct at_exporter_host *host);
void pace_unlock(const struct at_exporter_host *host);

/*
 * Sleep until at_least records wait in the ring, the command is another than
 * `known`, the ring is woken, or until_ns (monotonic; AT_NO_LIMIT) has come.
 * Returns early at times. The lock is free meanwhile.
 */
void pace_wait_ring(struct at_exporter_host *host, enum at_export_command known,
		    uint32_t at_least, uint64_t until_ns);

#endif
