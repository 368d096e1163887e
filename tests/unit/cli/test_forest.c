// SPDX-License-Identifier: Apache-2.0
#include "cli/forest.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "draw.h"

static void grow(struct at_forest *forest, struct at_span_list *list,
		 const struct draw_span *spans, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		draw_add(list, &spans[i]);
	cr_assert_eq(at_forest_grow(forest, list), 0);
}

#define GROW(forest, list, spans) \
	grow(forest, list, spans, sizeof(spans) / sizeof((spans)[0]))

/* Every node exactly once, parents before children; how many. */
static uint32_t walk(const struct at_forest *forest)
{
	uint8_t *seen = calloc(forest->node_count + 1, 1);
	uint32_t node = AT_NO_NODE, count = 0;

	while ((node = at_forest_next(forest, node)) != AT_NO_NODE) {
		uint32_t parent = forest->node[node].parent;

		cr_assert_lt(node, forest->node_count);
		cr_assert_not(seen[node], "node %u twice", node);
		if (parent != AT_NO_NODE)
			cr_assert(seen[parent], "node %u before its parent",
				  node);
		seen[node] = 1;
		count++;
	}
	free(seen);
	return count;
}

static void end(struct at_forest *forest, struct at_span_list *list)
{
	at_forest_free(forest);
	at_span_list_free(list);
}

Test(cli_forest, children_are_found_wherever_they_are_in_the_list)
{
	static const struct draw_span spans[] = {
		{ 1, 3, 2, "leaf", 2, 1, 0, NULL },
		{ 1, 2, 1, "middle", 1, 5, 0, NULL },
		{ 1, 1, 0, "root", 0, 9, 0, NULL },
	};
	struct at_span_list list = { 0 };
	struct at_forest forest;

	GROW(&forest, &list, spans);
	cr_expect_eq(forest.trace_count, 1);
	cr_expect_eq(forest.node[0].parent, 1);
	cr_expect_eq(forest.node[1].parent, 2);
	cr_expect_eq(forest.node[2].parent, 3);
	cr_expect_eq(forest.node[2].root, AT_ROOT_TRUE);
	cr_expect_eq(walk(&forest), 4);
	end(&forest, &list);
}

Test(cli_forest, siblings_are_in_order_of_time)
{
	static const struct draw_span spans[] = {
		{ 1, 1, 0, "root", 0, 9, 0, NULL },
		{ 1, 4, 1, "third", 7, 1, 0, NULL },
		{ 1, 3, 1, "first", 2, 1, 0, NULL },
		{ 1, 2, 1, "second", 5, 1, 0, NULL },
	};
	struct at_span_list list = { 0 };
	struct at_forest forest;

	GROW(&forest, &list, spans);
	cr_expect_eq(forest.child[forest.node[0].first_child], 2);
	cr_expect_eq(forest.child[forest.node[0].first_child + 1], 3);
	cr_expect_eq(forest.child[forest.node[0].first_child + 2], 1);
	end(&forest, &list);
}

Test(cli_forest, a_span_whose_parent_is_elsewhere_is_an_orphan)
{
	static const struct draw_span spans[] = {
		{ 1, 1, 77, "orphan", 0, 9, 0, NULL },
		/* the id is there, but in another trace */
		{ 2, 2, 1, "stranger", 0, 9, 0, NULL },
	};
	struct at_span_list list = { 0 };
	struct at_forest forest;

	GROW(&forest, &list, spans);
	cr_expect_eq(forest.node[0].root, AT_ROOT_ORPHAN);
	cr_expect_eq(forest.node[1].root, AT_ROOT_ORPHAN);
	cr_expect_eq(forest.trace_count, 2);
	cr_expect_eq(walk(&forest), 4);
	end(&forest, &list);
}

Test(cli_forest, circles_are_cut_once_and_everything_is_reached)
{
	static const struct draw_span spans[] = {
		{ 1, 1, 3, "a", 0, 9, 0, NULL },
		{ 1, 2, 1, "b", 0, 9, 0, NULL },
		{ 1, 3, 2, "c", 0, 9, 0, NULL },
		{ 1, 4, 4, "d", 0, 9, 0, NULL },
		{ 1, 5, 2, "e", 0, 9, 0, NULL },
		{ 1, 6, 7, "f", 0, 9, 0, NULL },
		{ 1, 7, 6, "g", 0, 9, 0, NULL },
	};
	struct at_span_list list = { 0 };
	struct at_forest forest;
	unsigned int i, orphans = 0;

	GROW(&forest, &list, spans);
	for (i = 0; i < forest.span_count; i++)
		orphans += forest.node[i].root == AT_ROOT_ORPHAN;
	cr_expect_eq(orphans, 3);
	cr_expect_eq(walk(&forest), 8);
	end(&forest, &list);
}

Test(cli_forest, repeated_ids_are_all_kept_and_the_first_has_the_children)
{
	static const struct draw_span spans[] = {
		{ 1, 1, 0, "root", 0, 9, 0, NULL },
		{ 1, 2, 1, "first", 1, 2, 0, NULL },
		{ 1, 2, 1, "again", 1, 2, 0, NULL },
		{ 1, 3, 2, "child", 1, 1, 0, NULL },
		/* its own parent's id, twice */
		{ 1, 1, 1, "self", 1, 1, 0, NULL },
	};
	struct at_span_list list = { 0 };
	struct at_forest forest;

	GROW(&forest, &list, spans);
	cr_expect_eq(forest.node[3].parent, 1);
	cr_expect_eq(forest.node[2].parent, 0);
	cr_expect_eq(forest.node[4].parent, 0);
	cr_expect_eq(walk(&forest), 6);
	end(&forest, &list);
}

Test(cli_forest, any_graph_is_walked_completely)
{
	struct at_span_list list;
	struct at_forest forest;
	unsigned int round, i;

	srand(7);
	for (round = 0; round < 300; round++) {
		unsigned int count = 1 + (unsigned int)rand() % 60;

		list = (struct at_span_list){ 0 };
		for (i = 0; i < count; i++)
			draw_add(&list, &(struct draw_span){
						(uint8_t)(rand() % 3),
						1 + (unsigned int)rand() % 40,
						(unsigned int)rand() % 40, "x",
						(unsigned int)rand() % 5, 1, 0,
						NULL });
		cr_assert_eq(at_forest_grow(&forest, &list), 0);
		cr_expect_eq(walk(&forest), forest.node_count);
		end(&forest, &list);
	}
}

Test(cli_forest, the_extent_of_a_trace_covers_all_its_spans)
{
	static const struct draw_span spans[] = {
		{ 1, 1, 0, "root", 100, 50, 0, NULL },
		{ 1, 2, 1, "early", 90, 10, 0, NULL },
		{ 1, 3, 1, "late", 140, 60, 0, NULL },
	};
	const struct at_trace *trace;
	struct at_span_list list = { 0 };
	struct at_forest forest;

	GROW(&forest, &list, spans);
	trace = at_forest_trace(&forest, 0);
	cr_expect_eq(trace->end_ns - trace->start_ns, 110 * DRAW_MS);
	cr_expect_eq(at_forest_trace(&forest, 3), trace);
	end(&forest, &list);
}
