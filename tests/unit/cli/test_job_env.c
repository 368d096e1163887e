// SPDX-License-Identifier: Apache-2.0
#include "cli/job_env.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cli/child_env.h"

static char *printed(enum at_env_form form, const char *name, const char *value)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	at_env_print(out, form, name, value);
	fclose(out);
	return text;
}

static void expect(enum at_env_form form, const char *value,
		   const char *expected)
{
	char *text = printed(form, "X", value);

	cr_expect_str_eq(text, expected);
	free(text);
}

Test(cli_job_env, for_a_shell)
{
	expect(AT_ENV_SHELL, "a b", "export X='a b'\n");
	expect(AT_ENV_SHELL, "$(x) `y` \"z\" \\",
	       "export X='$(x) `y` \"z\" \\'\n");
	expect(AT_ENV_SHELL, "it's", "export X='it'\\''s'\n");
	expect(AT_ENV_SHELL, "a\nb", "export X='a\nb'\n");
	expect(AT_ENV_SHELL, "", "export X=''\n");
	expect(AT_ENV_SHELL, NULL, "unset X\n");
}

Test(cli_job_env, for_the_runner)
{
	expect(AT_ENV_FILE, "a=b 'c'", "X=a=b 'c'\n");
	expect(AT_ENV_FILE, NULL, "X=\n");
}

/* No line of the value can end it, and none of it becomes a variable. */
Test(cli_job_env, several_lines_stand_between_two_of_a_word)
{
	char *text = printed(AT_ENV_FILE, "X", "a\nEOF\nPATH=/evil");
	char word[64];
	size_t len;

	cr_assert_eq(sscanf(text, "X<<%63s", word), 1);
	len = strlen(text);
	cr_expect(!strncmp(text + strlen("X<<") + strlen(word),
			   "\na\nEOF\nPATH=/evil\n", 18));
	cr_expect(!strncmp(text + len - strlen(word) - 1, word, strlen(word)));
	free(text);
}

Test(cli_job_env, secrets_and_what_concerns_the_hub_are_not_passed_on)
{
	cr_expect(at_env_is_passed_on(AT_SETTING_propagate_to));
	cr_expect(at_env_is_passed_on(AT_SETTING_sampler));
	cr_expect_not(at_env_is_passed_on(AT_SETTING_otlp_headers));
	cr_expect_not(at_env_is_passed_on(AT_SETTING_otlp_endpoint));
	cr_expect_not(at_env_is_passed_on(AT_SETTING_hub));
	cr_expect_not(at_env_is_passed_on(AT_SETTING_file));
}

static void expect_without(const char *list, const char *expected)
{
	char *rest = at_preload_without(list, "/l.so");

	if (expected)
		cr_expect_str_eq(rest, expected);
	else
		cr_expect_null(rest);
	free(rest);
}

Test(cli_job_env, our_library_is_taken_out_of_the_list)
{
	expect_without(NULL, NULL);
	expect_without("", NULL);
	expect_without("/l.so", NULL);
	expect_without("/a.so:/l.so", "/a.so");
	expect_without("/l.so /a.so:/b.so", "/a.so:/b.so");
	expect_without("/a/l.so", "/a/l.so");
}
