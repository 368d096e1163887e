// SPDX-License-Identifier: Apache-2.0
#include "cli/job_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/blind_spot.h"
#include "cli/critical_path.h"
#include "cli/markdown.h"
#include "cli/ranking.h"
#include "cli/summary.h"
#include "cli/units.h"
#include "cli/verdict.h"

/* Rows of a table. */
#define ROWS 10

struct page {
	FILE *out;
	const struct at_job_page *job;
	struct at_forest forest;
	uint32_t head;
};

static const struct at_shown *span_at(const struct page *page, uint32_t node)
{
	return &page->forest.span[node];
}

static void put_duration(const struct page *page, uint64_t duration_ns)
{
	char text[AT_UNITS_BYTES];

	at_units_duration(text, duration_ns, true);
	fputs(text, page->out);
}

static void put_outcome(const struct page *page, const struct at_shown *span)
{
	if (span->error_type[0])
		at_markdown_code(page->out, span->error_type);
	else if (span->status_code)
		fprintf(page->out, "%u", span->status_code);
	else if (span->unfinished)
		fputs("still running", page->out);
	else if (span->exit_code > 0)
		fprintf(page->out, "exit %d", span->exit_code);
}

/* ---- the head ---- */

static uint64_t cpu_ms(const struct page *page)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < page->forest.span_count; i++)
		if (span_at(page, i)->process)
			sum += span_at(page, i)->cpu_ms;
	return sum;
}

static void put_parallelism(const struct page *page)
{
	uint64_t wall_ns = span_at(page, page->head)->duration_ns;
	uint64_t cpu_ns = cpu_ms(page) * UINT64_C(1000000);

	/* No process told what it used. */
	if (!cpu_ns || !wall_ns)
		return;
	fputs("CPU time ", page->out);
	put_duration(page, cpu_ns);
	fprintf(page->out, ", %.2f of a core busy on average; ",
		(double)cpu_ns / (double)wall_ns);
}

static void put_head(const struct page *page)
{
	const struct at_shown *head = span_at(page, page->head);
	int i;

	fputs("### autotrace: ", page->out);
	at_markdown_code(page->out, head->label);
	fputs(head->failed     ? " failed, " :
	      head->unfinished ? " unfinished, " :
				 " ok, ",
	      page->out);
	put_duration(page, head->duration_ns);
	fputs("\n\n", page->out);
	put_parallelism(page);
	fputs("trace `", page->out);
	for (i = 0; i < AT_TRACE_ID_BYTES; i++)
		fprintf(page->out, "%02x", head->trace_id[i]);
	fputc('`', page->out);
	at_summary_link(page->out, page->job->trace_url, head->trace_id);
	fputc('\n', page->out);
}

/* ---- why it failed ---- */

static void put_link_of_chain(const struct page *page, uint32_t node)
{
	const struct at_shown *span = span_at(page, node);

	fputs("1. ", page->out);
	at_markdown_code(page->out, span->label);
	fputs(": ", page->out);
	put_outcome(page, span);
	if (span->pid)
		fprintf(page->out, " (pid %u)", (unsigned int)span->pid);
	fputc('\n', page->out);
}

static bool is_below(const struct page *page, uint32_t node, uint32_t top)
{
	while (node != AT_NO_NODE && node != top)
		node = page->forest.node[node].parent;
	return node == top;
}

/* Requests and connections that failed in `top` and what it started. */
static void put_failed_calls(const struct page *page, uint32_t top)
{
	uint32_t i, count = 0;

	for (i = 0; i < page->forest.span_count && count < ROWS; i++) {
		const struct at_shown *span = span_at(page, i);

		if (span->kind != AT_KIND_CLIENT || !span->failed ||
		    !is_below(page, i, top))
			continue;
		fputs(count++ ? "" : "\nIn it failed:\n\n", page->out);
		fputs("- ", page->out);
		at_markdown_code(page->out, span->label);
		fputs(": ", page->out);
		put_outcome(page, span);
		fputs(", ", page->out);
		put_duration(page, span->duration_ns);
		fputc('\n', page->out);
	}
}

/* The span of a run and that of the program it runs tell the same. */
static bool is_same(const struct at_shown *a, const struct at_shown *b)
{
	return a->pid && a->pid == b->pid && !strcmp(a->label, b->label);
}

static void put_chain(const struct page *page)
{
	struct at_chain chain;
	uint32_t i;

	at_chain_find(&page->forest, page->head, &chain);
	if (!chain.count)
		return;
	fputs("\n#### Why it failed\n\n", page->out);
	for (i = 0; i < chain.count; i++)
		if (!i || !is_same(span_at(page, chain.node[i - 1]),
				   span_at(page, chain.node[i])))
			put_link_of_chain(page, chain.node[i]);
	put_failed_calls(page, chain.node[chain.count - 1]);
}

static void put_stack(const struct page *page, const char *stack)
{
	char line[256];
	int rows = 0;

	for (; *stack && rows < ROWS; rows++) {
		size_t len = strcspn(stack, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, stack);
		fputs("  - ", page->out);
		at_markdown_code(page->out, line);
		fputc('\n', page->out);
		stack += len + (stack[len] != 0);
	}
}

static void put_crashes(const struct page *page)
{
	uint32_t i, count = 0;

	for (i = 0; i < page->forest.span_count && count < ROWS; i++) {
		if (!at_crashed(span_at(page, i)))
			continue;
		if (!count++)
			fputs("\n#### Killed by a signal\n\n", page->out);
		fputs("- ", page->out);
		at_markdown_code(page->out, span_at(page, i)->label);
		fputs(": ", page->out);
		put_outcome(page, span_at(page, i));
		fprintf(page->out, " (pid %u)\n",
			(unsigned int)span_at(page, i)->pid);
		put_stack(page, span_at(page, i)->stack);
	}
}

/* ---- where the time went ---- */

/* Steps that round to nothing are none. */
static uint64_t step_time(const void *context, uint32_t i)
{
	const struct at_path *path = context;
	uint64_t own_ns = path->step[i].own_ns;

	return own_ns * 200 >= path->all_ns ? own_ns : 0;
}

static void put_step(const struct page *page, const struct at_path_step *step)
{
	uint64_t wall_ns = span_at(page, page->head)->duration_ns;

	fputs("| ", page->out);
	at_markdown_code(page->out, span_at(page, step->node)->label);
	fputs(" | ", page->out);
	put_duration(page, step->own_ns);
	fprintf(page->out, " | %.0f %% |\n",
		100.0 * (double)step->own_ns / (double)wall_ns);
}

static int put_path(const struct page *page)
{
	struct at_path path;
	struct at_ranking ranking;
	int error = at_path_find(&page->forest, page->head, &path);
	uint32_t i;

	if (!error) {
		at_rank(&ranking, path.count, ROWS, step_time, &path);
		at_ranking_by_place(&ranking);
		if (ranking.count)
			at_markdown_table(page->out, "Critical path",
					  "what | own time on it | share");
		for (i = 0; i < ranking.count; i++)
			put_step(page, &path.step[ranking.place[i]]);
	}
	at_path_free(&path);
	return error;
}

static uint64_t own_time(const void *context, uint32_t node)
{
	const struct page *page = context;

	return span_at(page, node)->process ? at_own_ns(&page->forest, node) :
					      0;
}

static uint64_t cpu_time(const void *context, uint32_t node)
{
	const struct at_shown *span = span_at(context, node);

	return span->process ? span->cpu_ms * UINT64_C(1000000) : 0;
}

static uint64_t memory(const void *context, uint32_t node)
{
	const struct at_shown *span = span_at(context, node);

	return span->process ? span->peak_memory_bytes : 0;
}

static uint64_t call_time(const void *context, uint32_t node)
{
	const struct at_shown *span = span_at(context, node);

	return span->kind == AT_KIND_CLIENT ? span->duration_ns : 0;
}

static uint64_t failed_call_time(const void *context, uint32_t node)
{
	const struct at_shown *span = span_at(context, node);

	return span->failed ? call_time(context, node) : 0;
}

/* A table of the ten spans with the most of something. */
struct top {
	const char *heading;
	const char *columns;
	bool in_all; /* beside the value, how long it took */
	uint64_t (*value)(const void *page, uint32_t node);
	void (*put)(const struct page *page, uint64_t value);
};

static void put_memory(const struct page *page, uint64_t bytes)
{
	char text[AT_UNITS_BYTES];

	at_units_bytes(text, bytes);
	fputs(text, page->out);
}

static const struct top tops[] = {
	{ "Slowest processes",
	  "process | time without its children | in all | outcome", true,
	  own_time, put_duration },
	{ "Hungriest for CPU", "process | CPU | in all | outcome", true,
	  cpu_time, put_duration },
	{ "Hungriest for memory", "process | peak | in all | outcome", true,
	  memory, put_memory },
	{ "Failed calls", "call | time | outcome", false, failed_call_time,
	  put_duration },
	{ "Slowest calls", "call | time | outcome", false, call_time,
	  put_duration },
};

static void put_top(const struct page *page, const struct top *top)
{
	struct at_ranking ranking;
	uint32_t i;

	at_rank(&ranking, page->forest.span_count, ROWS, top->value, page);
	if (ranking.count)
		at_markdown_table(page->out, top->heading, top->columns);
	for (i = 0; i < ranking.count; i++) {
		const struct at_shown *span = span_at(page, ranking.place[i]);

		fputs("| ", page->out);
		at_markdown_code(page->out, span->label);
		fputs(" | ", page->out);
		top->put(page, ranking.value[i]);
		fputs(" | ", page->out);
		if (top->in_all) {
			put_duration(page, span->duration_ns);
			fputs(" | ", page->out);
		}
		put_outcome(page, span);
		fputs(" |\n", page->out);
	}
}

/* ---- what was not seen ---- */

/* Processes hidden for the same reason under the same name are one row. */
struct hidden {
	const struct at_blind_spot *spot;
	const struct at_shown *span; /* the first of them */
	uint32_t count;
};

static struct hidden *find_hidden(struct hidden *hidden, uint32_t count,
				  const struct at_blind_spot *spot,
				  const struct at_shown *span)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (hidden[i].spot == spot &&
		    !strcmp(hidden[i].span->program, span->program))
			return &hidden[i];
	return NULL;
}

static uint32_t find_all_hidden(const struct page *page,
				struct hidden hidden[2 * ROWS])
{
	uint32_t i, count = 0;

	for (i = 0; i < page->forest.span_count; i++) {
		const struct at_shown *span = span_at(page, i);
		const struct at_blind_spot *spot = at_blind_spot_of(span);
		struct hidden *known =
			spot ? find_hidden(hidden, count, spot, span) : NULL;

		if (known)
			known->count++;
		else if (spot && count < 2 * ROWS)
			hidden[count++] = (struct hidden){ spot, span, 1 };
	}
	return count;
}

static void put_hidden(const struct page *page, const struct hidden *hidden)
{
	const struct at_shown *span = hidden->span;

	fputs("| ", page->out);
	at_markdown_code(page->out,
			 span->program[0] ? span->program : span->label);
	if (hidden->count > 1)
		fprintf(page->out, " x %u", (unsigned int)hidden->count);
	fprintf(page->out, " | %s | ", hidden->spot->what);
	if (hidden->spot->remedy)
		fprintf(page->out, "`%s`", hidden->spot->remedy);
	else
		fputs("nothing", page->out);
	fputs(" |\n", page->out);
}

static void put_blind_spots(const struct page *page)
{
	struct hidden hidden[2 * ROWS];
	uint32_t i, count = find_all_hidden(page, hidden);

	if (count)
		at_markdown_table(page->out, "Blind spots",
				  "process | why | what restores it");
	for (i = 0; i < count; i++)
		put_hidden(page, &hidden[i]);
}

static void put_drops(const struct page *page)
{
	char count[AT_UNITS_BYTES];

	at_units_count(count, page->job->list->count);
	fprintf(page->out, "\n%s span%s", count,
		page->job->list->count == 1 ? "" : "s");
	if (page->job->counters)
		at_summary_of_counters(page->out, page->job->counters);
	if (page->job->list->left_out_count) {
		at_units_count(count, page->job->list->left_out_count);
		fprintf(page->out, "; %s more are not in this summary", count);
	}
	fputs(".\n\n", page->out);
}

/* ---- all of it ---- */

static int put_page(const struct page *page)
{
	size_t i;
	int error;

	put_head(page);
	put_chain(page);
	put_crashes(page);
	error = put_path(page);
	for (i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
		put_top(page, &tops[i]);
	put_blind_spots(page);
	put_drops(page);
	return error;
}

int at_job_page_write(FILE *out, const struct at_job_page *job)
{
	struct page page = { .out = out, .job = job };
	int error = at_forest_grow(&page.forest, job->list);

	if (!error) {
		page.head = at_forest_find(&page.forest, job->head_id);
		error = page.head == AT_NO_NODE ? -ENOENT : put_page(&page);
	}
	at_forest_free(&page.forest);
	return error;
}
