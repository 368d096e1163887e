// SPDX-License-Identifier: Apache-2.0
/*
 * process family: where an image ends.
 *
 * Nothing is done in a vfork child: it runs in its parent's memory.
 */
#include "core/sys.h"
#include "hooks/hook.h"

static void before_exec(void)
{
	int error = errno;

	if (hook_lifecycle && !at_thread_hands_off())
		hook_lifecycle->before_exec();
	errno = error;
}

static void before_exit(void)
{
	if (hook_lifecycle && !at_thread_hands_off())
		hook_lifecycle->before_exit();
}

int hook_execve(const char *path, char *const argv[], char *const envp[])
{
	before_exec();
	return REAL(execve)(path, argv, envp);
}
HOOK_EXPORT(execve)

int hook_execv(const char *path, char *const argv[])
{
	before_exec();
	return REAL(execv)(path, argv);
}
HOOK_EXPORT(execv)

int hook_execvp(const char *file, char *const argv[])
{
	before_exec();
	return REAL(execvp)(file, argv);
}
HOOK_EXPORT(execvp)

int hook_execvpe(const char *file, char *const argv[], char *const envp[])
{
	if (!HAVE_REAL(execvpe))
		return -1;
	before_exec();
	return REAL(execvpe)(file, argv, envp);
}
HOOK_EXPORT(execvpe)

int hook_fexecve(int fd, char *const argv[], char *const envp[])
{
	if (!HAVE_REAL(fexecve))
		return -1;
	before_exec();
	return REAL(fexecve)(fd, argv, envp);
}
HOOK_EXPORT(fexecve)

int hook_execveat(int dir, const char *path, char *const argv[],
		  char *const envp[], int flags)
{
	if (!HAVE_REAL(execveat))
		return -1;
	before_exec();
	return REAL(execveat)(dir, path, argv, envp, flags);
}
HOOK_EXPORT(execveat)

/*
 * execl and its kin: count the arguments, lay them out on the stack (exec
 * must work after vfork, so nothing is allocated), call the array form.
 */
static size_t count_args(va_list args)
{
	size_t count = 1;

	while (va_arg(args, char *))
		count++;
	return count;
}

static void fill_args(char **argv, const char *first, va_list args)
{
	*argv = (char *)(uintptr_t)first;
	while (*argv)
		*++argv = va_arg(args, char *);
}

#define WITH_ARGV(first, argv)                                           \
	va_list args;                                                    \
	char **argv;                                                     \
	va_start(args, first);                                           \
	argv = __builtin_alloca((count_args(args) + 1) * sizeof(*argv)); \
	va_end(args);                                                    \
	va_start(args, first);                                           \
	fill_args(argv, first, args)

int hook_execl(const char *path, const char *arg, ...)
{
	WITH_ARGV(arg, argv);
	va_end(args);
	return hook_execv(path, argv);
}
HOOK_EXPORT(execl)

int hook_execlp(const char *file, const char *arg, ...)
{
	WITH_ARGV(arg, argv);
	va_end(args);
	return hook_execvp(file, argv);
}
HOOK_EXPORT(execlp)

int hook_execle(const char *path, const char *arg, ...)
{
	char *const *envp;

	WITH_ARGV(arg, argv);
	envp = va_arg(args, char *const *);
	va_end(args);
	return hook_execve(path, argv, envp);
}
HOOK_EXPORT(execle)

void hook__exit(int status)
{
	before_exit();
	REAL(_exit)(status);
	__builtin_unreachable();
}
HOOK_EXPORT(_exit)

void hook__Exit(int status)
{
	before_exit();
	REAL(_Exit)(status);
	__builtin_unreachable();
}
HOOK_EXPORT(_Exit)

void hook_pthread_exit(void *result)
{
	if (hook_lifecycle && sys_gettid() == sys_getpid())
		hook_lifecycle->main_thread_ends();
	REAL(pthread_exit)(result);
	__builtin_unreachable();
}
HOOK_EXPORT(pthread_exit)

/* --- children --- */

pid_t hook_fork(void)
{
	int error = errno;

	if (hook_lifecycle && !at_thread_hands_off())
		hook_lifecycle->before_fork();
	errno = error;
	return REAL(fork)();
}
HOOK_EXPORT(fork)

static void after_fork(pid_t child)
{
	int error = errno;

	if (child == 0)
		hook_lifecycle->fork_child();
	else
		hook_lifecycle->fork_parent();
	errno = error;
}

/* fork without handlers, which are right for us all the same. */
pid_t hook__Fork(void)
{
	int error = errno;
	pid_t child;

	if (!HAVE_REAL(_Fork))
		return -1;
	if (!hook_lifecycle || at_thread_hands_off())
		return REAL(_Fork)();
	hook_lifecycle->fork_prepare();
	errno = error;
	child = REAL(_Fork)();
	after_fork(child);
	return child;
}
HOOK_EXPORT(_Fork)

/* The parent ends inside libc, where no hook of ours is passed. */
int hook_daemon(int nochdir, int noclose)
{
	before_exec();
	return REAL(daemon)(nochdir, noclose);
}
HOOK_EXPORT(daemon)

/*
 * A child that shares our memory must keep off, however long it lives; any
 * other one will be noticed by what it does.
 */
static void before_clone(unsigned long flags)
{
	int error = errno;

	if (!hook_lifecycle || at_thread_hands_off())
		return;
	if (flags & CLONE_VM)
		at_vfork_begin(!(flags & (CLONE_VFORK | CLONE_SETTLS)));
	else
		hook_lifecycle->before_raw_fork();
	errno = error;
}

int hook_clone(int (*function)(void *), void *stack, int flags, void *arg, ...)
{
	va_list args;
	void *more[3];
	int i;

	va_start(args, arg);
	for (i = 0; i < 3; i++)
		more[i] = va_arg(args, void *);
	va_end(args);
	before_clone((unsigned long)flags);
	return REAL(clone)(function, stack, flags, arg, more[0], more[1],
			   more[2]);
}
HOOK_EXPORT(clone)

/* For twice.S: marks the thread, answers where the real one is. */
__typeof__(vfork) *hook_vfork_prepare(void);
__typeof__(vfork) *hook_vfork_prepare(void)
{
	before_clone(CLONE_VM | CLONE_VFORK);
	return REAL(vfork);
}

/* Same, for syscall() with a call that returns twice; `first` is its first
 * argument. */
void *hook_syscall_prepare(long nr, unsigned long first);
void *hook_syscall_prepare(long nr, unsigned long first)
{
	if (nr == SYS_clone)
		before_clone(first);
	else if (nr == SYS_clone3 && first >= 4096)
		before_clone(*(const uint64_t *)first); /* flags come first */
#ifdef SYS_vfork
	else if (nr == SYS_vfork)
		before_clone(CLONE_VM | CLONE_VFORK);
	else if (nr == SYS_fork)
		before_clone(0);
#endif
	return (void *)(uintptr_t)REAL(syscall);
}

/* --- waiting for them, a sign of life: see at_tracer_resume() --- */

pid_t hook_wait(int *status)
{
	at_tracer_resume();
	return REAL(wait)(status);
}
HOOK_EXPORT(wait)

pid_t hook_waitpid(pid_t child, int *status, int options)
{
	at_tracer_resume();
	return REAL(waitpid)(child, status, options);
}
HOOK_EXPORT(waitpid)

int hook_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	at_tracer_resume();
	return REAL(waitid)(type, id, info, options);
}
HOOK_EXPORT(waitid)

pid_t hook_wait3(int *status, int options, struct rusage *usage)
{
	if (!HAVE_REAL(wait3))
		return -1;
	at_tracer_resume();
	return REAL(wait3)(status, options, usage);
}
HOOK_EXPORT(wait3)

pid_t hook_wait4(pid_t child, int *status, int options, struct rusage *usage)
{
	if (!HAVE_REAL(wait4))
		return -1;
	at_tracer_resume();
	return REAL(wait4)(child, status, options, usage);
}
HOOK_EXPORT(wait4)
