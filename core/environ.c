// SPDX-License-Identifier: Apache-2.0
#include "core/environ.h"

#include <string.h>

struct at_text at_environ_get(char *const *environ, const char *name)
{
	size_t len = strlen(name);

	for (; environ && *environ; environ++) {
		const char *entry = *environ;

		/* strncmp stops at the entry's own end. */
		if (entry[0] == name[0] && !strncmp(entry, name, len) &&
		    entry[len] == '=')
			return at_text_from(entry + len + 1);
	}
	return (struct at_text){ NULL, 0 };
}
