// SPDX-License-Identifier: Apache-2.0
/*
 * A line is an entry of the environment. Whatever it says, every setting has
 * a usable value that fits its type and its source, loading it twice gives the
 * same, and a ratio is what strtod says.
 */
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/config_parse.h"
#include "core/counters.h"
#include "sampler/kinds.h"

#define ENTRY_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void require_name(enum at_config_type type, const char *name)
{
	const char *names = at_config_names(type);

	while (*names && names != name)
		names += strlen(names) + 1;
	/* The default is the table's own text. */
	if (!*names) {
		struct at_config_value value;

		require(!at_config_parse(type, at_text_from(name), &value));
		require(!strcmp(value.name, name));
	}
}

static void require_number(enum at_config_type type, uint64_t number)
{
	if (number == AT_NO_LIMIT)
		require(type == AT_CONFIG_LIMIT || type == AT_CONFIG_TIMEOUT);
	else
		require(number <= INT32_MAX);
	if (number == 0)
		require(type == AT_CONFIG_LIMIT || type == AT_CONFIG_MILLIS);
}

#define CHECK_BOOL(f) require((f) == true || (f) == false)
#define CHECK_COUNT(f) require_number(AT_CONFIG_COUNT, f)
#define CHECK_LIMIT(f) require_number(AT_CONFIG_LIMIT, f)
#define CHECK_MILLIS(f) require_number(AT_CONFIG_MILLIS, f)
#define CHECK_TIMEOUT(f) require_number(AT_CONFIG_TIMEOUT, f)
#define CHECK_TEXT(f) require(strlen(f) < 16 * 1024)
#define CHECK_SAMPLER(f) require_name(AT_CONFIG_SAMPLER, f)
#define CHECK_PROTOCOL(f) require_name(AT_CONFIG_PROTOCOL, f)
#define CHECK_COMPRESSION(f) require_name(AT_CONFIG_COMPRESSION, f)
#define CHECK_QUERY(f) require_name(AT_CONFIG_QUERY, f)
#define CHECK_DEEPBIND(f) require_name(AT_CONFIG_DEEPBIND, f)
#define CHECK_SWITCH(f) require_name(AT_CONFIG_SWITCH, f)
#define CHECK_SCOPE(f) require_name(AT_CONFIG_SCOPE, f)
#define CHECK_STACKS(f) require_name(AT_CONFIG_STACKS, f)
#define CHECK_INBOUND(f) require_name(AT_CONFIG_INBOUND, f)
#define CHECK_SDK(f) require_name(AT_CONFIG_SDK, f)
#define CHECK_RULES(f) require_name(AT_CONFIG_RULES, f)

static void check_types(const struct at_config *config)
{
#define CONFIG(field, type, env, fallback, standard, help) \
	CHECK_##type(config->field);
#include "core/config.def"
#undef CONFIG
	require(config->bsp_batch_count <= config->bsp_queue_count);
}

static void check_origin(const struct at_config_origin *origin)
{
	int i;

	for (i = 0; i < AT_SETTING_COUNT; i++) {
		require(origin->source[i] <= AT_SOURCE_REJECTED);
		if (origin->source[i] != AT_SOURCE_DEFAULT)
			require(origin->given[i] != NULL);
		if (origin->given[i])
			require(strlen(origin->given[i]) <= 256);
	}
}

static bool is_decimal(const char *text)
{
	return *text && text[strspn(text, "0123456789.eE+-")] == '\0';
}

static void check_ratio(const char *text)
{
	uint64_t threshold = 77;
	char *end;
	double ratio;

	if (!is_decimal(text))
		return;
	ratio = strtod(text, &end);
	if (!at_ratio_parse(text, &threshold)) {
		require(!*end);
		require(threshold == (uint64_t)(ratio * 0x1p63));
	} else {
		/*
		 * 1.0000000000000000001 is 1 to strtod, -1e-999 is -0, and
		 * neither is a ratio.
		 */
		require(*end || !(ratio >= 0 && ratio < 1) ||
			(ratio == 0 && text[0] == '-'));
		require(threshold == 77);
	}
}

static int differences(const struct at_config *a, const struct at_config *b)
{
	int count = 0;

#define SAME_BOOL(f) (a->f == b->f)
#define SAME_COUNT(f) (a->f == b->f)
#define SAME_LIMIT(f) (a->f == b->f)
#define SAME_MILLIS(f) (a->f == b->f)
#define SAME_TIMEOUT(f) (a->f == b->f)
#define SAME_TEXT(f) (!strcmp(a->f, b->f))
#define SAME_SAMPLER(f) SAME_TEXT(f)
#define SAME_PROTOCOL(f) SAME_TEXT(f)
#define SAME_COMPRESSION(f) SAME_TEXT(f)
#define SAME_QUERY(f) SAME_TEXT(f)
#define SAME_DEEPBIND(f) SAME_TEXT(f)
#define SAME_SWITCH(f) SAME_TEXT(f)
#define SAME_SCOPE(f) SAME_TEXT(f)
#define SAME_STACKS(f) SAME_TEXT(f)
#define SAME_INBOUND(f) SAME_TEXT(f)
#define SAME_SDK(f) SAME_TEXT(f)
#define SAME_RULES(f) SAME_TEXT(f)
#define CONFIG(field, type, env, fallback, standard, help) \
	count += !SAME_##type(field);
#include "core/config.def"
#undef CONFIG
	return count;
}

static uint64_t load(struct at_config *config, char **env,
		     struct at_config_origin *origin)
{
	uint64_t before = at_counter_value(AT_COUNT_CONFIG_REJECTED);

	memset(config, 0xa5, sizeof(*config));
	at_config_load(config, env, origin);
	return at_counter_value(AT_COUNT_CONFIG_REJECTED) - before;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *env[ENTRY_MAX + 1] = { NULL }, *copy = malloc(size + 1);
	struct at_config first, second;
	struct at_config_origin origin;
	char *rest = copy;
	uint64_t rejected;
	int count = 0;

	memcpy(copy, data, size);
	copy[size] = '\0';
	while (count < ENTRY_MAX && rest)
		env[count++] = strsep(&rest, "\n");
	rejected = load(&first, env, &origin);
	check_types(&first);
	check_origin(&origin);
	check_ratio(first.sampler_arg);
	require(load(&second, env, NULL) == rejected);
	require(differences(&first, &second) == 0);
	free(copy);
	return 0;
}
