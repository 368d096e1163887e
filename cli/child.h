// SPDX-License-Identifier: Apache-2.0
/*
 * The command as a child: same process group, same terminal, same descriptors,
 * signal mask and dispositions as this program was started with.
 *
 * What the terminal sends reaches it without us. What is sent to us alone is
 * passed on; a stop of the child from the terminal stops us as well, so that
 * the shell sees its job stopped.
 */
#ifndef AT_CLI_CHILD_H
#define AT_CLI_CHILD_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

struct at_child {
	pid_t pid;
	/* as they were at start, for the child */
	sigset_t mask;
	struct sigaction on_child;
	struct sigaction on_pipe;
	/* Called in the child, about to become the command; NULL: nothing. */
	void (*becoming)(void *context);
	void *context;
};

/*
 * From now on signals wait for at_child_wait() and a closed pipe is an error
 * only. Before any thread is made, once.
 */
void at_child_prepare(struct at_child *child);

/*
 * Start the command (argv[0] is looked up in PATH). `plain` is the environment
 * used where `environment` is too long for the kernel. 0, or negative errno:
 * nothing was started (-ENOENT: no such command).
 */
int at_child_start(struct at_child *child, char **argv, char **environment,
		   char **plain);

/*
 * What is done when the command still runs LATE_MS after it was told to end
 * (SIGINT, SIGTERM): whoever cancels a job does not wait for long.
 */
#define AT_CHILD_LATE_MS 700
struct at_child_late {
	void (*call)(void *context); /* once */
	void *context;
};

/*
 * Wait for its end, passing signals on. A wait status; what it used in *usage.
 * `late` and `usage` may be NULL.
 */
int at_child_wait(const struct at_child *child,
		  const struct at_child_late *late, struct rusage *usage);

/* Exit status as a shell would give it. */
int at_child_exit_code(int wait_status);

#endif
