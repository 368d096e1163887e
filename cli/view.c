// SPDX-License-Identifier: Apache-2.0
/* autotrace view: the tree of a saved file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/otlp_read.h"
#include "cli/summary.h"
#include "cli/terminal.h"

/* Mistakes that get a line of their own. */
#define MISTAKES_SHOWN 5

struct file {
	FILE *in;
	const char *name;
	size_t line;
	size_t mistake_count;
	bool cut_off; /* the last line had no end and could not be read */
};

static bool is_blank(struct at_text line)
{
	while (line.len && strchr(" \t\r", line.ptr[line.len - 1]))
		line.len--;
	return line.len == 0;
}

static void read_line(struct file *file, struct at_span_list *list,
		      struct at_text line)
{
	struct at_otlp_mistake mistake;
	bool whole = line.len && line.ptr[line.len - 1] == '\n';

	file->line++;
	line.len -= whole;
	if (is_blank(line) || at_otlp_read_line(list, line, &mistake) == 0)
		return;
	if (!whole) {
		file->cut_off = true;
		return;
	}
	if (file->mistake_count++ < MISTAKES_SHOWN)
		at_complain("%s:%zu:%zu: not OTLP JSON: expected %s",
			    file->name, file->line, mistake.column,
			    mistake.expected);
}

static int read_file(struct file *file, struct at_span_list *list)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int error;

	while ((len = getline(&line, &room, file->in)) >= 0)
		read_line(file, list, (struct at_text){ line, (size_t)len });
	error = feof(file->in) ? 0 : -errno;
	free(line);
	if (file->mistake_count > MISTAKES_SHOWN)
		at_complain("%s: %zu more such lines", file->name,
			    file->mistake_count - MISTAKES_SHOWN);
	return error;
}

static void print_end(const struct file *file, const struct at_span_list *list)
{
	at_summary_of_list(stdout, list);
	if (list->left_out_count)
		printf(", %zu more did not fit into memory",
		       list->left_out_count);
	if (file->cut_off)
		printf(", the last line is cut off");
	putchar('\n');
}

static int show(struct file *file, struct at_tree_style *style)
{
	struct at_span_list list = { 0 };
	int error = read_file(file, &list);

	if (error)
		at_complain("%s: %s", file->name, strerror(-error));
	if (at_tree_draw(stdout, &list, style))
		at_complain("no memory for a tree of %zu spans", list.count);
	print_end(file, &list);
	at_span_list_free(&list);
	if (at_finish_stdout())
		return AT_EXIT_FAILED;
	return error || file->mistake_count ? AT_EXIT_FAILED : AT_EXIT_OK;
}

enum { OPTION_TREE, OPTION_HELP };

static const struct at_option view_options[] = {
	[OPTION_TREE] = { "tree", 0, "auto|all",
			  "At most 40 lines (auto), or every span." },
	[OPTION_HELP] = { "help", 'h', NULL, "Print this." },
	{ NULL, 0, NULL, NULL },
};

static int open_and_show(const char *name, struct at_tree_style *style)
{
	struct file file = { .name = name };
	int status;

	if (!strcmp(name, "-")) {
		file.in = stdin;
		file.name = "standard input";
		return show(&file, style);
	}
	file.in = fopen(name, "re");
	if (!file.in) {
		at_complain("%s: %s", name, strerror(errno));
		return AT_EXIT_FAILED;
	}
	status = show(&file, style);
	fclose(file.in);
	return status;
}

static int view_main(int argc, char **argv)
{
	struct at_tree_style style;
	struct at_options options;
	const char *value;
	int found;

	at_terminal_style(&style, STDOUT_FILENO, environ);
	style.max_lines = AT_TREE_LINES;
	at_options_init(&options, view_options, argc, argv);
	while ((found = at_options_next(&options, &value)) >= 0) {
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
	return open_and_show(argv[options.next], &style);
}

const struct at_command at_command_view = {
	.name = "view",
	.arguments = "[--tree=auto|all] FILE",
	.help = "Draw the traces in a saved file (OTLP JSON lines); - is "
		"standard input.",
	.options = view_options,
	.run = view_main,
};
