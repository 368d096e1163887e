// SPDX-License-Identifier: Apache-2.0
/*
 * The loader runs in the constructor of every process: one walk over the
 * environment block that looks twice only at names beginning OTEL_ or
 * AUTOTRACE_, then one step for each setting.
 */
#include "core/config.h"

#include <errno.h>
#include <string.h>

#include "core/config_parse.h"
#include "core/counters.h"
#include "core/section.h"

#define ARENA_BYTES (16 * 1024)
#define GIVEN_MAX_BYTES 256
#define DEFAULT_BATCH_COUNT 512

/* Texts and table hold offsets, no pointers: nothing for ld.so to relocate. */
static const struct texts {
#define CONFIG(field, type, env, fallback, standard, help) \
	char field##_env[sizeof(env)];                     \
	char field##_fallback[sizeof(fallback)];           \
	char field##_standard[sizeof(standard)];
#include "core/config.def"
#undef CONFIG
} texts = {
#define CONFIG(field, type, env, fallback, standard, help) \
	env, fallback, standard,
#include "core/config.def"
#undef CONFIG
};

struct row {
	uint16_t env; /* offsets into texts */
	uint16_t fallback;
	uint16_t standard;
	uint16_t field; /* offset into struct at_config */
	uint8_t env_len;
	uint8_t fallback_len;
	uint8_t type;
};

static const struct row rows[AT_SETTING_COUNT] = {
#define CONFIG(field, type, env, fallback, standard, help) \
	{ offsetof(struct texts, field##_env),             \
	  offsetof(struct texts, field##_fallback),        \
	  offsetof(struct texts, field##_standard),        \
	  offsetof(struct at_config, field),               \
	  sizeof(env) - 1,                                 \
	  sizeof(fallback) - 1,                            \
	  AT_CONFIG_##type },
#include "core/config.def"
#undef CONFIG
};

/* What the environment says, before anything is understood. */
struct given {
	const char *env[AT_SETTING_COUNT];
	const char *fallback[AT_SETTING_COUNT];
	bool config_file;
};

static char arena[ARENA_BYTES] AT_LARGE;
static size_t arena_used;

static const char *text_at(uint16_t offset)
{
	return (const char *)&texts + offset;
}

const char *at_setting_env(enum at_setting setting)
{
	return text_at(rows[setting].env);
}

/* A copy with a NUL behind it; NULL when there is no room. */
static const char *keep(struct at_text text)
{
	char *copy = arena + arena_used;

	if (text.len >= ARENA_BYTES - arena_used)
		return NULL;
	if (text.len)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	arena_used += text.len + 1;
	return copy;
}

static bool is_ours(const char *entry)
{
	if (entry[0] == 'O')
		return entry[1] == 'T' && entry[2] == 'E' && entry[3] == 'L' &&
		       entry[4] == '_';
	return entry[0] == 'A' && entry[1] == 'U' && entry[2] == 'T' &&
	       entry[3] == 'O' && entry[4] == 'T' && entry[5] == 'R';
}

static bool same_name(uint16_t offset, uint8_t len, struct at_text name)
{
	return len == name.len && !memcmp(text_at(offset), name.ptr, len);
}

/* The first of several entries counts, as for getenv. */
static void note(const char **slot, const char *value)
{
	if (!*slot)
		*slot = value;
}

static void note_entry(struct given *given, const char *entry)
{
	struct at_text name = { entry, 0 };
	const char *value;
	int i;

	while (entry[name.len] != '=')
		if (!entry[name.len++])
			return;
	value = entry + name.len + 1;
	if (!*value)
		return; /* empty is as good as unset */
	for (i = 0; i < AT_SETTING_COUNT; i++) {
		const struct row *row = &rows[i];

		if (same_name(row->env, row->env_len, name))
			note(&given->env[i], value);
		else if (same_name(row->fallback, row->fallback_len, name))
			note(&given->fallback[i], value);
	}
	if (at_text_equal(name, AT_TEXT("OTEL_CONFIG_FILE")) ||
	    at_text_equal(name, AT_TEXT("OTEL_EXPERIMENTAL_CONFIG_FILE")))
		given->config_file = true;
}

static void *field_of(struct at_config *config, const struct row *row)
{
	return (char *)config + row->field;
}

static void store(struct at_config *config, const struct row *row,
		  const struct at_config_value *value)
{
	switch ((enum at_config_type)row->type) {
	case AT_CONFIG_BOOL:
		*(bool *)field_of(config, row) = value->flag;
		break;
	case AT_CONFIG_COUNT:
	case AT_CONFIG_LIMIT:
	case AT_CONFIG_MILLIS:
	case AT_CONFIG_TIMEOUT:
		*(uint64_t *)field_of(config, row) = value->number;
		break;
	default:
		*(const char **)field_of(config, row) = value->name;
	}
}

static void store_standard(struct at_config *config, const struct row *row)
{
	const char *standard = text_at(row->standard);
	struct at_config_value value = { .name = standard,
					 .number = AT_NO_LIMIT };

	/* "none" is no number and leaves AT_NO_LIMIT. */
	if (row->type != AT_CONFIG_TEXT)
		at_config_parse((enum at_config_type)row->type,
				at_text_from(standard), &value);
	store(config, row, &value);
}

/* 0, or negative errno and the field as it was. */
static int store_given(struct at_config *config, const struct row *row,
		       const char *given)
{
	struct at_text text = at_text_from(given);
	struct at_config_value value = { 0 };
	int error = 0;

	if (row->type == AT_CONFIG_TEXT) {
		value.name = keep(text);
		if (!value.name)
			return -ENOSPC;
	} else {
		error = at_config_parse((enum at_config_type)row->type, text,
					&value);
	}
	if (!error)
		store(config, row, &value);
	return error;
}

static void reject(void)
{
	at_count(AT_COUNT_CONFIG_REJECTED, 1);
}

static enum at_config_source load_setting(struct at_config *config, int i,
					  const struct given *given)
{
	enum at_config_source source = AT_SOURCE_DEFAULT;
	const struct row *row = &rows[i];

	store_standard(config, row);
	if (given->env[i]) {
		if (!store_given(config, row, given->env[i]))
			return AT_SOURCE_ENV;
		reject();
		source = AT_SOURCE_REJECTED;
	}
	/* What is not understood is as good as unset: the general one holds. */
	if (given->fallback[i]) {
		if (!store_given(config, row, given->fallback[i]))
			return AT_SOURCE_FALLBACK;
		reject();
		source = AT_SOURCE_REJECTED;
	}
	return source;
}

/* Rules that concern two settings. */
static void settle(struct at_config *config, const struct given *given,
		   enum at_config_source *source)
{
	if (source[AT_SETTING_sampler] != AT_SOURCE_ENV) {
		config->sampler_arg =
			text_at(rows[AT_SETTING_sampler_arg].standard);
		source[AT_SETTING_sampler_arg] = AT_SOURCE_DEFAULT;
	}
	if (config->bsp_batch_count <= config->bsp_queue_count)
		return;
	if (given->env[AT_SETTING_bsp_batch_count]) {
		reject();
		source[AT_SETTING_bsp_batch_count] = AT_SOURCE_REJECTED;
	}
	config->bsp_batch_count = config->bsp_queue_count <
						  DEFAULT_BATCH_COUNT ?
					  config->bsp_queue_count :
					  DEFAULT_BATCH_COUNT;
}

/* After all values, so that no text shown can take the room of one used. */
static void keep_given(struct at_config_origin *origin,
		       const struct given *given)
{
	int i;

	for (i = 0; i < AT_SETTING_COUNT; i++) {
		struct at_text text = at_text_from(given->env[i]);
		size_t room = ARENA_BYTES - arena_used;

		if (origin->source[i] == AT_SOURCE_FALLBACK || !text.ptr)
			text = at_text_from(given->fallback[i]);
		if (text.len > GIVEN_MAX_BYTES)
			text.len = GIVEN_MAX_BYTES;
		if (room && text.len >= room)
			text.len = room - 1;
		origin->given[i] = text.ptr ? keep(text) : NULL;
	}
}

void at_config_load(struct at_config *config, char **env,
		    struct at_config_origin *origin)
{
	enum at_config_source source[AT_SETTING_COUNT];
	struct given given = { 0 };
	int i;

	for (; env && *env; env++)
		if (is_ours(*env))
			note_entry(&given, *env);
	arena_used = 0;
	for (i = 0; i < AT_SETTING_COUNT; i++)
		source[i] = load_setting(config, i, &given);
	settle(config, &given, source);
	if (given.config_file)
		reject();
	if (!origin)
		return;
	memcpy(origin->source, source, sizeof(source));
	keep_given(origin, &given);
}

bool at_config_list_has(const char *list, const char *name)
{
	struct at_text rest = at_text_from(list), item;
	struct at_text wanted = at_text_from(name);

	while (at_text_next(&rest, ',', &item))
		if (at_text_equal_nocase(at_text_trim(item), wanted))
			return true;
	return false;
}
