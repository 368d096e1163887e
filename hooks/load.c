// SPDX-License-Identifier: Apache-2.0
/* load family: libraries that come and go. */
#include "hooks/hook.h"
#include "hooks/late.h"

/* Whose functions they were may be somebody else's memory by now. */
int hook_dlclose(void *handle)
{
	int result, error;

	if (!HAVE_REAL(dlclose))
		return -1;
	result = REAL(dlclose)(handle);
	error = errno;
	late_forget(&late_openssl);
	late_forget(&late_gnutls);
	errno = error;
	return result;
}
HOOK_EXPORT(dlclose)
