// SPDX-License-Identifier: Apache-2.0
/*
 * The values of a line of OTLP JSON: private to cli/otlp_message.c. A mistake
 * is noted in `json`; what is returned then is empty.
 */
#ifndef AT_CLI_OTLP_VALUE_H
#define AT_CLI_OTLP_VALUE_H

#include "cli/json.h"
#include "otlp.pb-c.h"

struct at_otlp_reader {
	struct at_json json;
	struct at_otlp_chunk *memory;
	char *scratch; /* as long as the line: no text of it is longer */
	size_t scratch_bytes;
};

/* Elements of an array, whose number is known at its end. */
struct at_otlp_list {
	void **item;
	size_t count, room;
};

/* Zeroed memory that lives as long as the message. Ends the program when there
 * is none. */
void *at_take(struct at_otlp_reader *reader, size_t size);
void at_chunks_free(struct at_otlp_chunk *chunk);

bool at_key_is(struct at_text key, const char *name);

/* Pass over a null, which is as good as absent. False: it is none. */
bool at_skip_null(struct at_otlp_reader *reader);

ProtobufCBinaryData at_read_string(struct at_otlp_reader *reader);

/* An id of `count` bytes; an empty text is none. */
ProtobufCBinaryData at_read_id(struct at_otlp_reader *reader, size_t count);

uint32_t at_read_u32(struct at_otlp_reader *reader);

/* A number, or a name out of the table, which begins at 0. */
int32_t at_read_enum(struct at_otlp_reader *reader, const char *const *names,
		     int32_t count);

/* An array, each element by `read`. */
struct at_otlp_list at_read_list(struct at_otlp_reader *reader,
				 void *(*read)(struct at_otlp_reader *));

/* Attributes. */
Otlp__KeyValue **at_read_pairs(struct at_otlp_reader *reader, size_t *count);

#endif
