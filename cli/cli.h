// SPDX-License-Identifier: Apache-2.0
/*
 * What the subcommands share: their table's row, options, messages.
 */
#ifndef AT_CLI_CLI_H
#define AT_CLI_CLI_H

#include <stdbool.h>

/* Exit statuses of our own; `run` otherwise has its command's. */
enum at_exit {
	AT_EXIT_OK = 0,
	AT_EXIT_FAILED = 1,
	AT_EXIT_USAGE = 2,
	AT_EXIT_GATE = 3,    /* the command was fine, but not by --fail-on */
	AT_EXIT_SETUP = 125, /* nothing was run, as of env and timeout */
	AT_EXIT_NOT_EXECUTABLE = 126,
	AT_EXIT_NOT_FOUND = 127,
};

/* One option; a table of them ends with a row whose name is NULL. */
struct at_option {
	const char *name;  /* without the dashes */
	char letter;       /* 0: none */
	const char *value; /* what its value is called; NULL: it takes none */
	const char *help;
};

struct at_command {
	const char *name;
	const char *arguments; /* for the usage line */
	const char *help;      /* one line */
	const char *more;      /* further lines of its help; may be NULL */
	const struct at_option *options;
	bool has_verb; /* a word of its own stands before the options */
	/* argv[0] is the subcommand's name. Its exit status. */
	int (*run)(int argc, char **argv);
};

extern const struct at_command at_command_run;
extern const struct at_command at_command_view;
extern const struct at_command at_command_send;
extern const struct at_command at_command_job;
extern const struct at_command at_command_config;

/* --- options.c: reading the words of a command line --- */

struct at_options {
	const struct at_option *option;
	char **argv;
	int argc;
	int next;           /* the word to be read next; the first operand's */
	const char *packed; /* rest of a word of letters, or NULL */
	char mistake[160];  /* what is wrong with the word just read */
};

void at_options_init(struct at_options *options, const struct at_option *table,
		     int argc, char **argv);

#define AT_OPTIONS_END (-1)
#define AT_OPTIONS_MISTAKE (-2)

/*
 * The next option: its row's number in the table, and *value (NULL when it
 * takes none). AT_OPTIONS_END at the first operand or behind `--`;
 * AT_OPTIONS_MISTAKE and the reason in `mistake`.
 */
int at_options_next(struct at_options *options, const char **value);

/* --- complain.c --- */

/* One line to stderr, in one write: "autotrace: ...". */
void at_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for wrong use, and where to look it up. AT_EXIT_USAGE. */
int at_usage(const struct at_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* stdout written and closed? Complains if not. An exit status. */
int at_finish_stdout(void);

#endif
