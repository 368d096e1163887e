// SPDX-License-Identifier: Apache-2.0
/*
 * Batch: spans taken out of the ring together, to be exported together.
 *
 * Spans lie one behind the other as they came, redacted, and checked: what
 * came through shared memory may be anything.
 */
#ifndef AT_EXPORTER_BATCH_H
#define AT_EXPORTER_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ring.h"
#include "core/span.h"
#include "exporter/arena.h"
#include "exporter/exporter.h"
#include "exporter/redact.h"
#include "otlp.pb-c.h"

/* Records of one batch; their encoded form stays below OTLP's 64 MiB. */
#define BATCH_MAX_BYTES (4u << 20)

struct batch {
	uint8_t *records;
	size_t cap_bytes;
	size_t used_bytes;
	uint32_t count;
	uint32_t max;
	struct arena arena;       /* of what the batch is encoded into */
	Otlp__TracesData *traces; /* in the arena; NULL: not encoded yet */
};

/* What is done to every span on its way in. */
struct batch_intake {
	struct redact_rules redact;
	const struct at_exporter_books *books; /* NULL: none */
	void (*observe)(void *context, const struct at_span *span);
	void *observe_context;
};

/* Room for `max` spans. 0 or -ENOMEM. */
int batch_open(struct batch *batch, uint32_t max);
void batch_clear(struct batch *batch);
void batch_free(struct batch *batch);

bool batch_full(const struct batch *batch);

/*
 * Take what waits, until the batch is full or nothing is left. Returns how
 * many records were unusable.
 */
uint32_t batch_fill(struct batch *batch, struct at_ring_reader *reader,
		    const struct batch_intake *intake, uint64_t now_ns);

/* Walk: start with *offset = 0; NULL at the end. */
const struct at_span *batch_next(const struct batch *batch, size_t *offset);

#endif
