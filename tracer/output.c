// SPDX-License-Identifier: Apache-2.0
#include "tracer/output.h"

#include <errno.h>
#include <string.h>

#include "core/counters.h"
#include "core/hub.h"
#include "core/ring.h"
#include "core/section.h"
#include "core/sys.h"
#include "tracer/fork.h"
#include "tracer/tracer.h"

/*
 * One word says where spans go. Preparing is done once, by whoever comes
 * first; a second thread that arrives meanwhile waits for it a moment. Where
 * that is of no use (a signal handler on top of it) the span is dropped and
 * counted.
 */
enum place {
	PLACE_UNDECIDED,
	PLACE_DECIDING,
	PLACE_HUB,
	PLACE_RING,
	PLACE_NOWHERE,
};

static const struct at_config *config;
static _Atomic uint32_t place; /* enum place */
static _Atomic uint32_t decider;
static struct at_ring *ring;
static struct at_hub *joined;
static uint32_t ring_count;
static _Atomic uint32_t own_pid;
static _Atomic(void (*)(void)) starter;
_Atomic bool at_resume_due;
static char executable[256] AT_LARGE;
static uint32_t executable_len;

void output_start(const struct at_config *settings)
{
	config = settings;
}

void at_tracer_set_starter(void (*start)(void))
{
	atomic_store(&starter, start);
}

static void start(void)
{
	void (*now)(void) = atomic_load(&starter);

	atomic_store_explicit(&at_resume_due, false, memory_order_relaxed);
	if (now)
		now();
}

static void find_executable(void)
{
	long len =
		sys_readlink("/proc/self/exe", executable, sizeof(executable));

	executable_len = len > 0 ? (uint32_t)len : 0;
}

static enum place join_hub(void)
{
	struct at_hub *hub;

	if (!config->hub[0] || at_hub_join(config->hub, &hub))
		return PLACE_NOWHERE;
	joined = hub;
	ring = at_hub_ring(hub);
	at_counters_share(&hub->counters);
	return PLACE_HUB;
}

static enum place make_ring(void)
{
	uint32_t count = config->bsp_queue_count > 1u << 20 ?
				 1u << 20 :
				 (uint32_t)config->bsp_queue_count;
	struct at_ring *made;

	if (at_config_list_has(config->exporters, "none") && !config->file[0])
		return PLACE_NOWHERE;
	made = sys_map(at_ring_bytes(count));
	if (!made)
		return PLACE_NOWHERE;
	at_ring_init(made, count);
	ring_count = count;
	ring = made;
	return PLACE_RING;
}

#define DECISION_NAP_NS 100000
#define DECISION_NAPS 300

static void await_decision(uint32_t tid)
{
	int naps = DECISION_NAPS;

	while (atomic_load(&place) == PLACE_DECIDING &&
	       atomic_load(&decider) != tid && naps--)
		sys_futex_wait(&place, PLACE_DECIDING, DECISION_NAP_NS);
}

void output_prepare(void)
{
	uint32_t undecided = PLACE_UNDECIDED, tid;
	enum place found;

	if (atomic_load(&place) > PLACE_DECIDING)
		return;
	tid = (uint32_t)sys_gettid();
	if (!atomic_compare_exchange_strong(&place, &undecided,
					    PLACE_DECIDING)) {
		await_decision(tid);
		return;
	}
	atomic_store(&decider, tid);
	fork_watch();
	found = join_hub();
	/* A process that outlives its hub goes on with what the user set. */
	if (found == PLACE_NOWHERE)
		found = make_ring();
	atomic_store(&place, found);
}

static uint32_t process_id(void)
{
	uint32_t pid = atomic_load_explicit(&own_pid, memory_order_relaxed);

	if (!pid) {
		pid = (uint32_t)sys_getpid();
		atomic_store(&own_pid, pid);
	}
	return pid;
}

/* Of this thread; a forked child's only thread asks anew. */
static uint32_t thread_id(void)
{
	static __thread uint32_t tid, of_pid;

	if (of_pid != process_id()) {
		tid = (uint32_t)sys_gettid();
		of_pid = process_id();
	}
	return tid;
}

struct at_text output_executable(void)
{
	if (!executable_len)
		find_executable();
	return (struct at_text){ executable, executable_len };
}

static void name_process(struct at_span *span)
{
	at_span_set_int(span, AT_ATTR_PROCESS_PID, (int64_t)process_id());
	at_span_set_text(span, AT_ATTR_PROCESS_EXECUTABLE_NAME,
			 at_base_name(output_executable()));
}

struct at_hub *output_hub(void)
{
	return atomic_load(&place) == PLACE_HUB ? joined : NULL;
}

/* Of a hub's books; who it is about is said in it. */
void output_record(struct at_span *span, enum at_record what)
{
	span->record = (uint16_t)what;
	span->tid = thread_id();
	if (!span->pid)
		span->pid = process_id();
	at_ring_push(ring, span->pid, span, span->size_bytes);
}

void output_span(struct at_span *span)
{
	uint32_t where;

	/* Begun in the parent, and interrupted there by a raw fork. */
	if (fork_unnoticed()) {
		at_count(AT_COUNT_FORK_INHERITED, 1);
		return;
	}
	output_prepare();
	where = atomic_load(&place);
	at_count(AT_COUNT_SPANS_ENDED, 1);
	if (where != PLACE_HUB && where != PLACE_RING) {
		if (where == PLACE_DECIDING)
			at_count(AT_COUNT_QUEUE_FULL, 1);
		return;
	}
	if (where == PLACE_HUB)
		name_process(span);
	span->pid = process_id();
	span->tid = thread_id();
	if (span->truncated) {
		at_span_set_bool(span, AT_ATTR_AUTOTRACE_TRUNCATED, true);
		at_count(AT_COUNT_VALUES_CUT, 1);
	}
	if (at_ring_push(ring, span->pid, span, span->size_bytes))
		at_count(AT_COUNT_QUEUE_FULL, 1);
	if (where == PLACE_RING)
		start();
}

/* --- the thread that reads our own ring --- */

void at_tracer_resume_later(void)
{
	atomic_store(&at_resume_due, true);
}

/*
 * Making a thread takes locks of libc's that a signal handler must not wait
 * for. In a handler at least its own signal is blocked; elsewhere it is rare.
 */
static bool any_signal_blocked(void)
{
	uint64_t blocked = 0;

	return sys_call4(SYS_rt_sigprocmask, 0, NULL, &blocked,
			 sizeof(blocked)) ||
	       blocked;
}

void at_tracer_resume_now(void)
{
	if (!at_thread_hands_off() && !any_signal_blocked() &&
	    !fork_unnoticed())
		start();
}

struct at_ring *at_tracer_ring(void)
{
	return atomic_load(&place) == PLACE_RING ? ring : NULL;
}

/*
 * A child's own ring starts empty: what waits in it is the parent's to send.
 * The memory is private (copied on write), so it is simply made anew.
 */
void output_after_fork_child(void)
{
	atomic_store(&own_pid, 0);
	atomic_store(&at_resume_due, false);
	if (atomic_load(&place) == PLACE_DECIDING)
		atomic_store(&place, PLACE_UNDECIDED);
	if (atomic_load(&place) != PLACE_RING)
		return;
	sys_madvise(ring, at_ring_bytes(ring_count), MADV_DONTNEED);
	at_ring_init(ring, ring_count);
}
