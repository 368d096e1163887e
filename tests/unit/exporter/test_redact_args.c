// SPDX-License-Identifier: Apache-2.0
#include "exporter/redact.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/guard_page.h"

static char out[8192];

/* `args`: each with a NUL behind it; the last NUL is the literal's own. */
static const char *redacted_args(const char *args, size_t size)
{
	static const struct at_config config = { .redact = "pin",
						 .url_query = "keep" };
	struct redact_rules rules = redact_rules_from(&config);
	struct at_writer writer = AT_WRITER(out, sizeof(out) - 1);
	struct guard_page page;
	bool changed;
	size_t i;

	guard_page_open(&page, size + 1);
	changed = redact_args(
		&rules, guard_page_text(&page, (struct at_text){ args, size }),
		&writer);
	guard_page_close(&page);
	cr_expect_not(writer.overflow);
	cr_expect_eq(changed,
		     writer.len != size || memcmp(out, args, size) != 0);
	out[writer.len] = 0;
	for (i = 0; i + 1 < writer.len; i++)
		if (!out[i])
			out[i] = '|';
	return out;
}

#define EXPECT(args, expected) \
	cr_expect_str_eq(redacted_args(args, sizeof(args)), expected)

Test(redact_args, what_is_harmless_stays)
{
	EXPECT("gcc\0-O2\0-o\0a.out\0token.c", "gcc|-O2|-o|a.out|token.c");
	EXPECT("sh\0-c\0a=1; for i in *; do echo \"$i\" && x; done",
	       "sh|-c|a=1; for i in *; do echo \"$i\" && x; done");
	EXPECT("mkdir\0-p\0/x", "mkdir|-p|/x");
	EXPECT("git\0clone\0https://h/r?a=1&b=2",
	       "git|clone|https://h/r?a=1&b=2");
	EXPECT("x\0\0y", "x||y");
	EXPECT("", "");
}

Test(redact_args, values_of_options)
{
	EXPECT("x\0--password\0hunter2\0y", "x|--password|REDACTED|y");
	EXPECT("x\0--password\0two words\0y", "x|--password|REDACTED|y");
	EXPECT("x\0--api-key=abc\0y", "x|--api-key=REDACTED|y");
	EXPECT("x\0--github-token=a b\0y", "x|--github-token=REDACTED|y");
	EXPECT("x\0-p\0hunter2", "x|-p|REDACTED");
	EXPECT("x\0--secret\0-v", "x|--secret|-v");
	EXPECT("env\0AWS_SECRET_ACCESS_KEY=abc\0x",
	       "env|AWS_SECRET_ACCESS_KEY=REDACTED|x");
	EXPECT("x\0--PIN=1234", "x|--PIN=REDACTED");
	EXPECT("x\0--pinned=1234", "x|--pinned=1234");
}

Test(redact_args, credentials_and_headers)
{
	EXPECT("curl\0-u\0me:pw\0-H\0Authorization: Bearer abc\0h",
	       "curl|-u|me:REDACTED|-H|Authorization: REDACTED|h");
	EXPECT("curl\0-u\0me\0https://u:p@h/?token=1",
	       "curl|-u|me|https://REDACTED:REDACTED@h/?token=REDACTED");
	EXPECT("curl\0-HPrivate-Token: x", "curl|-HPrivate-Token: REDACTED");
	EXPECT("git\0push\0ghp_0123456789abcdef", "git|push|REDACTED");
}

Test(redact_args, scripts_are_looked_into)
{
	EXPECT("sh\0-c\0curl -H 'Cookie: a=b; c=d' -u \"me:pw\" h; x",
	       "sh|-c|curl -H 'Cookie: REDACTED' -u \"me:REDACTED\" h; x");
	EXPECT("sh\0-c\0TOKEN=abc ./run --password 'a b' --token \"$T\" z",
	       "sh|-c|TOKEN=REDACTED ./run --password 'REDACTED' "
	       "--token \"REDACTED\" z");
	EXPECT("sh\0-c\0export PASSWORD='a b'\nnext",
	       "sh|-c|export PASSWORD='REDACTED'\nnext");
}
