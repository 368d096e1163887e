// SPDX-License-Identifier: Apache-2.0
#include "cli/tree.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cells.h"
#include "draw.h"

static const struct draw_span shop[] = {
	{ 1, 1, 0, "sh", 0, 2000, 0, NULL },
	{ 1, 2, 1, "GET shop:8080 /api/order", 100, 1000, 200, NULL },
	{ 1, 3, 2, "GET stock:9001 /api/stock", 150, 200, 200, NULL },
	{ 1, 4, 2, "POST pay:9002 /api/pay", 400, 600, 503, "503" },
	{ 1, 5, 1, "GET 127.0.0.1:1 /", 1500, 1, 0, "ECONNREFUSED" },
};

static void add_shop(struct at_span_list *list)
{
	size_t i;

	for (i = 0; i < sizeof(shop) / sizeof(shop[0]); i++)
		draw_add(list, &shop[i]);
}

static void expect_lines(const struct drawn *drawn, const char *const *lines,
			 unsigned int count)
{
	unsigned int i;

	cr_expect_eq(drawn->line_count, count);
	for (i = 0; i < count && i < drawn->line_count; i++)
		cr_expect_str_eq(drawn->line[i], lines[i]);
}

Test(cli_tree, a_trace_is_drawn_with_bar_status_and_error)
{
	static const char *const lines[] = {
		"sh                             2.00 s ###########",
		"|-GET shop:8080 /api/order     1.00 s ######      200",
		"| |-GET stock:9001 /api/stock  200 ms ##          200",
		"| `-POST pay:9002 /api/pay     600 ms   ####      503",
		"`-GET 127.0.0.1:1 /           1.00 ms         #   ECONNREFUSED",
	};
	struct at_tree_style style = draw_plain;
	struct at_span_list list = { 0 };
	struct drawn drawn;

	style.columns = 62;
	add_shop(&list);
	draw(&drawn, &list, &style);
	expect_lines(&drawn, lines, 5);
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_tree, an_empty_list_draws_nothing)
{
	struct at_span_list list = { 0 };
	struct drawn drawn;

	draw(&drawn, &list, &draw_plain);
	cr_expect_eq(drawn.line_count, 0);
	draw_free(&drawn);
}

Test(cli_tree, blocks_and_branches_are_drawn_where_asked_for)
{
	struct at_tree_style style = draw_plain;
	struct at_span_list list = { 0 };
	struct drawn drawn;

	style.blocks = true;
	add_shop(&list);
	draw(&drawn, &list, &style);
	cr_expect_not_null(draw_find(&drawn, "├╴GET shop:8080 /api/order"));
	cr_expect_not_null(draw_find(&drawn, "│ └╴POST pay:9002 /api/pay"));
	cr_expect_not_null(draw_find(&drawn, "████"));
	cr_expect_null(strchr(drawn.line[0], '#'));
	cr_expect_null(draw_find(&drawn, "\033"));
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_tree, failures_are_red_and_every_colour_is_ended)
{
	struct at_tree_style style = draw_plain;
	struct at_span_list list = { 0 };
	struct drawn drawn;
	unsigned int i;

	style.colour = true;
	add_shop(&list);
	draw(&drawn, &list, &style);
	cr_expect_not_null(draw_find(&drawn, "\033[31mPOST pay:9002 /api/pay"));
	cr_expect_not_null(draw_find(&drawn, "\033[31m503\033[0m"));
	cr_expect_null(draw_find(&drawn, "\033[31mGET shop"));
	for (i = 0; i < drawn.line_count; i++) {
		const char *last = strrchr(drawn.line[i], '\033');

		cr_expect(last && !strncmp(last, "\033[0m", 4), "%s",
			  drawn.line[i]);
	}
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_tree, no_line_is_wider_than_the_window)
{
	struct at_tree_style style = draw_plain;
	struct at_span_list list = { 0 };
	struct drawn drawn;
	unsigned int columns, i;

	add_shop(&list);
	draw_add(&list,
		 &(struct draw_span){ 1, 6, 4, "日本語のとても長い名前", 500,
				      9999999, 404, "a long type" });
	draw_add(&list, &(struct draw_span){ 1, 7, 77, "evil \033[2J e\u0301",
					     500, 1, 0, "\033[31mtype" });
	for (i = 0; i < 60; i++)
		draw_add(&list, &(struct draw_span){ 1, 100 + i, 99 + i, "deep",
						     600, 7, 200, NULL });
	for (columns = 20; columns <= 200; columns++) {
		style.columns = columns;
		style.blocks = columns % 2;
		style.max_lines = columns % 3 ? AT_TREE_LINES : 0;
		draw(&drawn, &list, &style);
		cr_expect_gt(drawn.line_count, 5);
		for (i = 0; i < drawn.line_count; i++)
			cr_expect_leq(
				at_cells_columns(at_text_from(drawn.line[i]),
						 true),
				columns, "%u: %s", columns, drawn.line[i]);
		draw_free(&drawn);
	}
	at_span_list_free(&list);
}

Test(cli_tree, a_width_below_twenty_is_taken_for_twenty)
{
	struct at_tree_style style = draw_plain;
	struct at_span_list list = { 0 };
	struct drawn drawn;
	unsigned int i;

	style.columns = 0;
	add_shop(&list);
	draw(&drawn, &list, &style);
	cr_expect_eq(drawn.line_count, 5);
	for (i = 0; i < drawn.line_count; i++)
		cr_expect_leq(at_cells_columns(at_text_from(drawn.line[i]),
					       true),
			      20, "%s", drawn.line[i]);
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_tree, what_would_steer_the_terminal_is_escaped)
{
	struct at_span_list list = { 0 };
	struct drawn drawn;

	draw_add(&list, &(struct draw_span){ 1, 1, 0,
					     "a\033[31mb\rc\nd\u202ee\x9b"
					     "f",
					     0, 1, 0, "\033]0;x\007" });
	draw(&drawn, &list, &draw_plain);
	cr_expect_eq(drawn.line_count, 1);
	cr_expect_not_null(strstr(drawn.line[0],
				  "a\\x1b[31mb\\x0dc\\x0ad\\u202ee\\x9bf"),
			   "%s", drawn.line[0]);
	cr_expect_not_null(strstr(drawn.line[0], "\\x1b]0;x\\x07"));
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_tree, several_traces_get_a_heading_each)
{
	struct at_span_list list = { 0 };
	struct drawn drawn;

	draw_add(&list,
		 &(struct draw_span){ 2, 1, 0, "later", 10, 5, 0, NULL });
	draw_add(&list, &(struct draw_span){ 1, 1, 0, "first", 0, 5, 0, NULL });
	draw_add(&list,
		 &(struct draw_span){ 2, 2, 1, "child", 11, 1, 0, NULL });
	draw(&drawn, &list, &draw_plain);
	cr_assert_eq(drawn.line_count, 5);
	cr_expect_str_eq(drawn.line[0],
			 "trace aa010000000000000000000000000000");
	cr_expect_eq(strncmp(drawn.line[1], "first ", 6), 0);
	cr_expect_str_eq(drawn.line[2],
			 "trace aa020000000000000000000000000000");
	cr_expect_eq(strncmp(drawn.line[3], "later ", 6), 0);
	cr_expect_eq(strncmp(drawn.line[4], "`-child ", 8), 0, "%s",
		     drawn.line[4]);
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_tree, a_bar_lies_where_its_span_lies_in_time)
{
	struct at_tree_style style = draw_plain;
	struct at_span_list list = { 0 };
	const char *bar;
	struct drawn drawn;

	style.columns = 120;
	draw_add(&list, &(struct draw_span){ 1, 1, 0, "r", 0, 4800, 0, NULL });
	draw_add(&list,
		 &(struct draw_span){ 1, 2, 1, "h", 2400, 1200, 0, NULL });
	draw(&drawn, &list, &style);
	/* 48 columns of 100 ms. */
	bar = strstr(drawn.line[0], " s ") + 3;
	cr_expect_eq(strspn(bar, "#"), 48);
	bar = strstr(drawn.line[1], " s ") + 3;
	cr_expect_eq(strspn(bar, " "), 24);
	cr_expect_eq(strspn(bar + 24, "#"), 12);
	draw_free(&drawn);
	at_span_list_free(&list);
}

Test(cli_tree, times_at_the_end_of_the_range_are_drawn)
{
	struct at_shown shown = { .label = "x",
				  .error_type = "",
				  .trace_id = { 1 },
				  .span_id = { 1 },
				  .start_ns = UINT64_MAX - 1,
				  .duration_ns = UINT64_MAX };
	struct at_span_list list = { 0 };
	struct drawn drawn;

	at_span_list_add(&list, &shown);
	shown.start_ns = 0;
	shown.label = "y";
	shown.span_id[0] = 2;
	at_span_list_add(&list, &shown);
	shown.duration_ns = 0;
	shown.label = "z";
	shown.span_id[0] = 3;
	at_span_list_add(&list, &shown);
	draw(&drawn, &list, &draw_plain);
	cr_expect_eq(drawn.line_count, 3);
	cr_expect_not_null(draw_find(&drawn, "213503d 23h"));
	cr_expect_not_null(draw_find(&drawn, "0 ns"));
	draw_free(&drawn);
	at_span_list_free(&list);
}
