// SPDX-License-Identifier: Apache-2.0
#include "cli/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cells.h"
#include "cli/plan.h"
#include "cli/units.h"

#define COLUMNS_MIN 20
#define COLUMNS_MAX 500
#define BAR_MAX 48
#define NOTE_BYTES 160
#define LEVELS_MAX (COLUMNS_MAX / 4)

#define BOLD "\033[1m"
#define DIM "\033[2m"
#define RED "\033[31m"

struct glyphs {
	const char *branch;
	const char *last_branch;
	const char *trunk;
	const char *dots;
	const char *times;
	/* by which halves of a cell are filled: none, left, right, both */
	const char *bar[4];
};

static const struct glyphs block_glyphs = {
	"\u251c\u2574", "\u2514\u2574", "\u2502 ",
	"\u2026 ",      "\u00d7",       { " ", "\u258c", "\u2590", "\u2588" },
};

static const struct glyphs ascii_glyphs = {
	"|-", "`-", "| ", ".. ", "x", { " ", "#", "#", "#" },
};

struct drawing {
	FILE *out;
	const struct at_tree_style *style;
	const struct glyphs *glyphs;
	const struct at_forest *forest;
	const struct at_plan *plan;
	unsigned int columns;
	unsigned int levels_max;
	unsigned int label_columns; /* branches and marks included */
	unsigned int duration_columns;
	unsigned int bar_columns;
	unsigned int note_columns;
	bool painted;
	bool open[LEVELS_MAX + 1]; /* by level: another sibling follows */
};

/* The texts of one line. */
struct wording {
	char before[32]; /* before the label: what is left out, depth */
	char after[96];  /* behind it: how often, what is hidden */
	char duration[AT_UNITS_BYTES];
	char note[NOTE_BYTES];
};

static unsigned int columns_of(const struct drawing *drawing, const char *text)
{
	return (unsigned int)at_cells_columns(at_text_from(text),
					      drawing->style->utf8);
}

static unsigned int dots_columns(const struct drawing *drawing)
{
	return drawing->style->blocks ? 2 : 3;
}

/* NULL: as it is. */
static void paint(struct drawing *drawing, const char *colour)
{
	if (!drawing->style->colour || !colour)
		return;
	fputs(colour, drawing->out);
	drawing->painted = true;
}

static void unpaint(struct drawing *drawing)
{
	if (drawing->painted)
		fputs("\033[0m", drawing->out);
	drawing->painted = false;
}

static void print_spaces(const struct drawing *drawing, size_t count)
{
	fprintf(drawing->out, "%*s", (int)count, "");
}

static bool is_heading(const struct drawing *drawing,
		       const struct at_line *line)
{
	return line->node >= drawing->forest->span_count;
}

/* --- words --- */

static void word_outcome(char *note, size_t size, const struct at_shown *span)
{
	const char *error = span->failed ? span->error_type : "";
	char code[8] = "";

	if (span->status_code)
		snprintf(code, sizeof(code), "%u", span->status_code);
	if (span->failed && !code[0] && !error[0])
		error = "error";
	if (!strcmp(error, code))
		error = "";
	snprintf(note, size, "%s%s%s", code, code[0] && error[0] ? " " : "",
		 error);
}

/* `4.32 ms` to `12.4 ms` needs its unit only once. */
static void drop_unit(char *min, const char *max)
{
	char *unit = strrchr(min, ' ');
	const char *other = strrchr(max, ' ');

	/* In `2m 05s` it is no unit that follows the blank. */
	if (unit && other && !strcmp(unit, other) && unit[1] > '9')
		*unit = 0;
}

/* The outcome; of several spans also the range of durations, if it fits. */
static void word_note(const struct drawing *drawing, const struct at_line *line,
		      char note[NOTE_BYTES])
{
	char min[AT_UNITS_BYTES], max[AT_UNITS_BYTES];
	size_t len;

	word_outcome(note, NOTE_BYTES, &drawing->forest->span[line->node]);
	if (line->span_count == 1)
		return;
	at_units_duration(min, line->min_ns, drawing->style->utf8);
	at_units_duration(max, line->max_ns, drawing->style->utf8);
	drop_unit(min, max);
	len = strlen(note);
	snprintf(note + len, NOTE_BYTES - len, "%s%s to %s", len ? ", " : "",
		 min, max);
	if (columns_of(drawing, note) > drawing->columns / 3)
		note[len] = 0;
}

static void word_line(const struct drawing *drawing, const struct at_line *line,
		      struct wording *words)
{
	char count[AT_UNITS_BYTES];
	size_t used = 0;

	memset(words, 0, sizeof(*words));
	if (line->span_count > 1) {
		at_units_count(count, line->span_count);
		used = (size_t)snprintf(words->after, sizeof(words->after),
					" %s %s", drawing->glyphs->times,
					count);
	}
	if (line->hidden_count) {
		at_units_count(count, line->hidden_count);
		used += (size_t)snprintf(words->after + used,
					 sizeof(words->after) - used, " (+%s)",
					 count);
	}
	if (is_heading(drawing, line))
		return;
	if (drawing->forest->node[line->node].root == AT_ROOT_ORPHAN)
		snprintf(words->after + used, sizeof(words->after) - used,
			 " (parent elsewhere)");
	if (line->depth > drawing->levels_max)
		snprintf(words->before, sizeof(words->before), "(%u) ",
			 line->depth);
	at_units_duration(words->duration, line->total_ns,
			  drawing->style->utf8);
	word_note(drawing, line, words->note);
}

/* --- measuring --- */

static unsigned int level_of(const struct drawing *drawing,
			     const struct at_line *line)
{
	return line->depth < drawing->levels_max ? line->depth :
						   drawing->levels_max;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static unsigned int most(unsigned int a, unsigned int b)
{
	return a > b ? a : b;
}

/* Columns of everything before the duration. */
static unsigned int label_wish(const struct drawing *drawing,
			       const struct at_line *line,
			       const struct wording *words)
{
	unsigned int columns = 2 * level_of(drawing, line);

	columns += line->gap ? dots_columns(drawing) : 0;
	columns += columns_of(drawing, words->before);
	columns += columns_of(drawing, drawing->forest->span[line->node].label);
	/* The times sign is one column wherever it is drawn. */
	return columns +
	       (unsigned int)at_cells_columns(at_text_from(words->after), true);
}

static void lay_out(struct drawing *drawing)
{
	unsigned int wish = 0, note = 0, rest, duration = 0;
	struct wording words;
	uint32_t i;

	for (i = 0; i < drawing->plan->line_count; i++) {
		const struct at_line *line = &drawing->plan->line[i];

		if (is_heading(drawing, line))
			continue;
		word_line(drawing, line, &words);
		wish = most(wish, label_wish(drawing, line, &words));
		note = most(note, columns_of(drawing, words.note));
		duration = most(duration, columns_of(drawing, words.duration));
	}
	drawing->duration_columns = duration;
	drawing->note_columns = least(note, drawing->columns / 3);
	rest = drawing->columns - duration - 1;
	rest -= drawing->note_columns ? drawing->note_columns + 1 : 0;
	if (drawing->columns >= 40) {
		unsigned int bar = rest > wish + 1 ? rest - wish - 1 : 0;

		bar = most(least(bar, BAR_MAX), drawing->columns / 8);
		drawing->bar_columns = bar;
		rest -= bar + 1;
	}
	drawing->label_columns = least(wish, rest);
	/* Where names must be cut, branches leave room for them. */
	rest = drawing->label_columns;
	if (rest < wish)
		drawing->levels_max = least(drawing->levels_max,
					    rest > 8 ? (rest - 8) / 2 : 0);
}

/* --- drawing --- */

static void draw_branches(struct drawing *drawing, const struct at_line *line)
{
	unsigned int level, last = level_of(drawing, line);

	if (!last)
		return;
	drawing->open[last] = line->more_siblings;
	paint(drawing, DIM);
	for (level = 1; level < last; level++)
		fputs(drawing->open[level] ? drawing->glyphs->trunk : "  ",
		      drawing->out);
	fputs(line->more_siblings ? drawing->glyphs->branch :
				    drawing->glyphs->last_branch,
	      drawing->out);
	unpaint(drawing);
}

static void draw_label(struct drawing *drawing, const struct at_line *line,
		       const struct wording *words)
{
	const struct at_shown *span = &drawing->forest->span[line->node];
	unsigned int after = (unsigned int)at_cells_columns(
		at_text_from(words->after), true);
	unsigned int room = drawing->label_columns, used;

	draw_branches(drawing, line);
	used = 2 * level_of(drawing, line);
	if (line->gap && used + dots_columns(drawing) <= room) {
		fputs(drawing->glyphs->dots, drawing->out);
		used += dots_columns(drawing);
	}
	if (used + columns_of(drawing, words->before) <= room) {
		fputs(words->before, drawing->out);
		used += columns_of(drawing, words->before);
	}
	/* In a very narrow window the marks go before the name does. */
	if (used + after + least(4, columns_of(drawing, span->label)) > room)
		after = 0;
	paint(drawing, span->failed ? RED : line->slowest ? BOLD : NULL);
	used += (unsigned int)at_cells_print(
		drawing->out, at_text_from(span->label),
		room > used + after ? room - used - after : 0,
		drawing->style->utf8);
	unpaint(drawing);
	if (after) {
		paint(drawing, DIM);
		fputs(words->after, drawing->out);
		unpaint(drawing);
	}
	if (room > used + after)
		print_spaces(drawing, room - used - after);
}

static unsigned int half_of(const struct at_trace *trace, uint64_t at_ns,
			    unsigned int halves)
{
	double extent = (double)(trace->end_ns - trace->start_ns);
	double position = (double)(at_ns - trace->start_ns);

	if (extent <= 0 || position <= 0)
		return 0;
	position = position / extent * halves;
	return position >= halves ? halves : (unsigned int)position;
}

static void fill_bar(const struct drawing *drawing, const struct at_line *line,
		     uint8_t *cells)
{
	const struct at_trace *trace =
		at_forest_trace(drawing->forest, line->node);
	unsigned int halves = 2 * drawing->bar_columns, i, end;
	uint32_t node;

	for (node = line->node; node != AT_NO_NODE;
	     node = drawing->plan->fold_next[node]) {
		const struct at_shown *span = &drawing->forest->span[node];
		uint64_t end_ns = span->start_ns + span->duration_ns;

		if (end_ns < span->start_ns)
			end_ns = UINT64_MAX;
		i = least(half_of(trace, span->start_ns, halves), halves - 1);
		end = half_of(trace, end_ns, halves);
		do
			cells[i / 2] |= i % 2 ? 2 : 1;
		while (++i < end);
	}
}

static void draw_bar(struct drawing *drawing, const struct at_line *line,
		     bool note_follows)
{
	const struct at_shown *span = &drawing->forest->span[line->node];
	uint8_t cells[COLUMNS_MAX] = { 0 };
	unsigned int i, count = drawing->bar_columns;

	fill_bar(drawing, line, cells);
	while (!note_follows && count && !cells[count - 1])
		count--;
	print_spaces(drawing, 1);
	paint(drawing, span->failed ? RED : line->slowest ? NULL : DIM);
	for (i = 0; i < count; i++)
		fputs(drawing->glyphs->bar[cells[i]], drawing->out);
	unpaint(drawing);
}

static void draw_span(struct drawing *drawing, const struct at_line *line)
{
	const struct at_shown *span = &drawing->forest->span[line->node];
	struct wording words;

	word_line(drawing, line, &words);
	draw_label(drawing, line, &words);
	print_spaces(drawing, 1 + drawing->duration_columns -
				      columns_of(drawing, words.duration));
	paint(drawing, line->slowest ? BOLD : NULL);
	fputs(words.duration, drawing->out);
	unpaint(drawing);
	if (drawing->bar_columns)
		draw_bar(drawing, line, words.note[0] != 0);
	if (words.note[0]) {
		print_spaces(drawing, 1);
		paint(drawing, span->failed ? RED : DIM);
		at_cells_print(drawing->out, at_text_from(words.note),
			       drawing->note_columns, drawing->style->utf8);
		unpaint(drawing);
	}
	fputc('\n', drawing->out);
}

static void draw_heading(struct drawing *drawing, const struct at_line *line)
{
	const struct at_trace *trace =
		at_forest_trace(drawing->forest, line->node);
	char text[160];
	struct at_writer writer = AT_WRITER(text, sizeof(text) - 1);
	struct wording words;

	word_line(drawing, line, &words);
	at_write_string(&writer, "trace ");
	at_write_hex(&writer, trace->id, sizeof(trace->id));
	at_write_string(&writer, words.after);
	paint(drawing, BOLD);
	at_cells_print(drawing->out, at_writer_text(&writer), drawing->columns,
		       drawing->style->utf8);
	unpaint(drawing);
	fputc('\n', drawing->out);
}

static void draw_rest(struct drawing *drawing)
{
	char count[AT_UNITS_BYTES], text[128];

	at_units_count(count, drawing->plan->hidden_count);
	snprintf(text, sizeof(text), "%s more span%s: --tree=all shows them",
		 count, drawing->plan->hidden_count == 1 ? "" : "s");
	paint(drawing, DIM);
	fputs(drawing->glyphs->dots, drawing->out);
	at_cells_print(drawing->out, at_text_from(text),
		       drawing->columns - dots_columns(drawing),
		       drawing->style->utf8);
	unpaint(drawing);
	fputc('\n', drawing->out);
}

static void draw_lines(struct drawing *drawing)
{
	uint32_t i;

	lay_out(drawing);
	for (i = 0; i < drawing->plan->line_count; i++) {
		const struct at_line *line = &drawing->plan->line[i];

		if (is_heading(drawing, line))
			draw_heading(drawing, line);
		else
			draw_span(drawing, line);
	}
	if (drawing->plan->hidden_count)
		draw_rest(drawing);
}

int at_tree_draw(FILE *out, const struct at_span_list *list,
		 const struct at_tree_style *style)
{
	struct drawing drawing = { .out = out, .style = style };
	struct at_forest forest;
	struct at_plan plan = { 0 };
	int error = at_forest_grow(&forest, list);

	if (!error)
		error = at_plan_make(&plan, &forest, style->max_lines);
	if (!error) {
		drawing.forest = &forest;
		drawing.plan = &plan;
		drawing.glyphs = style->blocks ? &block_glyphs : &ascii_glyphs;
		drawing.columns =
			most(COLUMNS_MIN, least(style->columns, COLUMNS_MAX));
		drawing.levels_max = drawing.columns / 4;
		draw_lines(&drawing);
	}
	at_plan_free(&plan);
	at_forest_free(&forest);
	return error;
}
