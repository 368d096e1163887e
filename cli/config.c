// SPDX-License-Identifier: Apache-2.0
/* autotrace config: every setting, its value and where it comes from. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cells.h"
#include "cli/cli.h"
#include "cli/config_text.h"
#include "cli/json.h"
#include "cli/terminal.h"
#include "core/environ.h"

#define VALUE_BYTES 1024

struct row {
	char value[VALUE_BYTES];
	char source[VALUE_BYTES];
	char standard[VALUE_BYTES];
};

struct settings {
	struct at_config config;
	struct at_config_origin origin;
};

static const char *name_of(enum at_setting setting)
{
	return at_setting_table[setting].env;
}

/* Put a unit behind a number, a dash for nothing, and the NUL. */
static void end_value(struct at_writer *writer, enum at_setting setting)
{
	const char *unit = at_config_unit(setting);

	if (writer->len && strcmp(writer->ptr, "none") != 0)
		at_write_string(writer, unit);
	if (!writer->len)
		at_write_char(writer, '-');
	writer->ptr[writer->len] = 0;
}

static void word_source(const struct settings *settings,
			enum at_setting setting, char source[VALUE_BYTES])
{
	const char *variable =
		at_config_variable(&settings->origin, setting, environ);
	const char *given = settings->origin.given[setting];
	enum at_config_source from = settings->origin.source[setting];
	char text[VALUE_BYTES / 2];
	struct at_writer writer = AT_WRITER(text, sizeof(text) - 1);

	at_config_masked_write(&writer, setting, at_text_from(given));
	text[writer.len] = 0;
	if (from == AT_SOURCE_REJECTED)
		snprintf(source, VALUE_BYTES, "default; %s rejected: %s: %s",
			 variable, text, at_config_reason(setting, given));
	else if (from == AT_SOURCE_DEFAULT && given)
		snprintf(source, VALUE_BYTES, "default; %s ignored",
			 name_of(setting));
	else if (from == AT_SOURCE_FALLBACK &&
		 at_environ_get(environ, name_of(setting)).len)
		snprintf(source, VALUE_BYTES, "%s; %s rejected", variable,
			 name_of(setting));
	else
		snprintf(source, VALUE_BYTES, "%s",
			 variable ? variable : "default");
}

static void make_row(const struct settings *settings, enum at_setting setting,
		     struct row *row)
{
	struct at_writer value = AT_WRITER(row->value, VALUE_BYTES - 8);
	struct at_writer standard = AT_WRITER(row->standard, VALUE_BYTES - 8);

	memset(row, 0, sizeof(*row));
	at_config_value_write(&value, &settings->config, setting);
	end_value(&value, setting);
	at_write_string(&standard, at_setting_table[setting].standard);
	end_value(&standard, setting);
	word_source(settings, setting, row->source);
}

/* --- as a table --- */

static void print_cell(const char *text, size_t columns, bool utf8)
{
	size_t used =
		at_cells_print(stdout, at_text_from(text), SIZE_MAX / 2, utf8);

	printf("%*s", (int)(columns > used ? columns - used : 0) + 2, "");
}

static size_t wider(size_t columns, const char *text, bool utf8)
{
	size_t own = at_cells_columns(at_text_from(text), utf8);

	/* One long value must not move all the others out of sight. */
	return own > columns && own <= 40 ? own : columns;
}

static void print_table(const struct settings *settings)
{
	size_t name = 0, value = 0, standard = 0;
	struct at_tree_style style;
	struct row row;
	int i;

	at_terminal_style(&style, STDOUT_FILENO, environ);
	for (i = 0; i < AT_SETTING_COUNT; i++) {
		make_row(settings, (enum at_setting)i, &row);
		if (strlen(name_of((enum at_setting)i)) > name)
			name = strlen(name_of((enum at_setting)i));
		value = wider(value, row.value, style.utf8);
		standard = wider(standard, row.standard, style.utf8);
	}
	print_cell("SETTING", name, style.utf8);
	print_cell("VALUE", value, style.utf8);
	print_cell("DEFAULT", standard, style.utf8);
	printf("SOURCE\n");
	for (i = 0; i < AT_SETTING_COUNT; i++) {
		make_row(settings, (enum at_setting)i, &row);
		print_cell(name_of((enum at_setting)i), name, style.utf8);
		print_cell(row.value, value, style.utf8);
		print_cell(row.standard, standard, style.utf8);
		at_cells_print(stdout, at_text_from(row.source), SIZE_MAX / 2,
			       style.utf8);
		putchar('\n');
	}
}

/* --- as JSON --- */

static void print_member(const char *name, const char *text)
{
	printf(", \"%s\": ", name);
	if (text)
		at_json_print(stdout, at_text_from(text));
	else
		printf("null");
}

static void print_object(const struct settings *settings,
			 enum at_setting setting)
{
	static const char *const sources[] = { "default", "environment",
					       "environment", "rejected" };
	const struct at_setting_info *info = &at_setting_table[setting];
	const char *given = settings->origin.given[setting];
	char value[VALUE_BYTES], text[VALUE_BYTES];
	struct at_writer writer = AT_WRITER(value, sizeof(value) - 1);
	struct at_writer masked = AT_WRITER(text, sizeof(text) - 1);

	at_config_value_write(&writer, &settings->config, setting);
	value[writer.len] = 0;
	at_config_masked_write(&masked, setting, at_text_from(given));
	text[masked.len] = 0;
	printf("{\"name\": \"%s\", \"type\": \"%s\"", info->env, info->type);
	print_member("value", value);
	print_member("source", sources[settings->origin.source[setting]]);
	print_member("variable",
		     at_config_variable(&settings->origin, setting, environ));
	print_member("given", given ? text : NULL);
	print_member("default", info->standard);
	print_member("help", info->help);
	printf("}");
}

static void print_json(const struct settings *settings)
{
	int i;

	printf("[\n");
	for (i = 0; i < AT_SETTING_COUNT; i++) {
		print_object(settings, (enum at_setting)i);
		printf(i + 1 < AT_SETTING_COUNT ? ",\n" : "\n");
	}
	printf("]\n");
}

enum { OPTION_JSON, OPTION_HELP };

static const struct at_option config_options[] = {
	[OPTION_JSON] = { "json", 0, NULL, "Print an array of objects." },
	[OPTION_HELP] = { "help", 'h', NULL, "Print this." },
	{ NULL, 0, NULL, NULL },
};

static int config_main(int argc, char **argv)
{
	static struct settings settings;
	struct at_options options;
	const char *value;
	bool json = false;
	int found;

	at_options_init(&options, config_options, argc, argv);
	while ((found = at_options_next(&options, &value)) >= 0)
		json |= found == OPTION_JSON;
	if (found == AT_OPTIONS_MISTAKE)
		return at_usage(&at_command_config, "%s", options.mistake);
	if (options.next < argc)
		return at_usage(&at_command_config, "unexpected argument: %s",
				argv[options.next]);
	at_config_load(&settings.config, environ, &settings.origin);
	if (json)
		print_json(&settings);
	else
		print_table(&settings);
	return at_finish_stdout();
}

const struct at_command at_command_config = {
	.name = "config",
	.arguments = "[--json]",
	.help = "Print every setting: its value, its default and its source.",
	.more = "Request headers for the collector and credentials in URLs are "
		"shown as ***.\n",
	.options = config_options,
	.run = config_main,
};
