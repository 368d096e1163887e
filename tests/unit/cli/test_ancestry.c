// SPDX-License-Identifier: Apache-2.0
#include "cli/ancestry.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Shells between us and a process are passed over: sh -> sh -> sleep. */
Test(cli_ancestry, the_runner_is_the_first_that_is_no_shell)
{
	int channel[2];
	char text[32] = "";
	unsigned int pid = 0;
	pid_t child;

	cr_assert_eq(pipe(channel), 0);
	child = fork();
	if (child == 0) {
		dup2(channel[1], 1);
		execl("/bin/sh", "sh", "-c",
		      "sh -c 'sleep 60 & echo $!; wait'; true", NULL);
		_exit(1);
	}
	cr_assert_gt(read(channel[0], text, sizeof(text) - 1), 0);
	cr_assert_eq(sscanf(text, "%u", &pid), 1);
	cr_expect_eq(at_runner_of(pid, true), (uint32_t)getpid());
	cr_expect_eq(at_runner_of(pid, false), (uint32_t)getpid());
	kill((pid_t)pid, SIGKILL);
	waitpid(child, NULL, 0);
}

Test(cli_ancestry, who_is_not_there_has_none)
{
	cr_expect_eq(at_runner_of(0x3fffff, true), 0);
	cr_expect_eq(at_runner_of(1, false), 0);
}
