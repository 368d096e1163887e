// SPDX-License-Identifier: Apache-2.0
/*
 * JSON (RFC 8259) read from front to back, without a tree and without memory.
 *
 * The caller says what it expects; the first thing that is otherwise sets
 * `error`, and everything after that answers "nothing more". Depth is bounded,
 * so a hostile file costs neither stack nor time.
 */
#ifndef AT_CLI_JSON_H
#define AT_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/text.h"

#define AT_JSON_DEPTH_MAX 64

struct at_json {
	const char *begin;
	const char *at;
	const char *end;
	unsigned int depth;
	bool first;        /* the next member or element needs no comma */
	const char *error; /* what was expected; NULL: none so far */
};

enum at_json_type {
	AT_JSON_NOTHING, /* the end, or an error */
	AT_JSON_OBJECT,
	AT_JSON_ARRAY,
	AT_JSON_STRING,
	AT_JSON_NUMBER,
	AT_JSON_TRUE,
	AT_JSON_FALSE,
	AT_JSON_NULL,
};

void at_json_init(struct at_json *json, struct at_text text);

/* The type of the next value, which stays where it is. */
enum at_json_type at_json_peek(struct at_json *json);

/* Enter an object or array. False, and error, when it is something else. */
bool at_json_enter(struct at_json *json, enum at_json_type type);

/*
 * The next key of the object entered last, as spelt in the file (escapes not
 * resolved); its value is to be read or skipped. False at the object's end.
 */
bool at_json_key(struct at_json *json, struct at_text *key);

/* Is there another element in the array entered last? To be read then. */
bool at_json_element(struct at_json *json);

/*
 * The next value, a string, decoded to UTF-8 and cut to what fits in `writer`
 * (whole characters). False, and error, when it is no string.
 */
bool at_json_string(struct at_json *json, struct at_writer *writer);

/*
 * The next value as text: a string decoded, a number as spelt, true or false.
 * False, and error, for anything else.
 */
bool at_json_scalar(struct at_json *json, struct at_writer *writer);

/* The next value: a number, or a string (as OTLP writes 64-bit integers). */
bool at_json_u64(struct at_json *json, uint64_t *value);

/* Pass over the next value, whatever it is. */
void at_json_skip(struct at_json *json);

/* Nothing but blanks behind the value? Sets error when there is more. */
bool at_json_finish(struct at_json *json);

/* 1 for the first byte of the text. */
size_t at_json_column(const struct at_json *json);

/* The caller's own finding: the value just read is not `expected`. */
void at_json_refuse(struct at_json *json, const char *expected);

/* Print a text as a JSON string; bytes that are not UTF-8 as U+FFFD. */
void at_json_print(FILE *out, struct at_text text);

#endif
