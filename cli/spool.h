// SPDX-License-Identifier: Apache-2.0
/*
 * Where the spans of a run wait until it is known whether they are wanted: a
 * file without a name, in OTLP JSON lines, written by the file exporter.
 */
#ifndef AT_CLI_SPOOL_H
#define AT_CLI_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/counters.h"

struct at_spool {
	int fd;          /* close-on-exec; -1: there is none */
	char path[32];   /* by which the exporter finds it */
	long sent_bytes; /* of it */
};

/* In TMPDIR, else in memory. *path is what AUTOTRACE_FILE has to be. 0 or
 * negative errno. */
int at_spool_open(struct at_spool *spool, const char **path);
void at_spool_close(struct at_spool *spool);

/*
 * Send what has not been sent to the exporters of the settings; what became of
 * it is added to the counters. Without a spool nothing is done.
 */
void at_spool_ship(struct at_spool *spool, const struct at_config *config,
		   uint64_t patience_ms, struct at_counters *counters);

#endif
