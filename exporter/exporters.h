// SPDX-License-Identifier: Apache-2.0
/*
 * Exporters: where batches go. One struct at_exporter each, one line in the
 * registry; called by the worker alone, under the host's lock.
 */
#ifndef AT_EXPORTER_EXPORTERS_H
#define AT_EXPORTER_EXPORTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "exporter/batch.h"
#include "exporter/exporter.h"
#include "exporter/otlp_encode.h"
#include "exporter/pace.h"

/* What an exporter is given with each batch. */
struct delivery {
	struct batch *batch;
	Otlp__TracesData *traces; /* NULL when needs_traces is not set */
	struct pace *pace;
	uint64_t rejected_count; /* out: refused by the other side */
	uint64_t done_count;     /* out, on failure: delivered before it */
};

struct at_exporter {
	const char *name; /* as in OTEL_TRACES_EXPORTER */
	bool local;       /* needs no network: served before those that do */
	bool needs_traces;
	/* How many of its settings are not understood. NULL: has none. */
	uint32_t (*check)(const struct at_config *config);
	/*
	 * Get ready; *self is the exporter's own. 0 or negative errno: stays
	 * closed, tried again with the next batch. Must not wait.
	 */
	int (*open)(struct at_exporter_host *host, void **self);
	/*
	 * Export one batch. 0; -EAGAIN: paused, nothing of it was taken, will
	 * be sent again; anything else: lost (-ETIME: the program ended,
	 * -ECONNREFUSED: nobody there).
	 */
	int (*send)(void *self, struct delivery *delivery);
	/* Let go of everything; no descriptor stays open. */
	void (*close)(void *self);
	/* Forked with connections open: they are the parent's; free the rest. */
	void (*after_fork)(void *self);
};

extern const struct at_exporter at_exporter_otlp;
extern const struct at_exporter at_exporter_file;
extern const struct at_exporter at_exporter_console;

/* NULL-terminated. */
extern const struct at_exporter *const at_exporters[];

#define EXPORTERS_MAX 8

/*
 * The exporters that the settings choose, each once, local ones first, into
 * `chosen`. Returns how many; none is a choice too. *rejected_count grows by
 * the names that are not known. `origin` may be NULL.
 */
int exporters_choose(const struct at_config *config,
		     const struct at_config_origin *origin,
		     const struct at_exporter *chosen[EXPORTERS_MAX],
		     uint64_t *rejected_count);

static inline void host_count(struct at_exporter_host *host,
			      enum at_counter counter, uint64_t by)
{
	atomic_fetch_add_explicit(&host->counters->value[counter], by,
				  memory_order_relaxed);
}

#endif
