// SPDX-License-Identifier: Apache-2.0
/* The last line: how much there was, and what is missing. */
#ifndef AT_CLI_SUMMARY_H
#define AT_CLI_SUMMARY_H

#include <stdint.h>
#include <stdio.h>

#include "cli/span_list.h"
#include "core/counters.h"
#include "core/text.h"

/* `trace ID, 14 spans`, or `14 spans in 3 traces`; no newline. */
void at_summary_of_list(FILE *out, const struct at_span_list *list);

/*
 * `, 0 dropped`, or `, 5 dropped (3 spans dropped: the queue was full; ...)`,
 * and behind it what was traced with less than could be. No newline.
 */
void at_summary_of_counters(FILE *out, const struct at_counters *counters);

/*
 * The link: `url` with each {trace_id} replaced; nothing when there is none
 * in it. Bytes that are not printable ASCII are percent-encoded.
 */
void at_summary_link(FILE *out, const char *url,
		     const uint8_t trace_id[AT_TRACE_ID_BYTES]);

#endif
