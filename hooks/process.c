// SPDX-License-Identifier: Apache-2.0
/*
 * process family: where an image ends.
 *
 * Nothing is done in a vfork child: it runs in its parent's memory.
 */
#include "core/environ.h"
#include "core/sys.h"
#include "hooks/hook.h"

static void before_exec(void)
{
	int error = errno;

	if (hook_lifecycle && !at_thread_hands_off())
		hook_lifecycle->before_exec();
	errno = error;
}

static void before_exit(int status)
{
	if (hook_lifecycle && !at_thread_hands_off())
		hook_lifecycle->before_exit(status);
}

enum way { BY_EXECVE, BY_EXECVPE, BY_FEXECVE, BY_EXECVEAT };

static int call_exec(enum way way, const struct at_exec *exec, int flags,
		     char *const *envp)
{
	switch (way) {
	case BY_EXECVE:
		return REAL(execve)(exec->path, exec->argv, envp);
	case BY_EXECVPE:
		return REAL(execvpe)(exec->path, exec->argv, envp);
	case BY_FEXECVE:
		return REAL(fexecve)(exec->dir, exec->argv, envp);
	case BY_EXECVEAT:
		break;
	}
	return REAL(execveat)(exec->dir, exec->path, exec->argv, envp, flags);
}

/*
 * With our block of the environment, which is on the stack: exec must work
 * after vfork. Where it is what makes it too long, the application's own.
 */
static int hook_exec(enum way way, struct at_exec *exec, int flags)
{
	int error = errno, result;
	size_t size = hook_lifecycle ? at_exec_room(exec) : 0;
	char *const *envp = exec->envp;

	if (size)
		envp = at_exec_block(exec, __builtin_alloca(size), size);
	if (!exec->error) {
		before_exec();
		at_exec_begins(exec);
	}
	errno = error;
	result = call_exec(way, exec, flags, envp);
	if (errno == E2BIG && envp != exec->envp)
		result = call_exec(way, exec, flags, exec->envp);
	error = errno;
	if (!exec->error)
		at_exec_failed(exec);
	errno = error;
	return result;
}

#define EXEC(...) ((struct at_exec){ .dir = AT_FDCWD, __VA_ARGS__ })

int hook_execve(const char *path, char *const argv[], char *const envp[])
{
	struct at_exec exec = EXEC(.path = path, .argv = argv, .envp = envp);

	return hook_exec(BY_EXECVE, &exec, 0);
}
HOOK_EXPORT(execve)

int hook_execv(const char *path, char *const argv[])
{
	return hook_execve(path, argv, environ);
}
HOOK_EXPORT(execv)

static const char *search_path(void)
{
	return at_environ_get(environ, "PATH").ptr;
}

int hook_execvpe(const char *file, char *const argv[], char *const envp[])
{
	struct at_exec exec = EXEC(.path = file, .argv = argv, .envp = envp,
				   .search = true,
				   .search_path = search_path());

	if (!HAVE_REAL(execvpe))
		return -1;
	return hook_exec(BY_EXECVPE, &exec, 0);
}
HOOK_EXPORT(execvpe)

int hook_execvp(const char *file, char *const argv[])
{
	if (REAL(execvpe))
		return hook_execvpe(file, argv, environ);
	before_exec();
	return REAL(execvp)(file, argv);
}
HOOK_EXPORT(execvp)

int hook_fexecve(int fd, char *const argv[], char *const envp[])
{
	struct at_exec exec = {
		.dir = fd, .fd_only = true, .argv = argv, .envp = envp
	};

	if (!HAVE_REAL(fexecve))
		return -1;
	return hook_exec(BY_FEXECVE, &exec, 0);
}
HOOK_EXPORT(fexecve)

int hook_execveat(int dir, const char *path, char *const argv[],
		  char *const envp[], int flags)
{
	struct at_exec exec = { .dir = dir,
				.path = path,
				.fd_only = !*path && (flags & AT_EMPTY_PATH),
				.argv = argv,
				.envp = envp };

	if (!HAVE_REAL(execveat))
		return -1;
	return hook_exec(BY_EXECVEAT, &exec, flags);
}
HOOK_EXPORT(execveat)

/* --- posix_spawn: libc's own child execs where no hook is passed --- */

static int hook_spawn(__typeof__(posix_spawn) *real, struct at_exec *exec,
		      pid_t *pid, const posix_spawn_file_actions_t *actions,
		      const posix_spawnattr_t *attributes, char *const *argv)
{
	int saved = errno, error;
	size_t size = hook_lifecycle ? at_exec_room(exec) : 0;
	char *const *envp = exec->envp;
	pid_t child;

	if (size)
		envp = at_exec_block(exec, __builtin_alloca(size), size);
	errno = saved;
	error = real(&child, exec->path, actions, attributes, argv,
		     (char *const *)envp);
	if (error == E2BIG && envp != exec->envp)
		error = real(&child, exec->path, actions, attributes, argv,
			     exec->envp);
	if (error)
		return error;
	if (pid)
		*pid = child;
	saved = errno;
	if (!exec->error)
		at_exec_spawned(exec, child);
	errno = saved;
	return 0;
}

int hook_posix_spawn(pid_t *pid, const char *path,
		     const posix_spawn_file_actions_t *actions,
		     const posix_spawnattr_t *attributes, char *const argv[],
		     char *const envp[])
{
	struct at_exec exec = EXEC(.path = path, .argv = argv, .envp = envp);

	return hook_spawn(REAL(posix_spawn), &exec, pid, actions, attributes,
			  argv);
}
HOOK_EXPORT(posix_spawn)

int hook_posix_spawnp(pid_t *pid, const char *file,
		      const posix_spawn_file_actions_t *actions,
		      const posix_spawnattr_t *attributes, char *const argv[],
		      char *const envp[])
{
	struct at_exec exec = EXEC(.path = file, .argv = argv, .envp = envp,
				   .search = true,
				   .search_path = search_path());

	return hook_spawn(REAL(posix_spawnp), &exec, pid, actions, attributes,
			  argv);
}
HOOK_EXPORT(posix_spawnp)

/* Theirs neither: the child asks the hub for us. */

int hook_system(const char *command)
{
	at_process_enter();
	return REAL(system)(command);
}
HOOK_EXPORT(system)

FILE *hook_popen(const char *command, const char *mode)
{
	at_process_enter();
	return REAL(popen)(command, mode);
}
HOOK_EXPORT(popen)

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
	before_exit(status);
	REAL(_exit)(status);
	__builtin_unreachable();
}
HOOK_EXPORT(_exit)

void hook__Exit(int status)
{
	before_exit(status);
	REAL(_Exit)(status);
	__builtin_unreachable();
}
HOOK_EXPORT(_Exit)

/* Its handlers come first, and end here: they are not told the status. */
void hook_quick_exit(int status)
{
	if (hook_lifecycle)
		hook_lifecycle->quick_status(status);
	REAL(quick_exit)(status);
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

/*
 * --- waiting for them ---
 *
 * A sign of life: see at_tracer_resume(). And whoever keeps books of the tree
 * hears how children ended that could not say so themselves.
 */

/* libc's waitpid and wait are this call. */
static pid_t wait_and_tell(pid_t child, int *status, int options,
			   struct rusage *usage)
{
	struct rusage own_usage;
	int own_status;
	pid_t pid;

	status = status ? status : &own_status;
	usage = usage ? usage : &own_usage;
	pid = hook_real.wait4(child, status, options, usage);
	if (pid > 0)
		at_process_reaped(pid, *status, usage);
	return pid;
}

static bool listens(void)
{
	at_tracer_resume();
	return at_process_listens() && REAL(wait4);
}

pid_t hook_wait(int *status)
{
	if (listens())
		return wait_and_tell(-1, status, 0, NULL);
	return REAL(wait)(status);
}
HOOK_EXPORT(wait)

pid_t hook_waitpid(pid_t child, int *status, int options)
{
	if (listens())
		return wait_and_tell(child, status, options, NULL);
	return REAL(waitpid)(child, status, options);
}
HOOK_EXPORT(waitpid)

int hook_waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
	bool ours = listens() && info && !(options & WNOWAIT);
	int result = REAL(waitid)(type, id, info, options);

	if (!result && ours && info->si_pid) {
		if (info->si_code == CLD_EXITED)
			at_process_reaped(info->si_pid,
					  W_EXITCODE(info->si_status, 0), NULL);
		else if (info->si_code == CLD_KILLED ||
			 info->si_code == CLD_DUMPED)
			at_process_reaped(info->si_pid, info->si_status, NULL);
	}
	return result;
}
HOOK_EXPORT(waitid)

pid_t hook_wait3(int *status, int options, struct rusage *usage)
{
	if (!HAVE_REAL(wait3))
		return -1;
	if (listens())
		return wait_and_tell(-1, status, options, usage);
	return REAL(wait3)(status, options, usage);
}
HOOK_EXPORT(wait3)

pid_t hook_wait4(pid_t child, int *status, int options, struct rusage *usage)
{
	if (!HAVE_REAL(wait4))
		return -1;
	if (listens())
		return wait_and_tell(child, status, options, usage);
	return REAL(wait4)(child, status, options, usage);
}
HOOK_EXPORT(wait4)
