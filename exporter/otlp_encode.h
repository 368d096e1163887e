// SPDX-License-Identifier: Apache-2.0
/*
 * Spans as OTLP: from a batch to the message, from the message to bytes.
 * No I/O, no clock; all memory is the batch's arena or the caller's buffer.
 */
#ifndef AT_EXPORTER_OTLP_ENCODE_H
#define AT_EXPORTER_OTLP_ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "exporter/batch.h"
#include "exporter/buffer.h"
#include "exporter/resource.h"

struct otlp_rules {
	struct resource *resource;
	uint64_t attribute_count; /* limits; AT_NO_LIMIT: none */
	uint64_t value_length;
	bool pid_on_spans; /* spans of many processes under one resource */
};

/*
 * The batch as one message in its arena; made at the first call. It points
 * into the batch and the resource. NULL: no memory. *cut_count, where not
 * NULL, grows by the values cut to value_length.
 */
Otlp__TracesData *otlp_encode(struct batch *batch,
			      const struct otlp_rules *rules,
			      uint64_t *cut_count);

/*
 * Leave out what only local exporters may show: process.command_args. The
 * message itself is changed; local exporters have been served before.
 */
void otlp_leave_private(Otlp__TracesData *traces);

/* Spans in a message, whatever it is made of. */
size_t otlp_span_count(const Otlp__TracesData *traces);

/* Append the bytes of one of our messages (one resource, one scope). 0 or
 * -ENOMEM. */
int otlp_pack(const Otlp__TracesData *traces, struct buffer *buffer);

/* Span.flags: W3C flags, and whether the parent is in another process. */
uint32_t otlp_span_flags(uint8_t trace_flags, bool parent_remote);

#endif
