// SPDX-License-Identifier: Apache-2.0
#include "cli/critical_path.h"

#include <criterion/criterion.h>

#include "build.h"

struct step {
	uint8_t id;
	uint64_t own_ms;
};

static void expect(const struct build_span *spans, const struct step *steps)
{
	struct at_path path;
	struct build build;
	uint64_t sum_ns = 0;
	uint32_t i;

	build_grow(&build, spans);
	cr_assert_eq(at_path_find(&build.forest, build_node(&build, 1), &path),
		     0);
	for (i = 0; i < path.count && steps[i].id; i++) {
		cr_expect_eq(build.list.item[path.step[i].node].span_id[0],
			     steps[i].id, "%u", i);
		cr_expect_eq(path.step[i].own_ns, steps[i].own_ms * BUILD_MS,
			     "%u: %llu", i,
			     (unsigned long long)path.step[i].own_ns);
		sum_ns += path.step[i].own_ns;
	}
	cr_expect_eq(path.count, i);
	cr_expect_eq(steps[i].id, 0);
	cr_expect_eq(sum_ns, path.all_ns);
	at_path_free(&path);
	build_free(&build);
}

Test(cli_critical_path, one_after_the_other)
{
	static const struct build_span spans[] = {
		{ 1, 0, "sh", 0, 100, 0, NULL, 0 },
		{ 2, 1, "a", 10, 40, 0, NULL, 0 },
		{ 3, 2, "b", 15, 35, 0, NULL, 0 },
		{ 4, 1, "c", 50, 95, 0, NULL, 0 },
		{ 0 },
	};

	expect(spans,
	       (const struct step[]){
		       { 1, 25 }, { 2, 10 }, { 3, 20 }, { 4, 45 }, { 0, 0 } });
}

Test(cli_critical_path, side_by_side_the_longest_counts)
{
	static const struct build_span spans[] = {
		{ 1, 0, "make", 0, 100, 0, NULL, 0 },
		{ 2, 1, "short", 10, 50, 0, NULL, 0 },
		{ 3, 1, "long", 11, 90, 0, NULL, 0 },
		{ 4, 1, "before", 2, 9, 0, NULL, 0 },
		{ 0 },
	};

	expect(spans, (const struct step[]){
			      { 1, 14 }, { 4, 7 }, { 3, 79 }, { 0, 0 } });
}

Test(cli_critical_path, nobody_waited_for_who_outlives)
{
	static const struct build_span spans[] = {
		{ 1, 0, "sh", 0, 100, 0, NULL, 0 },
		{ 2, 1, "daemon", 10, 400, 0, NULL, 0 },
		{ 3, 1, "a", 20, 60, 0, NULL, 0 },
		{ 0 },
	};

	expect(spans, (const struct step[]){ { 1, 60 }, { 3, 40 }, { 0, 0 } });
}

Test(cli_critical_path, clocks_that_disagree_do_not_add_up_to_more)
{
	static const struct build_span spans[] = {
		{ 1, 0, "sh", 10, 100, 0, NULL, 0 },
		{ 2, 1, "early", 5, 101, 0, NULL, 0 },
		{ 0 },
	};

	expect(spans, (const struct step[]){ { 2, 90 }, { 1, 0 }, { 0, 0 } });
}

Test(cli_critical_path, own_time_is_what_no_child_process_covers)
{
	static const struct build_span spans[] = {
		{ 1, 0, "make", 0, 100, 0, NULL, 0 },
		{ 2, 1, "a", 10, 50, 0, NULL, 0 },
		{ 3, 1, "b", 40, 60, 0, NULL, 0 },
		{ 4, 1, "c", 42, 45, 0, NULL, 0 },
		{ 5, 1, "request", 70, 90, 0, NULL, 200 },
		{ 6, 1, "daemon", 95, 900, 0, NULL, 0 },
		{ 0 },
	};
	struct build build;

	build_grow(&build, spans);
	cr_expect_eq(at_own_ns(&build.forest, build_node(&build, 1)),
		     45 * BUILD_MS);
	cr_expect_eq(at_own_ns(&build.forest, build_node(&build, 2)),
		     40 * BUILD_MS);
	build_free(&build);
}
