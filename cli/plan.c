// SPDX-License-Identifier: Apache-2.0
#include "cli/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Two of a kind are as well shown as folded. */
#define FOLD_MIN 3

struct work {
	const struct at_forest *forest;
	struct at_plan *plan;
	bool headings;
	uint32_t lines_left;
	uint32_t *scratch; /* spans in some order */
	uint32_t *leader;  /* by span: the one it is folded into, or itself */
	uint32_t *line_of; /* by node: its line while lines are made */
	uint32_t *last_child_line; /* by line */
	uint64_t *total_ns;        /* by leader: of all its spans */
	uint8_t *shown;            /* by node */
	uint8_t *slowest;          /* by node */
	uint8_t *has_failed_child;
	uint64_t *shape;       /* by span */
	uint32_t *depth;       /* by span */
	uint8_t *failed_below; /* by span; itself included */
};

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* --- folding: spans with the same below them --- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = mix(hash, (uint8_t)*text);
	return mix(hash, 0);
}

/* What a span and all below it look like, whatever the order. */
static void find_shapes(struct work *work)
{
	const struct at_forest *forest = work->forest;
	uint32_t node = AT_NO_NODE, count = 0, i;

	while ((node = at_forest_next(forest, node)) != AT_NO_NODE)
		if (node < forest->span_count)
			work->scratch[count++] = node;
	/* Whoever is visited last has nobody below it. */
	for (i = count; i-- > 0;) {
		uint32_t at = work->scratch[i];
		uint32_t parent = forest->node[at].parent;
		const struct at_shown *span = &forest->span[at];
		uint64_t shape = mix(work->shape[at], span->failed);

		shape = mix(shape, span->status_code);
		shape = mix_text(shape, span->label);
		work->shape[at] = mix_text(shape, span->error_type);
		work->failed_below[at] |= span->failed;
		if (parent >= forest->span_count)
			continue;
		work->shape[parent] += mix(1, work->shape[at]);
		work->failed_below[parent] |= work->failed_below[at];
	}
	for (i = 0; i < count; i++) {
		uint32_t at = work->scratch[i];
		uint32_t parent = forest->node[at].parent;

		work->depth[at] = parent < forest->span_count ?
					  work->depth[parent] + 1 :
					  0;
	}
}

/* What its parent is folded into is its parent. */
static uint32_t parent_line(const struct work *work, uint32_t i)
{
	uint32_t parent = work->forest->node[i].parent;

	return parent < work->forest->span_count ? work->leader[parent] :
						   parent;
}

static int compare_kind(const struct work *work, uint32_t i, uint32_t j)
{
	const struct at_forest *forest = work->forest;
	const struct at_shown *a = &forest->span[i], *b = &forest->span[j];
	int order = compare_u64(parent_line(work, i), parent_line(work, j));

	if (!order)
		order = compare_u64(forest->node[i].root, forest->node[j].root);
	if (!order)
		order = compare_u64(work->shape[i], work->shape[j]);
	return order ? order : strcmp(a->label, b->label);
}

/* One whose own parent has the line comes first: it stands for the others. */
static int compare_repeats(const void *a, const void *b, void *context)
{
	const struct work *work = context;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct at_node *nodes = work->forest->node;
	int order = compare_kind(work, i, j);

	if (!order)
		order = (nodes[i].parent != parent_line(work, i)) -
			(nodes[j].parent != parent_line(work, j));
	return order ? order : compare_u64(nodes[i].place, nodes[j].place);
}

static int compare_depth(const void *a, const void *b, void *context)
{
	const struct work *work = context;

	return compare_u64(work->depth[*(const uint32_t *)a],
			   work->depth[*(const uint32_t *)b]);
}

static void fold_run(struct work *work, const uint32_t *span, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		work->leader[span[i]] = span[0];
		work->plan->fold_next[span[i]] = i + 1 < count ? span[i + 1] :
								 AT_NO_NODE;
	}
}

/* Spans of one depth; those above them are folded already. */
static void fold_level(struct work *work, uint32_t *span, uint32_t count)
{
	uint32_t first, i;

	qsort_r(span, count, sizeof(*span), compare_repeats, work);
	for (first = 0; first < count; first = i) {
		uint32_t parent = work->forest->node[span[first]].parent;
		bool forced = parent < work->forest->span_count &&
			      work->plan->fold_next[parent] != AT_NO_NODE;

		for (i = first + 1; i < count; i++)
			if (compare_kind(work, span[first], span[i]))
				break;
		if (i - first >= FOLD_MIN || forced)
			fold_run(work, span + first, i - first);
	}
}

static void fold(struct work *work, bool failures_too)
{
	const struct at_forest *forest = work->forest;
	uint32_t i, first, count = 0;

	for (i = 0; i < forest->span_count; i++)
		if (failures_too || !work->failed_below[i])
			work->scratch[count++] = i;
	qsort_r(work->scratch, count, sizeof(*work->scratch), compare_depth,
		work);
	for (first = 0; first < count; first = i) {
		for (i = first + 1; i < count; i++)
			if (compare_depth(&work->scratch[first],
					  &work->scratch[i], work))
				break;
		fold_level(work, work->scratch + first, i - first);
	}
}

static uint32_t count_lines(const struct work *work)
{
	const struct at_forest *forest = work->forest;
	uint32_t i, count = work->headings ? forest->trace_count : 0;

	for (i = 0; i < forest->span_count; i++)
		count += work->leader[i] == i;
	return count;
}

static void add_totals(struct work *work)
{
	uint32_t i;

	for (i = 0; i < work->forest->span_count; i++)
		work->total_ns[work->leader[i]] +=
			work->forest->span[i].duration_ns;
}

/* --- choosing --- */

static uint32_t longest_child(const struct at_forest *forest, uint32_t node)
{
	const struct at_node *at = &forest->node[node];
	uint32_t i, longest = AT_NO_NODE;

	for (i = at->first_child; i < at->first_child + at->child_count; i++) {
		uint32_t child = forest->child[i];

		if (longest == AT_NO_NODE ||
		    forest->span[child].duration_ns >
			    forest->span[longest].duration_ns)
			longest = child;
	}
	return longest;
}

static uint32_t longest_trace(const struct at_forest *forest)
{
	uint32_t i, longest = 0;

	for (i = 1; i < forest->trace_count; i++)
		if (forest->trace[i].end_ns - forest->trace[i].start_ns >
		    forest->trace[longest].end_ns -
			    forest->trace[longest].start_ns)
			longest = i;
	return forest->span_count + longest;
}

static void mark_slowest(struct work *work)
{
	uint32_t at = longest_child(work->forest, longest_trace(work->forest));

	for (; at != AT_NO_NODE; at = longest_child(work->forest, at))
		work->slowest[at] = 1;
}

/* Show the node and its ancestors if there are lines enough. */
static bool take(struct work *work, uint32_t node)
{
	const struct at_node *nodes = work->forest->node;
	uint32_t at, cost = 0;

	for (at = node; at != AT_NO_NODE && !work->shown[at];
	     at = nodes[at].parent)
		if (++cost > work->lines_left)
			return false;
	for (at = node; at != AT_NO_NODE && !work->shown[at];
	     at = nodes[at].parent)
		work->shown[at] = 1;
	work->lines_left -= cost;
	return true;
}

/* Show the node even where its ancestors are too many. */
static void take_alone(struct work *work, uint32_t node)
{
	if (work->lines_left && take(work, work->forest->node[node].trace) &&
	    work->lines_left && !work->shown[node]) {
		work->shown[node] = 1;
		work->lines_left--;
	}
}

/* Failures where they began, by time; those above them; the rest, slowest
 * first. */
static int rank(const struct work *work, uint32_t i)
{
	if (!work->forest->span[i].failed)
		return 2;
	return work->has_failed_child[i];
}

static int compare_worth(const void *a, const void *b, void *context)
{
	const struct work *work = context;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	int order = rank(work, i) - rank(work, j);

	if (!order && rank(work, i) < 2)
		order = compare_u64(work->forest->span[i].start_ns,
				    work->forest->span[j].start_ns);
	if (!order)
		order = compare_u64(work->total_ns[j], work->total_ns[i]);
	return order ? order : compare_u64(i, j);
}

static void take_slowest(struct work *work)
{
	uint32_t at = longest_child(work->forest, longest_trace(work->forest));
	uint32_t room = work->lines_left / 2;

	for (; at != AT_NO_NODE && room; room--) {
		if (!take(work, work->leader[at]))
			break;
		at = longest_child(work->forest, at);
	}
}

static void choose(struct work *work)
{
	const struct at_forest *forest = work->forest;
	uint32_t i, count = 0;

	for (i = 0; i < forest->span_count; i++) {
		if (work->leader[i] == i)
			work->scratch[count++] = i;
		if (forest->span[i].failed &&
		    forest->node[i].parent < forest->span_count)
			work->has_failed_child[forest->node[i].parent] = 1;
	}
	qsort_r(work->scratch, count, sizeof(*work->scratch), compare_worth,
		work);
	take_slowest(work);
	for (i = 0; i < count && work->lines_left; i++) {
		uint32_t span = work->scratch[i];

		if (!take(work, span) && rank(work, span) == 0)
			take_alone(work, span);
	}
}

static void show_everything(struct work *work)
{
	uint32_t i;

	for (i = 0; i < work->forest->span_count; i++)
		work->shown[i] = work->leader[i] == i;
}

/* --- lines --- */

static void fill_line(const struct work *work, struct at_line *line)
{
	const struct at_shown *span = work->forest->span;
	uint32_t i;

	line->min_ns = UINT64_MAX;
	for (i = line->node; i != AT_NO_NODE; i = work->plan->fold_next[i]) {
		line->span_count++;
		line->total_ns += span[i].duration_ns;
		if (span[i].duration_ns < line->min_ns)
			line->min_ns = span[i].duration_ns;
		if (span[i].duration_ns > line->max_ns)
			line->max_ns = span[i].duration_ns;
		line->slowest |= work->slowest[i];
	}
}

/* Put the line below the nearest ancestor that is shown. */
static void place_line(struct work *work, uint32_t number)
{
	struct at_line *lines = work->plan->line, *line = &lines[number];
	const struct at_node *nodes = work->forest->node;
	uint32_t parent = nodes[line->node].parent, above;

	for (; parent < work->forest->span_count && !work->shown[parent];
	     parent = nodes[parent].parent)
		line->gap = true;
	if (parent >= work->forest->span_count)
		return;
	above = work->line_of[parent];
	line->depth = lines[above].depth + 1;
	if (work->last_child_line[above] != AT_NO_NODE)
		lines[work->last_child_line[above]].more_siblings = true;
	work->last_child_line[above] = number;
}

static void make_lines(struct work *work)
{
	struct at_plan *plan = work->plan;
	uint32_t span_count = work->forest->span_count;
	uint32_t node = AT_NO_NODE;

	while ((node = at_forest_next(work->forest, node)) != AT_NO_NODE) {
		struct at_line *line = &plan->line[plan->line_count];

		if (!work->shown[node] ||
		    (node >= span_count && !work->headings))
			continue;
		line->node = node;
		work->line_of[node] = plan->line_count;
		work->last_child_line[plan->line_count] = AT_NO_NODE;
		if (node < span_count) {
			fill_line(work, line);
			place_line(work, plan->line_count);
		}
		plan->line_count++;
	}
}

static void count_hidden(struct work *work)
{
	uint32_t i, parent;

	for (i = 0; i < work->forest->span_count; i++) {
		parent = work->forest->node[i].parent;
		if (work->shown[work->leader[i]])
			continue;
		work->plan->hidden_count++;
		if (work->shown[parent] &&
		    (parent < work->forest->span_count || work->headings))
			work->plan->line[work->line_of[parent]].hidden_count++;
	}
}

static int plan_lines(struct work *work, uint32_t max_lines)
{
	struct at_plan *plan = work->plan;
	uint32_t i, line_count;

	if (max_lines) {
		find_shapes(work);
		fold(work, false);
	}
	if (max_lines && count_lines(work) > max_lines)
		fold(work, true);
	line_count = count_lines(work);
	add_totals(work);
	mark_slowest(work);
	for (i = 0; i < work->forest->trace_count; i++)
		work->shown[work->forest->span_count + i] =
			!work->headings || !max_lines ||
			line_count <= max_lines;
	if (!max_lines || line_count <= max_lines) {
		show_everything(work);
	} else {
		/* The line that says how many are not shown. */
		work->lines_left = max_lines - 1;
		choose(work);
		line_count = max_lines;
	}
	plan->line = calloc(line_count + 1, sizeof(*plan->line));
	work->last_child_line = calloc(line_count + 1, sizeof(uint32_t));
	if (!plan->line || !work->last_child_line)
		return -ENOMEM;
	make_lines(work);
	count_hidden(work);
	return 0;
}

static int open_work(struct work *work)
{
	uint32_t span_count = work->forest->span_count, i;
	uint32_t node_count = work->forest->node_count;

	work->plan->fold_next = malloc(span_count * sizeof(uint32_t));
	work->scratch = malloc(span_count * sizeof(uint32_t));
	work->leader = malloc(span_count * sizeof(uint32_t));
	work->line_of = calloc(node_count, sizeof(uint32_t));
	work->total_ns = calloc(span_count, sizeof(uint64_t));
	work->shown = calloc(node_count, 1);
	work->slowest = calloc(node_count, 1);
	work->has_failed_child = calloc(span_count, 1);
	work->shape = calloc(span_count, sizeof(uint64_t));
	work->depth = calloc(span_count, sizeof(uint32_t));
	work->failed_below = calloc(span_count, 1);
	if (!work->plan->fold_next || !work->scratch || !work->leader ||
	    !work->line_of || !work->total_ns || !work->shown ||
	    !work->slowest || !work->has_failed_child || !work->shape ||
	    !work->depth || !work->failed_below)
		return -ENOMEM;
	for (i = 0; i < span_count; i++) {
		work->leader[i] = i;
		work->plan->fold_next[i] = AT_NO_NODE;
	}
	return 0;
}

static void close_work(struct work *work)
{
	free(work->scratch);
	free(work->leader);
	free(work->line_of);
	free(work->last_child_line);
	free(work->total_ns);
	free(work->shown);
	free(work->slowest);
	free(work->has_failed_child);
	free(work->shape);
	free(work->depth);
	free(work->failed_below);
}

int at_plan_make(struct at_plan *plan, const struct at_forest *forest,
		 uint32_t max_lines)
{
	struct work work = { .forest = forest, .plan = plan };
	int error;

	memset(plan, 0, sizeof(*plan));
	if (!forest->span_count)
		return 0;
	work.headings = forest->trace_count > 1;
	error = open_work(&work);
	if (!error)
		error = plan_lines(&work, max_lines);
	close_work(&work);
	return error;
}

void at_plan_free(struct at_plan *plan)
{
	free(plan->line);
	free(plan->fold_next);
	memset(plan, 0, sizeof(*plan));
}
