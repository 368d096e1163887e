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
#define LATE_NAMES_BYTES 424
#define LATE_COPIES 32
#define LATE_CALLERS 32

/* One loaded copy of a library. */
struct late_library {
	_Atomic uint32_t ready;
	const void *owner; /* its dynamic section */
	uintptr_t begin, end;
	void *function[LATE_FUNCTIONS];
	/* The family's own; 0 at first. */
	_Atomic int32_t index;
};

/* An object that calls, or one address that lies in none, and whom. */
struct late_caller {
	_Atomic uintptr_t begin, end;
	_Atomic(struct late_library *) library;
};

/* A library, its functions by name; the first one tells which copy is meant. */
struct late_family {
	/*
	 * Each ended by NUL, an empty one at the end. The text itself: a
	 * pointer is a relocation, and that a page written to at each start.
	 */
	char names[LATE_NAMES_BYTES];
	struct late_library copy[LATE_COPIES];
	struct late_caller caller[LATE_CALLERS];
	_Atomic uint32_t caller_count; /* ever seen */
};

extern struct late_family late_openssl, late_openssl_bio, late_gnutls,
	late_curl;

/*
 * In the family's file: LATE_FAMILY(family, FUNCTIONS), with
 *
 *	#define FUNCTIONS(F) F(name, type, arguments) ...
 *
 * The first one must be in every copy, and called by all who have one.
 */
#define LATE_NUMBER(name, type, arguments) FUNCTION_##name,
#define LATE_TYPE(name, type, arguments) typedef type(*call_##name) arguments;
#define LATE_NAME(name, type, arguments) #name "\0"
#define LATE_FAMILY(family, functions)                                        \
	enum function { functions(LATE_NUMBER) FUNCTION_COUNT };              \
	functions(LATE_TYPE) _Static_assert(FUNCTION_COUNT <= LATE_FUNCTIONS, \
					    "room for all of them");          \
	struct late_family late_##family = { .names = functions(LATE_NAME) }

/* The real function of a copy; what it lacks, nobody has called. */
#define OF(library, name) ((call_##name)(library)->function[FUNCTION_##name])

/*
 * The copy whose functions the code at `caller` would have called without us;
 * NULL when nobody has them. Thread-safe; takes the loader's list lock for a
 * moment when an object calls for the first time.
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
 * The code at `caller` has got `found` for the name of a hooked function.
 * True: our hook would call the same, whoever calls it.
 */
bool late_is_meant(struct late_family *family, const char *name,
		   const void *found, const void *caller);

/*
 * Something was unloaded: callers are looked up anew, and a copy that is gone
 * is never taken for what is loaded in its place.
 */
void late_forget(struct late_family *family);

/* A function that one copy was not asked for by name; for rare calls. */
void *late_other(const struct late_library *library, const char *name);

#endif
