// SPDX-License-Identifier: Apache-2.0
/*
 * Which programs are left alone: AUTOTRACE_PROGRAMS and
 * AUTOTRACE_EXCLUDE_PROGRAMS. One that is left alone hands everything on to
 * the programs that it starts.
 */
#include <string.h>
#include <sys/auxv.h>

#include "core/sys.h"
#include "preload/preload.h"

__typeof__(getauxval) getauxval __attribute__((weak));

/* A pattern with a slash means the whole path. */
static bool any_matches(const char *list, struct at_text path)
{
	struct at_text rest = at_text_from(list), item;
	struct at_text name = at_base_name(path);

	while (at_text_next(&rest, ',', &item)) {
		bool whole;

		item = at_text_trim(item);
		whole = item.len && memchr(item.ptr, '/', item.len);
		if (item.len && at_text_glob_nocase(item, whole ? path : name))
			return true;
	}
	return false;
}

/*
 * The standard list are names: what the program was started as will do, and
 * costs no system call.
 */
static struct at_text executable_path(const struct at_config_origin *origin,
				      char *room, size_t size)
{
	bool standard = origin->source[AT_SETTING_programs] ==
				AT_SOURCE_DEFAULT &&
			origin->source[AT_SETTING_exclude_programs] ==
				AT_SOURCE_DEFAULT;
	const char *started_as =
		getauxval ? (const char *)getauxval(AT_EXECFN) : NULL;
	long len;

	if (standard && started_as)
		return at_text_from(started_as);
	len = sys_readlink("/proc/self/exe", room, size);
	return (struct at_text){ room, len > 0 ? (size_t)len : 0 };
}

bool program_is_wanted(const struct at_config *config,
		       const struct at_config_origin *origin)
{
	char room[1024];
	struct at_text path = executable_path(origin, room, sizeof(room));

	if (config->programs[0] && !any_matches(config->programs, path))
		return false;
	return !any_matches(config->exclude_programs, path);
}
