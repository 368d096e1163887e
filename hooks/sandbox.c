// SPDX-License-Identifier: Apache-2.0
/*
 * sandbox family: calls after which the process may do less. A thread of ours
 * would keep what the program believes it has dropped, so it ends first.
 */
#include <linux/prctl.h>

#include "hooks/hook.h"

static void before_sandbox(void)
{
	int error = errno;

	if (hook_lifecycle && !at_thread_hands_off())
		hook_lifecycle->before_sandbox();
	errno = error;
}

static bool drops_privileges(int option)
{
	return option == PR_SET_NO_NEW_PRIVS || option == PR_SET_SECCOMP ||
	       option == PR_CAPBSET_DROP || option == PR_SET_SECUREBITS;
}

int hook_prctl(int option, ...)
{
	va_list args;
	unsigned long arg[4];
	int i;

	va_start(args, option);
	for (i = 0; i < 4; i++)
		arg[i] = va_arg(args, unsigned long);
	va_end(args);
	if (drops_privileges(option))
		before_sandbox();
	return REAL(prctl)(option, arg[0], arg[1], arg[2], arg[3]);
}
HOOK_EXPORT(prctl)

int hook_unshare(int flags)
{
	before_sandbox();
	return REAL(unshare)(flags);
}
HOOK_EXPORT(unshare)

int hook_setns(int fd, int type)
{
	before_sandbox();
	return REAL(setns)(fd, type);
}
HOOK_EXPORT(setns)

int hook_capset(void *header, const void *data)
{
	before_sandbox();
	return REAL(capset)(header, data);
}
HOOK_EXPORT(capset)
