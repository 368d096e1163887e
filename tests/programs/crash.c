// SPDX-License-Identifier: Apache-2.0
/*
 * Crashes in every way, and looks at its signals before: what it prints must
 * be the same with and without a tracer.
 *
 *	crash segv|bus|ill|fpe|abort|raise|overflow
 *	crash handler    its own handler ends the process
 *	crash restored   its own handler puts back what was, and returns
 *	crash default    takes its handler off again, then crashes
 *	crash siglongjmp survives by its handler
 *	crash ignored    SIGABRT is not for it
 *	crash thread     in another thread
 *	crash forked     in a forked child; the parent prints how it ended
 *	crash stack      looks for an alternate stack
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sigaction before;
static sigjmp_buf back;

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(99);
}

static void look(const char *when)
{
	static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE,
				       SIGABRT };
	struct sigaction action;
	stack_t stack;
	size_t i;

	for (i = 0; i < 5; i++) {
		sigaction(numbers[i], NULL, &action);
		printf("%s %d: %s flags %x\n", when, numbers[i],
		       action.sa_handler == SIG_DFL ? "default" :
		       action.sa_handler == SIG_IGN ? "ignored" :
						      "handler",
		       (unsigned int)action.sa_flags);
	}
	sigaltstack(NULL, &stack);
	printf("%s stack: %d %zu\n", when, stack.ss_flags, stack.ss_size);
	fflush(stdout);
}

__attribute__((noinline)) int crash_here(volatile int *at)
{
	return *at + 1;
}

int crash_by_depth(volatile char *from);

/* The compiler is not to see that it never ends. */
static int (*volatile depth)(volatile char *) = crash_by_depth;

__attribute__((noinline)) int crash_by_depth(volatile char *from)
{
	volatile char room[1024];

	room[0] = *from;
	return depth(room) + room[0];
}

static void own_handler(int number)
{
	(void)number;
	say("own handler\n");
	_exit(42);
}

static void restoring_handler(int number)
{
	say("restoring\n");
	sigaction(number, &before, NULL);
}

static void jumping_handler(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static void install(void (*handler)(int))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	sigaction(SIGSEGV, &action, &before);
}

static void *in_thread(void *context)
{
	(void)context;
	crash_here((int *)16);
	return NULL;
}

static void crash_in_thread(void)
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, in_thread, NULL))
		pthread_join(thread, NULL);
}

static void crash_beyond_file(void)
{
	char path[] = "/tmp/crash.XXXXXX";
	int fd = mkstemp(path);
	int *at;

	unlink(path);
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	crash_here(at);
}

static void crash_forked(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		crash_here((int *)16);
	waitpid(pid, &status, 0);
	printf("child: signal %d\n", WTERMSIG(status));
}

static void crash_after_handlers(void)
{
	install(own_handler);
	look("with");
	signal(SIGSEGV, SIG_DFL);
	look("without");
	if (signal(SIGSEGV, own_handler) != SIG_DFL ||
	    signal(SIGSEGV, SIG_DFL) != own_handler)
		say("not what was\n");
	crash_here((int *)16);
}

static void use_stack(void)
{
	static char room[65536];
	stack_t stack = { .ss_sp = room, .ss_size = sizeof(room) }, old;

	sigaltstack(&stack, &old);
	printf("before: %d %zu\n", old.ss_flags, old.ss_size);
	look("with");
}

static volatile int zero;

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	look("at first");
	if (!strcmp(how, "segv"))
		return crash_here((int *)16) + 1;
	if (!strcmp(how, "bus"))
		crash_beyond_file();
	if (!strcmp(how, "ill"))
		__builtin_trap();
	if (!strcmp(how, "fpe"))
		return argc / zero;
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "raise"))
		raise(SIGSEGV);
	if (!strcmp(how, "overflow"))
		return depth("x");
	if (!strcmp(how, "handler")) {
		install(own_handler);
		crash_here((int *)16);
	}
	if (!strcmp(how, "restored")) {
		install(restoring_handler);
		crash_here((int *)16);
	}
	if (!strcmp(how, "default"))
		crash_after_handlers();
	if (!strcmp(how, "siglongjmp")) {
		install(jumping_handler);
		if (!sigsetjmp(back, 1))
			crash_here((int *)16);
		say("survived\n");
	}
	if (!strcmp(how, "ignored")) {
		signal(SIGABRT, SIG_IGN);
		raise(SIGABRT);
		look("ignoring");
	}
	if (!strcmp(how, "thread"))
		crash_in_thread();
	if (!strcmp(how, "forked"))
		crash_forked();
	if (!strcmp(how, "stack"))
		use_stack();
	return 7;
}
