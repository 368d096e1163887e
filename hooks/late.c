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
	unsigned int i;

	for (i = 0; i < family->count; i++)
		function[i] = elf_find(owner, family->names[i],
				       elf_hash(family->names[i]), NULL);
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
		copy->begin = owner->base;
		copy->end = owner->end;
		memcpy(copy->function, function, sizeof(function));
		atomic_store(&copy->ready, READY_YES);
		return copy;
	}
	return NULL;
}

struct late_library *late_library(struct late_family *family,
				  const void *caller)
{
	size_t at = ((uintptr_t)caller >> 2) % LATE_CALLERS;
	struct late_library *library = atomic_load_explicit(
		&family->seen[at].library, memory_order_acquire);
	struct elf_object owner;

	if (library &&
	    atomic_load_explicit(&family->seen[at].caller,
				 memory_order_acquire) == caller &&
	    atomic_load_explicit(&family->seen[at].library,
				 memory_order_relaxed) == library)
		return library;
	if (!elf_find_owner(caller, family->names[0], &owner))
		return NULL;
	library = copy_of(family, &owner);
	/* In this order nobody sees this caller with another's library. */
	atomic_store(&family->seen[at].caller, NULL);
	atomic_store(&family->seen[at].library, library);
	atomic_store(&family->seen[at].caller, caller);
	return library;
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
		atomic_store(&family->seen[i].caller, NULL);
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
	struct elf_object owner;

	return elf_find_owner(library->owner, name, &owner) ?
		       elf_find(&owner, name, elf_hash(name), NULL) :
		       NULL;
}
