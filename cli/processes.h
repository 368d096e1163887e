// SPDX-License-Identifier: Apache-2.0
/*
 * The books of who lives in a tree: from what its processes say to spans.
 *
 * A program that ends by itself says so. One that is killed, or that another
 * has taken the place of, is ended here: by what its parent's wait has heard,
 * or because it is no longer there.
 */
#ifndef AT_CLI_PROCESSES_H
#define AT_CLI_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/hub.h"
#include "core/ring.h"
#include "core/span.h"

struct at_open_program;

#define AT_PROCESSES_BUCKETS 1024
/* Of those beyond, whoever is killed has no span: some 35 MiB are enough. */
#define AT_PROCESSES_MAX 16384

struct at_processes {
	struct at_hub *hub;
	struct at_open_program *open[AT_PROCESSES_BUCKETS];
	uint32_t open_count;
	/* Ended here, on their way out. */
	struct at_open_program *done;
	struct at_open_program **done_end;
	uint32_t done_count;
	uint64_t swept_ns;
};

void at_processes_init(struct at_processes *processes, struct at_hub *hub);
void at_processes_free(struct at_processes *processes);

/*
 * The next span, as at_ring_pop(): records that are no spans end here.
 * -EBADMSG: one that makes no sense.
 */
int at_processes_pop(struct at_processes *processes,
		     struct at_ring_reader *reader, struct at_span *span,
		     uint64_t now_ns);

/* Does anybody still run whose parent is this span? */
bool at_processes_is_parent(const struct at_processes *processes,
			    const uint8_t *span_id);

/* Look, once a second, who is no longer there. `now_ns` is monotonic. */
void at_processes_sweep(struct at_processes *processes, uint64_t now_ns);

#endif
