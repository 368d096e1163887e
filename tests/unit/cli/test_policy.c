// SPDX-License-Identifier: Apache-2.0
#include "cli/policy.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "build.h"

Test(cli_policy, durations)
{
	static const struct {
		const char *text;
		uint64_t ns; /* 0: none */
	} all[] = {
		{ "2s", 2000000000 },
		{ "1.5s", 1500000000 },
		{ "250ms", 250000000 },
		{ "0.25ms", 250000 },
		{ "2m", UINT64_C(120000000000) },
		{ "1h", UINT64_C(3600000000000) },
		{ "", 0 },
		{ "s", 0 },
		{ "2", 0 },
		{ "2d", 0 },
		{ ".5s", 0 },
		{ "1.2.3s", 0 },
		{ "-1s", 0 },
		{ "2 s", 0 },
		{ "99999999999s", 0 },
		{ "999999999h", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		uint64_t ns = 0;
		int error = at_duration_parse(at_text_from(all[i].text), &ns);

		cr_expect_eq(error, all[i].ns ? 0 : -EINVAL, "%s", all[i].text);
		if (!error)
			cr_expect_eq(ns, all[i].ns, "%s", all[i].text);
	}
}

static const struct build_span fine[] = {
	{ 1, 0, "sh", 0, 1500, 0, NULL, 0 },
	{ 2, 1, "grep", 1, 2, 1, NULL, 0 },
	{ 3, 1, "yes", 1, 2, 141, "SIGPIPE", 0 },
	{ 4, 1, "", 3, 4, 0, NULL, 404 },
	{ 0 },
};
static const struct build_span failed[] = {
	{ 1, 0, "sh", 0, 10, 1, NULL, 0 },
	{ 0 },
};
static const struct build_span crashed[] = {
	{ 1, 0, "sh", 0, 10, 0, NULL, 0 },
	{ 2, 1, "prog", 1, 2, 139, "SIGSEGV", 0 },
	{ 3, 1, "", 3, 4, 0, NULL, 503 },
	{ 4, 1, "", 3, 4, 0, NULL, -1 },
	{ 0 },
};

static bool kept(const struct build_span *spans, const char *rules)
{
	static const uint8_t head[AT_SPAN_ID_BYTES] = { 1 };
	struct build build;
	struct at_keep keep;
	bool wanted;

	cr_assert_eq(at_keep_parse(&keep, rules), 0, "%s", rules);
	build_grow(&build, spans);
	wanted = at_keep_wants(&keep, &build.list, head);
	build_free(&build);
	return wanted;
}

Test(cli_policy, what_is_kept)
{
	cr_expect_not(kept(fine, "errors"));
	cr_expect_not(kept(fine, "errors,slow:2s"));
	cr_expect(kept(fine, "errors, slow:1.5s"));
	cr_expect(kept(fine, "slow:1s"));
	cr_expect(kept(failed, "errors"));
	cr_expect_not(kept(failed, "slow:1s"));
	cr_expect(kept(crashed, "errors"));
}

Test(cli_policy, a_trace_whose_head_is_not_there_is_kept)
{
	static const uint8_t other[AT_SPAN_ID_BYTES] = { 99 };
	struct at_keep keep;
	struct build build;

	cr_assert_eq(at_keep_parse(&keep, "errors"), 0);
	build_grow(&build, fine);
	cr_expect(at_keep_wants(&keep, &build.list, other));
	build_free(&build);
}

static size_t count(const struct build_span *spans, const char *rules)
{
	const struct at_shown *first = NULL;
	struct at_fail_on fail_on;
	struct build build;
	size_t found;

	cr_assert_eq(at_fail_on_parse(&fail_on, rules), 0, "%s", rules);
	build_grow(&build, spans);
	found = at_fail_on_count(&fail_on, &build.list, &first);
	cr_expect_eq(first != NULL, found != 0);
	build_free(&build);
	return found;
}

Test(cli_policy, what_makes_it_fail)
{
	cr_expect_eq(count(fine, "crash"), 0);
	cr_expect_eq(count(fine, "http-5xx"), 0);
	cr_expect_eq(count(fine, "http-error"), 1);
	cr_expect_eq(count(crashed, "crash"), 1);
	cr_expect_eq(count(crashed, "http-5xx"), 1);
	cr_expect_eq(count(crashed, "http-error"), 2);
	cr_expect_eq(count(crashed, "http-5xx,crash"), 2);
}

Test(cli_policy, rules_that_are_none)
{
	static const char *const keeps[] = { "",        "error",  "slow",
					     "slow:",   "slow:2", "errors,",
					     "errors;x" };
	static const char *const gates[] = { "", "http", "crash,", "5xx" };
	struct at_fail_on fail_on;
	struct at_keep keep;
	size_t i;

	for (i = 0; i < sizeof(keeps) / sizeof(keeps[0]); i++)
		cr_expect_eq(at_keep_parse(&keep, keeps[i]), -EINVAL, "%s",
			     keeps[i]);
	for (i = 0; i < sizeof(gates) / sizeof(gates[0]); i++)
		cr_expect_eq(at_fail_on_parse(&fail_on, gates[i]), -EINVAL,
			     "%s", gates[i]);
}
