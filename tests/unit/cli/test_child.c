// SPDX-License-Identifier: Apache-2.0
#include "cli/child.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const no_environment[] = { NULL };

static int start(struct at_child *child, char **argv)
{
	at_child_prepare(child);
	return at_child_start(child, argv, environ, environ);
}

/* As it was, for the next one: a program prepares only once. */
static int finish(const struct at_child *child)
{
	int status = at_child_wait(child, NULL, NULL);

	sigaction(SIGCHLD, &child->on_child, NULL);
	sigaction(SIGPIPE, &child->on_pipe, NULL);
	sigprocmask(SIG_SETMASK, &child->mask, NULL);
	return status;
}

static int run(char **argv)
{
	struct at_child child;

	cr_assert_eq(start(&child, argv), 0);
	return finish(&child);
}

#define ARGV(...) ((char *[]){ __VA_ARGS__, NULL })
#define SH(script) ARGV((char *)"sh", (char *)"-c", (char *)(script))

Test(cli_child, the_exit_status_is_the_commands)
{
	cr_expect_eq(at_child_exit_code(run(SH("exit 0"))), 0);
	cr_expect_eq(at_child_exit_code(run(SH("exit 42"))), 42);
	cr_expect_eq(at_child_exit_code(run(SH("kill -9 $$"))), 137);
	cr_expect_eq(at_child_exit_code(run(SH("kill -15 $$"))), 143);
}

Test(cli_child, what_cannot_be_started_says_why)
{
	struct at_child child;

	cr_expect_eq(start(&child, ARGV((char *)"no-such-command")), -ENOENT);
	cr_expect_eq(start(&child, ARGV((char *)"/etc/passwd")), -EACCES);
	cr_expect_eq(start(&child, ARGV((char *)"/etc/passwd/x")), -ENOTDIR);
	/* Nobody is left behind to be waited for. */
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
	cr_expect_eq(errno, ECHILD);
}

Test(cli_child, a_script_without_interpreter_is_run_by_the_shell)
{
	char path[] = "/tmp/at-script.XXXXXX";
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "exit 7\n", 7), 7);
	fchmod(fd, 0700);
	close(fd);
	cr_expect_eq(at_child_exit_code(run(ARGV(path))), 7);
	unlink(path);
}

/* One word longer than the kernel takes; the plain environment fits. */
Test(cli_child, an_environment_too_long_gives_way_to_the_plain_one)
{
	static char word[200000] = "X=";
	char *const longer[] = { word, NULL };
	struct at_child child;

	memset(word + 2, 'x', sizeof(word) - 3);
	at_child_prepare(&child);
	cr_assert_eq(at_child_start(&child, SH("test -z \"$X\""),
				    (char **)longer, (char **)no_environment),
		     0);
	cr_expect_eq(at_child_exit_code(at_child_wait(&child, NULL, NULL)), 0);
}

/* Without a shell, which has its own idea of SIGCHLD. */
#define STATUS_HAS(pattern)                                   \
	ARGV((char *)"grep", (char *)"-q", (char *)(pattern), \
	     (char *)"/proc/self/status")

Test(cli_child, mask_and_dispositions_are_those_of_the_start)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t set;

	sigaction(SIGCHLD, &ignore, NULL);
	sigaction(SIGHUP, &ignore, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGPIPE, &standard, NULL);
	/* The digits with SIGUSR1; with SIGCHLD, SIGPIPE and SIGHUP. */
	cr_expect_eq(run(STATUS_HAS("SigBlk:.*[2367abef]..$")), 0);
	cr_expect_eq(
		run(STATUS_HAS("SigIgn:.*[13579bdf][02468ace]..[13579bdf]$")),
		0);
}

Test(cli_child, it_inherits_no_descriptor_of_ours)
{
	int ours = memfd_create("ours", MFD_CLOEXEC);

	cr_assert_geq(ours, 0);
	cr_expect_eq(at_child_exit_code(
			     run(SH("for f in /proc/self/fd/*; do "
				    "case $(readlink $f) in *memfd:ours*) "
				    "exit 1;; esac; done"))),
		     0);
}

Test(cli_child, a_signal_sent_to_us_is_passed_on)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2,
				       SIGINT };
	struct at_child child;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		cr_assert_eq(start(&child, ARGV((char *)"sleep", (char *)"60")),
			     0);
		kill(getpid(), signals[i]);
		cr_expect_eq(at_child_exit_code(finish(&child)),
			     128 + signals[i]);
	}
}

/* SIGSTOP came from somebody who continues that process alone. */
Test(cli_child, a_child_stopped_by_itself_is_waited_for)
{
	cr_expect_eq(at_child_exit_code(run(SH(
			     "(until grep -q '^State:.T' /proc/$$/status; do "
			     ":; done; kill -CONT $$) & "
			     "kill -STOP $$; exit 5"))),
		     5);
}
