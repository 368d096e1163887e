// SPDX-License-Identifier: Apache-2.0
/*
 * Functions of libraries that come late, in several copies, or not at all
 * (private to hooks/): which copy a call belongs to is told by who calls.
 */
#ifndef HOOKS_LATE_H
#define HOOKS_LATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LATE_FUNCTIONS 16
#define LATE_COPIES 32
#define LATE_CALLERS 256

/* One loaded copy of a library. */
struct late_library {
	_Atomic uint32_t ready;
	const void *owner; /* its dynamic section */
	uintptr_t begin, end;
	void *function[LATE_FUNCTIONS];
	/* The family's own; 0 at first. */
	_Atomic int32_t index;
};

/* A library, its functions by name; the first one tells which copy is meant. */
struct late_family {
	const char *const *names; /* at most LATE_FUNCTIONS */
	unsigned int count;
	struct late_library copy[LATE_COPIES];
	struct {
		_Atomic(const void *) caller;
		_Atomic(struct late_library *) library;
	} seen[LATE_CALLERS];
};

extern struct late_family late_openssl, late_gnutls;

/*
 * The copy whose functions the code at `caller` would have called without us;
 * NULL when nobody has them. Thread-safe; takes the loader's list lock for a
 * moment when a caller is new.
 */
struct late_library *late_library(struct late_family *family,
				  const void *caller);

/*
 * Is it the library itself that calls, or has it jumped from one of our hooks
 * to another (gnutls_record_send to gnutls_record_send2)? Then the first hook
 * has the bytes already.
 */
bool late_is_inside(const struct late_library *library, const void *caller);

/*
 * Something was unloaded: callers are looked up anew, and a copy that is gone
 * is never taken for what is loaded in its place.
 */
void late_forget(struct late_family *family);

/* A function that one copy was not asked for by name; for rare calls. */
void *late_other(const struct late_library *library, const char *name);

#endif
