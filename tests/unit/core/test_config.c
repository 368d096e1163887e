// SPDX-License-Identifier: Apache-2.0
#include "core/config.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config_parse.h"
#include "core/counters.h"
#include "tests/support/guard_page.h"
#include "tests/support/vectors.h"

static struct at_config config;
static struct at_config_origin origin;

static uint64_t rejected(void)
{
	return at_counter_value(AT_COUNT_CONFIG_REJECTED);
}

/* Loads a NULL-terminated list of entries; what was rejected by this load. */
static uint64_t load(const char *const *env)
{
	uint64_t before = rejected();

	memset(&config, 0xa5, sizeof(config));
	memset(&origin, 0xa5, sizeof(origin));
	at_config_load(&config, (char **)(uintptr_t)env, &origin);
	return rejected() - before;
}

#define LOAD(...) load((const char *[]){ __VA_ARGS__, NULL })

static int setting_of(const char *env)
{
	int i;

	for (i = 0; i < AT_SETTING_COUNT; i++)
		if (!strcmp(at_setting_table[i].env, env) ||
		    !strcmp(at_setting_table[i].fallback, env))
			return i;
	return -1;
}

/* One field as text, in the words of the vectors. */
static const char *shown(int setting)
{
	static char text[64];
	uint64_t number = UINT64_MAX - 1;
	bool is_timeout = false;

	switch (setting) {
#define AT_SHOW_BOOL(f) return config.f ? "true" : "false";
#define AT_SHOW_COUNT(f)   \
	number = config.f; \
	break;
#define AT_SHOW_LIMIT(f)   \
	number = config.f; \
	break;
#define AT_SHOW_MILLIS(f)  \
	number = config.f; \
	break;
#define AT_SHOW_TIMEOUT(f) \
	number = config.f; \
	is_timeout = true; \
	break;
#define AT_SHOW_TEXT(f) return config.f;
#define AT_SHOW_SAMPLER(f) return config.f;
#define AT_SHOW_PROTOCOL(f) return config.f;
#define AT_SHOW_COMPRESSION(f) return config.f;
#define AT_SHOW_QUERY(f) return config.f;
#define AT_SHOW_DEEPBIND(f) return config.f;
#define AT_SHOW_SWITCH(f) return config.f;
#define AT_SHOW_SCOPE(f) return config.f;
#define AT_SHOW_STACKS(f) return config.f;
#define AT_SHOW_INBOUND(f) return config.f;
#define AT_SHOW_SDK(f) return config.f;
#define AT_SHOW_RULES(f) return config.f;
#define CONFIG(field, type, env, fallback, standard, help) \
	case AT_SETTING_##field:                           \
		AT_SHOW_##type(field)
#include "core/config.def"
#undef CONFIG
	}
	if (number == AT_NO_LIMIT)
		return is_timeout ? "infinite" : "none";
	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return text;
}

Test(core_config, without_an_environment_every_setting_has_its_default)
{
	const char *none[] = { NULL };
	int i;

	cr_expect_eq(load(NULL), 0);
	cr_expect_eq(load(none), 0);
	for (i = 0; i < AT_SETTING_COUNT; i++) {
		cr_expect_str_eq(shown(i), at_setting_table[i].standard, "%s",
				 at_setting_table[i].field);
		cr_expect_eq(origin.source[i], AT_SOURCE_DEFAULT);
		cr_expect_null(origin.given[i]);
	}
	cr_expect_eq(config.span_value_length, AT_NO_LIMIT);
	cr_expect_eq(config.otlp_timeout_ms, 10000);
}

/* One that is no default. */
static const char *some_value(const char *type)
{
	static const char *const values[][2] = {
		{ "BOOL", "true" },        { "SAMPLER", "always_off" },
		{ "COMPRESSION", "gzip" }, { "QUERY", "drop" },
		{ "DEEPBIND", "keep" },    { "PROTOCOL", "http/json" },
		{ "SWITCH", "false" },     { "SCOPE", "none" },
		{ "STACKS", "crashes" },   { "INBOUND", "off" },
		{ "RULES", "certain" },    { "SDK", "both" },
	};
	size_t i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (!strcmp(values[i][0], type))
			return values[i][1];
	return "7";
}

Test(core_config, every_variable_of_the_table_is_read)
{
	int i;

	for (i = 0; i < AT_SETTING_COUNT; i++) {
		const struct at_setting_info *info = &at_setting_table[i];
		const char *value = some_value(info->type);
		char entry[128], general[128];

		snprintf(entry, sizeof(entry), "%s=%s", info->env, value);
		snprintf(general, sizeof(general), "%s=%s", info->fallback,
			 value);
		cr_expect_eq(LOAD(entry, "OTEL_TRACES_SAMPLER=always_off"), 0);
		cr_expect_str_eq(shown(i), value, "%s", entry);
		cr_expect_eq(origin.source[i], AT_SOURCE_ENV, "%s", entry);
		cr_expect_str_eq(origin.given[i], value);
		if (!info->fallback[0])
			continue;
		cr_expect_eq(LOAD(general), 0);
		cr_expect_str_eq(shown(i), value, "%s", general);
		cr_expect_eq(origin.source[i], AT_SOURCE_FALLBACK);
		cr_expect_str_eq(origin.given[i], value);
	}
}

static void check_vector(const cJSON *vector, int setting)
{
	const cJSON *value = cJSON_GetObjectItem(vector, "value");
	char entry[128];
	uint64_t warned;

	snprintf(entry, sizeof(entry), "%s=%s", vector_text(vector, "var"),
		 vector_text(vector, "in"));
	warned = LOAD(entry);
	cr_expect_eq(warned, vector_true(vector, "warn"), "%s warned %d",
		     vector_id(vector), (int)warned);
	if (cJSON_IsBool(value))
		cr_expect_str_eq(shown(setting),
				 cJSON_IsTrue(value) ? "true" : "false");
	else if (cJSON_IsNumber(value))
		cr_expect_eq(strtod(shown(setting), NULL), value->valuedouble,
			     "%s", vector_id(vector));
	else
		cr_expect_str_eq(shown(setting), cJSON_GetStringValue(value),
				 "%s", vector_id(vector));
}

/* Rows with a list as value are the propagators', tested with them. */
Test(core_config, typed_variables_are_read_as_the_vectors_say)
{
	cJSON *all = vectors_load("env-types"), *vector;
	int checked = 0;

	cJSON_ArrayForEach(vector, all) {
		const char *var = vector_text(vector, "var");

		if (!var || cJSON_IsArray(cJSON_GetObjectItem(vector, "value")))
			continue;
		cr_assert_neq(setting_of(var), -1, "%s", var);
		check_vector(vector, setting_of(var));
		checked++;
	}
	cr_expect_eq(checked, 16);
	cJSON_Delete(all);
}

static uint64_t load_vector(const char *wanted)
{
	cJSON *all = vectors_load("env-types"), *vector;
	uint64_t warned = UINT64_MAX;

	cJSON_ArrayForEach(vector, all) {
		char **env;

		if (strcmp(vector_id(vector), wanted))
			continue;
		env = vector_env(vector, "env");
		warned = load((const char *const *)env);
		vector_env_free(env);
	}
	cJSON_Delete(all);
	return warned;
}

Test(core_config, the_general_limit_caps_spans_unless_they_have_their_own)
{
	cr_expect_eq(load_vector("ET-15"), 0);
	cr_expect_eq(config.span_attribute_count, 5);
	cr_expect_eq(load_vector("ET-16"), 0);
	cr_expect_eq(config.span_attribute_count, 7);
}

Test(core_config, the_samplers_argument_is_read_only_with_a_sampler)
{
	cr_expect_eq(load_vector("ET-19"), 0);
	cr_expect_str_eq(config.sampler, "parentbased_always_on");
	cr_expect_str_eq(config.sampler_arg, "");
	cr_expect_eq(origin.source[AT_SETTING_sampler_arg], AT_SOURCE_DEFAULT);
	cr_expect_eq(LOAD("OTEL_TRACES_SAMPLER_ARG=0.5",
			  "OTEL_TRACES_SAMPLER=bogus"),
		     1);
	cr_expect_str_eq(config.sampler_arg, "");
	cr_expect_eq(LOAD("OTEL_TRACES_SAMPLER_ARG=0.5",
			  "OTEL_TRACES_SAMPLER=traceidratio"),
		     0);
	cr_expect_str_eq(config.sampler_arg, "0.5");
}

Test(core_config, a_batch_is_never_larger_than_the_queue)
{
	cr_expect_eq(load_vector("ET-24"), 1);
	cr_expect_eq(config.bsp_batch_count, 100);
	cr_expect_eq(LOAD("OTEL_BSP_MAX_QUEUE_SIZE=100"), 0);
	cr_expect_eq(config.bsp_batch_count, 100);
	cr_expect_eq(LOAD("OTEL_BSP_MAX_QUEUE_SIZE=600",
			  "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=601"),
		     1);
	cr_expect_eq(config.bsp_batch_count, 512);
	cr_expect_eq(origin.source[AT_SETTING_bsp_batch_count],
		     AT_SOURCE_REJECTED);
	cr_expect_eq(LOAD("OTEL_BSP_MAX_EXPORT_BATCH_SIZE=2048"), 0);
	cr_expect_eq(config.bsp_batch_count, 2048);
}

Test(core_config, empty_is_as_good_as_unset_for_every_variable)
{
	int i;

	for (i = 0; i < AT_SETTING_COUNT; i++) {
		char entry[128];

		snprintf(entry, sizeof(entry), "%s=", at_setting_table[i].env);
		cr_expect_eq(LOAD(entry), 0);
		cr_expect_str_eq(shown(i), at_setting_table[i].standard);
		cr_expect_null(origin.given[i]);
	}
}

Test(core_config, the_signals_own_variable_beats_the_general_one)
{
	LOAD("OTEL_EXPORTER_OTLP_HEADERS=a=1",
	     "OTEL_EXPORTER_OTLP_TRACES_HEADERS=b=2");
	cr_expect_str_eq(config.otlp_headers, "b=2");
	LOAD("OTEL_EXPORTER_OTLP_TRACES_HEADERS=",
	     "OTEL_EXPORTER_OTLP_HEADERS=a=1");
	cr_expect_str_eq(config.otlp_headers, "a=1");
}

Test(core_config, what_is_not_understood_leaves_the_general_value_in_force)
{
	cr_expect_eq(LOAD("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT=soon",
			  "OTEL_EXPORTER_OTLP_TIMEOUT=700"),
		     1);
	cr_expect_eq(config.otlp_timeout_ms, 700);
	cr_expect_eq(origin.source[AT_SETTING_otlp_timeout_ms],
		     AT_SOURCE_FALLBACK);
	cr_expect_str_eq(origin.given[AT_SETTING_otlp_timeout_ms], "700");
}

Test(core_config, of_two_entries_of_one_name_the_first_counts)
{
	LOAD("OTEL_SERVICE_NAME=a", "OTEL_SERVICE_NAME=b");
	cr_expect_str_eq(config.service_name, "a");
}

Test(core_config, entries_that_only_resemble_ours_are_ignored)
{
	cr_expect_eq(LOAD("OTEL_SERVICE_NAMES=x", "OTEL_SERVICE_NAM=x",
			  "otel_service_name=x", " OTEL_SERVICE_NAME=x",
			  "OTEL_SERVICE_NAME", "OTEL_", "AUTOTRACE_", "O", "",
			  "=", "AUTOTRACE_=1"),
		     0);
	cr_expect_str_eq(config.service_name, "");
}

Test(core_config, a_configuration_file_is_said_to_be_ignored)
{
	cr_expect_eq(LOAD("OTEL_CONFIG_FILE=/etc/otel.yaml"), 1);
	cr_expect_eq(LOAD("OTEL_CONFIG_FILE="), 0);
	cr_expect_eq(LOAD("OTEL_EXPERIMENTAL_CONFIG_FILE=/x"), 1);
}

Test(core_config, a_rejected_value_is_shown_and_the_default_holds)
{
	cr_expect_eq(LOAD("OTEL_BSP_SCHEDULE_DELAY=5s"), 1);
	cr_expect_eq(config.bsp_schedule_delay_ms, 5000);
	cr_expect_eq(origin.source[AT_SETTING_bsp_schedule_delay_ms],
		     AT_SOURCE_REJECTED);
	cr_expect_str_eq(origin.given[AT_SETTING_bsp_schedule_delay_ms], "5s");
}

Test(core_config, numbers_that_could_wrap_are_refused)
{
	cr_expect_eq(LOAD("OTEL_BSP_SCHEDULE_DELAY=2147483647"), 0);
	cr_expect_eq(config.bsp_schedule_delay_ms, INT32_MAX);
	cr_expect_eq(LOAD("OTEL_BSP_SCHEDULE_DELAY=2147483648"), 1);
	cr_expect_eq(config.bsp_schedule_delay_ms, 5000);
	cr_expect_eq(LOAD("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT=none"), 1);
	cr_expect_eq(LOAD("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT=0"), 0);
	cr_expect_eq(config.span_value_length, 0);
}

Test(core_config, texts_survive_a_program_that_overwrites_its_environment)
{
	char entry[] = "OTEL_SERVICE_NAME=shop";
	const char *env[] = { entry, NULL };

	load(env);
	memset(entry, 'x', sizeof(entry) - 1);
	cr_expect_str_eq(config.service_name, "shop");
	cr_expect_str_eq(origin.given[AT_SETTING_service_name], "shop");
}

/* One entry NAME=aaa... of `len` value bytes; freed by the caller. */
static char *long_entry(const char *name, size_t len)
{
	size_t head = strlen(name) + 1;
	char *entry = malloc(head + len + 1);

	memcpy(entry, name, head - 1);
	entry[head - 1] = '=';
	memset(entry + head, 'a', len);
	entry[head + len] = '\0';
	return entry;
}

Test(core_config, a_text_without_room_is_rejected_and_the_others_kept)
{
	char *big = long_entry("OTEL_RESOURCE_ATTRIBUTES", 16 * 1024);

	cr_expect_eq(LOAD(big, "AUTOTRACE_LOG=/tmp/log"), 1);
	cr_expect_str_eq(config.resource_attributes, "");
	cr_expect_str_eq(config.log, "/tmp/log");
	cr_expect_eq(origin.source[AT_SETTING_resource_attributes],
		     AT_SOURCE_REJECTED);
	cr_expect_eq(strlen(origin.given[AT_SETTING_resource_attributes]), 256);
	free(big);
}

Test(core_config, texts_of_every_length_fit_exactly_or_not_at_all)
{
	size_t len;

	for (len = 16370; len < 16390; len++) {
		char *big = long_entry("OTEL_RESOURCE_ATTRIBUTES", len);
		bool fits = len < 16 * 1024;

		cr_expect_eq(LOAD(big), !fits);
		cr_expect_eq(strlen(config.resource_attributes),
			     fits ? len : 0);
		free(big);
	}
}

Test(core_config, a_second_load_starts_over)
{
	int round;

	for (round = 0; round < 100; round++) {
		char *big = long_entry("OTEL_RESOURCE_ATTRIBUTES", 9000);

		cr_assert_eq(LOAD(big), 0);
		cr_assert_eq(strlen(config.resource_attributes), 9000);
		free(big);
	}
	LOAD("A=1");
	cr_expect_str_eq(config.resource_attributes, "");
}

Test(core_config, no_entry_is_read_beyond_its_end)
{
	static const char whole[] = "OTEL_TRACES_SAMPLER=traceidratio";
	struct guard_page page;
	size_t len;

	guard_page_open(&page, sizeof(whole));
	for (len = 0; len < sizeof(whole); len++) {
		char entry[sizeof(whole)] = { 0 };

		memcpy(entry, whole, len);
		cr_expect_eq(LOAD(guard_page_string(&page, entry)),
			     len > 20 && len < sizeof(whole) - 1);
	}
	cr_expect_str_eq(config.sampler, "traceidratio");
	guard_page_close(&page);
}

Test(core_config, no_value_is_read_beyond_its_end)
{
	static const char *const texts[] = {
		"true",          "4096", "parentbased_traceidratio",
		"http/protobuf", "gzip", "redact-values"
	};
	struct guard_page page;
	size_t i, len;
	int type;

	guard_page_open(&page, 64);
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (len = 0; len <= strlen(texts[i]); len++)
			for (type = 0; type <= AT_CONFIG_SDK; type++) {
				struct at_config_value value;
				struct at_text cut = { texts[i], len };
				int result = at_config_parse(
					(enum at_config_type)type,
					guard_page_text(&page, cut), &value);

				cr_expect(result == 0 || result == -EINVAL);
				if (type == AT_CONFIG_COUNT)
					cr_expect_eq(result == 0,
						     i == 1 && len > 0);
			}
	guard_page_close(&page);
}

Test(core_config, a_list_has_an_item_whatever_its_case_and_blanks)
{
	cr_expect(at_config_list_has("otlp, Console ,file", "console"));
	cr_expect(at_config_list_has("otlp", "otlp"));
	cr_expect_not(at_config_list_has("otlp/stdout", "otlp"));
	cr_expect_not(at_config_list_has("", "otlp"));
	cr_expect_not(at_config_list_has(NULL, "otlp"));
	cr_expect_not(at_config_list_has("console,files", "file"));
}
