// SPDX-License-Identifier: Apache-2.0
#include "cli/verdict.h"

#include <criterion/criterion.h>

#include "build.h"

/* The chain's spans by their ids, ended by 0. */
static void expect(const struct build_span *spans, const uint8_t *ids)
{
	struct at_chain chain;
	struct build build;
	uint32_t i;

	build_grow(&build, spans);
	at_chain_find(&build.forest, build_node(&build, 1), &chain);
	for (i = 0; i < chain.count && ids[i]; i++)
		cr_expect_eq(build.list.item[chain.node[i]].span_id[0], ids[i],
			     "%u: %s", i, build.list.item[chain.node[i]].label);
	cr_expect_eq(chain.count, i);
	cr_expect_eq(ids[i], 0);
	build_free(&build);
}

#define IDS(...) ((const uint8_t[]){ __VA_ARGS__, 0 })

Test(cli_chain, nothing_failed_that_mattered)
{
	static const struct build_span spans[] = {
		{ 1, 0, "sh", 0, 100, 0, NULL, 0 },
		{ 2, 1, "grep", 1, 2, 1, NULL, 0 },
		{ 3, 1, "crash", 3, 4, 139, "SIGSEGV", 0 },
		{ 0 },
	};

	expect(spans, IDS(0));
}

/* set -e: nothing is started after the failure. */
Test(cli_chain, who_stops_at_a_failure_failed_of_it)
{
	static const struct build_span spans[] = {
		{ 1, 0, "sh", 0, 100, 2, NULL, 0 },
		{ 2, 1, "grep", 1, 2, 1, NULL, 0 },
		{ 3, 1, "true", 3, 4, 0, NULL, 0 },
		{ 4, 1, "python3", 5, 90, 1, NULL, 0 },
		{ 5, 4, "cc", 6, 80, 1, NULL, 0 },
		{ 6, 5, "", 7, 70, 0, NULL, 503 },
		{ 0 },
	};

	expect(spans, IDS(1, 4, 5));
}

/* A trap cleans up, and hands the status on. */
Test(cli_chain, who_hands_the_exit_code_on_failed_of_it)
{
	static const struct build_span spans[] = {
		{ 1, 0, "sh", 0, 100, 22, NULL, 0 },
		{ 2, 1, "grep", 1, 2, 1, NULL, 0 },
		{ 3, 1, "curl", 3, 50, 22, NULL, 0 },
		{ 4, 1, "rm", 60, 70, 0, NULL, 0 },
		{ 0 },
	};

	expect(spans, IDS(1, 3));
}

Test(cli_chain, a_failure_that_was_dealt_with_is_no_cause)
{
	static const struct build_span spans[] = {
		{ 1, 0, "sh", 0, 100, 3, NULL, 0 },
		{ 2, 1, "grep", 1, 2, 1, NULL, 0 },
		{ 3, 1, "true", 3, 4, 0, NULL, 0 },
		{ 0 },
	};

	expect(spans, IDS(1));
}

Test(cli_chain, make_goes_on_and_fails_of_the_first)
{
	static const struct build_span spans[] = {
		{ 1, 0, "make", 0, 100, 2, NULL, 0 },
		{ 2, 1, "sh", 1, 60, 1, NULL, 0 },
		{ 3, 2, "cc", 2, 59, 1, NULL, 0 },
		{ 4, 1, "sh", 10, 90, 1, NULL, 0 },
		{ 5, 1, "sh", 70, 80, 0, NULL, 0 },
		{ 0 },
	};

	expect(spans, IDS(1, 2, 3));
}

/* make -j: a second failure comes in while it waits for what still runs. */
Test(cli_chain, of_two_that_ended_it_the_first_did)
{
	static const struct build_span spans[] = {
		{ 1, 0, "sh", 0, 100, 1, NULL, 0 },
		{ 2, 1, "a", 1, 90, 1, NULL, 0 },
		{ 3, 1, "b", 2, 50, 1, NULL, 0 },
		{ 0 },
	};

	expect(spans, IDS(1, 3));
}

Test(cli_chain, death_by_a_signal_goes_up_too)
{
	static const struct build_span spans[] = {
		{ 1, 0, "sh", 0, 100, 139, NULL, 0 },
		{ 2, 1, "prog", 1, 90, 139, "SIGSEGV", 0 },
		{ 0 },
	};

	expect(spans, IDS(1, 2));
}

/* The span of a whole job: its steps are judged one by one. */
Test(cli_chain, below_a_job_the_first_step_that_failed)
{
	struct at_chain chain;
	struct build build;
	static const struct build_span spans[] = {
		{ 1, 0, "job", 0, 100, 0, NULL, 0 },
		{ 2, 1, "bash", 1, 20, 0, NULL, 0 },
		{ 3, 2, "grep", 2, 3, 1, NULL, 0 },
		{ 4, 1, "bash", 30, 40, 2, NULL, 0 },
		{ 5, 1, "bash", 50, 60, 0, NULL, 0 },
		{ 0 },
	};

	build_grow(&build, spans);
	build.list.item[0].process = false;
	at_chain_find(&build.forest, build_node(&build, 1), &chain);
	cr_assert_eq(chain.count, 2);
	cr_expect_eq(build.list.item[chain.node[1]].span_id[0], 4);
	build_free(&build);
}

Test(cli_chain, a_chain_without_end_has_one)
{
	static struct build_span spans[201];
	struct at_chain chain;
	struct build build;
	uint8_t i;

	for (i = 0; i < 200; i++)
		spans[i] = (struct build_span){
			(uint8_t)(i + 1), i, "sh", i, 400, 1, NULL, 0
		};
	build_grow(&build, spans);
	at_chain_find(&build.forest, build_node(&build, 1), &chain);
	cr_expect_eq(chain.count, AT_CHAIN_MAX);
	cr_expect_eq(build.list.item[chain.node[0]].span_id[0], 1);
	cr_expect_eq(build.list.item[chain.node[AT_CHAIN_MAX - 1]].span_id[0],
		     200);
	build_free(&build);
}

Test(cli_verdict, what_is_a_crash)
{
	static const struct {
		const char *type;
		bool crash;
	} deaths[] = {
		{ "SIGSEGV", true },  { "SIGABRT", true },
		{ "SIGKILL", true },  { "SIGPIPE", false },
		{ "SIGTERM", false }, { "SIGINT", false },
		{ "SIGHUP", false },  { "exit 139", false },
		{ "", false },
	};
	size_t i;

	for (i = 0; i < sizeof(deaths) / sizeof(deaths[0]); i++) {
		struct at_shown span = { .process = true,
					 .error_type = deaths[i].type };

		cr_expect_eq(at_crashed(&span), deaths[i].crash, "%s",
			     deaths[i].type);
	}
}
