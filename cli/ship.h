// SPDX-License-Identifier: Apache-2.0
/*
 * Saved spans on their way out: lines of OTLP JSON to the exporters, as they
 * are. Behind `autotrace send` and --keep. One thread; one at a time.
 */
#ifndef AT_CLI_SHIP_H
#define AT_CLI_SHIP_H

#include "cli/otlp_message.h"
#include "exporter/exporter.h"

struct at_ship {
	struct at_exporter_host host;
	struct at_counters counters;
	struct at_otlp_message message;
	uint64_t patience_ns; /* of one delivery without success */
	uint64_t span_count;
};

/* What became of the spans. */
struct at_shipped {
	uint64_t accepted, rejected, lost;
};

/*
 * Get ready to send to the exporters that the settings choose; both stay where
 * they are. An exporter that finds nobody, or does not get through for
 * `patience_ms`, is not tried again. 0 or -ENOMEM; closed only after 0.
 */
int at_ship_open(struct at_ship *ship, const struct at_config *config,
		 const struct at_config_origin *origin, uint64_t patience_ms);
void at_ship_close(struct at_ship *ship);

/* Send the spans of one line. 0; -EBADMSG and *mistake: it is none. */
int at_ship_line(struct at_ship *ship, struct at_text line,
		 struct at_otlp_mistake *mistake);

struct at_shipped at_ship_result(const struct at_ship *ship);

#endif
