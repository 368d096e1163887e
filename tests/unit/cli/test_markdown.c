// SPDX-License-Identifier: Apache-2.0
#include "cli/markdown.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *text, const char *expected)
{
	char *made = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&made, &len);

	at_markdown_code(out, text);
	fclose(out);
	cr_expect_str_eq(made, expected);
	free(made);
}

Test(cli_markdown, whatever_is_in_it_stays_code_in_a_cell)
{
	expect("make -j", "`make -j`");
	expect("", "");
	expect("a`b|c", "`a'b\\|c`");
	expect("a\nb\x1b[31m", "`a\\x0ab\\x1b[31m`");
	expect("\xc3\xa4\xff", "`\xc3\xa4\\xff`");
	expect("<img> @all [x](y)", "`<img> @all [x](y)`");
}

Test(cli_markdown, long_texts_are_cut)
{
	char text[301];
	char *made = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&made, &len);

	memset(text, 'x', sizeof(text) - 1);
	text[300] = 0;
	at_markdown_code(out, text);
	fclose(out);
	cr_expect_lt(len, 120);
	free(made);
}

Test(cli_markdown, a_table_has_a_head)
{
	char *made = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&made, &len);

	at_markdown_table(out, "What", "a | b | c");
	fclose(out);
	cr_expect_str_eq(made, "\n#### What\n\n| a | b | c |\n|---|---|---|\n");
	free(made);
}
