// SPDX-License-Identifier: Apache-2.0
#include "hooks/late.h"

#include <string.h>

#include "hooks/elf.h"

/* Two threads may find the same copy at once: the first to say so is used. */
enum ready {
	READY_NOT,
	READY_FILLING,
	READY_YES,
	READY_GONE, /* unloaded: free again */
};

static void fill(const struct late_family *family,
		 const struct elf_object *owner, void *function[])
{
	const char *name;

	for (name = family->names; *name; name += strlen(name) + 1)
		*function++ = elf_find(owner, name, elf_hash(name), NULL);
}

static bool is_copy(const struct late_library *copy,
		    const struct elf_object *owner, void *const function[])
{
	return atomic_load(&copy->ready) == READY_YES &&
	       copy->owner == owner->dynamic &&
	       !memcmp(copy->function, function, sizeof(copy->function));
}

/* Nobody works with one that is free or unloaded. */
static bool claim(struct late_library *copy)
{
	uint32_t ready = atomic_load(&copy->ready);

	return (ready == READY_NOT || ready == READY_GONE) &&
	       atomic_compare_exchange_strong(&copy->ready, &ready,
					      READY_FILLING);
}

static struct late_library *copy_of(struct late_family *family,
				    const struct elf_object *owner)
{
	void *function[LATE_FUNCTIONS] = { NULL };
	unsigned int i;

	fill(family, owner, function);
	/* All of them first: a free one may lie before the one that is meant. */
	for (i = 0; i < LATE_COPIES; i++)
		if (is_copy(&family->copy[i], owner, function))
			return &family->copy[i];
	for (i = 0; i < LATE_COPIES; i++) {
		struct late_library *copy = &family->copy[i];

		if (!claim(copy))
			continue;
		atomic_store(&copy->index, 0);
		copy->owner = owner->dynamic;
		copy->begin = owner->begin;
		copy->end = owner->end;
		memcpy(copy->function, function, sizeof(function));
		atomic_store(&copy->ready, READY_YES);
		return copy;
	}
	return NULL;
}

/* --- who calls whom --- */

/* All code of an object is bound to the same copy. */
static struct late_library *known_library(struct late_family *family,
					  uintptr_t at)
{
	struct late_caller *caller = family->caller;

	for (; caller < family->caller + LATE_CALLERS; caller++) {
		uintptr_t end = atomic_load_explicit(&caller->end,
						     memory_order_acquire);
		uintptr_t begin = atomic_load_explicit(&caller->begin,
						       memory_order_relaxed);
		struct late_library *library;

		if (!end)
			return NULL;
		if (at < begin || at >= end)
			continue;
		library = atomic_load_explicit(&caller->library,
					       memory_order_acquire);
		if (atomic_load(&caller->end) == end &&
		    atomic_load(&caller->begin) == begin)
			return library;
	}
	return NULL;
}

#define NOBODY 1 /* no code ends there; 0: nor are there any further ones */

/* In this order nobody sees one object with another's library. */
static void remember(struct late_family *family, uintptr_t begin, uintptr_t end,
		     struct late_library *library)
{
	uint32_t number = atomic_fetch_add(&family->caller_count, 1);
	struct late_caller *caller = &family->caller[number % LATE_CALLERS];

	atomic_store(&caller->end, NOBODY);
	atomic_store(&caller->library, library);
	atomic_store(&caller->begin, begin);
	atomic_store(&caller->end, end);
}

struct late_library *late_library(struct late_family *family,
				  const void *caller)
{
	struct late_library *library = known_library(family, (uintptr_t)caller);
	struct elf_object owner, who;

	if (__builtin_expect(library != NULL, 1))
		return library;
	if (!elf_find_owner(caller, family->names, &owner, &who))
		return NULL;
	library = copy_of(family, &owner);
	if (who.dynamic)
		remember(family, who.begin, who.end, library);
	else
		remember(family, (uintptr_t)caller, (uintptr_t)caller + 1,
			 library);
	return library;
}

static bool would_call(struct late_family *family, const char *name,
		       const void *found, const void *caller)
{
	struct late_library *library = late_library(family, caller);
	const char *one = family->names;
	unsigned int i;

	for (i = 0; library && *one; i++, one += strlen(one) + 1)
		if (!strcmp(one, name))
			return library->function[i] == found;
	return false;
}

/*
 * The one who asks may hand on what he gets (Qt5Core does, to Qt5Network),
 * and others are bound to the copy that comes first.
 */
bool late_is_meant(struct late_family *family, const char *name,
		   const void *found, const void *caller)
{
	return would_call(family, name, found, caller) &&
	       would_call(family, name, found, NULL);
}

extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

static bool is_ours(const void *caller)
{
	return (const char *)caller >= __ehdr_start &&
	       (const char *)caller < _end;
}

bool late_is_inside(const struct late_library *library, const void *caller)
{
	uintptr_t at = (uintptr_t)caller;

	return is_ours(caller) || (atomic_load(&library->ready) == READY_YES &&
				   at >= library->begin && at < library->end);
}

void late_forget(struct late_family *family)
{
	unsigned int i;

	for (i = 0; i < LATE_CALLERS; i++)
		if (atomic_load(&family->caller[i].end))
			atomic_store(&family->caller[i].end, NOBODY);
	for (i = 0; i < LATE_COPIES; i++) {
		struct late_library *copy = &family->copy[i];
		uint32_t ready = READY_YES;

		if (atomic_load(&copy->ready) == READY_YES &&
		    !elf_is_loaded(copy->owner))
			atomic_compare_exchange_strong(&copy->ready, &ready,
						       READY_GONE);
	}
}

void *late_other(const struct late_library *library, const char *name)
{
	struct elf_object owner, who;

	return elf_find_owner(library->owner, name, &owner, &who) ?
		       elf_find(&owner, name, elf_hash(name), NULL) :
		       NULL;
}
