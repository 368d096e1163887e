// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "core/text.h"

void at_options_init(struct at_options *options, const struct at_option *table,
		     int argc, char **argv)
{
	memset(options, 0, sizeof(*options));
	options->option = table;
	options->argv = argv;
	options->argc = argc;
	options->next = 1;
}

__attribute__((format(printf, 2, 3))) static int mistake(
	struct at_options *options, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(options->mistake, sizeof(options->mistake), format,
		  arguments);
	va_end(arguments);
	return AT_OPTIONS_MISTAKE;
}

static int find_name(const struct at_option *table, struct at_text name)
{
	int i;

	for (i = 0; table[i].name; i++)
		if (at_text_equal(at_text_from(table[i].name), name))
			return i;
	return -1;
}

static int find_letter(const struct at_option *table, char letter)
{
	int i;

	for (i = 0; table[i].name; i++)
		if (table[i].letter && table[i].letter == letter)
			return i;
	return -1;
}

static int next_word_as_value(struct at_options *options, int found,
			      const char **value)
{
	if (options->next >= options->argc)
		return mistake(options, "--%s needs a value: %s",
			       options->option[found].name,
			       options->option[found].value);
	*value = options->argv[options->next++];
	return found;
}

static int long_option(struct at_options *options, const char *word,
		       const char **value)
{
	const char *equals = strchr(word, '=');
	struct at_text name = at_text_from(word);
	int found;

	if (equals)
		name.len = (size_t)(equals - word);
	found = find_name(options->option, name);
	if (found < 0)
		return mistake(options, "no such option: --%.*s",
			       (int)(name.len < 60 ? name.len : 60), word);
	if (!options->option[found].value) {
		if (equals)
			return mistake(options, "--%s takes no value",
				       options->option[found].name);
		return found;
	}
	if (!equals)
		return next_word_as_value(options, found, value);
	*value = equals + 1;
	return found;
}

static int letter_option(struct at_options *options, const char **value)
{
	char letter = *options->packed++;
	int found = find_letter(options->option, letter);
	const char *rest = *options->packed ? options->packed : NULL;

	if (found < 0)
		return mistake(options, "no such option: -%c", letter);
	options->packed = rest;
	if (!options->option[found].value)
		return found;
	options->packed = NULL;
	if (!rest)
		return next_word_as_value(options, found, value);
	*value = rest;
	return found;
}

int at_options_next(struct at_options *options, const char **value)
{
	const char *word;

	*value = NULL;
	if (options->packed)
		return letter_option(options, value);
	if (options->next >= options->argc)
		return AT_OPTIONS_END;
	word = options->argv[options->next];
	/* A lone dash is an operand: standard input. */
	if (word[0] != '-' || !word[1])
		return AT_OPTIONS_END;
	options->next++;
	if (!strcmp(word, "--"))
		return AT_OPTIONS_END;
	if (word[1] == '-')
		return long_option(options, word + 2, value);
	options->packed = word + 1;
	return letter_option(options, value);
}
