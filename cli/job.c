// SPDX-License-Identifier: Apache-2.0
/* autotrace job: a trace around steps that nobody wraps. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ancestry.h"
#include "cli/child_env.h"
#include "cli/cli.h"
#include "cli/job_call.h"
#include "cli/job_env.h"
#include "cli/job_host.h"
#include "cli/job_trace.h"
#include "cli/report.h"
#include "cli/terminal.h"
#include "core/environ.h"

#define LIMIT_NS (UINT64_C(24) * 3600 * 1000000000)

struct job {
	struct at_job_plan plan;
	struct at_ci ci;
	struct at_context adopted;
	struct at_report report; /* of the end */
	struct at_job_request request;
	const char *result;  /* NULL: from a variable */
	const char *summary; /* NULL: where the CI system wants it */
	bool shell;          /* lines for a shell, whatever the runner takes */
};

enum {
	OPTION_FAIL_ON,
	OPTION_FILE,
	OPTION_KEEP,
	OPTION_LIMIT,
	OPTION_NAME,
	OPTION_QUIET,
	OPTION_RESULT,
	OPTION_SERVICE,
	OPTION_SHELL,
	OPTION_SUMMARY,
	OPTION_TREE,
	OPTION_HELP,
};

static const struct at_option job_options[] = {
	[OPTION_FAIL_ON] = { "fail-on", 0, "RULE,...",
			     "end: exit 3 on http-5xx, http-error, crash." },
	[OPTION_FILE] = { "file", 0, "FILE",
			  "begin: append the spans to FILE." },
	[OPTION_KEEP] = { "keep", 0, "RULE,...",
			  "begin: export only on errors, slow:10m." },
	[OPTION_LIMIT] = { "limit", 0, "TIME",
			   "begin: end by itself after TIME (24h)." },
	[OPTION_NAME] = { "name", 0, "NAME", "begin: name of the job." },
	[OPTION_QUIET] = { "quiet", 'q', NULL,
			   "end: print nothing but our own errors." },
	[OPTION_RESULT] = { "result", 0, "WORD",
			    "end: success, failure, cancelled, or a status." },
	[OPTION_SERVICE] = { "service", 0, "NAME",
			     "begin: service.name of all spans." },
	[OPTION_SHELL] = { "shell", 0, NULL,
			   "Print lines for a shell to eval." },
	[OPTION_SUMMARY] = { "summary", 0, "FILE",
			     "end: append a page of Markdown to FILE (or "
			     "none)." },
	[OPTION_TREE] = { "tree", 0, "auto|all|none",
			  "end: how much of the tree." },
	[OPTION_HELP] = { "help", 'h', NULL, "Print this." },
	{ NULL, 0, NULL, NULL },
};

/* ---- the command line ---- */

static int take_begin(struct job *job, int found, const char *value)
{
	switch (found) {
	case OPTION_FILE:
		job->plan.choice.file = value;
		break;
	case OPTION_KEEP:
		return at_keep_parse(&job->plan.choice.keep, value);
	case OPTION_LIMIT:
		return at_duration_parse(at_text_from(value),
					 &job->plan.limit_ns);
	case OPTION_NAME:
		job->plan.name = value;
		break;
	case OPTION_SERVICE:
		job->plan.choice.service = value;
		break;
	case OPTION_SHELL:
		job->shell = true;
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

static int take_end(struct job *job, int found, const char *value)
{
	switch (found) {
	case OPTION_FAIL_ON:
		return at_fail_on_parse(&job->request.fail_on, value);
	case OPTION_QUIET:
		job->report.quiet = true;
		break;
	case OPTION_RESULT:
		job->result = value;
		return at_job_result(at_text_from(value)) ? 0 : -EINVAL;
	case OPTION_SUMMARY:
		job->summary = value;
		break;
	case OPTION_SHELL:
		job->shell = true;
		break;
	case OPTION_TREE:
		return at_report_tree(&job->report, value);
	default:
		return -EINVAL;
	}
	return 0;
}

static int parse(struct job *job, bool begins, int argc, char **argv)
{
	struct at_options options;
	const char *value;
	int found;

	at_options_init(&options, job_options, argc, argv);
	while ((found = at_options_next(&options, &value)) >= 0)
		if ((value && !*value) ||
		    (begins ? take_begin : take_end)(job, found, value))
			return at_usage(&at_command_job,
					"%s does not take --%s%s%s", argv[0],
					job_options[found].name,
					value ? "=" : "", value ? value : "");
	if (found == AT_OPTIONS_MISTAKE)
		return at_usage(&at_command_job, "%s", options.mistake);
	if (options.next < argc)
		return at_usage(&at_command_job, "unexpected argument: %s",
				argv[options.next]);
	return 0;
}

/* ---- handing variables on ---- */

static const char *variable(const char *name)
{
	return at_environ_get(environ, name).ptr;
}

/* Where GitHub's runner reads what later steps are to have; NULL: no such. */
static const char *env_file(const struct job *job)
{
	const char *path = variable("GITHUB_ENV");

	return !job->shell && path && *path ? path : NULL;
}

/* Hand the lines over, in one piece. 0 or negative errno. */
static int hand_over(const struct job *job, const char *lines, size_t len)
{
	const char *path = env_file(job);
	ssize_t written;
	int fd = STDOUT_FILENO;

	if (path)
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
			  0666);
	if (fd < 0)
		return -errno;
	written = write(fd, lines, len);
	if (path)
		close(fd);
	return written == (ssize_t)len ? 0 : written < 0 ? -errno : -EIO;
}

static void print_settings(FILE *out, enum at_env_form form)
{
	int i;

	for (i = 0; i < AT_SETTING_COUNT; i++) {
		const char *name = at_setting_table[i].env;
		const char *value = variable(name);

		if (value && *value && at_env_is_passed_on((enum at_setting)i))
			at_env_print(out, form, name, value);
	}
}

static int hand_over_begin(const struct job *job,
			   const struct at_job_ready *ready,
			   const char *library)
{
	enum at_env_form form = env_file(job) ? AT_ENV_FILE : AT_ENV_SHELL;
	char *preload = at_preload_with(variable("LD_PRELOAD"), library);
	char *lines = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&lines, &len);
	int error = -ENOMEM;

	if (out && preload) {
		at_env_print(out, form, "LD_PRELOAD", preload);
		at_env_print(out, form, "TRACEPARENT", ready->traceparent);
		at_env_print(out, form, "AUTOTRACE_HUB", ready->address);
		/* Only a trace of our own makes it stale. */
		if (!ready->joined && variable("TRACESTATE"))
			at_env_print(out, form, "TRACESTATE", NULL);
		print_settings(out, form);
	}
	if (out && fclose(out) == 0 && preload)
		error = hand_over(job, lines, len);
	free(preload);
	free(lines);
	return error;
}

/* Later steps find neither a hub that is gone nor us. */
static int hand_over_end(const struct job *job)
{
	enum at_env_form form = env_file(job) ? AT_ENV_FILE : AT_ENV_SHELL;
	char *library = NULL, *preload = NULL, *lines = NULL;
	size_t len = 0;
	FILE *out;
	int error = -ENOMEM;

	if (form == AT_ENV_SHELL && !job->shell)
		return 0;
	if (at_find_library(&library) == 0)
		preload = at_preload_without(variable("LD_PRELOAD"), library);
	out = open_memstream(&lines, &len);
	if (out) {
		at_env_print(out, form, "LD_PRELOAD", preload);
		at_env_print(out, form, "TRACEPARENT", NULL);
		at_env_print(out, form, "AUTOTRACE_HUB", NULL);
		if (fclose(out) == 0)
			error = hand_over(job, lines, len);
	}
	free(library);
	free(preload);
	free(lines);
	return error;
}

/* ---- begin ---- */

static int ask(struct job *job, enum at_job_wish wish,
	       struct at_job_answer *answer, char **texts)
{
	const char *address = variable("AUTOTRACE_HUB");

	if (!address || !*address)
		return -ENOENT;
	job->request.wish = wish;
	return at_job_ask(address, &job->request, answer, texts);
}

static bool is_begun(struct job *job)
{
	struct at_job_answer answer;
	char *texts = NULL;
	int error = ask(job, AT_JOB_PING, &answer, &texts);

	free(texts);
	return !error;
}

static void make_plan(struct job *job)
{
	struct at_job_plan *plan = &job->plan;
	static char name[256];
	struct at_text task;

	at_ci_detect(&job->ci, environ);
	task = job->ci.fact[AT_CI_TASK_NAME];
	plan->ci = &job->ci;
	if (!plan->name && task.len && task.len < sizeof(name))
		plan->name = memcpy(name, task.ptr, task.len);
	if (!plan->name)
		plan->name = "job";
	plan->choice.name = plan->name;
	if (at_job_trace(&job->ci, &job->adopted))
		plan->choice.adopt = &job->adopted;
	if (!plan->limit_ns)
		plan->limit_ns = LIMIT_NS;
	plan->runner = at_runner_of((uint32_t)getpid(), env_file(job) != NULL);
}

static void give_up(struct job *job, const struct at_job_ready *ready)
{
	struct at_job_answer answer;
	char *texts = NULL;

	job->request = (struct at_job_request){ .wish = AT_JOB_END };
	at_job_ask(ready->address, &job->request, &answer, &texts);
	free(texts);
}

/* Whatever goes wrong from here on, the build must not fail of it. */
static int begin(struct job *job, const char *library)
{
	struct at_job_ready ready = { 0 };
	int error;

	if (is_begun(job)) {
		at_complain("job begin: a job was begun already");
		return AT_EXIT_OK;
	}
	make_plan(job);
	error = at_job_host_start(&job->plan, &ready);
	if (error) {
		at_complain("not tracing: %s", strerror(-error));
		return AT_EXIT_OK;
	}
	if (ready.disabled) {
		at_complain("not tracing: OTEL_SDK_DISABLED is true");
		return AT_EXIT_OK;
	}
	error = hand_over_begin(job, &ready, library);
	if (error) {
		at_complain("not tracing: cannot write %s: %s",
			    env_file(job) ? env_file(job) : "to stdout",
			    strerror(-error));
		give_up(job, &ready);
	}
	return AT_EXIT_OK;
}

static int begin_main(struct job *job)
{
	char *library = NULL;
	int error = at_find_library(&library), status = AT_EXIT_SETUP;

	if (error == -EINVAL)
		at_complain("LD_PRELOAD cannot hold a path with a blank or "
			    "colon: %s",
			    library);
	else if (error)
		at_complain("libautotrace.so is neither beside this program "
			    "nor in ../lib");
	else
		status = begin(job, library);
	free(library);
	return status;
}

/* ---- end ---- */

/* The page is appended where it is wanted; GitHub's own place is only tried. */
static void append_summary(const struct job *job, const char *text, size_t len)
{
	const char *path = job->summary ? job->summary :
					  variable("GITHUB_STEP_SUMMARY");
	int fd;

	if (!len || !path || !*path)
		return;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd >= 0) {
		at_report_write(fd, text, len);
		close(fd);
	} else if (job->summary) {
		at_complain("cannot write %s: %s", path, strerror(errno));
	}
}

static void make_request(struct job *job)
{
	struct at_job_request *request = &job->request;
	struct at_text word = job->ci.fact[AT_CI_RESULT];
	const char *own = variable("AUTOTRACE_JOB_RESULT");

	if (job->result)
		word = at_text_from(job->result);
	else if (own && *own)
		word = at_text_from(own);
	if (word.len && word.len < sizeof(request->result))
		memcpy(request->result, word.ptr, word.len);
	request->tree = job->report.tree;
	request->summary = !job->summary || strcmp(job->summary, "none") != 0;
	at_terminal_style(&request->style, STDERR_FILENO, environ);
	request->style.max_lines = job->report.max_lines;
}

static int end_main(struct job *job)
{
	struct at_job_answer answer;
	char *texts = NULL;
	int error, status = AT_EXIT_OK;

	at_ci_detect(&job->ci, environ);
	make_request(job);
	error = ask(job, AT_JOB_END, &answer, &texts);
	if (error == -ENOENT || error == -ECONNREFUSED)
		at_complain(
			error == -ENOENT ?
				"job end: no job was begun" :
				"job end: the job's process is gone: it had "
				"ended before, or was killed");
	else if (error)
		at_complain("job end: %s", strerror(-error));
	if (!error && !job->report.quiet)
		at_report_write(STDERR_FILENO, texts, answer.report_bytes);
	if (!error)
		append_summary(job, texts + answer.report_bytes,
			       answer.summary_bytes);
	if (!error && answer.fault_count) {
		answer.fault[sizeof(answer.fault) - 1] = 0;
		at_complain("failed by --fail-on: %u in all, the first is %s",
			    (unsigned int)answer.fault_count, answer.fault);
		status = AT_EXIT_GATE;
	}
	free(texts);
	error = hand_over_end(job);
	if (error)
		at_complain("job end: later steps still have LD_PRELOAD: %s",
			    strerror(-error));
	return status;
}

static int job_main(int argc, char **argv)
{
	static struct job job = { .report = { .max_lines = AT_TREE_LINES,
					      .tree = true } };
	bool begins = argc > 1 && !strcmp(argv[1], "begin");
	int status;

	if (!begins && (argc < 2 || strcmp(argv[1], "end") != 0))
		return at_usage(&at_command_job, "begin or end?");
	status = parse(&job, begins, argc - 1, argv + 1);
	if (status)
		return status;
	return begins ? begin_main(&job) : end_main(&job);
}

const struct at_command at_command_job = {
	.name = "job",
	.arguments = "begin|end [OPTION...]",
	.help = "Trace all steps of a CI job, without wrapping them.",
	.more = "begin starts a process in the background and tells the later "
		"steps where it is:\nin GitHub Actions through GITHUB_ENV, "
		"elsewhere by lines for\n"
		"eval \"$(autotrace job begin)\". end has everything exported "
		"and shows the trace.\nNeither fails a build for a reason of "
		"its own.\n",
	.options = job_options,
	.has_verb = true,
	.run = job_main,
};
