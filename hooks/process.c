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

void hook_quick_exit(int status)
{
	before_exit();
	if (REAL(quick_exit))
		REAL(quick_exit)(status);
	REAL(_exit)(status);
	__builtin_unreachable();
}
HOOK_EXPORT(quick_exit)

void hook_pthread_exit(void *result)
{
	if (hook_lifecycle && sys_gettid() == sys_getpid())
		hook_lifecycle->main_thread_ends();
	REAL(pthread_exit)(result);
	__builtin_unreachable();
}
HOOK_EXPORT(pthread_exit)

/* For vfork.S: marks the thread, answers where the real one is. */
__typeof__(vfork) *hook_vfork_prepare(void);
__typeof__(vfork) *hook_vfork_prepare(void)
{
	at_vfork_begin();
	return REAL(vfork);
}
