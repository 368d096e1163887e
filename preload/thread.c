// SPDX-License-Identifier: Apache-2.0
/*
 * The one background thread: started by the first span that is ready to
 * leave, ended before fork, sandbox and exit, started again when needed.
 *
 * All that is said to it goes through two futex words: the host's command and
 * this file's state.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>

#include "core/clock.h"
#include "core/counters.h"
#include "core/section.h"
#include "core/sys.h"
#include "exporter/exporter.h"
#include "hooks/hooks.h"
#include "preload/preload.h"
#include "tracer/tracer.h"

#define STACK_BYTES (512u * 1024u)
#define CLOSE_RANGE_UNSHARE_ 2
#define SETTLE_NS 20000000u
#define GONE_NAP_NS 20000u
#define IDLE_EXPORT_NS UINT64_C(30000000000)

enum state {
	STATE_STOPPED,
	STATE_STARTING,
	STATE_RUNNING,
	STATE_FORBIDDEN, /* never again in this process */
};

typedef int (*export_fn)(struct at_exporter_host *host);

static _Atomic uint32_t state;
static _Atomic uint32_t thread_tid;
static _Atomic uint32_t holds; /* who keeps it from starting just now */
static _Atomic bool end_when_idle;
static struct at_exporter_host host;
static export_fn export_spans;
/* Why it is forbidden, for what ends nevertheless. */
static enum at_counter lost_as = AT_COUNT_NO_THREAD;
static char executable[256] AT_LARGE;

/*
 * Found at run time, by name, wherever they live: a reference would tie us to
 * the libc we were built with (older ones keep them in libraries that a
 * program need not have loaded; then there is no thread to start either).
 */
static struct {
	__typeof__(pthread_create) *create;
	__typeof__(pthread_attr_init) *attr_init;
	__typeof__(pthread_attr_setstacksize) *attr_setstacksize;
	__typeof__(pthread_attr_setdetachstate) *attr_setdetachstate;
	__typeof__(pthread_sigmask) *mask_signals;
	__typeof__(dlopen) *dlopen;
	__typeof__(dlsym) *dlsym;
} libc;

static bool find_libc(void)
{
	/* Once: the loader's list is walked without its lock. */
	if (libc.dlsym)
		return true;
	libc.create = hook_find("pthread_create");
	libc.attr_init = hook_find("pthread_attr_init");
	libc.attr_setstacksize = hook_find("pthread_attr_setstacksize");
	libc.attr_setdetachstate = hook_find("pthread_attr_setdetachstate");
	libc.mask_signals = hook_find("pthread_sigmask");
	libc.dlopen = hook_find("dlopen");
	libc.dlsym = hook_find("dlsym");
	return libc.create && libc.attr_init && libc.attr_setstacksize &&
	       libc.attr_setdetachstate && libc.mask_signals && libc.dlopen &&
	       libc.dlsym;
}

/* --- on the thread --- */

/*
 * A descriptor table of its own: the application's numbers, close-all loops
 * and EOFs stay untouched, and no span can end up in somebody's database.
 */
static void leave_application_fds(void)
{
	int i;

	if (sys_call3(SYS_close_range, 0, ~0u, CLOSE_RANGE_UNSHARE_))
		return;
	for (i = 0; i < 3; i++)
		sys_open("/dev/null", O_RDWR, 0);
}

/* The file beside our own. */
static bool exporter_path(char *path, size_t size)
{
	static const char name[] = "libautotrace-exporter.so";
	const char *own = hook_own_path();
	size_t len = own ? (size_t)(at_text_base_name(own) - own) : 0;

	if (!len)
		return false;
	if (len + sizeof(name) > size)
		return false;
	memcpy(path, own, len);
	memcpy(path + len, name, sizeof(name));
	return true;
}

static export_fn load_exporter(void)
{
	char path[1024];
	void *library;

	if (!exporter_path(path, sizeof(path)))
		return NULL;
	gate_lock();
	library = libc.dlopen(path, RTLD_NOW | RTLD_LOCAL);
	export_spans =
		library ? (export_fn)libc.dlsym(library, "autotrace_export") :
			  NULL;
	gate_unlock();
	return export_spans;
}

/* Nothing will ever leave: count it and be done. */
static void drop_all(enum at_counter why)
{
	static _Atomic bool busy; /* a ring has one reader */
	struct at_ring *ring = at_tracer_ring();
	struct at_ring_reader *reader;
	struct at_span span;

	if (!ring || atomic_exchange(&busy, true))
		return;
	reader = sys_map(sizeof(*reader));
	if (reader) {
		at_ring_reader_init(reader, ring);
		while (at_ring_pop(reader, &span, sizeof(span),
				   at_clock_now_ns()) != 0)
			at_count(why, 1);
		sys_unmap(reader, sizeof(*reader));
	}
	atomic_store(&busy, false);
}

static void *thread_main(void *unused)
{
	uint32_t next = STATE_STOPPED;

	(void)unused;
	at_thread_is_ours();
	atomic_store(&thread_tid, (uint32_t)sys_gettid());
	leave_application_fds();
	sys_prctl(PR_SET_NAME, (unsigned long)"autotrace", 0, 0, 0);
	atomic_store(&state, STATE_RUNNING);
	if (!export_spans && !load_exporter()) {
		lost_as = AT_COUNT_NO_EXPORTER;
		drop_all(lost_as);
		next = STATE_FORBIDDEN;
	} else {
		/* A pause may be over before it has begun. */
		while (!export_spans(&host) &&
		       atomic_load(&host.command) == AT_EXPORT_RUN)
			;
		host.forked = false;
	}
	atomic_store(&state, next);
	sys_futex_wake(&state, INT32_MAX);
	if (next == STATE_STOPPED &&
	    atomic_load(&host.command) == AT_EXPORT_RUN)
		exporter_thread_start();
	return NULL;
}

/* --- from the application's threads --- */

void exporter_thread_setup(const struct at_config *config,
			   const struct at_config_origin *origin)
{
	host.abi = AT_EXPORTER_ABI;
	host.config = config;
	host.origin = origin;
	host.lock = gate_lock;
	host.unlock = gate_unlock;
}

static void find_executable_name(void)
{
	long len = sys_readlink("/proc/self/exe", executable,
				sizeof(executable) - 1);

	executable[len > 0 ? len : 0] = 0;
	host.executable_name = at_text_base_name(executable);
}

/*
 * A filter that was there when we first looked is a container's, and all of
 * the program lives with it. One that came since, by a way that no hook sees,
 * could kill the thread for a call, and the program with it.
 */
static bool sandboxed(void)
{
	static _Atomic int first = -1;
	int now = sys_prctl(PR_GET_SECCOMP, 0, 0, 0, 0), none = -1;

	atomic_compare_exchange_strong(&first, &none, now);
	return now != atomic_load(&first);
}

static int create(size_t stack_bytes)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	int error;

	memset(&all, 0xff, sizeof(all));
	libc.attr_init(&attributes);
	libc.attr_setstacksize(&attributes, stack_bytes);
	libc.attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	libc.mask_signals(SIG_BLOCK, &all, &before);
	error = libc.create(&thread, &attributes, thread_main, NULL);
	libc.mask_signals(SIG_SETMASK, &before, NULL);
	return error;
}

static bool start_thread(void)
{
	/* Asked before any other call of ours. */
	if (sandboxed() || !find_libc())
		return false;
	find_executable_name();
	host.ring = at_tracer_ring();
	host.counters = at_counters_current();
	atomic_store(&host.deadline_ns, at_clock_now_ns() + IDLE_EXPORT_NS);
	atomic_store(&host.command, atomic_load(&end_when_idle) ?
					    AT_EXPORT_DRAIN :
					    AT_EXPORT_RUN);
	/* Sanitizers need more than they say: EINVAL, then a larger one. */
	return host.ring &&
	       (create(STACK_BYTES) == 0 || create(8 * STACK_BYTES) == 0);
}

void exporter_thread_start(void)
{
	uint32_t stopped = STATE_STOPPED;
	int error = errno;

	if (atomic_load_explicit(&state, memory_order_relaxed) !=
		    STATE_STOPPED ||
	    !atomic_compare_exchange_strong(&state, &stopped, STATE_STARTING))
		return;
	if (atomic_load(&holds))
		atomic_store(&state, STATE_STOPPED);
	else if (!start_thread())
		atomic_store(&state, STATE_FORBIDDEN);
	errno = error;
}

static bool alive(uint32_t now)
{
	return now == STATE_STARTING || now == STATE_RUNNING;
}

static void command(enum at_export_command what, uint64_t timeout_ns)
{
	uint64_t deadline_ns = at_clock_now_ns() + timeout_ns;
	uint64_t margin_ns = timeout_ns / 20;
	uint32_t now;

	/* The worker stops a little earlier, so that it has counted its loss. */
	if (margin_ns > SETTLE_NS)
		margin_ns = SETTLE_NS;
	atomic_store(&host.deadline_ns, deadline_ns - margin_ns);
	atomic_store(&host.command, what);
	while (alive(now = atomic_load(&state))) {
		uint64_t time_ns = at_clock_now_ns();

		if (time_ns >= deadline_ns)
			return;
		if (host.ring)
			at_ring_wake(host.ring);
		/* Short: the wake above may come before the worker sleeps. */
		sys_futex_wait(&state, now,
			       deadline_ns - time_ns < 2000000 ?
				       deadline_ns - time_ns :
				       2000000);
	}
}

bool exporter_thread_has_work(void)
{
	struct at_ring *ring = at_tracer_ring();

	return ring && (at_ring_count(ring) || atomic_load(&host.kept_count));
}

bool exporter_thread_is_needed(void)
{
	return alive(atomic_load(&state)) || exporter_thread_has_work();
}

/* One that is about to end may miss what was said to it: then once more. */
bool exporter_thread_drain(uint64_t timeout_ns)
{
	struct at_ring *ring = at_tracer_ring();
	uint64_t last = ring ? atomic_load(&ring->pushed_count) : 0;
	uint64_t deadline_ns = at_clock_now_ns() + timeout_ns, now_ns;
	uint64_t late = at_counter_value(AT_COUNT_EXIT_TIMEOUT);

	do {
		if (exporter_thread_has_work())
			exporter_thread_start();
		now_ns = at_clock_now_ns();
		if (alive(atomic_load(&state)))
			command(AT_EXPORT_DRAIN, deadline_ns > now_ns ?
							 deadline_ns - now_ns :
							 0);
	} while (atomic_load(&state) == STATE_STOPPED &&
		 exporter_thread_has_work() &&
		 at_clock_now_ns() < deadline_ns &&
		 (atomic_load(&ring->popped_count) < last ||
		  atomic_load(&host.kept_count)));
	if (atomic_load(&state) == STATE_FORBIDDEN)
		drop_all(lost_as);
	return !alive(atomic_load(&state)) &&
	       at_counter_value(AT_COUNT_EXIT_TIMEOUT) == late;
}

/*
 * It has said its last word, yet the kernel takes a moment more to take it off
 * the list of threads.
 */
static void wait_gone(uint64_t deadline_ns)
{
	static _Atomic uint32_t never;
	uint32_t tid = atomic_load(&thread_tid);
	int pid = sys_getpid();

	while (sys_call3(SYS_tgkill, pid, tid, 0) == 0 &&
	       at_clock_now_ns() < deadline_ns)
		sys_futex_wait(&never, 0, GONE_NAP_NS);
	/* The number may be somebody else's next time. */
	atomic_compare_exchange_strong(&thread_tid, &tid, 0);
}

void exporter_thread_resume(void)
{
	uint32_t pause = AT_EXPORT_PAUSE;

	atomic_compare_exchange_strong(&host.command, &pause, AT_EXPORT_RUN);
}

static void end_thread(enum at_export_command how, uint64_t timeout_ns)
{
	bool running = alive(atomic_load(&state));
	uint64_t deadline_ns;

	if (!running && !atomic_load(&thread_tid))
		return;
	deadline_ns = at_clock_now_ns() + timeout_ns;
	if (running)
		command(how, timeout_ns);
	if (!alive(atomic_load(&state)))
		wait_gone(deadline_ns);
}

void exporter_thread_pause(uint64_t timeout_ns)
{
	end_thread(AT_EXPORT_PAUSE, timeout_ns);
}

void exporter_thread_abort(uint64_t timeout_ns)
{
	end_thread(AT_EXPORT_ABORT, timeout_ns);
}

void exporter_thread_hold(void)
{
	atomic_fetch_add(&holds, 1);
}

void exporter_thread_release(void)
{
	atomic_fetch_sub(&holds, 1);
}

void exporter_thread_forbid(enum at_counter lost)
{
	uint32_t stopped = STATE_STOPPED;

	if (atomic_compare_exchange_strong(&state, &stopped, STATE_FORBIDDEN))
		lost_as = lost;
	if (at_tracer_ring())
		at_count(lost, at_ring_count(at_tracer_ring()));
}

void exporter_thread_end_when_idle(void)
{
	atomic_store(&end_when_idle, true);
	exporter_thread_pause(100000000);
	if (exporter_thread_has_work())
		exporter_thread_start();
}

void exporter_thread_after_fork_child(bool usable)
{
	atomic_store(&holds, 0);
	if (atomic_load(&state) == STATE_FORBIDDEN)
		return;
	atomic_store(&thread_tid, 0);
	/* Even one that had ended left a reader and connections behind. */
	host.forked = true;
	atomic_store(&host.kept_count, 0);
	/* If it was inside curl or the loader: never touch it again. */
	atomic_store(&state, usable ? STATE_STOPPED : STATE_FORBIDDEN);
	atomic_store(&host.command, AT_EXPORT_RUN);
}
