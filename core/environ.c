// SPDX-License-Identifier: Apache-2.0
#include "core/environ.h"

/* The value of "name=value", or NULL. */
static const char *value_of(const char *entry, const char *name)
{
	while (*name && *entry == *name) {
		entry++;
		name++;
	}
	return !*name && *entry == '=' ? entry + 1 : NULL;
}

struct at_text at_environ_get(char *const *environ, const char *name)
{
	for (; environ && *environ; environ++) {
		const char *value = value_of(*environ, name);

		if (value)
			return at_text_from(value);
	}
	return (struct at_text){ NULL, 0 };
}
