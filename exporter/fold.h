// SPDX-License-Identifier: Apache-2.0
/*
 * Traces too large for a backend: beyond so many programs, those that are short,
 * ended well, and have nothing of their own below them are left out of what is
 * sent, and counted in the span of the program that started them.
 *
 * Memory: some 40 bytes for each program that is sent. Where there is none,
 * nothing is left out. One thread at a time.
 */
#ifndef AT_EXPORTER_FOLD_H
#define AT_EXPORTER_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "exporter/arena.h"
#include "exporter/exporter.h"
#include "otlp.pb-c.h"

/* Longer ones are worth a look, however many there are. */
#define FOLD_SHORT_NS UINT64_C(1000000000)

struct fold_entry;

/* Zeroed: nothing has been seen. */
struct fold {
	uint64_t max; /* programs of one trace that are sent in any case */
	struct fold_entry *table;
	uint32_t size; /* of the table, a power of two */
	uint32_t used;
};

/*
 * Take what is to be folded out of a message, in place, and write counts to
 * those that stay (from `arena`). Once a message; messages in the order in
 * which their spans ended. `books` (NULL: there are none) knows who still runs.
 * How many are left out.
 */
uint32_t fold_traces(struct fold *fold, Otlp__TracesData *traces,
		     struct arena *arena,
		     const struct at_exporter_books *books);

void fold_free(struct fold *fold);

#endif
