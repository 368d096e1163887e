// SPDX-License-Identifier: Apache-2.0
/*
 * autotrace run: one command, one trace, no backend.
 *
 * The command must not notice: its exit status, streams, terminal, signals and
 * descriptors are its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/child_env.h"
#include "cli/cli.h"
#include "cli/report.h"
#include "cli/sanitizer.h"
#include "cli/session.h"
#include "core/environ.h"
#include "propagator/propagator.h"

struct run {
	struct at_session_choice choice;
	struct at_report report;
	const char *output;  /* NULL: stderr */
	const char *summary; /* NULL: where the CI system wants it */
	struct at_fail_on fail_on;
	char **command;
	struct at_session session;
	struct at_child child;
};

enum {
	OPTION_FAIL_ON,
	OPTION_FILE,
	OPTION_KEEP,
	OPTION_OUTPUT,
	OPTION_QUIET,
	OPTION_SERVICE,
	OPTION_SUMMARY,
	OPTION_TREE,
	OPTION_HELP,
};

static const struct at_option run_options[] = {
	[OPTION_FAIL_ON] = { "fail-on", 0, "RULE,...",
			     "Exit 3 on these: http-5xx, http-error, crash." },
	[OPTION_FILE] = { "file", 0, "FILE",
			  "Append the spans to FILE (OTLP JSON lines)." },
	[OPTION_KEEP] = { "keep", 0, "RULE,...",
			  "Export the trace only on these: errors, slow:2s." },
	[OPTION_OUTPUT] = { "output", 'o', "FILE",
			    "Write tree and last line to FILE, not stderr." },
	[OPTION_QUIET] = { "quiet", 'q', NULL,
			   "Print nothing but our own errors." },
	[OPTION_SERVICE] = { "service", 0, "NAME",
			     "service.name of all spans." },
	[OPTION_SUMMARY] = { "summary", 0, "FILE",
			     "Append a page of Markdown to FILE (or none)." },
	[OPTION_TREE] = { "tree", 0, "auto|all|none",
			  "At most 40 lines, every span, or only the last "
			  "line." },
	[OPTION_HELP] = { "help", 'h', NULL, "Print this." },
	{ NULL, 0, NULL, NULL },
};

static int take_option(struct run *run, int found, const char *value)
{
	switch (found) {
	case OPTION_FILE:
		run->choice.file = value;
		break;
	case OPTION_OUTPUT:
		run->output = value;
		break;
	case OPTION_QUIET:
		run->report.quiet = true;
		break;
	case OPTION_SERVICE:
		run->choice.service = value;
		break;
	case OPTION_SUMMARY:
		run->summary = value;
		break;
	case OPTION_KEEP:
		if (at_keep_parse(&run->choice.keep, value))
			return at_usage(&at_command_run,
					"--keep is errors, slow:TIME or both, "
					"not %s",
					value);
		break;
	case OPTION_FAIL_ON:
		if (at_fail_on_parse(&run->fail_on, value))
			return at_usage(&at_command_run,
					"--fail-on is http-5xx, http-error, "
					"crash or a list, not %s",
					value);
		break;
	case OPTION_TREE:
		if (at_report_tree(&run->report, value))
			return at_usage(&at_command_run,
					"--tree is auto, all or none, not %s",
					value);
		break;
	}
	if (value && !*value)
		return at_usage(&at_command_run, "--%s needs a value: %s",
				run_options[found].name,
				run_options[found].value);
	return 0;
}

static int parse(struct run *run, int argc, char **argv)
{
	struct at_options options;
	const char *value;
	int found, status;

	at_options_init(&options, run_options, argc, argv);
	while ((found = at_options_next(&options, &value)) >= 0) {
		status = take_option(run, found, value);
		if (status)
			return status;
	}
	if (found == AT_OPTIONS_MISTAKE)
		return at_usage(&at_command_run, "%s", options.mistake);
	if (options.next >= argc || !*argv[options.next])
		return at_usage(&at_command_run, "which command?");
	run->command = argv + options.next;
	run->choice.name = basename(run->command[0]);
	return 0;
}

/* Better known before a long command than after it. */
static int open_file(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | flags,
		      0666);

	if (fd < 0)
		at_usage(&at_command_run, "cannot write %s: %s", path,
			 strerror(errno));
	return fd;
}

/* Below another run the page is that one's; unasked it is only tried. */
static int open_summary(struct run *run)
{
	const char *path = run->summary;
	bool outer = at_environ_get(environ, "AUTOTRACE_HUB").len != 0;

	run->report.summary_fd = -1;
	if (path && !strcmp(path, "none"))
		return 0;
	if (path) {
		run->report.summary_fd = open_file(path, O_APPEND);
		return run->report.summary_fd < 0 ? AT_EXIT_USAGE : 0;
	}
	path = at_environ_get(environ, "GITHUB_STEP_SUMMARY").ptr;
	if (path && *path && !outer)
		run->report.summary_fd = open(
			path, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0666);
	return 0;
}

static int open_files(struct run *run)
{
	int fd;

	run->report.fd = STDERR_FILENO;
	if (run->choice.file) {
		fd = open_file(run->choice.file, O_APPEND);
		if (fd < 0)
			return AT_EXIT_USAGE;
		close(fd);
	}
	if (run->output) {
		run->report.fd = open_file(run->output, O_TRUNC);
		if (run->report.fd < 0)
			return AT_EXIT_USAGE;
		run->report.quiet = false;
	}
	return open_summary(run);
}

static int cannot_start(const char *command, int error)
{
	if (error == -ENOENT) {
		at_complain("%s: command not found", command);
		return AT_EXIT_NOT_FOUND;
	}
	at_complain("%s: %s", command, strerror(-error));
	return error == -EAGAIN || error == -ENOMEM || error == -EMFILE ||
			       error == -ENFILE ?
		       AT_EXIT_SETUP :
		       AT_EXIT_NOT_EXECUTABLE;
}

/* NULL unless the command is a program that asks for it. */
static char *sanitizer_options(char *const *command)
{
	if (!command ||
	    !at_wants_asan_first(*command, at_environ_get(environ, "PATH").ptr))
		return NULL;
	return at_asan_options(at_environ_get(environ, "ASAN_OPTIONS").ptr);
}

#define CARRIERS_MAX 16
#define CARRIER_VALUE_BYTES 128

/*
 * And what the propagators besides W3C's carry. `environment` stays: the new
 * one points into it.
 */
static char **add_carriers(const struct run *run, char **environment)
{
	char names[CARRIERS_MAX][AT_CARRIER_NAME_BYTES + 1];
	char values[CARRIERS_MAX][CARRIER_VALUE_BYTES];
	struct at_env_change changes[CARRIERS_MAX];
	char bytes[CARRIERS_MAX * CARRIER_VALUE_BYTES];
	struct at_writer writer = AT_WRITER(bytes, sizeof(bytes)), name;
	struct at_text lines, value;
	size_t count = 0;

	at_propagators_inject(&run->session.others, &run->session.root,
			      &writer);
	lines = at_writer_text(&writer);
	name = AT_WRITER(names[0], AT_CARRIER_NAME_BYTES);
	while (count < CARRIERS_MAX &&
	       at_carrier_next_line(&lines, &name, &value)) {
		names[count][name.len] = 0;
		snprintf(values[count], CARRIER_VALUE_BYTES, "%.*s",
			 (int)value.len, value.ptr);
		changes[count] =
			(struct at_env_change){ names[count], values[count] };
		if (++count < CARRIERS_MAX)
			name = AT_WRITER(names[count], AT_CARRIER_NAME_BYTES);
	}
	return at_environment_with(environment, changes, count);
}

/* The environment with our own variables; NULL when there is no memory. */
static char **make_environment(const struct run *run, const char *library)
{
	char *preload = at_preload_with(
		at_environ_get(environ, "LD_PRELOAD").ptr, library);
	char traceparent[AT_TRACEPARENT_BYTES + 1] = "";
	struct at_writer writer = AT_WRITER(traceparent, AT_TRACEPARENT_BYTES);
	char *asan = sanitizer_options(run->command);
	const char *tls_spans =
		at_environ_get(environ, "AUTOTRACE_TLS_SPANS").ptr ?: "true";
	struct at_env_change changes[] = {
		{ "ASAN_OPTIONS", asan },
		{ "LD_PRELOAD", preload },
		{ "TRACEPARENT", traceparent },
		{ "AUTOTRACE_HUB", run->session.address },
		{ "AUTOTRACE_TLS_SPANS", tls_spans },
		/* Last: only a trace of our own makes it stale. */
		{ "TRACESTATE", NULL },
	};
	size_t count = sizeof(changes) / sizeof(changes[0]);
	char **environment = NULL;

	at_traceparent_write(&writer, &run->session.root);
	if (run->session.joined)
		count--;
	/* The first is skipped where there is nothing to say. */
	if (preload)
		environment = at_environment_with(environ, changes + !asan,
						  count - !asan);
	free(preload);
	free(asan);
	if (environment && run->session.others.count)
		environment = add_carriers(run, environment);
	return environment;
}

static void becoming(void *context)
{
	struct run *run = context;

	at_session_become(&run->session, run->command[0]);
}

static void flush(void *context)
{
	struct run *run = context;

	at_session_flush(&run->session);
}

/* The command's exit status, unless it is 0 and a rule says otherwise. */
static int judge(const struct run *run, int status)
{
	const struct at_shown *first;
	size_t count =
		at_fail_on_count(&run->fail_on, &run->session.list, &first);

	if (status || !count)
		return status;
	at_complain("failed by --fail-on: %zu in all, the first is %s: %s",
		    count, first->label, first->error_type);
	return AT_EXIT_GATE;
}

/* The command has ended: everything that comes of it. Its exit status. */
static int conclude(struct run *run, const struct at_session_result *result)
{
	int status = at_child_exit_code(result->wait_status);

	if (at_session_end(&run->session, result)) {
		at_complain("the exporter did not stop in time");
		return status;
	}
	run->report.not_kept = !at_session_release(&run->session);
	at_report_summary(&run->report, &run->session);
	at_report_run(&run->report, &run->session, environ);
	return judge(run, status);
}

/* Start it, read what it sends, wait for it. Its exit status, or ours. */
static int trace(struct run *run, char **environment)
{
	const struct at_child_late late = { flush, run };
	struct at_session_result result = { .command = run->command[0] };
	int error;

	at_child_prepare(&run->child);
	at_session_begin(&run->session);
	run->child.becoming = becoming;
	run->child.context = run;
	error = at_child_start(&run->child, run->command, environment, environ);
	if (error)
		return cannot_start(run->command[0], error);
	result.pid = run->child.pid;
	/* The child has inherited all it can: now we may open descriptors. */
	error = at_session_read(&run->session);
	if (error)
		at_complain("no thread to read spans with: %s",
			    strerror(-error));
	result.wait_status = at_child_wait(&run->child, &late, &result.usage);
	return conclude(run, &result);
}

/* Without a tracer the command runs all the same. */
static int run_plain(struct run *run, const char *why)
{
	int error;

	if (!run->report.quiet)
		at_complain("not tracing: %s", why);
	at_child_prepare(&run->child);
	error = at_child_start(&run->child, run->command, environ, environ);
	if (error)
		return cannot_start(run->command[0], error);
	return at_child_exit_code(at_child_wait(&run->child, NULL, NULL));
}

static int find_library(char **library)
{
	int error = at_find_library(library);

	if (error == -EINVAL)
		at_complain("LD_PRELOAD cannot hold a path with a blank or "
			    "colon: %s",
			    *library);
	else if (error)
		at_complain("libautotrace.so is neither beside this program "
			    "nor in ../lib");
	return error ? AT_EXIT_SETUP : 0;
}

static int run_traced(struct run *run, const char *library)
{
	int error = at_session_open(&run->session, environ, &run->choice);
	char **environment;
	int status;

	if (error)
		return run_plain(run, strerror(-error));
	if (run->session.config.sdk_disabled)
		return run_plain(run, "OTEL_SDK_DISABLED is true");
	environment = make_environment(run, library);
	if (!environment)
		return run_plain(run, strerror(ENOMEM));
	status = trace(run, environment);
	free(environment);
	return status;
}

static int run_main(int argc, char **argv)
{
	static struct run run = { .report = { .max_lines = AT_TREE_LINES,
					      .tree = true } };
	char *library = NULL;
	int status = parse(&run, argc, argv);

	if (!status)
		status = find_library(&library);
	if (!status)
		status = open_files(&run);
	if (!status)
		status = run_traced(&run, library);
	free(library);
	return status;
}

const struct at_command at_command_run = {
	.name = "run",
	.arguments = "[OPTION...] [--] COMMAND [ARGUMENT...]",
	.help = "Run a command, trace it, show the trace when it ends.",
	.more = "No backend is needed, and none is asked unless "
		"OTEL_EXPORTER_OTLP_ENDPOINT or\nOTEL_TRACES_EXPORTER is set. "
		"The exit status is the command's own: 128+N for\nsignal N, "
		"127 not found, 126 not executable; 2 wrong use, 125 nothing "
		"was run;\n3 when only --fail-on found fault.\n",
	.options = run_options,
	.run = run_main,
};
