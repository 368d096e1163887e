// SPDX-License-Identifier: Apache-2.0
/*
 * sandbox family: calls after which the process may do less. A thread of ours
 * would keep what the program believes it has dropped, so it ends first.
 */
#include <linux/prctl.h>

#include "hooks/hook.h"

#define SECCOMP_STRICT_ 0
#define SECCOMP_FILTER_ 1

bool hook_sandbox_begins(void)
{
	int error = errno;

	if (!hook_lifecycle || at_thread_hands_off())
		return false;
	hook_lifecycle->before_sandbox();
	errno = error;
	return true;
}

/* Without a filter it is the question whether the kernel knows filters. */
bool hook_filter_begins(bool strict, const void *filter)
{
	int error = errno;

	if ((!strict && !filter) || !hook_lifecycle || at_thread_hands_off())
		return false;
	hook_lifecycle->before_filter();
	errno = error;
	return true;
}

void hook_sandbox_ends(bool filtered)
{
	int error = errno;

	hook_lifecycle->after_sandbox(filtered);
	errno = error;
}

/* prctl(2); *filter says which of the two calls began. */
bool hook_prctl_begins(int option, unsigned long arg, unsigned long arg2,
		       bool *filter)
{
	*filter = option == PR_SET_SECCOMP;
	switch (option) {
	case PR_SET_SECCOMP:
		/* The modes have other numbers here: 1 and 2. */
		return hook_filter_begins(arg == 1, (const void *)arg2);
	case PR_SET_NO_NEW_PRIVS:
	case PR_CAPBSET_DROP:
	case PR_SET_SECUREBITS:
	case PR_CAP_AMBIENT:
		return hook_sandbox_begins();
	default:
		return false;
	}
}

/* seccomp(2): other operations only ask. */
bool hook_seccomp_begins(long operation, const void *filter)
{
	return (operation == SECCOMP_STRICT_ || operation == SECCOMP_FILTER_) &&
	       hook_filter_begins(operation == SECCOMP_STRICT_, filter);
}

int hook_prctl(int option, ...)
{
	va_list args;
	unsigned long arg[4];
	bool begun, filter;
	int i, result;

	va_start(args, option);
	for (i = 0; i < 4; i++)
		arg[i] = va_arg(args, unsigned long);
	va_end(args);
	begun = hook_prctl_begins(option, arg[0], arg[1], &filter);
	result = REAL(prctl)(option, arg[0], arg[1], arg[2], arg[3]);
	if (begun)
		hook_sandbox_ends(filter && result == 0);
	return result;
}
HOOK_EXPORT(prctl)

int hook_unshare(int flags)
{
	bool begun = hook_sandbox_begins();
	int result = REAL(unshare)(flags);

	if (begun && !result)
		at_process_moved((unsigned int)flags);
	if (begun)
		hook_sandbox_ends(false);
	return result;
}
HOOK_EXPORT(unshare)

int hook_setns(int fd, int type)
{
	bool begun = hook_sandbox_begins();
	int result = REAL(setns)(fd, type);

	if (begun && !result)
		at_process_moved((unsigned int)type);
	if (begun)
		hook_sandbox_ends(false);
	return result;
}
HOOK_EXPORT(setns)

int hook_capset(void *header, const void *data)
{
	bool begun = hook_sandbox_begins();
	int result = REAL(capset)(header, data);

	if (begun)
		hook_sandbox_ends(false);
	return result;
}
HOOK_EXPORT(capset)
