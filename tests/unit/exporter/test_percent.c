// SPDX-License-Identifier: Apache-2.0
#include "exporter/percent.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const char *decoded(const char *in, int want)
{
	static char out[64];
	struct at_writer writer = AT_WRITER(out, sizeof(out) - 1);

	cr_assert_eq(percent_decode(at_text_from(in), &writer), want, "%s", in);
	out[writer.len] = 0;
	return out;
}

Test(exporter_percent, decodes_escapes_and_nothing_else)
{
	cr_assert_str_eq(decoded("a%2Cb%3dc", 0), "a,b=c");
	cr_assert_str_eq(decoded("a+b", 0), "a+b");
	cr_assert_str_eq(decoded("%C3%A9", 0), "\xc3\xa9");
	cr_assert_str_eq(decoded("%25", 0), "%");
}

Test(exporter_percent, a_bad_escape_is_an_error)
{
	decoded("%", -EINVAL);
	decoded("%4", -EINVAL);
	decoded("a%ZZ", -EINVAL);
	decoded("%4g", -EINVAL);
}

static void expect_pair(struct at_text *rest, const char *key,
			const char *value)
{
	struct at_text got_key, got_value;

	cr_assert_eq(percent_next_pair(rest, &got_key, &got_value), 1);
	cr_assert(at_text_equal(got_key, at_text_from(key)), "%s", key);
	cr_assert(at_text_equal(got_value, at_text_from(value)), "%s", value);
}

Test(exporter_percent, pairs_are_trimmed_and_split_at_the_first_sign)
{
	struct at_text rest = at_text_from(" a = b ,, k=,x=y=z, ");
	struct at_text key, value;

	expect_pair(&rest, "a", "b");
	expect_pair(&rest, "k", "");
	expect_pair(&rest, "x", "y=z");
	cr_assert_eq(percent_next_pair(&rest, &key, &value), 0);
}

Test(exporter_percent, a_bad_pair_does_not_hide_the_next)
{
	struct at_text rest = at_text_from("bad,=v,k=v");
	struct at_text key, value;

	cr_assert_eq(percent_next_pair(&rest, &key, &value), -EINVAL);
	cr_assert_eq(percent_next_pair(&rest, &key, &value), -EINVAL);
	expect_pair(&rest, "k", "v");
}
