// SPDX-License-Identifier: Apache-2.0
#include "tests/support/vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

/* Programs that share this folder and use no vectors need no libcjson. */
#pragma weak cJSON_AddItemToArray
#pragma weak cJSON_CreateArray
#pragma weak cJSON_GetArraySize
#pragma weak cJSON_GetObjectItemCaseSensitive
#pragma weak cJSON_GetStringValue
#pragma weak cJSON_IsNumber
#pragma weak cJSON_IsObject
#pragma weak cJSON_IsTrue
#pragma weak cJSON_Parse

static void give_up(const char *name, const char *why)
{
	fprintf(stderr, "vectors %s: %s\n", name, why);
	abort();
}

static FILE *open_file(const char *name)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "tests/vectors/%s.jsonl", name);
	file = fopen(path, "re");
	if (!file)
		give_up(path, "cannot open");
	return file;
}

cJSON *vectors_load(const char *name)
{
	FILE *file = open_file(name);
	cJSON *all = cJSON_CreateArray();
	char *line = NULL;
	size_t cap = 0;

	while (getline(&line, &cap, file) > 0) {
		cJSON *vector = cJSON_Parse(line);

		if (!cJSON_IsObject(vector))
			give_up(name, line);
		cJSON_AddItemToArray(all, vector);
	}
	free(line);
	fclose(file);
	if (cJSON_GetArraySize(all) == 0)
		give_up(name, "no vector in it");
	return all;
}

const char *vector_text(const cJSON *vector, const char *key)
{
	return cJSON_GetStringValue(
		cJSON_GetObjectItemCaseSensitive(vector, key));
}

const char *vector_id(const cJSON *vector)
{
	const char *id = vector_text(vector, "id");

	return id ? id : "?";
}

bool vector_true(const cJSON *vector, const char *key)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(vector, key));
}

int64_t vector_int(const cJSON *vector, const char *key, int64_t otherwise)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(vector, key);

	return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : otherwise;
}

char **vector_env(const cJSON *vector, const char *key)
{
	cJSON *object = cJSON_GetObjectItemCaseSensitive(vector, key);
	size_t count = object ? (size_t)cJSON_GetArraySize(object) : 0;
	char **environ = calloc(count + 1, sizeof(*environ));
	cJSON *item;
	size_t i = 0;

	cJSON_ArrayForEach(item, object) {
		const char *value = cJSON_GetStringValue(item);

		if (!value ||
		    asprintf(&environ[i++], "%s=%s", item->string, value) < 0)
			give_up(vector_id(vector), "not a text in env");
	}
	return environ;
}

void vector_env_free(char **environ)
{
	char **at;

	for (at = environ; *at; at++)
		free(*at);
	free(environ);
}

uint8_t *vector_hex(const cJSON *vector, const char *key, size_t *len)
{
	const char *text = vector_text(vector, key);
	uint8_t *bytes;

	if (!text)
		give_up(vector_id(vector), "no hexadecimal text");
	*len = strlen(text) / 2;
	bytes = malloc(*len + 1);
	if (at_text_from_hex(at_text_from(text), bytes, *len))
		give_up(vector_id(vector), "not hexadecimal");
	return bytes;
}
