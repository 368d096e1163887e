// SPDX-License-Identifier: Apache-2.0
#include "cli/sanitizer.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/image.h"

#define OPTION "verify_asan_link_order=0"

bool at_wants_asan_first(const char *command, const char *path)
{
	char found[PATH_MAX];
	struct at_image image;
	int error = -1;

	if (strchr(command, '/'))
		error = at_image_look(AT_FDCWD, command, &image);
	else if (path)
		error = at_image_find(command, path, found, sizeof(found),
				      &image);
	return !error && image.wants_asan_first;
}

/* Last, it wins over an earlier one. */
char *at_asan_options(const char *existing)
{
	char *value;

	if (asprintf(&value, "%s%s" OPTION, existing ? existing : "",
		     existing && *existing ? ":" : "") < 0)
		return NULL;
	return value;
}
