// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

#define LINE_BYTES 1024

/* Adds a newline where the text was cut as well. Bytes to write. */
static size_t end_line(char *line, int len)
{
	size_t used = len < 0 ? 0 : (size_t)len;

	if (used > LINE_BYTES - 2)
		used = LINE_BYTES - 2;
	line[used] = '\n';
	return used + 1;
}

/* A word of the command line must not reach the terminal as an escape. */
static void write_line(char *line, size_t len)
{
	size_t i;

	for (i = 0; i + 1 < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

void at_complain(const char *format, ...)
{
	char line[LINE_BYTES] = "autotrace: ";
	size_t begin = strlen(line);
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(line + begin, sizeof(line) - begin, format, arguments);
	va_end(arguments);
	write_line(line, end_line(line, (int)begin + (len < 0 ? 0 : len)));
}

int at_usage(const struct at_command *command, const char *format, ...)
{
	char reason[LINE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason) - 128, format, arguments);
	va_end(arguments);
	at_complain("%s%s%s (see: autotrace %s%s--help)",
		    command ? command->name : "", command ? ": " : "", reason,
		    command ? command->name : "", command ? " " : "");
	return AT_EXIT_USAGE;
}

int at_finish_stdout(void)
{
	bool failed = ferror(stdout) != 0;

	if (fclose(stdout) || failed) {
		at_complain("cannot write to standard output: %s",
			    strerror(errno));
		return AT_EXIT_FAILED;
	}
	return AT_EXIT_OK;
}
