// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "cli/cli.h"

enum { FILE_OPTION, QUIET_OPTION, ALL_OPTION };

static const struct at_option table[] = {
	{ "file", 'f', "FILE", "" },
	{ "quiet", 'q', NULL, "" },
	{ "all", 0, NULL, "" },
	{ NULL, 0, NULL, NULL },
};

/* Reads all options: "file=x quiet" and then "| first operand" or a mistake. */
static const char *read_all(char **argv)
{
	static char text[512];
	struct at_options options;
	const char *value;
	int argc = 0, found;

	while (argv[argc])
		argc++;
	text[0] = 0;
	at_options_init(&options, table, argc, argv);
	while ((found = at_options_next(&options, &value)) >= 0) {
		strcat(text, table[found].name);
		if (value) {
			strcat(text, "=");
			strcat(text, value);
		}
		strcat(text, " ");
	}
	if (found == AT_OPTIONS_MISTAKE)
		return strcat(text, options.mistake);
	strcat(text, "|");
	for (; options.next < argc; options.next++)
		strcat(strcat(text, " "), argv[options.next]);
	return text;
}

#define READ(...) read_all((char *[]){ (char *)"run", __VA_ARGS__, NULL })
#define WORD (char *)

Test(cli_options, values_come_with_and_without_an_equals_sign)
{
	cr_expect_str_eq(READ(WORD "--file=x", WORD "ls"), "file=x | ls");
	cr_expect_str_eq(READ(WORD "--file", WORD "x", WORD "ls"),
			 "file=x | ls");
	cr_expect_str_eq(READ(WORD "--file=", WORD "ls"), "file= | ls");
	cr_expect_str_eq(READ(WORD "--file=a=b"), "file=a=b |");
	cr_expect_str_eq(READ(WORD "-fx"), "file=x |");
	cr_expect_str_eq(READ(WORD "-f", WORD "x"), "file=x |");
	cr_expect_str_eq(READ(WORD "--file", WORD "--quiet"), "file=--quiet |");
}

Test(cli_options, letters_can_be_packed)
{
	cr_expect_str_eq(READ(WORD "-qqfx", WORD "-q"),
			 "quiet quiet file=x quiet |");
}

Test(cli_options, the_first_operand_ends_them)
{
	cr_expect_str_eq(READ(WORD "-q", WORD "ls", WORD "-q"),
			 "quiet | ls -q");
	cr_expect_str_eq(READ(WORD "ls", WORD "--", WORD "-q"), "| ls -- -q");
	cr_expect_str_eq(READ(WORD "-q", WORD "-"), "quiet | -");
	cr_expect_str_eq(READ(WORD ""), "| ");
}

Test(cli_options, two_dashes_end_them)
{
	cr_expect_str_eq(READ(WORD "-q", WORD "--", WORD "-q"), "quiet | -q");
	cr_expect_str_eq(READ(WORD "--", WORD "--"), "| --");
	cr_expect_str_eq(READ(WORD "--"), "|");
}

Test(cli_options, mistakes_are_named)
{
	cr_expect_str_eq(READ(WORD "--fil=x"), "no such option: --fil");
	cr_expect_str_eq(READ(WORD "-x"), "no such option: -x");
	cr_expect_str_eq(READ(WORD "-qx"), "quiet no such option: -x");
	cr_expect_str_eq(READ(WORD "--quiet=1"), "--quiet takes no value");
	cr_expect_str_eq(READ(WORD "--file"), "--file needs a value: FILE");
	cr_expect_str_eq(READ(WORD "-qf"), "quiet --file needs a value: FILE");
	cr_expect_str_eq(READ(WORD "--=x"), "no such option: --");
}
