// SPDX-License-Identifier: Apache-2.0
/*
 * The process behind a job: it has the hub while the steps come and go, and
 * the span they hang under.
 */
#ifndef AT_CLI_JOB_HOST_H
#define AT_CLI_JOB_HOST_H

#include "cli/session.h"
#include "propagator/propagator.h"

/* What it is started with. */
struct at_job_plan {
	struct at_session_choice choice;
	const struct at_ci *ci;
	const char *name;  /* of the job's span */
	uint64_t limit_ns; /* it ends by itself after this */
	uint32_t runner;   /* and when this process is gone; 0: nobody */
};

/* What it says of itself when it is ready. */
struct at_job_ready {
	int error; /* 0, or negative errno: there will be no tracing */
	bool disabled;
	bool joined; /* TRACEPARENT is from outside */
	char address[AT_HUB_ADDRESS_BYTES];
	char traceparent[AT_TRACEPARENT_BYTES + 1];
};

/*
 * Start it: a session of its own, nothing of ours open. 0 and *ready, or
 * negative errno. Before any thread is made.
 */
int at_job_host_start(const struct at_job_plan *plan,
		      struct at_job_ready *ready);

#endif
