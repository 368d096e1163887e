// SPDX-License-Identifier: Apache-2.0
/*
 * Hooks: the interposed symbols. Door of the folder, for preload/; how to
 * write a hook is in hook.h.
 */
#ifndef AT_HOOKS_H
#define AT_HOOKS_H

#include <stdbool.h>

/*
 * Find all real functions, without a lock and without malloc. Idempotent;
 * called by the constructor, or by the first hook that runs before it.
 */
void hook_resolve(void);

/*
 * A function of libc itself, whoever else replaces it; NULL when unknown.
 * libfaketime must not date our spans.
 */
void *hook_find_in_libc(const char *name);

/* A function by name, wherever it is loaded, in the loader's order. */
void *hook_find(const char *name);

/* The next definition after ours, as hook_resolve() finds it; NULL: none. */
void *hook_find_next(const char *name);

/* Have the stacks of crashes read from now on (signal.c); once. */
void hook_watch_crashes(void);

/* The path this library was loaded from; NULL when unknown. */
const char *hook_own_path(void);

/* Is another copy of this library loaded before ours? */
bool hook_second_copy(void);

/* Set once by preload/: what must happen before the process changes. */
struct hook_lifecycle {
	/* The image is about to be replaced; exec may still fail. */
	void (*before_exec)(void);
	/* The process ends without running exit's handlers. */
	void (*before_exit)(int status);
	/* quick_exit() has been called with this status. */
	void (*quick_status)(int status);
	/* Privileges are about to be dropped: no thread of ours may stay. */
	void (*before_sandbox)(void);
	/* The same, of a filter of system calls: the last chance for any. */
	void (*before_filter)(void);
	/* The call is made; after before_filter: whether there is a filter. */
	void (*after_sandbox)(bool filtered);
	/* The main thread ends, the process goes on. */
	void (*main_thread_ends)(void);
	/* fork() is about to be called: libc's own handlers come next. */
	void (*before_fork)(void);
	/* A child is about to be made of which libc knows nothing. */
	void (*before_raw_fork)(void);
	/* The three of pthread_atfork, for what runs without them (_Fork). */
	void (*fork_prepare)(void);
	void (*fork_parent)(void);
	void (*fork_child)(void);
};

extern const struct hook_lifecycle *hook_lifecycle;

/* RTLD_DEEPBIND is the program's own affair. Set by preload/. */
extern bool hook_keep_deepbind;

#endif
