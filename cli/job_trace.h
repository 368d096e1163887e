// SPDX-License-Identifier: Apache-2.0
/* The trace that all jobs of one pipeline run share, on whatever machine. */
#ifndef AT_CLI_JOB_TRACE_H
#define AT_CLI_JOB_TRACE_H

#include "core/ci.h"
#include "core/span.h"

/*
 * Trace id, and the span id of who is above this job, made from the ids of
 * the run: in GitHub Actions those that the collector's github receiver gives
 * to run and job, elsewhere our own in the same manner. False: the system
 * names no run, and no two jobs can agree.
 */
bool at_job_trace(const struct at_ci *ci, struct at_context *context);

/* One of OpenTelemetry's results for what a CI system calls it (a word, or an
 * exit status); NULL: not understood. */
const char *at_job_result(struct at_text word);

/* What the span of a job says of it; `result` may be NULL. */
void at_job_fill(struct at_span *span, const struct at_ci *ci,
		 const char *result);

#endif
