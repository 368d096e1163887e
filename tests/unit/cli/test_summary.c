// SPDX-License-Identifier: Apache-2.0
#include "cli/summary.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "draw.h"

static char *text;
static size_t len;

static FILE *begin(void)
{
	return open_memstream(&text, &len);
}

static void expect(FILE *out, const char *expected)
{
	fclose(out);
	cr_expect_str_eq(text, expected);
	free(text);
}

Test(cli_summary, one_trace_is_named_and_several_are_counted)
{
	struct at_span_list list = { 0 };
	FILE *out = begin();

	at_summary_of_list(out, &list);
	expect(out, "0 spans");
	draw_add(&list, &(struct draw_span){ 1, 1, 0, "a", 0, 1, 0, NULL });
	out = begin();
	at_summary_of_list(out, &list);
	expect(out, "trace aa010000000000000000000000000000, 1 span");
	draw_add(&list, &(struct draw_span){ 2, 1, 0, "a", 0, 1, 0, NULL });
	draw_add(&list, &(struct draw_span){ 1, 2, 0, "a", 0, 1, 0, NULL });
	out = begin();
	at_summary_of_list(out, &list);
	expect(out, "3 spans in 2 traces");
	at_span_list_free(&list);
}

Test(cli_summary, drops_are_summed_and_named)
{
	struct at_counters counters = { 0 };
	FILE *out = begin();

	counters.value[AT_COUNT_SPANS_ENDED] = 99;
	at_summary_of_counters(out, &counters);
	expect(out, ", 0 dropped");
	counters.value[AT_COUNT_QUEUE_FULL] = 1200;
	counters.value[AT_COUNT_EXPORT_FAILED] = 3;
	counters.value[AT_COUNT_HEADER_UNSAFE] = 2;
	out = begin();
	at_summary_of_counters(out, &counters);
	expect(out, ", 1,203 dropped (1,200 spans dropped: the queue was full; "
		    "3 spans dropped: the export failed); 2 requests sent "
		    "without context: not safe to edit that call");
}

static void expect_link(const char *url, const char *expected)
{
	static const uint8_t id[AT_TRACE_ID_BYTES] = { 0xab, [15] = 1 };
	FILE *out = begin();

	at_summary_link(out, url, id);
	expect(out, expected);
}

Test(cli_summary, the_link_holds_the_trace_id)
{
	expect_link("http://ui/trace/{trace_id}?x",
		    ", http://ui/trace/ab000000000000000000000000000001?x");
	expect_link("{trace_id}{trace_id}", ", ab000000000000000000000000000001"
					    "ab000000000000000000000000000001");
	expect_link("http://ui/", "");
	expect_link("", "");
	expect_link("http://ui/\033[2J{trace_id}",
		    ", http://ui/%1B[2Jab000000000000000000000000000001");
}
