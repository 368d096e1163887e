// SPDX-License-Identifier: Apache-2.0
#include "cli/ancestry.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 64

static bool is_shell(uint32_t pid)
{
	static const char *const shells[] = { "sh",  "bash", "dash",   "ash",
					      "zsh", "ksh",  "busybox" };
	char link[32], path[PATH_MAX];
	const char *name;
	ssize_t len;
	size_t i;

	snprintf(link, sizeof(link), "/proc/%u/exe", (unsigned int)pid);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return false;
	path[len] = 0;
	name = basename(path);
	for (i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (!strcmp(name, shells[i]))
			return true;
	return false;
}

/* 0: none, or not known. */
static uint32_t parent_of(uint32_t pid)
{
	char path[32], line[1024];
	const char *end;
	unsigned int parent = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/stat", (unsigned int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file)) {
		end = strrchr(line, ')');
		if (!end || sscanf(end, ") %*c %u", &parent) != 1)
			parent = 0;
	}
	fclose(file);
	return parent;
}

uint32_t at_runner_of(uint32_t pid, bool shell_each_step)
{
	uint32_t top = 0, at = parent_of(pid);
	int depth;

	for (depth = 0; at > 1 && depth < DEPTH_MAX; depth++) {
		if (!is_shell(at))
			return at;
		top = at;
		at = parent_of(at);
	}
	return shell_each_step ? 0 : top;
}
