// SPDX-License-Identifier: Apache-2.0
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "core/clock.h"

/* Taken by at_child_wait(); stops from the terminal stay as they are. */
static void fill_waited(sigset_t *set)
{
	static const int signals[] = { SIGCHLD, SIGINT,  SIGQUIT, SIGTERM,
				       SIGHUP,  SIGUSR1, SIGUSR2, SIGCONT };
	size_t i;

	sigemptyset(set);
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(set, signals[i]);
}

void at_child_prepare(struct at_child *child)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t waited;

	memset(child, 0, sizeof(*child));
	fill_waited(&waited);
	sigprocmask(SIG_BLOCK, &waited, &child->mask);
	/* Ignored, the kernel would not keep its exit status for us. */
	sigaction(SIGCHLD, &standard, &child->on_child);
	sigaction(SIGPIPE, &ignore, &child->on_pipe);
}

/* In the child. Never returns; the reason goes to the parent. */
__attribute__((noreturn)) static void become(const struct at_child *child,
					     char **argv, char **environment,
					     char **plain, int report)
{
	int error;

	sigaction(SIGCHLD, &child->on_child, NULL);
	sigaction(SIGPIPE, &child->on_pipe, NULL);
	sigprocmask(SIG_SETMASK, &child->mask, NULL);
	if (child->becoming)
		child->becoming(child->context);
	execvpe(argv[0], argv, environment);
	if (errno == E2BIG)
		execvpe(argv[0], argv, plain);
	error = errno;
	while (write(report, &error, sizeof(error)) < 0 && errno == EINTR)
		;
	_exit(127);
}

/* Ends when exec closes the pipe or the reason arrives. */
static int read_reason(int report)
{
	int error = 0;
	ssize_t len;

	do
		len = read(report, &error, sizeof(error));
	while (len < 0 && errno == EINTR);
	return len == sizeof(error) ? -error : 0;
}

int at_child_start(struct at_child *child, char **argv, char **environment,
		   char **plain)
{
	int report[2], error;

	if (pipe2(report, O_CLOEXEC))
		return -errno;
	child->pid = fork();
	if (child->pid == 0)
		become(child, argv, environment, plain, report[1]);
	error = child->pid < 0 ? -errno : 0;
	close(report[1]);
	if (!error) {
		error = read_reason(report[0]);
		if (error)
			waitpid(child->pid, NULL, 0);
	}
	close(report[0]);
	return error;
}

/*
 * From the terminal, or sent to us? The kernel sends what is typed to the
 * whole foreground group, so the child has it already if it is in ours; but
 * of a terminal that goes away it tells the session's leader alone.
 */
static bool is_ours_alone(const struct at_child *child, const siginfo_t *info)
{
	if (info->si_signo == SIGHUP && getsid(0) == getpid())
		return true;
	return info->si_code != SI_KERNEL || getpgid(child->pid) != getpgrp();
}

/* A SIGCONT that waits for us says that the stop is over already. */
static bool was_continued(void)
{
	const struct timespec now = { 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCONT);
	return sigtimedwait(&set, NULL, &now) == SIGCONT;
}

/* Has anything happened to the child that at_child_wait() does not know? */
static bool has_news(const struct at_child *child)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)child->pid, &info,
		      WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT) ||
	       info.si_pid;
}

/*
 * We were continued. Usually the whole group was, and the child may even have
 * stopped again since: only when nothing is heard of it, it is continued too.
 */
static void continue_child(const struct at_child *child)
{
	const struct timespec patience = { .tv_nsec = 50000000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	do
		if (has_news(child))
			return;
	while (sigtimedwait(&set, NULL, &patience) == SIGCHLD);
	kill(child->pid, SIGCONT);
}

/*
 * The child was stopped. If it was the terminal's doing, stop too: for the
 * shell we are the job. A SIGSTOP came from somebody who will continue just
 * that process.
 */
static void stop_with(const struct at_child *child, int signal)
{
	bool continued = was_continued();

	if (signal == SIGSTOP)
		return;
	if (!continued) {
		raise(signal);
		continued = was_continued();
	}
	/* Not so where nothing can stop us: an orphaned process group. */
	if (continued)
		continue_child(child);
}

static void pass_on(const struct at_child *child, const siginfo_t *info,
		    bool stopped)
{
	if (info->si_signo == SIGCHLD)
		return;
	if (info->si_signo == SIGCONT) {
		if (stopped)
			continue_child(child);
	} else if (is_ours_alone(child, info)) {
		kill(child->pid, info->si_signo);
	}
}

/* From when on the command counts as late; 0: it was not told to end. */
static void note_cancelled(uint64_t *late_ns, const siginfo_t *info)
{
	if (!*late_ns &&
	    (info->si_signo == SIGINT || info->si_signo == SIGTERM))
		*late_ns = at_clock_now_ns() +
			   AT_CHILD_LATE_MS * UINT64_C(1000000);
}

/* As sigwaitinfo(), but not beyond until_ns; 0: for ever. */
static int wait_signal(const sigset_t *set, siginfo_t *info, uint64_t until_ns)
{
	uint64_t now_ns = at_clock_now_ns(), left_ns;
	struct timespec left;

	if (!until_ns)
		return sigwaitinfo(set, info);
	left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	left.tv_sec = (time_t)(left_ns / 1000000000u);
	left.tv_nsec = (long)(left_ns % 1000000000u);
	return sigtimedwait(set, info, &left);
}

int at_child_wait(const struct at_child *child,
		  const struct at_child_late *late, struct rusage *usage)
{
	bool stopped = false, called = !late;
	uint64_t late_ns = 0;
	siginfo_t info;
	sigset_t waited;
	int status;

	fill_waited(&waited);
	for (;;) {
		pid_t pid = wait4(child->pid, &status,
				  WNOHANG | WUNTRACED | WCONTINUED, usage);

		if (pid < 0 && errno != EINTR)
			return W_EXITCODE(AT_EXIT_SETUP, 0);
		if (pid > 0) {
			if (WIFEXITED(status) || WIFSIGNALED(status))
				return status;
			stopped = WIFSTOPPED(status);
			if (stopped)
				stop_with(child, WSTOPSIG(status));
		} else if (wait_signal(&waited, &info, called ? 0 : late_ns) >
			   0) {
			pass_on(child, &info, stopped);
			note_cancelled(&late_ns, &info);
		} else if (!called && late_ns && errno == EAGAIN) {
			called = true;
			late->call(late->context);
		}
	}
}

int at_child_exit_code(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}
