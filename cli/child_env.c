// SPDX-License-Identifier: Apache-2.0
#include "cli/child_env.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libautotrace.so"

static bool is_entry_of(const char *entry, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(entry, name, len) && entry[len] == '=';
}

static bool is_changed(const char *entry, const struct at_env_change *changes,
		       size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (is_entry_of(entry, changes[i].name))
			return true;
	return false;
}

char **at_environment_with(char *const *environment,
			   const struct at_env_change *changes,
			   size_t change_count)
{
	size_t i, count = 0, bytes = 0;
	char **block, **slot;
	char *text;

	while (environment[count])
		count++;
	for (i = 0; i < change_count; i++)
		if (changes[i].value)
			bytes += strlen(changes[i].name) +
				 strlen(changes[i].value) + 2;
	count += change_count + 1;
	block = malloc(count * sizeof(*block) + bytes);
	if (!block)
		return NULL;
	slot = block;
	for (; *environment; environment++)
		if (!is_changed(*environment, changes, change_count))
			*slot++ = *environment;
	text = (char *)(block + count);
	for (i = 0; i < change_count; i++) {
		if (!changes[i].value)
			continue;
		*slot++ = text;
		text += sprintf(text, "%s=%s", changes[i].name,
				changes[i].value) +
			1;
	}
	*slot = NULL;
	return block;
}

/* ld.so takes blanks and colons for separators. */
static bool is_listed(const char *list, const char *library)
{
	size_t len = strlen(library);

	for (; *list; list += *list != 0) {
		size_t item = strcspn(list, " :");

		if (item == len && !memcmp(list, library, len))
			return true;
		list += item;
	}
	return false;
}

char *at_preload_with(const char *existing, const char *library)
{
	char *value;

	if (!existing || !*existing)
		return strdup(library);
	if (is_listed(existing, library))
		return strdup(existing);
	return asprintf(&value, "%s:%s", existing, library) < 0 ? NULL : value;
}

char *at_preload_without(const char *existing, const char *library)
{
	size_t len = strlen(library);
	char *value, *end;

	if (!existing)
		return NULL;
	end = value = malloc(strlen(existing) + 1);
	if (!value)
		return NULL;
	while (*existing) {
		size_t item = strcspn(existing, " :");

		if (item && (item != len || memcmp(existing, library, len))) {
			if (end != value)
				*end++ = ':';
			end = (char *)memcpy(end, existing, item) + item;
		}
		existing += item + (existing[item] != 0);
	}
	*end = 0;
	if (end != value)
		return value;
	free(value);
	return NULL;
}

static char *readable(const char *dir, const char *rest)
{
	char *path = NULL, *real;

	if (asprintf(&path, "%s%s", dir, rest) < 0)
		return NULL;
	real = access(path, R_OK) == 0 ? realpath(path, NULL) : NULL;
	free(path);
	return real;
}

int at_find_library(char **path)
{
	char dir[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	if (len <= 0)
		return -ENOENT;
	dir[len] = 0;
	slash = strrchr(dir, '/');
	if (!slash)
		return -ENOENT;
	*slash = 0;
	*path = readable(dir, "/" LIBRARY);
	if (!*path)
		*path = readable(dir, "/../lib/" LIBRARY);
	if (!*path)
		return -ENOENT;
	return strpbrk(*path, " :") ? -EINVAL : 0;
}
