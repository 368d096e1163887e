// SPDX-License-Identifier: Apache-2.0
/*
 * Programs that crash, when AUTOTRACE_STACKS asks for it: where the
 * application leaves a deadly signal to the kernel, a handler of ours asks for
 * the stack to be read, and then lets the kernel do what it would have done.
 *
 * The application does not see it: who asks is told of SIG_DFL, who installs
 * a handler replaces ours, who takes it off gets ours again. Not asked for, all
 * of this is one branch.
 */
#include <signal.h>
#include <string.h>

#include "core/section.h"
#include "core/sys.h"
#include "hooks/hook.h"

/* For whom has none: a stack that is full cannot take a handler's frame. */
#define ALTERNATE_BYTES 65536

static const int watched[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

#define WATCHED_COUNT (sizeof(watched) / sizeof(watched[0]))

static _Atomic bool watching;
/* The default that ours stands for, with flags and mask as they were set. */
static struct sigaction defaults[WATCHED_COUNT];
static char alternate[ALTERNATE_BYTES] AT_LARGE;

static __typeof__(sigaction) *next_sigaction(void)
{
	return HOOK_NEXT(sigaction);
}

/* NULL: a signal that is none of our business. */
static struct sigaction *default_of(int number)
{
	size_t i;

	for (i = 0; i < WATCHED_COUNT; i++)
		if (watched[i] == number)
			return &defaults[i];
	return NULL;
}

static bool is_watched(int number)
{
	return atomic_load(&watching) && default_of(number);
}

/* --- the handler --- */

/*
 * The same signal again, now to the end: it is blocked until we return, and
 * then meets the registers of the crash. The core is what it would have been.
 */
static void on_crash(int number, siginfo_t *info, void *context)
{
	int saved = errno;

	at_crash_report(number, info, context);
	next_sigaction()(number, default_of(number), NULL);
	sys_call4(SYS_rt_tgsigqueueinfo, sys_getpid(), sys_gettid(), number,
		  info);
	errno = saved;
}

static bool is_default(const struct sigaction *action)
{
	return !(action->sa_flags & SA_SIGINFO) &&
	       action->sa_handler == SIG_DFL;
}

/* In the place of the default, and of nothing else. */
static void install(int number)
{
	struct sigaction action, now;

	if (next_sigaction()(number, NULL, &now) || !is_default(&now))
		return;
	*default_of(number) = now;
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_crash;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	memset(&action.sa_mask, 0xff, sizeof(action.sa_mask));
	next_sigaction()(number, &action, NULL);
}

static void install_stack(void)
{
	const stack_t ours = {
		.ss_sp = alternate,
		.ss_size = sizeof(alternate),
	};
	stack_t now;

	if (!sys_sigaltstack(&now) && (now.ss_flags & SS_DISABLE))
		HOOK_NEXT(sigaltstack)(&ours, NULL);
}

void hook_watch_crashes(void)
{
	size_t i;

	if (!next_sigaction() || !HOOK_NEXT(sigaltstack))
		return;
	install_stack();
	for (i = 0; i < WATCHED_COUNT; i++)
		install(watched[i]);
	atomic_store(&watching, true);
}

/* --- what the application sees --- */

static void hide(int number, struct sigaction *old)
{
	if ((old->sa_flags & SA_SIGINFO) && old->sa_sigaction == on_crash)
		*old = *default_of(number);
}

static int change(__typeof__(sigaction) *next, int number,
		  const struct sigaction *action, struct sigaction *old)
{
	struct sigaction before;
	int result = next(number, action, &before);

	if (result)
		return result;
	if (action && is_default(action))
		install(number);
	if (old) {
		hide(number, &before);
		*old = before;
	}
	return 0;
}

int hook_sigaction(int number, const struct sigaction *action,
		   struct sigaction *old)
{
	if (is_watched(number))
		return change(next_sigaction(), number, action, old);
	return next_sigaction()(number, action, old);
}
HOOK_EXPORT(sigaction)

int hook___sigaction(int number, const struct sigaction *action,
		     struct sigaction *old)
{
	if (is_watched(number))
		return change(HOOK_NEXT(__sigaction), number, action, old);
	return HOOK_NEXT(__sigaction)(number, action, old);
}
HOOK_EXPORT(__sigaction)

/* What the older functions give back, and leave behind. */
static sighandler_t changed(int number, sighandler_t handler, sighandler_t old)
{
	if (old == SIG_ERR || !is_watched(number))
		return old;
	if (handler == SIG_DFL)
		install(number);
	return old == (sighandler_t)(uintptr_t)on_crash ? SIG_DFL : old;
}

#define OLDER(symbol)                                                \
	sighandler_t hook_##symbol(int number, sighandler_t handler) \
	{                                                            \
		return changed(number, handler,                      \
			       HOOK_NEXT(symbol)(number, handler));  \
	}                                                            \
	HOOK_EXPORT(symbol)

OLDER(signal)
OLDER(ssignal)
OLDER(bsd_signal)
OLDER(sysv_signal)
OLDER(__sysv_signal)
OLDER(sigset)

int hook_sigaltstack(const stack_t *stack, stack_t *old)
{
	int result = HOOK_NEXT(sigaltstack)(stack, old);

	if (!result && old && old->ss_sp == alternate)
		*old = (stack_t){ .ss_flags = SS_DISABLE };
	return result;
}
HOOK_EXPORT(sigaltstack)
