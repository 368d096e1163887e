// SPDX-License-Identifier: Apache-2.0
/* Runs the tests of one program under ThreadSanitizer, a child for each. */
#include "criterion/criterion.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct at_tsan_test *tests;

void at_tsan_register(struct at_tsan_test *test)
{
	test->next = tests;
	tests = test;
}

void at_tsan_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: Assertion Failed: %s\n", file, line, what);
	_exit(1);
}

/* exit, not _exit: the sanitizer turns the status of a racy test into 66. */
static void run_in_child(const struct at_tsan_test *test)
{
	alarm(test->timeout > 0 ? (unsigned int)test->timeout + 1 : 120);
	if (test->init)
		test->init();
	test->run();
	if (test->fini)
		test->fini();
	exit(0);
}

static bool passes(const struct at_tsan_test *test)
{
	int status = 0;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0)
		run_in_child(test);
	if (child < 0 || waitpid(child, &status, 0) != child)
		return false;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == test->signal;
	return WEXITSTATUS(status) == test->exit_code && !test->signal;
}

int main(void)
{
	int tested = 0, passing = 0;
	const struct at_tsan_test *test;

	for (test = tests; test; test = test->next) {
		if (test->disabled)
			continue;
		tested++;
		if (passes(test))
			passing++;
		else
			fprintf(stderr, "[FAIL] %s::%s\n", test->suite,
				test->name);
	}
	fprintf(stderr,
		"[====] Synthesis: Tested: %d | Passing: %d | Failing: %d\n",
		tested, passing, tested - passing);
	return tested != passing;
}
