// SPDX-License-Identifier: Apache-2.0
/*
 * load family: libraries that come and go, and functions that are asked for by
 * name. dlopen, dlsym and dlvsym look at who calls them; caller.S jumps to
 * what these answer.
 */
#include <string.h>

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
	late_forget(&late_openssl_bio);
	late_forget(&late_gnutls);
	late_forget(&late_curl);
	errno = error;
	return result;
}
HOOK_EXPORT(dlclose)

/* Two registers: where to jump, and what with or what to return. */
struct jump {
	void *to; /* NULL: return */
	void *value;
};

/* An old libc has these in libdl, which may not be there. */
static void *nothing(void)
{
	return NULL;
}

/* A module with RTLD_DEEPBIND (all of php's) would find libc before us. */
struct jump hook_dlopen_prepare(const char *file, int flags);
struct jump hook_dlopen_prepare(const char *file, int flags)
{
	struct jump jump = { .to = REAL(dlopen) ? (void *)REAL(dlopen) :
						  (void *)nothing };

	(void)file;
	if (at_tracer_active() && !hook_keep_deepbind)
		flags &= ~RTLD_DEEPBIND;
	jump.value = (void *)(uintptr_t)(unsigned int)flags;
	return jump;
}

static void *hook_of(const char *name, struct late_family **family)
{
#define LATE(family_name, symbol)              \
	if (!strcmp(name, #symbol)) {          \
		*family = &late_##family_name; \
		return (void *)hook_##symbol;  \
	}
#include "hooks/hooks.def"
	return NULL;
}

/* Nearly nobody asks for what we hook. */
static bool may_be_late(const void *handle, const char *name)
{
	return handle != RTLD_NEXT && name &&
	       ((name[0] == 'S' && name[1] == 'S' && name[2] == 'L') ||
		(name[0] == 'g' && name[1] == 'n' && name[2] == 'u') ||
		(name[0] == 'c' && name[1] == 'u' && name[2] == 'r'));
}

/* Ours, in place of what the application has found, if that can be told. */
static void *in_place_of(void *found, const char *name, const void *caller)
{
	struct late_family *family;
	void *hook = found && at_tracer_active() && !at_thread_hands_off() ?
			     hook_of(name, &family) :
			     NULL;

	return hook && late_is_meant(family, name, found, caller) ? hook :
								    found;
}

/* Only ours is there: a program that asks must not take it for the thing. */
static bool nobody_has(const char *name, const void *caller)
{
	struct late_family *family;

	return hook_of(name, &family) && !late_library(family, caller);
}

static void *look_up(void *handle, const char *name, const void *caller)
{
	struct late_family *family;
	void *found = REAL(dlsym)(handle, name);

	/* Behind us there is nothing either: with the loader's words for it. */
	if (found && found == hook_of(name, &family) &&
	    nobody_has(name, caller))
		return REAL(dlsym)(RTLD_NEXT, name);
	return in_place_of(found, name, caller);
}

struct jump hook_dlsym_prepare(void *handle, const char *name,
			       const void *caller);
struct jump hook_dlsym_prepare(void *handle, const char *name,
			       const void *caller)
{
	struct jump jump = { .to = REAL(dlsym) ? (void *)REAL(dlsym) :
						 (void *)nothing };

	if (!REAL(dlsym) || !may_be_late(handle, name) ||
	    (handle == RTLD_DEFAULT && !nobody_has(name, caller)))
		return jump;
	jump.to = NULL;
	jump.value = look_up(handle, name, caller);
	return jump;
}

struct jump hook_dlvsym_prepare(void *handle, const char *name,
				const char *version, const void *caller);
struct jump hook_dlvsym_prepare(void *handle, const char *name,
				const char *version, const void *caller)
{
	struct jump jump = { .to = REAL(dlvsym) ? (void *)REAL(dlvsym) :
						  (void *)nothing };

	if (!REAL(dlvsym) || handle == RTLD_DEFAULT ||
	    !may_be_late(handle, name))
		return jump;
	jump.to = NULL;
	jump.value =
		in_place_of(REAL(dlvsym)(handle, name, version), name, caller);
	return jump;
}
