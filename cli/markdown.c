// SPDX-License-Identifier: Apache-2.0
#include "cli/markdown.h"

#include <stdlib.h>
#include <string.h>

#include "cli/cells.h"

#define CODE_COLUMNS 100

/* A backtick would end the code, a bar the cell. */
static void put_plain(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '`')
			fputc('\'', out);
		else if (*text == '|')
			fputs("\\|", out);
		else
			fputc(*text, out);
	}
}

void at_markdown_code(FILE *out, const char *text)
{
	char *plain = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&plain, &len);

	if (!memory)
		return;
	at_cells_print(memory, at_text_from(text), CODE_COLUMNS, true);
	if (fclose(memory) == 0 && len) {
		fputc('`', out);
		put_plain(out, plain);
		fputc('`', out);
	}
	free(plain);
}

void at_markdown_table(FILE *out, const char *heading, const char *columns)
{
	const char *at;

	fprintf(out, "\n#### %s\n\n| %s |\n|", heading, columns);
	for (at = columns; at; at = strchr(at + 1, '|'))
		fputs("---|", out);
	fputc('\n', out);
}
