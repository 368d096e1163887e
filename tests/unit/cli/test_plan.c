// SPDX-License-Identifier: Apache-2.0
#include "cli/plan.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "draw.h"

static char label[64];

static const char *numbered(const char *format, unsigned int number)
{
	snprintf(label, sizeof(label), format, number);
	return label;
}

static void add(struct at_span_list *list, uint64_t id, uint64_t parent,
		const char *name, uint64_t duration_ms, const char *error)
{
	draw_add(list, &(struct draw_span){ 1, id, parent, name, id,
					    duration_ms, 0, error });
}

Test(cli_plan, forty_repeats_are_one_line_with_their_total_and_extremes)
{
	struct at_span_list list = { 0 };
	struct drawn drawn;
	unsigned int i;

	add(&list, 1, 0, "root", 5000, NULL);
	for (i = 0; i < 40; i++)
		add(&list, 10 + i, 1, "GET /item", 10 + i, NULL);
	draw(&drawn, &list, &draw_plain);
	cr_expect_eq(drawn.line_count, 2);
	cr_expect_not_null(strstr(drawn.line[1], "GET /item x 40"));
	cr_expect_not_null(strstr(drawn.line[1], "1.18 s"));
	cr_expect_not_null(strstr(drawn.line[1], "10.0 to 49.0 ms"));
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_plan, two_of_a_kind_are_not_folded)
{
	struct at_span_list list = { 0 };
	struct drawn drawn;

	add(&list, 1, 0, "root", 5000, NULL);
	add(&list, 2, 1, "GET /item", 1, NULL);
	add(&list, 3, 1, "GET /item", 1, NULL);
	draw(&drawn, &list, &draw_plain);
	cr_expect_eq(drawn.line_count, 3);
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_plan, what_failed_is_not_folded_while_there_is_room)
{
	struct at_span_list list = { 0 };
	struct drawn drawn;
	unsigned int i;

	add(&list, 1, 0, "root", 5000, NULL);
	for (i = 0; i < 5; i++) {
		add(&list, 10 + i, 1, "failed", 1, "timeout");
		add(&list, 20 + i, 1, "parent", 1, NULL);
		add(&list, 30 + i, 20 + i, "failed", 1, "timeout");
	}
	draw(&drawn, &list, &draw_plain);
	cr_expect_eq(drawn.line_count, 16);
	draw_free(&drawn);
	at_span_list_free(&list);
}

/* Processes and their calls: whatever the order of those is. */
Test(cli_plan, what_looks_the_same_below_is_folded_as_a_whole)
{
	struct at_span_list list = { 0 };
	struct drawn drawn;
	unsigned int i;

	add(&list, 1, 0, "root", 5000, NULL);
	for (i = 0; i < 5; i++) {
		add(&list, 20 + i, 1, "sh", 1, NULL);
		add(&list, 40 + 2 * i + i % 2, 20 + i, "ls", 1, NULL);
		add(&list, 41 + 2 * i - i % 2, 20 + i, "GET /", 1, NULL);
	}
	/* Another one does one thing more. */
	add(&list, 30, 1, "sh", 1, NULL);
	add(&list, 60, 30, "ls", 1, NULL);
	add(&list, 61, 30, "GET /", 1, NULL);
	add(&list, 62, 30, "date", 1, NULL);
	draw(&drawn, &list, &draw_plain);
	cr_expect_eq(drawn.line_count, 8);
	cr_expect_not_null(draw_find(&drawn, "sh x 5"));
	cr_expect_not_null(draw_find(&drawn, "ls x 5"));
	cr_expect_not_null(draw_find(&drawn, "GET / x 5"));
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_plan, other_status_codes_are_other_lines)
{
	struct at_span_list list = { 0 };
	struct drawn drawn;
	uint64_t i;

	for (i = 1; i <= 8; i++)
		draw_add(&list, &(struct draw_span){ 1, i, 0, "GET /", i, 1,
						     i % 2 ? 200 : 304, NULL });
	draw(&drawn, &list, &draw_plain);
	cr_expect_eq(drawn.line_count, 2);
	cr_expect_not_null(draw_find(&drawn, "200,"));
	cr_expect_not_null(draw_find(&drawn, "304,"));
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_plan, tree_all_shows_every_span)
{
	struct at_tree_style style = draw_plain;
	struct at_span_list list = { 0 };
	struct drawn drawn;
	unsigned int i;

	style.max_lines = 0;
	add(&list, 1, 0, "root", 5000, NULL);
	for (i = 0; i < 500; i++)
		add(&list, 10 + i, 1, "GET /item", 1, NULL);
	draw(&drawn, &list, &style);
	cr_expect_eq(drawn.line_count, 501);
	cr_expect_null(draw_find(&drawn, "more"));
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_plan, failures_and_the_slowest_path_come_before_all_else)
{
	struct at_span_list list = { 0 };
	struct drawn drawn;
	unsigned int i;

	add(&list, 1, 0, "root", 100000, NULL);
	for (i = 0; i < 300; i++)
		add(&list, 1000 + i, 1, numbered("middling %u", i), 500, NULL);
	add(&list, 2, 1, "slow", 90000, NULL);
	add(&list, 3, 2, "slower", 80000, NULL);
	add(&list, 4, 3, "slowest", 1, NULL);
	for (i = 0; i < 10; i++) {
		add(&list, 2000 + i, 1000 + i, numbered("failed %u", i), 1,
		    "timeout");
	}
	draw(&drawn, &list, &draw_plain);
	cr_expect_leq(drawn.line_count, AT_TREE_LINES);
	cr_expect_geq(drawn.line_count, AT_TREE_LINES - 1);
	cr_expect_not_null(draw_find(&drawn, "`-slowest"));
	for (i = 0; i < 10; i++)
		cr_expect_not_null(draw_find(&drawn, numbered("failed %u", i)));
	cr_expect_not_null(draw_find(&drawn, "--tree=all shows them"));
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_plan, what_is_not_shown_is_counted_where_it_is_missing)
{
	struct at_span_list list = { 0 };
	struct drawn drawn;
	unsigned int i;

	add(&list, 1, 0, "root", 100000, NULL);
	for (i = 0; i < 100; i++)
		add(&list, 10 + i, 1, numbered("child %u", i), 500, NULL);
	draw(&drawn, &list, &draw_plain);
	cr_expect_eq(drawn.line_count, AT_TREE_LINES);
	cr_expect_not_null(strstr(drawn.line[0], "root (+62)"), "%s",
			   drawn.line[0]);
	cr_expect_str_eq(drawn.line[39],
			 ".. 62 more spans: --tree=all shows them");
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_plan, repeated_failures_are_folded_only_where_room_is_short)
{
	struct at_span_list list = { 0 };
	struct drawn drawn;
	unsigned int i;

	add(&list, 1, 0, "root", 100000, NULL);
	for (i = 0; i < 1000; i++)
		add(&list, 10 + i, 1, "connect", 1, "ECONNREFUSED");
	draw(&drawn, &list, &draw_plain);
	cr_expect_eq(drawn.line_count, 2);
	cr_expect_not_null(strstr(drawn.line[1], "connect x 1,000"));
	cr_expect_not_null(strstr(drawn.line[1], "ECONNREFUSED"));
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_plan, a_failure_too_deep_for_its_ancestors_is_shown_with_a_gap)
{
	struct at_span_list list = { 0 };
	const char *line;
	struct drawn drawn;
	unsigned int i;

	for (i = 1; i <= 100; i++)
		add(&list, i, i - 1, numbered("level %u", i), 1000 - i, NULL);
	add(&list, 101, 100, "boom", 1, "SIGSEGV");
	draw(&drawn, &list, &draw_plain);
	cr_expect_leq(drawn.line_count, AT_TREE_LINES);
	line = draw_find(&drawn, "boom");
	cr_assert_not_null(line);
	cr_expect_not_null(strstr(line, ".. "), "%s", line);
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_plan, many_traces_share_the_lines)
{
	struct at_span_list list = { 0 };
	struct drawn drawn;
	unsigned int i;

	for (i = 0; i < 200; i++)
		draw_add(&list,
			 &(struct draw_span){ (uint8_t)i, 1, 0, "job", i, 10, 0,
					      i == 150 ? "1" : NULL });
	draw(&drawn, &list, &draw_plain);
	cr_expect_leq(drawn.line_count, AT_TREE_LINES);
	cr_expect_not_null(
		draw_find(&drawn, "trace aa960000000000000000000000000000"));
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_plan, one_line_at_most_is_kept_to)
{
	struct at_tree_style style = draw_plain;
	struct at_span_list list = { 0 };
	struct drawn drawn;
	unsigned int i;

	for (i = 1; i < 30; i++)
		draw_add(&list, &(struct draw_span){ (uint8_t)i, i, i / 2, "x",
						     i, 1, 0, NULL });
	for (i = 1; i < 10; i++) {
		style.max_lines = i;
		draw(&drawn, &list, &style);
		cr_expect_leq(drawn.line_count, i);
		cr_expect_geq(drawn.line_count, 1);
		draw_free(&drawn);
	}
	at_span_list_free(&list);
}

/* CPU seconds a drawing takes. */
static double seconds(const struct at_span_list *list)
{
	struct drawn drawn;
	clock_t begin = clock();

	draw(&drawn, list, &draw_plain);
	draw_free(&drawn);
	return (double)(clock() - begin) / CLOCKS_PER_SEC;
}

Test(cli_plan, a_chain_of_a_hundred_thousand_takes_no_time)
{
	struct at_span_list list = { 0 };
	uint64_t i;

	for (i = 1; i <= 100000; i++)
		add(&list, i, i - 1, "deep", 10, i % 7 ? NULL : "failed");
	cr_expect_lt(seconds(&list), 10);
	at_span_list_free(&list);
}

Test(cli_plan, a_hundred_thousand_siblings_take_no_time)
{
	struct at_span_list list = { 0 };
	unsigned int i;

	add(&list, 1, 0, "root", 10, NULL);
	for (i = 2; i <= 100000; i++)
		add(&list, i, 1, numbered("child %u", i % 5000), 10,
		    i % 7 ? NULL : "failed");
	cr_expect_lt(seconds(&list), 10);
	at_span_list_free(&list);
}
