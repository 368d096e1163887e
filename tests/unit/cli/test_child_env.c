// SPDX-License-Identifier: Apache-2.0
#include "cli/child_env.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *const before[] = {
	(char *)"A=1",
	(char *)"TRACEPARENT=x",
	(char *)"LD_PRELOAD=/y",
	(char *)"TRACEPARENT=z",
	(char *)"TRACEPARENTS=s",
	(char *)"odd",
	(char *)"=also odd",
	NULL,
};

static void expect_block(char **block, const char *const *expected)
{
	size_t i;

	cr_assert_not_null(block);
	for (i = 0; expected[i]; i++)
		cr_assert_str_eq(block[i], expected[i]);
	cr_expect_null(block[i]);
	free(block);
}

Test(cli_child_env, changes_replace_every_earlier_entry)
{
	static const struct at_env_change changes[] = {
		{ "TRACEPARENT", "00-new" },
		{ "LD_PRELOAD", "/y:/lib.so" },
		{ "NEW", "" },
	};
	static const char *const expected[] = {
		"A=1",
		"TRACEPARENTS=s",
		"odd",
		"=also odd",
		"TRACEPARENT=00-new",
		"LD_PRELOAD=/y:/lib.so",
		"NEW=",
		NULL,
	};

	expect_block(at_environment_with(before, changes, 3), expected);
}

Test(cli_child_env, an_entry_can_be_taken_out)
{
	static const struct at_env_change change = { "TRACEPARENT", NULL };
	static const char *const expected[] = {
		"A=1", "LD_PRELOAD=/y", "TRACEPARENTS=s",
		"odd", "=also odd",     NULL,
	};

	expect_block(at_environment_with(before, &change, 1), expected);
}

Test(cli_child_env, an_empty_environment_stays_empty)
{
	static const struct at_env_change change = { "X", NULL };
	static char *const none[] = { NULL };
	static const char *const expected[] = { NULL };

	expect_block(at_environment_with(none, &change, 1), expected);
}

static void expect_preload(const char *existing, const char *expected)
{
	char *value = at_preload_with(existing, "/l/libautotrace.so");

	cr_expect_str_eq(value, expected);
	free(value);
}

Test(cli_child_env, the_library_comes_behind_what_is_preloaded)
{
	expect_preload(NULL, "/l/libautotrace.so");
	expect_preload("", "/l/libautotrace.so");
	expect_preload("/a.so", "/a.so:/l/libautotrace.so");
	expect_preload("/a.so /b.so", "/a.so /b.so:/l/libautotrace.so");
	expect_preload("/l/libautotrace.so.1",
		       "/l/libautotrace.so.1:/l/libautotrace.so");
}

Test(cli_child_env, the_library_is_not_preloaded_twice)
{
	expect_preload("/l/libautotrace.so", "/l/libautotrace.so");
	expect_preload("/l/libautotrace.so:/b.so", "/l/libautotrace.so:/b.so");
	expect_preload("/a.so  :/l/libautotrace.so",
		       "/a.so  :/l/libautotrace.so");
}

/* There is none beside the program that runs this test. */
Test(cli_child_env, a_missing_library_is_not_found)
{
	char *path = NULL;

	cr_expect_eq(at_find_library(&path), -ENOENT);
	cr_expect_null(path);
}
