// SPDX-License-Identifier: Apache-2.0
#include "cli/cells.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/guard_page.h"

static size_t columns(const char *text)
{
	return at_cells_columns(at_text_from(text), true);
}

/* What is printed of `text`; to be freed. */
static char *printed(const char *text, size_t max_columns, bool utf8)
{
	char *out_text = NULL;
	size_t len;
	FILE *out = open_memstream(&out_text, &len);
	size_t count =
		at_cells_print(out, at_text_from(text), max_columns, utf8);

	fclose(out);
	cr_expect_leq(count, max_columns);
	cr_expect_eq(count, at_cells_columns(at_text_from(out_text), true),
		     "%s", out_text);
	return out_text;
}

static void expect_printed(const char *text, size_t max_columns, bool utf8,
			   const char *expected)
{
	char *seen = printed(text, max_columns, utf8);

	cr_expect_str_eq(seen, expected);
	free(seen);
}

Test(cli_cells, plain_wide_and_combining_characters_are_measured)
{
	cr_expect_eq(columns(""), 0);
	cr_expect_eq(columns("abc"), 3);
	cr_expect_eq(columns("é"), 1);
	cr_expect_eq(columns("e\u0301"), 1);
	cr_expect_eq(columns("日本語"), 6);
	cr_expect_eq(columns("한글"), 4);
	cr_expect_eq(columns("\u1112\u1161\u11ab"), 2); /* one syllable */
	cr_expect_eq(columns("😀"), 2);
	cr_expect_eq(columns("\uff21"), 2); /* fullwidth A */
	cr_expect_eq(columns("a\u200bb\ufe0f"), 2);
	cr_expect_eq(columns("\u00ad"), 1);
	cr_expect_eq(columns("\U00020000\U0003fffd"), 4);
	cr_expect_eq(columns("│█…"), 3);
}

Test(cli_cells, controls_and_marks_that_turn_the_line_are_escaped)
{
	expect_printed("\x1b[31m", 80, true, "\\x1b[31m");
	expect_printed("a\tb\x7f", 80, true, "a\\x09b\\x7f");
	expect_printed("\xc2\x85\xc2\x9b", 80, true, "\\u0085\\u009b");
	expect_printed("\u202e\u2066\u200f\u2028\u061c", 80, true,
		       "\\u202e\\u2066\\u200f\\u2028\\u061c");
}

Test(cli_cells, bytes_that_are_no_utf8_are_escaped)
{
	static const char *const broken[][2] = {
		{ "\xff", "\\xff" },
		{ "\x80", "\\x80" },
		{ "\xc0\xaf", "\\xc0\\xaf" }, /* overlong */
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* surrogate */
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
		{ "\xe6\x97", "\\xe6\\x97" }, /* cut off */
		{ "\xe6\x97z", "\\xe6\\x97z" },
	};
	size_t i;

	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		expect_printed(broken[i][0], 80, true, broken[i][1]);
}

Test(cli_cells, without_utf8_everything_else_is_escaped)
{
	expect_printed("é日😀", 80, false, "\\u00e9\\u65e5\\U0001f600");
}

Test(cli_cells, a_long_text_loses_its_middle)
{
	expect_printed("abcdefghij", 10, true, "abcdefghij");
	expect_printed("abcdefghij", 9, true, "abcd…ghij");
	expect_printed("abcdefghij", 8, true, "abcd…hij");
	expect_printed("abcdefghij", 8, false, "abc..hij");
	expect_printed("abcdefghij", 2, true, "a…");
	expect_printed("abcdefghij", 1, true, "a");
	expect_printed("abcdefghij", 0, true, "");
	/* Half a wide character is none. */
	expect_printed("日本語日本語", 8, true, "日本…語");
	/* A mark does not move to the character before the gap. */
	expect_printed("abcdefgh\u0301\u0301ij", 6, true, "abc…ij");
}

Test(cli_cells, no_text_is_printed_wider_than_it_may_be)
{
	static const char *const pieces[] = { "a",    "é",    "日", "\u0301",
					      "\xff", "\x1b", "😀",  "\u202e" };
	char text[256];
	size_t max;
	int round, i;

	srand(3);
	for (round = 0; round < 500; round++) {
		text[0] = 0;
		for (i = rand() % 30; i > 0; i--)
			strcat(text, pieces[rand() % 8]);
		for (max = 0; max < 40; max++)
			free(printed(text, max, round % 2));
	}
}

Test(cli_cells, nothing_behind_the_text_is_read)
{
	static const char text[] = "a\xe6\x97\xa5\xf0\x9f\x98\x80\xc3";
	struct guard_page page;
	size_t len;

	guard_page_open(&page, sizeof(text));
	for (len = 0; len < sizeof(text); len++)
		at_cells_columns(
			(struct at_text){ guard_page_put(&page, text, len),
					  len },
			true);
	guard_page_close(&page);
}
