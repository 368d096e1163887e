// SPDX-License-Identifier: Apache-2.0
/*
 * The summary of a run or job as a page of Markdown: why it failed, where the
 * time went, what was not seen.
 */
#ifndef AT_CLI_JOB_PAGE_H
#define AT_CLI_JOB_PAGE_H

#include <stdio.h>

#include "cli/span_list.h"
#include "core/counters.h"

struct at_job_page {
	const struct at_span_list *list;
	const uint8_t *head_id;             /* span id of the run, or job */
	const struct at_counters *counters; /* NULL: not known */
	const char *trace_url; /* with {trace_id} in it; else no link */
};

/* 0; -ENOMEM; -ENOENT when the head is not in the list: nothing is written. */
int at_job_page_write(FILE *out, const struct at_job_page *job);

#endif
