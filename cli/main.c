// SPDX-License-Identifier: Apache-2.0
/*
 * autotrace: the command. A table of subcommands, and the help made from it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static const struct at_command *const commands[] = {
	&at_command_run, &at_command_view,   &at_command_send,
	&at_command_job, &at_command_config,
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const struct at_command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int print_help(void)
{
	size_t i;

	printf("usage: autotrace COMMAND [OPTION...] [ARGUMENT...]\n\n"
	       "Traces unmodified programs.\n\ncommands:\n");
	for (i = 0; i < COMMAND_COUNT; i++)
		printf("  %-8s %s\n", commands[i]->name, commands[i]->help);
	printf("\nautotrace COMMAND --help tells more about one of them; "
	       "autotrace --version.\n");
	return at_finish_stdout();
}

static void print_option(const struct at_option *option)
{
	char left[48], letter[8] = "";

	if (option->letter)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name,
		 option->value ? "=" : "", option->value ? option->value : "");
	printf("  %-24s %s\n", left, option->help);
}

static int print_command_help(const struct at_command *command)
{
	const struct at_option *option;

	printf("usage: autotrace %s %s\n\n%s\n\noptions:\n", command->name,
	       command->arguments, command->help);
	for (option = command->options; option->name; option++)
		print_option(option);
	if (command->more)
		printf("\n%s", command->more);
	return at_finish_stdout();
}

/* --help counts wherever an option may stand, before the operands. */
static bool wants_help(const struct at_command *command, int argc, char **argv)
{
	struct at_options options;
	const char *value;
	int found;

	if (command->has_verb && argc > 1 && argv[1][0] != '-') {
		argc--;
		argv++;
	}
	at_options_init(&options, command->options, argc, argv);
	while ((found = at_options_next(&options, &value)) >= 0)
		if (!strcmp(command->options[found].name, "help"))
			return true;
	return false;
}

static int run_command(const struct at_command *command, int argc, char **argv)
{
	if (wants_help(command, argc, argv))
		return print_command_help(command);
	return command->run(argc, argv);
}

static int help_on(const char *name)
{
	const struct at_command *command = find_command(name);

	if (!command)
		return at_usage(NULL, "no such command: %s", name);
	return print_command_help(command);
}

/*
 * A standard descriptor that is closed must not become one of ours, or a
 * message would be written into it. The command finds it closed all the same.
 */
static void occupy_standard_descriptors(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
			return;
}

int main(int argc, char **argv)
{
	const struct at_command *command;

	occupy_standard_descriptors();
	if (argc < 2)
		return at_usage(NULL, "no command given");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return print_help();
	if (!strcmp(argv[1], "--version")) {
		printf("autotrace %s\n", AT_VERSION);
		return at_finish_stdout();
	}
	if (!strcmp(argv[1], "help"))
		return argc > 2 ? help_on(argv[2]) : print_help();
	if (argv[1][0] == '-')
		return at_usage(NULL, "no such option: %s", argv[1]);
	command = find_command(argv[1]);
	if (!command)
		return at_usage(NULL, "no such command: %s", argv[1]);
	return run_command(command, argc - 1, argv + 1);
}
