// SPDX-License-Identifier: Apache-2.0
/* resolve family: names that became addresses, or did not. */
#include "hooks/hook.h"

int hook_getaddrinfo(const char *node, const char *service,
		     const struct addrinfo *hints, struct addrinfo **list)
{
	int result, error;

	at_connect_begins();
	result = REAL(getaddrinfo)(node, service, hints, list);
	error = errno;
	if (node && result == 0)
		at_resolved(node, *list);
	else if (node)
		at_resolve_failed(node, service, hints, result);
	errno = error;
	return result;
}
HOOK_EXPORT(getaddrinfo)
