// SPDX-License-Identifier: Apache-2.0
#include "cli/span_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* Mistakes that get a line of their own. */
#define MISTAKES_SHOWN 5

int at_span_file_open(struct at_span_file *file, const char *name)
{
	int error;

	memset(file, 0, sizeof(*file));
	file->name = name;
	if (!strcmp(name, "-")) {
		file->in = stdin;
		file->name = "standard input";
		return 0;
	}
	file->in = fopen(name, "re");
	if (file->in)
		return 0;
	error = -errno;
	at_complain("%s: %s", name, strerror(-error));
	return error;
}

void at_span_file_close(struct at_span_file *file)
{
	if (file->in != stdin)
		fclose(file->in);
}

static bool is_blank(struct at_text line)
{
	while (line.len && strchr(" \t\r", line.ptr[line.len - 1]))
		line.len--;
	return line.len == 0;
}

static void note_mistake(struct at_span_file *file, bool whole,
			 const struct at_otlp_mistake *mistake)
{
	if (!whole)
		file->cut_off = true;
	else if (file->mistake_count++ < MISTAKES_SHOWN)
		at_complain("%s:%zu:%zu: not OTLP JSON: expected %s",
			    file->name, file->line, mistake->column,
			    mistake->expected);
}

int at_span_file_read(struct at_span_file *file,
		      int (*read)(void *context, struct at_text line,
				  struct at_otlp_mistake *mistake),
		      void *context)
{
	struct at_otlp_mistake mistake;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int error;

	while ((len = getline(&line, &room, file->in)) > 0) {
		bool whole = line[len - 1] == '\n';
		struct at_text text = { line, (size_t)len - whole };

		file->line++;
		if (!is_blank(text) && read(context, text, &mistake))
			note_mistake(file, whole, &mistake);
	}
	error = feof(file->in) ? 0 : -errno;
	free(line);
	if (file->mistake_count > MISTAKES_SHOWN)
		at_complain("%s: %zu more such lines", file->name,
			    file->mistake_count - MISTAKES_SHOWN);
	if (error)
		at_complain("%s: %s", file->name, strerror(-error));
	return error;
}
