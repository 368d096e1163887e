// SPDX-License-Identifier: Apache-2.0
#include "cli/verdict.h"

#include <string.h>

bool at_crashed(const struct at_shown *span)
{
	static const char *const asked[] = { "SIGPIPE", "SIGTERM", "SIGINT",
					     "SIGHUP" };
	size_t i;

	if (!span->process || strncmp(span->error_type, "SIG", 3) != 0)
		return false;
	for (i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (!strcmp(span->error_type, asked[i]))
			return false;
	return true;
}

bool at_http_failed(const struct at_shown *span)
{
	return span->http && (span->failed || span->status_code >= 400);
}
