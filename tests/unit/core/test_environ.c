// SPDX-License-Identifier: Apache-2.0
#include "core/environ.h"

#include <criterion/criterion.h>

#include "tests/support/guard_page.h"

static void expect_value(struct at_text value, const char *expected)
{
	cr_assert_not_null(value.ptr);
	cr_expect(at_text_equal(value, at_text_from(expected)), "%.*s",
		  (int)value.len, value.ptr);
}

static char *const block[] = { (char *)"PATH=/bin",
			       (char *)"TRACE=short",
			       (char *)"NOVALUE",
			       (char *)"=odd",
			       (char *)"EMPTY=",
			       (char *)"TRACEPARENT=00=1",
			       (char *)"PATH=second",
			       (char *)"TRACEPARENTS=no",
			       NULL };

Test(core_environ, a_name_is_matched_whole)
{
	expect_value(at_environ_get(block, "TRACEPARENT"), "00=1");
	expect_value(at_environ_get(block, "TRACE"), "short");
	cr_expect_null(at_environ_get(block, "TRACEP").ptr);
	cr_expect_null(at_environ_get(block, "traceparent").ptr);
	cr_expect_null(at_environ_get(block, "NOVALUE").ptr);
}

Test(core_environ, the_first_of_two_counts)
{
	expect_value(at_environ_get(block, "PATH"), "/bin");
}

Test(core_environ, empty_is_not_absent)
{
	expect_value(at_environ_get(block, "EMPTY"), "");
	cr_expect_null(at_environ_get(block, "ABSENT").ptr);
}

Test(core_environ, no_block_holds_nothing)
{
	char *const empty[] = { NULL };

	cr_expect_null(at_environ_get(NULL, "PATH").ptr);
	cr_expect_null(at_environ_get(empty, "PATH").ptr);
}

Test(core_environ, the_value_is_a_view_into_the_block)
{
	cr_expect_eq(at_environ_get(block, "PATH").ptr, block[0] + 5);
}

Test(core_environ, no_entry_is_read_beyond_its_end)
{
	static const char whole[] = "TRACEPARENT=00-1";
	struct guard_page page;
	size_t len;

	guard_page_open(&page, sizeof(whole));
	for (len = 0; len < sizeof(whole); len++) {
		char entry[sizeof(whole)] = { 0 };
		char *env[] = { NULL, NULL };
		struct at_text value;

		memcpy(entry, whole, len);
		env[0] = guard_page_string(&page, entry);
		value = at_environ_get(env, "TRACEPARENT");
		cr_expect_eq(value.ptr != NULL, len >= 12);
		cr_expect_eq(value.len, len > 12 ? len - 12 : 0);
	}
	guard_page_close(&page);
}
