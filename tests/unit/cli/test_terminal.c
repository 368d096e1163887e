// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#define BLOCK(...) ((char *[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

#define UTF8 (char *)"LANG=en_US.UTF-8"
#define XTERM (char *)"TERM=xterm"

static struct at_tree_style style_of(int fd, char **environment)
{
	struct at_tree_style style = { 0 };

	at_terminal_style(&style, fd, environment);
	return style;
}

/* A terminal of the given width; its other end stays open. */
static int terminal(unsigned short columns)
{
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	int master, slave;

	cr_assert_eq(openpty(&master, &slave, NULL, NULL, &size), 0);
	return slave;
}

Test(cli_terminal, the_width_is_the_terminals)
{
	cr_expect_eq(style_of(terminal(123), BLOCK(XTERM)).columns, 123);
	cr_expect_eq(style_of(terminal(0), BLOCK(XTERM)).columns, 80);
}

Test(cli_terminal, columns_beats_the_terminal)
{
	cr_expect_eq(
		style_of(terminal(123), BLOCK((char *)"COLUMNS=60")).columns,
		60);
	cr_expect_eq(
		style_of(terminal(123), BLOCK((char *)"COLUMNS=0")).columns,
		123);
	cr_expect_eq(
		style_of(terminal(123), BLOCK((char *)"COLUMNS=wide")).columns,
		123);
}

Test(cli_terminal, a_file_is_eighty_columns_plain)
{
	int fd = open("/dev/null", O_WRONLY);
	struct at_tree_style style = style_of(fd, BLOCK(UTF8, XTERM));

	cr_expect_eq(style.columns, 80);
	cr_expect_not(style.colour);
	cr_expect_not(style.blocks);
	cr_expect(style.utf8);
	close(fd);
}

Test(cli_terminal, colour_is_for_terminals_that_want_it)
{
	int fd = terminal(80);

	cr_expect(style_of(fd, BLOCK(XTERM)).colour);
	cr_expect(style_of(fd, BLOCK(XTERM, (char *)"NO_COLOR=")).colour);
	cr_expect_not(style_of(fd, BLOCK(XTERM, (char *)"NO_COLOR=1")).colour);
	cr_expect_not(style_of(fd, BLOCK((char *)"TERM=dumb")).colour);
}

Test(cli_terminal, the_first_locale_variable_decides)
{
	int fd = terminal(80);

	cr_expect(style_of(fd, BLOCK(UTF8)).blocks);
	cr_expect(style_of(fd, BLOCK((char *)"LC_CTYPE=C.utf8")).utf8);
	cr_expect(style_of(fd, BLOCK((char *)"LC_ALL=de_DE.UTF-8@euro")).utf8);
	cr_expect_not(style_of(fd, BLOCK(UTF8, (char *)"LC_ALL=C")).utf8);
	cr_expect(style_of(fd, BLOCK(UTF8, (char *)"LC_ALL=")).utf8);
	cr_expect_not(style_of(fd, BLOCK()).utf8);
	cr_expect_not(
		style_of(fd, BLOCK((char *)"LANG=de_DE.ISO-8859-1")).blocks);
}
