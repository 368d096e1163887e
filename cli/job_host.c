// SPDX-License-Identifier: Apache-2.0
#include "cli/job_host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/job_call.h"
#include "cli/job_trace.h"
#include "cli/report.h"
#include "core/clock.h"

#define READY_FD 3
/* Where the kernel has no pidfd, the runner is looked at this often. */
#define LOOK_MS 1000

struct host {
	const struct at_job_plan *plan;
	struct at_session session;
	uint64_t end_ns;
	uint64_t runner_start; /* a process id may come again */
	int listener;
	int signals;
	int runner; /* pidfd; -1: none */
};

/* ---- becoming a background process ---- */

static void leave_everything(int ready_fd)
{
	int null = open("/dev/null", O_RDWR), fd;
	sigset_t none;

	setsid();
	for (fd = 0; fd < READY_FD; fd++)
		dup2(null, fd);
	dup2(ready_fd, READY_FD);
	closefrom(READY_FD + 1);
	fcntl(READY_FD, F_SETFD, FD_CLOEXEC);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* What is meant for the step that started us. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

/* SIGTERM waits to be read. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int open_host(struct host *host)
{
	int error =
		at_session_open(&host->session, environ, &host->plan->choice);

	if (error)
		return error;
	host->listener = at_job_listen(host->session.address);
	if (host->listener < 0)
		return host->listener;
	host->signals = open_signals();
	host->end_ns = at_clock_now_ns() + host->plan->limit_ns;
	host->runner = -1;
	if (host->plan->runner) {
		host->runner = (int)syscall(SYS_pidfd_open,
					    (pid_t)host->plan->runner, 0);
		host->runner_start = at_process_start_ticks(host->plan->runner);
	}
	at_session_begin(&host->session);
	return at_session_read(&host->session);
}

static void say_ready(const struct host *host, int error)
{
	struct at_job_ready ready = { .error = error };
	struct at_writer writer =
		AT_WRITER(ready.traceparent, AT_TRACEPARENT_BYTES);

	if (!error) {
		memcpy(ready.address, host->session.address,
		       sizeof(ready.address));
		at_traceparent_write(&writer, &host->session.root);
		ready.joined = host->session.joined;
		ready.disabled = host->session.config.sdk_disabled;
	}
	if (write(READY_FD, &ready, sizeof(ready)) < 0)
		_exit(1);
	close(READY_FD);
	if (error || ready.disabled)
		_exit(0);
}

/* ---- the end ---- */

static struct at_session_result result_of(const struct host *host,
					  const char *result)
{
	return (struct at_session_result){ .command = host->plan->name,
					   .job = host->plan->ci,
					   .job_result = result };
}

/* Nobody has asked for it: runner gone, limit reached, or told to. */
__attribute__((noreturn)) static void end_unasked(struct host *host)
{
	struct at_session_result result = result_of(host, NULL);

	result.unfinished = true;
	if (at_session_end(&host->session, &result) == 0)
		at_session_release(&host->session);
	_exit(0);
}

static void find_faults(const struct host *host,
			const struct at_job_request *request,
			struct at_job_answer *answer)
{
	const struct at_shown *first;
	size_t count = at_fail_on_count(&request->fail_on, &host->session.list,
					&first);

	answer->fault_count = (uint32_t)count;
	if (count)
		snprintf(answer->fault, sizeof(answer->fault), "%s: %s",
			 first->label, first->error_type);
}

static void write_report(struct host *host,
			 const struct at_job_request *request, FILE *out)
{
	struct at_report report = {
		.tree = request->tree,
		.not_kept = !at_session_release(&host->session),
	};

	at_report_print(out, &report, &host->session, &request->style);
}

__attribute__((noreturn)) static void end_asked(
	struct host *host, const struct at_job_request *request, int connection)
{
	struct at_session_result result =
		result_of(host, at_job_result(at_text_from(request->result)));
	struct at_job_answer answer = { 0 };
	char *report = NULL, *summary = NULL;
	size_t report_len, summary_len;
	FILE *out;

	if (at_session_end(&host->session, &result))
		_exit(1);
	out = open_memstream(&report, &report_len);
	if (out) {
		write_report(host, request, out);
		fclose(out);
	}
	out = request->summary ? open_memstream(&summary, &summary_len) : NULL;
	if (out) {
		at_report_page(out, &host->session);
		fclose(out);
	}
	find_faults(host, request, &answer);
	at_job_answer(connection, &answer, report ? report : "",
		      summary ? summary : "");
	_exit(0);
}

/* ---- meanwhile ---- */

static void serve(struct host *host)
{
	struct at_job_request request;
	struct at_job_answer answer = { 0 };
	int connection = at_job_accept(host->listener, &request);

	if (!connection)
		return;
	if (request.wish == AT_JOB_END) {
		request.result[sizeof(request.result) - 1] = 0;
		end_asked(host, &request, connection);
	}
	at_job_answer(connection, &answer, "", "");
	close(connection);
}

static bool runner_is_gone(const struct host *host)
{
	return host->plan->runner &&
	       at_process_start_ticks(host->plan->runner) != host->runner_start;
}

static int patience_ms(const struct host *host)
{
	uint64_t now_ns = at_clock_now_ns();
	uint64_t left_ms = host->end_ns > now_ns ?
				   (host->end_ns - now_ns) / 1000000 + 1 :
				   0;

	if (host->plan->runner && host->runner < 0 && left_ms > LOOK_MS)
		return LOOK_MS;
	return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

__attribute__((noreturn)) static void keep_house(struct host *host)
{
	struct pollfd polled[] = {
		{ .fd = host->listener, .events = POLLIN },
		{ .fd = host->signals, .events = POLLIN },
		{ .fd = host->runner, .events = POLLIN },
	};

	for (;;) {
		poll(polled, 3, patience_ms(host));
		if (polled[0].revents)
			serve(host);
		if (polled[1].revents || runner_is_gone(host) ||
		    at_clock_now_ns() >= host->end_ns)
			end_unasked(host);
	}
}

__attribute__((noreturn)) static void be_host(const struct at_job_plan *plan,
					      int ready_fd)
{
	static struct host host;

	host.plan = plan;
	leave_everything(ready_fd);
	say_ready(&host, open_host(&host));
	keep_house(&host);
}

int at_job_host_start(const struct at_job_plan *plan,
		      struct at_job_ready *ready)
{
	int channel[2], error = 0;
	ssize_t len;
	pid_t pid;

	if (pipe2(channel, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0)
		be_host(plan, channel[1]);
	if (pid < 0)
		error = -errno;
	close(channel[1]);
	do
		len = error ? 0 : read(channel[0], ready, sizeof(*ready));
	while (len < 0 && errno == EINTR);
	close(channel[0]);
	if (error)
		return error;
	return len == sizeof(*ready) ? ready->error : -ECHILD;
}
