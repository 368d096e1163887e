// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/guard_page.h"

static struct guard_page page;

static void open_page(void)
{
	guard_page_open(&page, 4096);
}

static void close_page(void)
{
	guard_page_close(&page);
}

TestSuite(core_text, .init = open_page, .fini = close_page);

/* The text at the end of readable memory. */
static struct at_text edge(const char *string)
{
	return guard_page_text(&page, at_text_from(string));
}

static void expect_text(struct at_text text, const char *expected)
{
	cr_expect(at_text_equal(text, at_text_from(expected)),
		  "\"%.*s\" is not \"%s\"", (int)text.len, text.ptr, expected);
}

Test(core_text, a_null_string_is_an_empty_text)
{
	struct at_text text = at_text_from(NULL);

	cr_expect_null(text.ptr);
	cr_expect_eq(text.len, 0);
	expect_text(at_text_from("abc"), "abc");
}

Test(core_text, texts_are_equal_when_all_bytes_are)
{
	cr_expect(at_text_equal(AT_TEXT("a\0b"), AT_TEXT("a\0b")));
	cr_expect_not(at_text_equal(AT_TEXT("a\0b"), AT_TEXT("a\0c")));
	cr_expect_not(at_text_equal(AT_TEXT("ab"), AT_TEXT("abc")));
	cr_expect_not(at_text_equal(AT_TEXT("ab"), AT_TEXT("AB")));
	cr_expect(at_text_equal(AT_TEXT(""), at_text_from(NULL)));
}

Test(core_text, comparing_without_case_folds_ascii_letters_only)
{
	cr_expect(at_text_equal_nocase(edge("Content-Type"),
				       AT_TEXT("cONTENT-tYPE")));
	cr_expect_not(at_text_equal_nocase(AT_TEXT("ab"), AT_TEXT("abc")));
	/* One bit apart, as letters of different case are. */
	cr_expect_not(at_text_equal_nocase(AT_TEXT("@["), AT_TEXT("`{")));
	cr_expect_not(at_text_equal_nocase(AT_TEXT("\xc4"), AT_TEXT("\xe4")));
	cr_expect_not(at_text_equal_nocase(AT_TEXT("-"), AT_TEXT("\r")));
}

Test(core_text, a_suffix_is_found_without_case)
{
	struct at_text suffix = AT_TEXT(".internal");

	cr_expect(at_text_ends_with_nocase(edge("db.Internal"), suffix));
	cr_expect(at_text_ends_with_nocase(suffix, suffix));
	cr_expect_not(at_text_ends_with_nocase(AT_TEXT("internal"), suffix));
	cr_expect_not(
		at_text_ends_with_nocase(AT_TEXT("x.internal.com"), suffix));
	cr_expect(at_text_ends_with_nocase(AT_TEXT("x"), AT_TEXT("")));
}

Test(core_text, trimming_takes_blanks_and_tabs_from_both_ends)
{
	expect_text(at_text_trim(edge(" \t a \t b\t ")), "a \t b");
	expect_text(at_text_trim(edge(" \t ")), "");
	expect_text(at_text_trim(AT_TEXT("\r\nx")), "\r\nx");
	expect_text(at_text_trim(at_text_from(NULL)), "");
}

Test(core_text, cutting_yields_every_item_empty_ones_included)
{
	struct at_text rest = edge("a,,bc,"), item;

	cr_assert(at_text_next(&rest, ',', &item));
	expect_text(item, "a");
	cr_assert(at_text_next(&rest, ',', &item));
	expect_text(item, "");
	cr_assert(at_text_next(&rest, ',', &item));
	expect_text(item, "bc");
	cr_assert(at_text_next(&rest, ',', &item));
	expect_text(item, "");
	cr_expect_not(at_text_next(&rest, ',', &item));
	cr_expect_not(at_text_next(&rest, ',', &item));
}

Test(core_text, cutting_nothing_yields_nothing)
{
	struct at_text rest = at_text_from(NULL), item;

	cr_expect_not(at_text_next(&rest, ',', &item));
	rest = edge("");
	cr_expect(at_text_next(&rest, ',', &item));
	expect_text(item, "");
	cr_expect_not(at_text_next(&rest, ',', &item));
}

static void expect_number(const char *string, int result, uint64_t value)
{
	uint64_t number = 77;

	cr_expect_eq(at_text_to_u64(edge(string), &number), result, "%s",
		     string);
	cr_expect_eq(number, result ? 77 : value, "%s", string);
}

Test(core_text, numbers_are_digits_and_nothing_else)
{
	expect_number("0", 0, 0);
	expect_number("007", 0, 7);
	expect_number("18446744073709551615", 0, UINT64_MAX);
	expect_number("18446744073709551616", -ERANGE, 0);
	expect_number("99999999999999999999", -ERANGE, 0);
	expect_number("", -EINVAL, 0);
	expect_number("-1", -EINVAL, 0);
	expect_number("+1", -EINVAL, 0);
	expect_number(" 1", -EINVAL, 0);
	expect_number("1 ", -EINVAL, 0);
	expect_number("1e3", -EINVAL, 0);
	expect_number("0x10", -EINVAL, 0);
}

Test(core_text, hexadecimal_is_lower_case_and_of_the_right_length)
{
	uint8_t bytes[3] = { 0 };

	cr_expect_eq(at_text_from_hex(edge("00ff7a"), bytes, 3), 0);
	cr_expect_arr_eq(bytes, "\x00\xff\x7a", 3);
	cr_expect_eq(at_text_from_hex(edge("00ff7"), bytes, 3), -EINVAL);
	cr_expect_eq(at_text_from_hex(edge("00ff7a0"), bytes, 3), -EINVAL);
	cr_expect_eq(at_text_from_hex(edge("00Ff7a"), bytes, 3), -EINVAL);
	cr_expect_eq(at_text_from_hex(edge("00fg7a"), bytes, 3), -EINVAL);
	cr_expect_eq(at_text_from_hex(edge("00f/7a"), bytes, 3), -EINVAL);
	cr_expect_eq(at_text_from_hex(edge("00f:7a"), bytes, 3), -EINVAL);
	cr_expect_eq(at_text_from_hex(edge("00f`7a"), bytes, 3), -EINVAL);
	cr_expect_eq(at_text_from_hex(edge(""), bytes, 0), 0);
}

static bool glob(const char *pattern, const char *text)
{
	static struct guard_page other;

	if (!other.map)
		guard_page_open(&other, 4096);
	return at_text_glob_nocase(edge(pattern),
				   guard_page_text(&other, at_text_from(text)));
}

Test(core_text, a_pattern_covers_the_whole_text)
{
	cr_expect(glob("", ""));
	cr_expect(glob("*", ""));
	cr_expect(glob("**", "anything"));
	cr_expect(glob("*.shop.test", "order.Shop.test"));
	cr_expect(glob("a?c", "abc"));
	cr_expect(glob("a*b*c", "a--b--b--c"));
	cr_expect(glob("*aab", "aaaaaab"));
	cr_expect_not(glob("", "x"));
	cr_expect_not(glob("?", ""));
	cr_expect_not(glob("abc", "abcd"));
	cr_expect_not(glob("a*b", "a--c"));
	cr_expect_not(glob("a?", "a"));
	cr_expect_not(glob("*.test", "test"));
}

/* The obvious way, exponential and recursive. */
static bool glob_slowly(const char *p, const char *t)
{
	if (!*p)
		return !*t;
	if (*p == '*')
		return glob_slowly(p + 1, t) || (*t && glob_slowly(p, t + 1));
	return *t && (*p == '?' || *p == *t) && glob_slowly(p + 1, t + 1);
}

Test(core_text, patterns_agree_with_the_obvious_definition)
{
	static const char pattern_of[] = "ab*?", text_of[] = "ab";
	char pattern[8], text[9];
	int round;

	srandom(1);
	for (round = 0; round < 100000; round++) {
		size_t p, t;

		for (p = 0; p < (size_t)random() % sizeof(pattern); p++)
			pattern[p] = pattern_of[random() % 4];
		pattern[p] = '\0';
		for (t = 0; t < (size_t)random() % sizeof(text); t++)
			text[t] = text_of[random() % 2];
		text[t] = '\0';
		cr_assert_eq(glob(pattern, text), glob_slowly(pattern, text),
			     "%s %s", pattern, text);
	}
}

Test(core_text, the_writer_appends_every_kind)
{
	char buffer[64];
	struct at_writer writer = AT_WRITER(buffer, sizeof(buffer));

	at_write_string(&writer, "a=");
	at_write_u64(&writer, 0);
	at_write_char(&writer, ',');
	at_write_u64(&writer, UINT64_MAX);
	at_write_text(&writer, AT_TEXT(" "));
	at_write_hex(&writer, (const uint8_t *)"\x00\xab\xff", 3);
	at_write_text(&writer, at_text_from(NULL));
	cr_expect_not(writer.overflow);
	expect_text(at_writer_text(&writer), "a=0,18446744073709551615 00abff");
}

/* What the writer holds is a prefix made of whole pieces, at every size. */
Test(core_text, the_writer_takes_a_piece_whole_or_not_at_all)
{
	static const char whole[] = "header: 0123456789ab 42\r\n";
	static const size_t ends[] = { 0, 8, 20, 21, 23, 25 };
	size_t cap, i;

	for (cap = 0; cap <= sizeof(whole); cap++) {
		char *buffer = guard_page_put(&page, whole, cap);
		struct at_writer writer = AT_WRITER(buffer, cap);
		size_t expected = 0;

		memset(buffer, '#', cap);
		at_write_string(&writer, "header: ");
		at_write_hex(&writer,
			     (const uint8_t *)"\x01\x23\x45\x67\x89\xab", 6);
		at_write_char(&writer, ' ');
		at_write_u64(&writer, 42);
		at_write_text(&writer, AT_TEXT("\r\n"));
		at_write_text(&writer, AT_TEXT(""));
		for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
			if (ends[i] <= cap)
				expected = ends[i];
		cr_expect_eq(writer.len, expected, "cap %zu", cap);
		cr_expect_eq(writer.overflow, cap < sizeof(whole) - 1);
		cr_expect_arr_eq(buffer, whole, writer.len);
	}
}

Test(core_text, after_an_overflow_even_what_fits_is_refused)
{
	char buffer[4];
	struct at_writer writer = AT_WRITER(buffer, sizeof(buffer));

	at_write_string(&writer, "abc");
	at_write_string(&writer, "de");
	at_write_char(&writer, 'f');
	at_write_hex(&writer, NULL, 0);
	cr_expect(writer.overflow);
	expect_text(at_writer_text(&writer), "abc");
}

Test(text, before)
{
	static const struct {
		const char *text, *stops, *want;
	} rows[] = {
		{ "a/b?c", "/?#", "a" }, { "abc", "/?#", "abc" },
		{ "", "/", "" },         { "/x", "/", "" },
		{ "abc", "", "abc" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect(
			at_text_equal(at_text_before(at_text_from(rows[i].text),
						     rows[i].stops),
				      at_text_from(rows[i].want)));
}

Test(text, field_ends_with_nul_or_size)
{
	static const char field[4] = { 'a', 'b', 0, 'c' };

	cr_expect_eq(at_text_field(field, 4).len, 2);
	cr_expect_eq(at_text_field(field, 1).len, 1);
	cr_expect_eq(at_text_field(field, 0).len, 0);
}

Test(text, base_name)
{
	cr_expect_str_eq(at_text_base_name("/usr/lib/x.so"), "x.so");
	cr_expect_str_eq(at_text_base_name("x.so"), "x.so");
	cr_expect_str_eq(at_text_base_name("/usr/"), "");
	cr_expect_str_eq(at_text_base_name(""), "");
	cr_expect_str_eq(at_text_base_name(NULL), "");
}
