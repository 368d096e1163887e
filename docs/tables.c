// SPDX-License-Identifier: Apache-2.0
/*
 * Writes the pages of docs/ that are made from tables of the sources.
 *
 *	gcc -std=gnu11 -D_GNU_SOURCE -I. -o tables docs/tables.c \
 *		core/config_table.c core/config_parse.c core/counters.c \
 *		core/span.c core/text.c
 *	./tables config >docs/config.md
 *
 * Pages: config, counters, attributes. `make docs` does it (scripts/docs.sh).
 */
#include <stdio.h>
#include <string.h>

#include "core/config.h"
#include "core/config_parse.h"
#include "core/counters.h"
#include "core/span.h"

struct page {
	const char *name;
	void (*write)(void);
};

static void write_head(const char *title, const char *source)
{
	printf("# %s\n\n<!-- Made from %s by docs/tables.c: do not edit. "
	       "-->\n\n",
	       title, source);
}

/* A table's cell: a bar would end it. */
static void write_cell(const char *text)
{
	for (; *text; text++)
		printf(*text == '|' ? "\\|" : "%c", *text);
}

static enum at_config_type type_of(int setting)
{
	static const uint8_t types[] = {
#define CONFIG(field, type, env, fallback, standard, help) AT_CONFIG_##type,
#include "core/config.def"
#undef CONFIG
	};

	return (enum at_config_type)types[setting];
}

static void write_names(const char *names)
{
	const char *separator = "";

	for (; *names; names += strlen(names) + 1) {
		printf("%s`%s`", separator, names);
		separator = ", ";
	}
}

static void write_values(enum at_config_type type)
{
	static const char *const words[] = {
		[AT_CONFIG_BOOL] = "`true` or `false`",
		[AT_CONFIG_COUNT] = "integer from 1",
		[AT_CONFIG_LIMIT] = "integer from 0",
		[AT_CONFIG_MILLIS] = "milliseconds",
		[AT_CONFIG_TIMEOUT] = "milliseconds, 0 for no limit",
		[AT_CONFIG_TEXT] = "text",
	};
	const char *names = at_config_names(type);

	if (names)
		write_names(names);
	else
		printf("%s", words[type]);
}

static void write_setting(int i)
{
	const struct at_setting_info *info = &at_setting_table[i];

	printf("| `%s`", info->env);
	if (info->fallback[0])
		printf(", else `%s`", info->fallback);
	printf(" | ");
	write_values(type_of(i));
	printf(info->standard[0] ? " | `%s` | " : " | %s | ", info->standard);
	write_cell(info->help);
	printf(" |\n");
}

static void write_config(void)
{
	int i;

	write_head("Settings", "core/config.def");
	printf("Everything is set by environment variables, read once when a "
	       "program starts.\n`autotrace config` prints the values in "
	       "force and where each came from.\n\n"
	       "- An empty variable is as good as none.\n"
	       "- A value that is not understood is ignored and counted "
	       "(`config.rejected`); the\n  general variable or the default holds.\n"
	       "- Names of samplers, protocols and the like are understood in "
	       "any case.\n"
	       "- Numbers go up to %d.\n"
	       "- `OTEL_CONFIG_FILE` is not supported: it is counted as "
	       "rejected, and the\n  variables below hold.\n\n"
	       "| variable | values | default | meaning |\n"
	       "| --- | --- | --- | --- |\n",
	       INT32_MAX);
	for (i = 0; i < AT_SETTING_COUNT; i++)
		write_setting(i);
}

static void write_counters(void)
{
	static const char *const classes[] = {
		[AT_COUNTER_LOST] = "lost",
		[AT_COUNTER_LESS] = "less",
		[AT_COUNTER_NOTE] = "note",
	};
	int i;

	write_head("Counters", "core/counters.def");
	printf("Nothing is dropped without being counted. `autotrace run` "
	       "prints what is not\nzero at its end.\n\n"
	       "- **lost**: a span that somebody will miss\n"
	       "- **less**: traced, with less than could be\n"
	       "- **note**: worth knowing; nothing is missing\n\n"
	       "| counter | class | counts |\n| --- | --- | --- |\n");
	for (i = 0; i < AT_COUNTER_COUNT; i++) {
		printf("| `%s` | %s | ", at_counter_table[i].name,
		       classes[at_counter_table[i].class]);
		write_cell(at_counter_table[i].phrase);
		printf(" |\n");
	}
}

static void write_attributes(void)
{
	static const char *const types[] = {
		[AT_TYPE_TEXT] = "text",
		[AT_TYPE_INT] = "integer",
		[AT_TYPE_BOOL] = "boolean",
		[AT_TYPE_TEXTS] = "list of texts",
		[AT_TYPE_DOUBLE] = "number",
	};
	int i;

	write_head("Attributes", "core/attributes.def");
	printf("What a span can carry. Names are those of the OpenTelemetry "
	       "semantic conventions\n1.44.0; ours begin `autotrace.`.\n\n"
	       "| attribute | type | meaning |\n| --- | --- | --- |\n");
	for (i = 0; i < AT_ATTR_COUNT; i++) {
		printf("| `%s` | %s | ", at_attr_table[i].name,
		       types[at_attr_table[i].type]);
		write_cell(at_attr_table[i].help);
		printf(" |\n");
	}
}

int main(int argc, char **argv)
{
	static const struct page pages[] = {
		{ "config", write_config },
		{ "counters", write_counters },
		{ "attributes", write_attributes },
	};
	size_t i;

	for (i = 0; argc == 2 && i < sizeof(pages) / sizeof(pages[0]); i++)
		if (!strcmp(argv[1], pages[i].name)) {
			pages[i].write();
			return fflush(stdout) ? 1 : 0;
		}
	fprintf(stderr, "usage: tables config|counters|attributes\n");
	return 2;
}
