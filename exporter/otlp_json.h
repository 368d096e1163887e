// SPDX-License-Identifier: Apache-2.0
/*
 * OTLP/JSON: lowerCamelCase keys, ids in hexadecimal, 64-bit integers as
 * strings. Written from the message that is also sent as protobuf. Pure.
 */
#ifndef AT_EXPORTER_OTLP_JSON_H
#define AT_EXPORTER_OTLP_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "exporter/buffer.h"
#include "otlp.pb-c.h"

/*
 * Append one TracesData object of our own messages (one resource, one scope)
 * on one line, without its end of line: from the *span_index'th span until the
 * text is over `max_bytes` or the spans are at their end. Moves *span_index
 * on; false when no span was left. Texts must be valid UTF-8. Memory failure
 * sets buffer->failed.
 */
bool otlp_json(const Otlp__TracesData *traces, size_t *span_index,
	       size_t max_bytes, struct buffer *buffer);

#define OTLP_JSON_NUMBER_BYTES 40

/* A number for people, in any locale. */
void otlp_json_number(char text[OTLP_JSON_NUMBER_BYTES], double value);

/* Append one AnyValue object. */
void otlp_json_value(const Otlp__AnyValue *value, struct buffer *out);

#endif
