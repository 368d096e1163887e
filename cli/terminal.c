// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "core/environ.h"

#define COLUMNS_UNKNOWN 80

/* The first of the three that is set decides, as for setlocale(). */
static bool says_utf8(char *const *environment)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	struct at_text value = { 0 }, dot;
	size_t i;

	for (i = 0; i < 3 && !value.len; i++)
		value = at_environ_get(environment, names[i]);
	while (at_text_next(&value, '.', &dot))
		if (at_text_glob_nocase(AT_TEXT("utf-8*"), dot) ||
		    at_text_glob_nocase(AT_TEXT("utf8*"), dot))
			return true;
	return false;
}

static unsigned int columns_of(int fd, char *const *environment)
{
	struct winsize size;
	uint64_t columns;

	if (!at_text_to_u64(at_environ_get(environment, "COLUMNS"), &columns) &&
	    columns > 0 && columns < 100000)
		return (unsigned int)columns;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return COLUMNS_UNKNOWN;
}

void at_terminal_style(struct at_tree_style *style, int fd,
		       char *const *environment)
{
	struct at_text term = at_environ_get(environment, "TERM");
	bool terminal = isatty(fd);

	style->columns = columns_of(fd, environment);
	style->utf8 = says_utf8(environment);
	style->blocks = style->utf8 && terminal;
	style->colour = terminal &&
			!at_environ_get(environment, "NO_COLOR").len &&
			!at_text_equal(term, AT_TEXT("dumb"));
}
