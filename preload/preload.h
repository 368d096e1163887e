// SPDX-License-Identifier: Apache-2.0
/*
 * The library's life inside its host: start, fork, exec, end (private to
 * preload/, the composition root).
 */
#ifndef PRELOAD_H
#define PRELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "core/counters.h"

/* --- thread.c: the one background thread --- */

/* Keeps both. Nothing is started. */
void exporter_thread_setup(const struct at_config *config,
			   const struct at_config_origin *origin);

/* Make sure it runs; from a hook, so it must not block or change errno. */
void exporter_thread_start(void);

/* Does it run, or have work? */
bool exporter_thread_is_needed(void);

/* Are there spans that it would export? */
bool exporter_thread_has_work(void);

/*
 * Export what has ended and end the thread; waits at most `timeout_ns`. What
 * is left then is counted by the thread itself, or stays in the ring. False:
 * something was not delivered in time.
 */
bool exporter_thread_drain(uint64_t timeout_ns);

/*
 * End the thread, keep what waits; before fork. It may outlive timeout_ns: a
 * request that is out is waited for.
 */
void exporter_thread_pause(uint64_t timeout_ns);
/* After fork: a thread that is still there goes on. */
void exporter_thread_resume(void);
/* Same as pause, and nothing is waited for: before a sandbox. */
void exporter_thread_abort(uint64_t timeout_ns);

/* Not started between the two: some privilege is being dropped. */
void exporter_thread_hold(void);
void exporter_thread_release(void);

/* From now on it must not be started again; what it leaves is lost as that. */
void exporter_thread_forbid(enum at_counter lost);

/* In a forked child. `usable`: the exporter was not in the middle of it. */
void exporter_thread_after_fork_child(bool usable);

/* End when idle from now on (main called pthread_exit). */
void exporter_thread_end_when_idle(void);

/* --- gate.c: who may be inside curl, OpenSSL and the loader --- */

/* For the exporter thread; waits for ever. */
void gate_lock(void);
void gate_unlock(void);

/*
 * Keep the exporter out until gate_open(); for any number of forkers at once.
 * False when it was still inside after timeout_ns: nothing to open then.
 * Async-signal-safe, as is gate_open().
 */
bool gate_close(uint64_t timeout_ns);
void gate_open(void);

/* The child's own gate is open. False: the exporter was inside at the fork. */
bool gate_after_fork_child(void);

/* --- silence.c: is it known that the collector does not answer? --- */

/* Somebody of this user has waited in vain within the last seconds. */
bool silence_marked(const struct at_config *config);
void silence_mark(const struct at_config *config);
void silence_clear(const struct at_config *config);

/* --- programs.c --- */

/* Do the settings want this program looked into? */
bool program_is_wanted(const struct at_config *config,
		       const struct at_config_origin *origin);

/* --- life.c --- */

void life_setup(const struct at_config *settings);

#endif
