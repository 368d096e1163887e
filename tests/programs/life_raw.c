// SPDX-License-Identifier: Apache-2.0
/*
 * Children that no fork handler announces, and children that share memory.
 * The parent has a kept connection with an answer outstanding and one that is
 * idle; both are used again afterwards.
 *
 * life_raw HOW PORT
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/programs/http.h"

pid_t _Fork(void);
extern char **environ;

static int port, idle, asked, other;
static _Alignas(16) char stack[256 * 1024];

/* --- children with memory of their own: they make requests --- */

static void live(void)
{
	alarm(20);
	http_get(port, "/ok?who=child");
	http_get_on(idle, "/ok?who=child&kept");
	http_get(port, "/ok?who=child&last");
}

static int live_and_return(void *unused)
{
	(void)unused;
	live();
	_exit(0);
}

static pid_t fork_call(void)
{
	return (pid_t)syscall(SYS_fork);
}

static pid_t clone_call(void)
{
	return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static pid_t forked(pid_t (*how)(void))
{
	pid_t pid = how();

	if (pid == 0)
		live_and_return(NULL);
	return pid;
}

/* --- children in their parent's memory: they spoil what they can --- */

static void spoil(void)
{
	close(asked);
	dup2(other, idle);
	close(other);
	fcntl(idle, F_DUPFD, 0);
	close_range(3, ~0u, 0);
}

static int spoil_and_leave(void *unused)
{
	(void)unused;
	spoil();
	_exit(0);
}

static int spoil_and_fail_to_exec(void *unused)
{
	static char *const argv[] = { (char *)"x", NULL };

	(void)unused;
	spoil();
	execv("/nonexistent/x", argv);
	_exit(errno == ENOENT ? 0 : 7);
}

static int exec_true(void *unused)
{
	(void)unused;
	spoil();
	execlp("true", "true", (char *)NULL);
	_exit(8);
}

static pid_t vforked(int (*child)(void *))
{
	pid_t pid = vfork();

	if (pid == 0)
		child(NULL);
	return pid;
}

/*
 * syscall() returns in the child first and would find its return address gone
 * when it returns in the parent: the child leaves that stack at once.
 */
static pid_t call_of_two(long nr, unsigned long flags)
{
	long pid = syscall(nr, flags, 0, 0, 0, 0);

	if (pid == 0)
		__asm__ volatile("movq %0, %%rsp\n\tcall *%1"
				 :
				 : "r"(stack + sizeof(stack)),
				   "r"(spoil_and_leave), "D"(NULL)
				 : "memory");
	return (pid_t)pid;
}

static pid_t spawned(void)
{
	static char *const argv[] = { (char *)"true", NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addclose(&actions, asked);
	posix_spawn_file_actions_adddup2(&actions, other, idle);
	if (posix_spawnp(&pid, "true", &actions, NULL, argv, environ))
		return -1;
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static pid_t start(const char *how)
{
	if (!strcmp(how, "fork"))
		return forked(fork);
	if (!strcmp(how, "_Fork"))
		return forked(_Fork);
	if (!strcmp(how, "fork-call"))
		return forked(fork_call);
	if (!strcmp(how, "clone-call"))
		return forked(clone_call);
	if (!strcmp(how, "clone"))
		return clone(live_and_return, stack + sizeof(stack), SIGCHLD,
			     NULL);
	if (!strcmp(how, "vfork"))
		return vforked(spoil_and_leave);
	if (!strcmp(how, "vfork-exec-fails"))
		return vforked(spoil_and_fail_to_exec);
	if (!strcmp(how, "vfork-exec"))
		return vforked(exec_true);
	if (!strcmp(how, "spawn"))
		return spawned();
	if (!strcmp(how, "vfork-call"))
		return call_of_two(SYS_vfork, 0);
	if (!strcmp(how, "clone-vfork-call"))
		return call_of_two(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD);
	if (!strcmp(how, "clone-vfork"))
		return clone(spoil_and_leave, stack + sizeof(stack),
			     CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
	if (!strcmp(how, "clone-beside"))
		return clone(spoil_and_leave, stack + sizeof(stack),
			     CLONE_VM | SIGCHLD, NULL);
	return -1;
}

int main(int argc, char **argv)
{
	int status = -1;
	pid_t pid;

	http_need(argc == 3, "usage");
	port = atoi(argv[2]);
	idle = http_open(port);
	http_get_on(idle, "/ok?who=parent");
	other = http_open(port);
	asked = http_open(port);
	http_ask(asked, "/ok?who=parent&asked");
	pid = start(argv[1]);
	http_need(pid > 0, argv[1]);
	/* Also before the child has ended, where it runs beside us. */
	http_get(port, "/ok?who=parent&meanwhile");
	http_need(waitpid(pid, &status, 0) == pid, "waitpid");
	printf("status %d\n", status);
	http_need(http_answer(asked) == 200, "answer");
	http_get_on(asked, "/ok?who=parent&again");
	http_get_on(idle, "/ok?who=parent&kept");
	http_get_on(other, "/ok?who=parent&other");
	printf("next descriptor: %d\n", dup(0));
	return 0;
}
