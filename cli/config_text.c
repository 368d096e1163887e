// SPDX-License-Identifier: Apache-2.0
#include "cli/config_text.h"

#include <string.h>

#include "core/environ.h"

static void write_flag(struct at_writer *writer, bool value)
{
	at_write_string(writer, value ? "true" : "false");
}

static void write_number(struct at_writer *writer, uint64_t value)
{
	if (value == AT_NO_LIMIT)
		at_write_string(writer, "none");
	else
		at_write_u64(writer, value);
}

/* Byte by byte, so that what does not fit is cut and not left out. */
static void write_cut(struct at_writer *writer, struct at_text text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		at_write_char(writer, text.ptr[i]);
}

static void mask_headers(struct at_writer *writer, struct at_text list)
{
	struct at_text item, name;
	bool first = true;

	while (at_text_next(&list, ',', &item)) {
		if (!first)
			at_write_char(writer, ',');
		first = false;
		if (at_text_next(&item, '=', &name) && item.ptr) {
			write_cut(writer, name);
			at_write_char(writer, '=');
		}
		at_write_string(writer, "***");
	}
}

/* Length of "user:password@" at the front of what follows "://", or 0. */
static size_t credentials(struct at_text text)
{
	size_t i, found = 0;

	for (i = 0; i < text.len && !strchr("/?#", text.ptr[i]); i++)
		if (text.ptr[i] == '@')
			found = i + 1;
	return found;
}

static void mask_url(struct at_writer *writer, struct at_text text)
{
	size_t i, skip;

	for (i = 0; i < text.len; i++) {
		at_write_char(writer, text.ptr[i]);
		if (i < 2 || memcmp(text.ptr + i - 2, "://", 3) != 0)
			continue;
		skip = credentials(
			(struct at_text){ text.ptr + i + 1, text.len - i - 1 });
		if (skip)
			at_write_string(writer, "***@");
		i += skip;
	}
}

void at_config_masked_write(struct at_writer *writer, enum at_setting setting,
			    struct at_text text)
{
	if (setting == AT_SETTING_otlp_headers)
		mask_headers(writer, text);
	else
		mask_url(writer, text);
}

static void write_text(struct at_writer *writer, enum at_setting setting,
		       const char *value)
{
	if (*value)
		at_config_masked_write(writer, setting, at_text_from(value));
}

#define WRITE_BOOL(field) write_flag(writer, config->field)
#define WRITE_COUNT(field) write_number(writer, config->field)
#define WRITE_LIMIT WRITE_COUNT
#define WRITE_MILLIS WRITE_COUNT
#define WRITE_TIMEOUT WRITE_COUNT
#define WRITE_TEXT(field) write_text(writer, setting, config->field)
#define WRITE_SAMPLER WRITE_TEXT
#define WRITE_PROTOCOL WRITE_TEXT
#define WRITE_COMPRESSION WRITE_TEXT
#define WRITE_QUERY WRITE_TEXT
#define WRITE_DEEPBIND WRITE_TEXT
#define WRITE_SWITCH WRITE_TEXT
#define WRITE_SCOPE WRITE_TEXT
#define WRITE_STACKS WRITE_TEXT
#define WRITE_INBOUND WRITE_TEXT
#define WRITE_SDK WRITE_TEXT
#define WRITE_RULES WRITE_TEXT

void at_config_value_write(struct at_writer *writer,
			   const struct at_config *config,
			   enum at_setting setting)
{
	switch (setting) {
#define CONFIG(field, type, env, fallback, standard, help) \
	case AT_SETTING_##field:                           \
		WRITE_##type(field);                       \
		break;
#include "core/config.def"
#undef CONFIG
	case AT_SETTING_COUNT:
		break;
	}
}

static bool is_set(char *const *environment, const char *name)
{
	return *name && at_environ_get(environment, name).len;
}

const char *at_config_variable(const struct at_config_origin *origin,
			       enum at_setting setting,
			       char *const *environment)
{
	const struct at_setting_info *info = &at_setting_table[setting];

	switch (origin->source[setting]) {
	case AT_SOURCE_ENV:
		return info->env;
	case AT_SOURCE_FALLBACK:
		return info->fallback;
	case AT_SOURCE_REJECTED:
		return is_set(environment, info->env) ? info->env :
							info->fallback;
	case AT_SOURCE_DEFAULT:
		break;
	}
	return NULL;
}

const char *at_config_reason(enum at_setting setting, const char *given)
{
	const char *type = at_setting_table[setting].type;
	uint64_t number;

	if (!strcmp(type, "BOOL"))
		return "neither true nor false";
	if (!strcmp(type, "TEXT"))
		return "too long";
	if (!strcmp(type, "COUNT") || !strcmp(type, "LIMIT") ||
	    !strcmp(type, "MILLIS") || !strcmp(type, "TIMEOUT"))
		return at_text_to_u64(at_text_from(given), &number) == 0 ?
			       "out of range" :
			       "not a number";
	return "not a known name";
}

const char *at_config_unit(enum at_setting setting)
{
	const char *type = at_setting_table[setting].type;

	return strcmp(type, "MILLIS") && strcmp(type, "TIMEOUT") ? "" : " ms";
}
