// SPDX-License-Identifier: Apache-2.0
/*
 * Test vectors: tests/vectors/NAME.jsonl, one JSON object a line.
 *
 *	cJSON *all = vectors_load("otlp-retry"), *vector;
 *
 *	cJSON_ArrayForEach(vector, all)
 *		cr_expect_str_eq(..., vector_text(vector, "out"), "%s",
 *				 vector_id(vector));
 *	cJSON_Delete(all);
 *
 * Tests run in the top folder of the sources. A program that uses this links
 * libcjson.
 */
#ifndef AT_TESTS_VECTORS_H
#define AT_TESTS_VECTORS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * All objects of the file as one array, never empty; the caller deletes it.
 * Aborts (and says why) when the file is not there, empty or not JSON: a table
 * that was not read must not pass.
 */
cJSON *vectors_load(const char *name);

/* The vector's "id", for messages; "?" when it has none. */
const char *vector_id(const cJSON *vector);

/* Text of a member; NULL when it is absent, null or not a text. */
const char *vector_text(const cJSON *vector, const char *key);

/* Whether the member is there and true. */
bool vector_true(const cJSON *vector, const char *key);

/* A number member, or `otherwise` when absent or null. */
int64_t vector_int(const cJSON *vector, const char *key, int64_t otherwise);

/*
 * The object member `key` ("env") as an environment block, NULL-terminated;
 * empty when absent. Freed by vector_env_free().
 */
char **vector_env(const cJSON *vector, const char *key);
void vector_env_free(char **environ);

/*
 * Decode the text member `key`, hexadecimal, into malloc'ed bytes the caller
 * frees; aborts when it is not hexadecimal. *len is its length.
 */
uint8_t *vector_hex(const cJSON *vector, const char *key, size_t *len);

#endif
