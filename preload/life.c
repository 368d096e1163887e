// SPDX-License-Identifier: Apache-2.0
/*
 * What happens when the host forks, execs, drops privileges or ends.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "hooks/hooks.h"
#include "preload/preload.h"
#include "tracer/tracer.h"

/* A transfer under way gets this long before the gate is taken instead. */
#define FORK_WAIT_NS 20000000u
#define SANDBOX_WAIT_NS 1000000000u
/* What a collector that answers may take at the end. */
#define LIVE_WAIT_NS 60000000u

static const struct at_config *config;

/* One time budget a process, shared by every exec, exit and sandbox. */
static _Atomic uint64_t spent_ns;

static uint64_t budget_left_ns(void)
{
	uint64_t budget = config->exit_timeout_ms * 1000000u;
	uint64_t spent = atomic_load(&spent_ns);

	return spent < budget ? budget - spent : 0;
}

/*
 * The wait is paid in full once in a tree of processes: whoever knows that the
 * collector is silent gives it no more than a live one needs.
 */
static void drain(void)
{
	uint64_t begin = at_clock_now_ns();
	uint64_t left = budget_left_ns();
	bool silent;

	if (!at_tracer_ring() || !exporter_thread_is_needed())
		return; /* nothing ended, or a hub has it */
	silent = left > LIVE_WAIT_NS && silence_marked(config);
	if (exporter_thread_drain(silent ? LIVE_WAIT_NS : left)) {
		if (silent)
			silence_clear(config);
	} else if (left > LIVE_WAIT_NS && !silent) {
		silence_mark(config);
	}
	atomic_fetch_add(&spent_ns, at_clock_now_ns() - begin);
}

/*
 * Exec may fail, and then life goes on: open spans stay open, and once the
 * time is spent what waits is left to the thread.
 */
static void before_exec(void)
{
	if (!at_tracer_active())
		return;
	at_notice_fork();
	at_tracer_flush();
	at_process_replaced();
	if (budget_left_ns())
		drain();
}

static void before_exit(int status)
{
	if (!at_tracer_active() || at_thread_hands_off())
		return;
	at_notice_fork();
	at_tracer_end_open();
	at_process_ends(status);
	drain();
	at_log_counters();
}

static void at_normal_exit(int status, void *unused)
{
	(void)unused;
	before_exit(status);
}

static int quick_exit_status;

static void quick_status(int status)
{
	quick_exit_status = status;
}

static void before_quick_exit(void *unused)
{
	(void)unused;
	before_exit(quick_exit_status);
}

/* A thread of ours would keep what the program believes it has dropped. */
static void before_sandbox(void)
{
	if (!at_tracer_active())
		return;
	at_notice_fork();
	at_tracer_prepare();
	exporter_thread_hold();
	exporter_thread_abort(SANDBOX_WAIT_NS);
}

/*
 * Behind a filter any call of ours may be a deadly one, and nobody can tell:
 * nothing is traced any more, and what has ended leaves now.
 */
static void before_filter(void)
{
	if (!at_tracer_active())
		return;
	at_notice_fork();
	at_tracer_prepare();
	at_tracer_end_open();
	drain();
	exporter_thread_hold();
	exporter_thread_abort(SANDBOX_WAIT_NS);
	at_log_counters();
}

static void after_sandbox(bool filtered)
{
	if (!at_tracer_active())
		return;
	if (filtered) {
		exporter_thread_forbid(AT_COUNT_SANDBOXED);
		at_tracer_stop();
	}
	exporter_thread_release();
}

static void main_thread_ends(void)
{
	at_notice_fork();
	exporter_thread_end_when_idle();
}

/* --- fork --- */

/* Of the thread that forks; there may be several. */
static __thread bool gate_closed;

/* Ahead of the program's own prepare handlers, which run before ours. */
static void before_fork(void)
{
	at_notice_fork();
	exporter_thread_pause(FORK_WAIT_NS);
}

/* No handler will say when it is over. */
static void before_raw_fork(void)
{
	before_fork();
	if (exporter_thread_has_work())
		at_tracer_resume_later();
}

/*
 * The thread ends and is waited for (a program that looks sees one thread);
 * the gate covers what could not end in time, or was begun since.
 */
static void fork_prepare(void)
{
	if (at_thread_hands_off())
		return;
	before_fork();
	gate_closed = gate_close(FORK_WAIT_NS);
}

static void fork_parent(void)
{
	if (at_thread_hands_off())
		return;
	if (gate_closed)
		gate_open();
	gate_closed = false;
	exporter_thread_resume();
	at_tracer_after_fork_parent();
	if (exporter_thread_has_work())
		at_tracer_resume_later();
}

/* Also in children that are noticed later. */
static void fork_child(void)
{
	gate_closed = false;
	if (!at_tracer_active())
		return; /* behind a filter: there is nothing to set right */
	exporter_thread_after_fork_child(gate_after_fork_child());
	at_tracer_after_fork_child();
	atomic_store(&spent_ns, 0);
}

static const struct hook_lifecycle lifecycle = {
	.before_exec = before_exec,
	.before_exit = before_exit,
	.quick_status = quick_status,
	.before_sandbox = before_sandbox,
	.before_filter = before_filter,
	.after_sandbox = after_sandbox,
	.main_thread_ends = main_thread_ends,
	.before_fork = before_fork,
	.before_raw_fork = before_raw_fork,
	.fork_prepare = fork_prepare,
	.fork_parent = fork_parent,
	.fork_child = fork_child,
};

/* Weak: musl lacks them. */
__typeof__(on_exit) on_exit __attribute__((weak));
int life_at_quick_exit(void (*handler)(void *),
		       void *dso) __asm__("__cxa_at_quick_exit")
	__attribute__((weak));
int life_register_atfork(void (*prepare)(void), void (*parent)(void),
			 void (*child)(void),
			 void *dso) __asm__("__register_atfork")
	__attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));

void life_setup(const struct at_config *settings)
{
	void *volatile first; /* the compiler must not see through it */

	config = settings;
	hook_lifecycle = &lifecycle;
	hook_keep_deepbind = !strcmp(settings->deepbind, "keep");
	at_tracer_set_forked(fork_child);
	/* An allocator that registers its own handlers must do so first. */
	first = malloc(1);
	free(first);
	if (life_register_atfork)
		life_register_atfork(fork_prepare, fork_parent, fork_child,
				     __dso_handle);
	/* Registered this early, they run after all of the program's own. */
	if (on_exit)
		on_exit(at_normal_exit, NULL);
	if (life_at_quick_exit)
		life_at_quick_exit(before_quick_exit, NULL);
}
