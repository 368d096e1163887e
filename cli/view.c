// SPDX-License-Identifier: Apache-2.0
/* autotrace view: the tree of a saved file. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/job_page.h"
#include "cli/span_file.h"
#include "cli/summary.h"
#include "cli/terminal.h"

static int read_line(void *list, struct at_text line,
		     struct at_otlp_mistake *mistake)
{
	return at_otlp_read_line(list, line, mistake);
}

static void print_end(const struct at_span_file *file,
		      const struct at_span_list *list)
{
	at_summary_of_list(stdout, list);
	if (list->left_out_count)
		printf(", %zu more did not fit into memory",
		       list->left_out_count);
	if (file->cut_off)
		printf(", the last line is cut off");
	putchar('\n');
}

/* The span that all the others are about: the longest that has no parent. */
static const struct at_shown *find_head(const struct at_span_list *list)
{
	const struct at_shown *head = NULL;
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct at_shown *span = &list->item[i];

		if (!head || span->has_parent < head->has_parent ||
		    (span->has_parent == head->has_parent &&
		     span->duration_ns > head->duration_ns))
			head = span;
	}
	return head;
}

static void draw_page(const struct at_span_list *list)
{
	const struct at_shown *head = find_head(list);
	struct at_job_page page = { .list = list, .trace_url = "" };

	if (!head)
		return;
	page.head_id = head->span_id;
	if (at_job_page_write(stdout, &page))
		at_complain("no memory for a summary of %zu spans",
			    list->count);
}

static void draw_tree(const struct at_span_file *file,
		      const struct at_span_list *list,
		      const struct at_tree_style *style)
{
	if (at_tree_draw(stdout, list, style))
		at_complain("no memory for a tree of %zu spans", list->count);
	print_end(file, list);
}

/* style NULL: the summary. */
static int show(struct at_span_file *file, const struct at_tree_style *style)
{
	struct at_span_list list = { 0 };
	int error = at_span_file_read(file, read_line, &list);

	if (style)
		draw_tree(file, &list, style);
	else
		draw_page(&list);
	at_span_list_free(&list);
	if (at_finish_stdout())
		return AT_EXIT_FAILED;
	return error || file->mistake_count ? AT_EXIT_FAILED : AT_EXIT_OK;
}

enum { OPTION_SUMMARY, OPTION_TREE, OPTION_HELP };

static const struct at_option view_options[] = {
	[OPTION_SUMMARY] = { "summary", 0, NULL,
			     "Print the summary instead, as Markdown." },
	[OPTION_TREE] = { "tree", 0, "auto|all",
			  "At most 40 lines (auto), or every span." },
	[OPTION_HELP] = { "help", 'h', NULL, "Print this." },
	{ NULL, 0, NULL, NULL },
};

static int open_and_show(const char *name, const struct at_tree_style *style)
{
	struct at_span_file file;
	int status;

	if (at_span_file_open(&file, name))
		return AT_EXIT_FAILED;
	status = show(&file, style);
	at_span_file_close(&file);
	return status;
}

static int view_main(int argc, char **argv)
{
	struct at_tree_style style;
	struct at_options options;
	const char *value;
	bool summary = false;
	int found;

	at_terminal_style(&style, STDOUT_FILENO, environ);
	style.max_lines = AT_TREE_LINES;
	at_options_init(&options, view_options, argc, argv);
	while ((found = at_options_next(&options, &value)) >= 0) {
		summary |= found == OPTION_SUMMARY;
		if (found != OPTION_TREE)
			continue;
		if (!strcmp(value, "all"))
			style.max_lines = 0;
		else if (strcmp(value, "auto") != 0)
			return at_usage(&at_command_view,
					"--tree is auto or all, not %s", value);
	}
	if (found == AT_OPTIONS_MISTAKE)
		return at_usage(&at_command_view, "%s", options.mistake);
	if (options.next >= argc)
		return at_usage(&at_command_view, "which file?");
	if (options.next + 1 < argc)
		return at_usage(&at_command_view, "one file, please");
	return open_and_show(argv[options.next], summary ? NULL : &style);
}

const struct at_command at_command_view = {
	.name = "view",
	.arguments = "[--summary] [--tree=auto|all] FILE",
	.help = "Draw the traces in a saved file (OTLP JSON lines); - is "
		"standard input.",
	.options = view_options,
	.run = view_main,
};
