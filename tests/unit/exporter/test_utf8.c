// SPDX-License-Identifier: Apache-2.0
#include "exporter/utf8.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/guard_page.h"

#define FFFD "\xef\xbf\xbd"

static struct arena arena;

static void expect_repaired(const char *in, size_t len, const char *out)
{
	struct at_text got = utf8_repair((struct at_text){ in, len }, &arena);

	cr_assert_eq(got.len, strlen(out), "%zu bytes for %s", got.len, out);
	cr_assert_arr_eq(got.ptr, out, got.len, "%s", out);
}

Test(exporter_utf8, bad_sequences_become_one_replacement_each)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain", "plain" },
		{ "caf\xc3\xa9", "caf\xc3\xa9" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "\xff", FFFD },
		{ "a\x80z", "a" FFFD "z" },
		{ "\xc3", FFFD },
		{ "\xc3(", FFFD "(" },
		{ "\xe2\x82", FFFD },
		{ "\xe2\x82z", FFFD "z" },
		{ "\xf0\x9f\x98", FFFD },
		{ "\xc0\xaf", FFFD FFFD },                   /* overlong */
		{ "\xe0\x80\xaf", FFFD FFFD FFFD },          /* overlong */
		{ "\xed\xa0\x80", FFFD FFFD FFFD },          /* surrogate */
		{ "\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD }, /* too high */
		{ "\xf5\x80", FFFD FFFD },
		{ "0123456789abcdef\xff"
		  "0123456789",
		  "0123456789abcdef" FFFD "0123456789" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_repaired(rows[i].in, strlen(rows[i].in), rows[i].out);
}

Test(exporter_utf8, a_valid_text_is_not_copied)
{
	static const char text[] = "caf\xc3\xa9";
	struct at_text got = utf8_repair(at_text_from(text), &arena);

	cr_assert_eq(got.ptr, text);
	cr_assert_eq(utf8_repair((struct at_text){ "a\0b", 3 }, &arena).len, 3);
}

Test(exporter_utf8, reads_no_byte_behind_the_text)
{
	static const char text[] = "0123456\xf0\x9f\x98\x80\xe2\x82\xac\xc3";
	struct guard_page page;
	struct at_text copy;
	size_t len;

	guard_page_open(&page, sizeof(text));
	for (len = 0; len < sizeof(text); len++) {
		copy = guard_page_text(&page, (struct at_text){ text, len });
		cr_assert_leq(utf8_repair(copy, &arena).len, len * 3);
		cr_assert_leq(utf8_cut(copy, 5).len, len);
	}
	guard_page_close(&page);
}

Test(exporter_utf8, cuts_by_characters)
{
	static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
	static const size_t bytes[] = { 0, 1, 3, 6, 10, 11, 11 };
	size_t i;

	for (i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		cr_assert_eq(utf8_cut(at_text_from(text), i).len, bytes[i],
			     "%zu characters", i);
	cr_assert_eq(utf8_cut(at_text_from(text), UINT64_MAX).len, 11);
}

Test(exporter_utf8, harmless_text_has_no_control_characters)
{
	static const char in[] = "a\x1b[31m\n\x7f\xc2\x9b"
				 "caf\xc3\xa9";
	char out[64];
	struct at_writer writer = AT_WRITER(out, sizeof(out) - 1);

	utf8_write_harmless(&writer, at_text_from(in));
	out[writer.len] = 0;
	cr_assert_str_eq(out, "a?[31m???caf\xc3\xa9");
}
