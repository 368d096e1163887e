// SPDX-License-Identifier: Apache-2.0
/*
 * The span of the program itself: one for each image.
 *
 * In a hub a program is announced when it begins, so that its reader can end
 * the span of one that is killed; without one, nothing is heard of a program
 * before it ends. A forked child is the same program going on: it has the
 * context, but no span.
 */
#include "tracer/process.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>

#include "core/clock.h"
#include "core/hub.h"
#include "core/program.h"
#include "core/program_name.h"
#include "core/section.h"
#include "core/sys.h"
#include "tracer/context.h"
#include "tracer/output.h"
#include "tracer/request.h"
#include "tracer/tracer.h"

/* Of arguments, in all and each; the rest is cut. */
#define ARGS_BYTES 800
#define ARG_BYTES 200

/* Longer than this ld.so does not take. */
#define LOADING_MAX_NS UINT64_C(10000000000)

static struct {
	struct at_hub *hub; /* NULL: none, or not ours to tell */
	uint32_t pid;       /* whose span it is; 0: nobody's */
	uint64_t start_ns;
	struct rusage before;           /* what the process had used by then */
	const struct at_context *given; /* ids 0: none */
	bool apart;          /* in another user namespace than the hub */
	bool children_apart; /* in another one of process ids */
	_Atomic bool ended;
	_Atomic uint32_t entered_as; /* pid in the hub's table */
} self;

static struct at_context self_own AT_LARGE;
static struct at_span self_span AT_LARGE;

/* --- whose child --- */

static bool same_id(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, AT_SPAN_ID_BYTES);
}

static uint64_t boot_ns(void)
{
	struct timespec now = { 0 };

	sys_clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Is the entry that of this very process, not of an earlier one? */
static bool is_of(const struct at_life *life, uint32_t pid)
{
	/* A tick is as exact as /proc is. */
	return at_process_start_ticks(pid) * AT_TICK_NS <= life->since_ns;
}

/*
 * `pid` has started us without writing its span into our environment: what we
 * were given is what it had been given itself, or nothing.
 */
static bool passed_on(uint32_t pid, const struct at_context *given,
		      struct at_life *life)
{
	return at_living_find(&self.hub->living, pid, life) &&
	       same_id(life->given, given->span_id) &&
	       !same_id(life->own, given->span_id) && is_of(life, pid);
}

static void adopt(struct at_context *parent, const struct at_life *life)
{
	if (!at_context_valid(parent)) {
		memcpy(parent->trace_id, life->trace_id, AT_TRACE_ID_BYTES);
		parent->flags = life->flags;
		parent->remote = true;
	}
	memcpy(parent->span_id, life->own, AT_SPAN_ID_BYTES);
}

/*
 * The image that this process was before, or else the parent process, may know
 * better than the environment. A context that neither of them was given is
 * somebody's own and stays.
 */
static void correct_parent(struct at_context *parent)
{
	struct at_life life, image;

	if (passed_on(self.pid, self.given, &life)) {
		adopt(parent, &life);
	} else if (passed_on((uint32_t)sys_getppid(), self.given, &life)) {
		/* It told another image of ours: Java's jspawnhelper. */
		if (at_living_find(&self.hub->living, self.pid, &image) &&
		    same_id(image.given, life.own) && is_of(&image, self.pid))
			life = image;
		adopt(parent, &life);
	}
}

/*
 * The command of `autotrace run`: its span's id is in the environment. NULL:
 * we are not.
 */
static const struct at_hub_head *take_head(void)
{
	struct at_hub_head *head = &self.hub->head;
	uint32_t pid = self.pid;

	if (same_id(head->span_id, self.given->span_id) &&
	    atomic_compare_exchange_strong(&head->pid, &pid, 0))
		return head;
	return NULL;
}

/* --- the span --- */

static void fill_name(struct at_span *span, char *const *argv)
{
	char name[AT_PROGRAM_NAME_BYTES];
	struct at_writer writer = AT_WRITER(name, sizeof(name));

	at_program_name_write(&writer, argv);
	at_span_set_name(span, writer.len ? at_writer_text(&writer) :
					    at_base_name(output_executable()));
}

/* Where they may be shown; whether they are is the exporter's to decide. */
static bool args_wanted(const struct at_config *config)
{
	if (config->command_args[0] == 'n') /* none */
		return false;
	return self.hub || config->command_args[0] == 'a' || config->file[0] ||
	       at_config_list_has(config->exporters, "file") ||
	       at_config_list_has(config->exporters, "console");
}

/* As given: what is secret in them is masked before they leave. */
static void fill_args(struct at_span *span, char *const *argv)
{
	char items[ARGS_BYTES];
	struct at_writer writer = AT_WRITER(items, sizeof(items) - 4);

	for (; argv && *argv; argv++) {
		struct at_text arg = at_text_from(*argv);

		if (arg.len > ARG_BYTES)
			arg.len = ARG_BYTES;
		if (arg.len + 1 > writer.cap - writer.len) {
			writer.cap = sizeof(items);
			at_write_bytes(&writer, "...", 4);
			break;
		}
		at_write_text(&writer, arg);
		at_write_char(&writer, 0);
	}
	at_span_set_texts(span, AT_ATTR_PROCESS_COMMAND_ARGS,
			  at_writer_text(&writer));
}

static void fill_directory(struct at_span *span)
{
	char path[512];
	long len = sys_getcwd(path, sizeof(path));

	if (len > 1)
		at_span_set_text(span, AT_ATTR_PROCESS_WORKING_DIRECTORY,
				 (struct at_text){ path, (size_t)len - 1 });
}

static void fill_span(const struct at_config *config, char *const *argv)
{
	struct at_span *span = &self_span;
	struct at_text path = output_executable();

	fill_name(span, argv);
	at_span_set_int(span, AT_ATTR_PROCESS_PID, self.pid);
	at_span_set_int(span, AT_ATTR_PROCESS_PARENT_PID, sys_getppid());
	at_span_set_text(span, AT_ATTR_PROCESS_EXECUTABLE_NAME,
			 at_base_name(path));
	at_span_set_text(span, AT_ATTR_PROCESS_EXECUTABLE_PATH, path);
	if (config->working_directory)
		fill_directory(span);
	if (args_wanted(config))
		fill_args(span, argv);
}

/* What the image before said, unless that was somebody else, long ago. */
static uint64_t begun_ns(uint64_t now_ns)
{
	struct at_life life;

	if (self.hub && at_living_find(&self.hub->living, self.pid, &life) &&
	    life.exec_ns < now_ns && now_ns - life.exec_ns < LOADING_MAX_NS)
		return life.exec_ns;
	return now_ns;
}

static void open_span(const struct at_context *parent,
		      const struct at_hub_head *head)
{
	struct at_context top = *parent;

	if (head) {
		memcpy(top.span_id, head->parent_id, AT_SPAN_ID_BYTES);
		parent = head->has_parent ? &top : NULL;
	} else if (!at_context_valid(parent)) {
		parent = NULL;
	}
	request_open_span(&self_span, &self_own, parent, CONTEXT_PROCESS,
			  self.start_ns);
	self_span.kind = AT_KIND_INTERNAL;
}

/* --- start --- */

static bool wanted(const struct at_config *config)
{
	if (config->process_spans[0] == 'a') /* auto */
		return config->hub[0] || at_context_valid(self.given);
	return config->process_spans[0] == 't'; /* true */
}

static struct at_life own_life(void)
{
	struct at_life life = {
		.since_ns = boot_ns(),
		.flags = self_own.flags,
	};

	memcpy(life.trace_id, self_own.trace_id, AT_TRACE_ID_BYTES);
	memcpy(life.given, self.given->span_id, AT_SPAN_ID_BYTES);
	memcpy(life.own, self_own.span_id, AT_SPAN_ID_BYTES);
	return life;
}

static void enter(void)
{
	struct at_life life = own_life();

	if (at_living_enter(&self.hub->living, (uint32_t)sys_getpid(), &life))
		atomic_store(&self.entered_as, (uint32_t)sys_getpid());
}

static bool is_sampled(void)
{
	return self_own.flags & AT_FLAG_SAMPLED;
}

void at_process_start(const struct at_config *config, char *const *argv)
{
	struct at_context parent;
	const struct at_hub_head *head = NULL;

	self.given = context_given();
	if (!wanted(config))
		return;
	self.start_ns = at_clock_now_ns();
	self.pid = (uint32_t)sys_getpid();
	if (config->hub[0])
		output_prepare();
	self.hub = output_hub();
	self.start_ns = begun_ns(self.start_ns);
	parent = *self.given;
	if (self.hub) {
		head = take_head();
		if (!head)
			correct_parent(&parent);
	}
	if (head)
		self_own = parent;
	else
		request_identity(&self_own,
				 at_context_valid(&parent) ? &parent : NULL);
	self_own.remote = false;
	context_set(&self_own);
	if (self.hub)
		enter();
	if (!is_sampled())
		return;
	sys_getrusage(RUSAGE_SELF, &self.before);
	open_span(&parent, head);
	fill_span(config, argv);
	if (self.hub)
		output_record(&self_span, AT_RECORD_BEGAN);
}

const struct at_context *process_context(void)
{
	return at_context_valid(&self_own) ? &self_own : NULL;
}

struct at_hub *process_hub(void)
{
	return self.hub;
}

void at_process_enter(void)
{
	if (self.hub && !atomic_load(&self.entered_as))
		enter();
}

void process_execs(uint64_t now_ns)
{
	uint32_t pid = (uint32_t)sys_getpid();
	struct at_life life;

	if (!self.hub)
		return;
	if (!at_living_find(&self.hub->living, pid, &life))
		life = own_life();
	life.exec_ns = now_ns;
	at_living_enter(&self.hub->living, pid, &life);
}

void process_spawned(uint32_t pid, uint64_t begun_ns)
{
	struct at_life life;

	if (!self.hub)
		return;
	life = own_life();
	life.exec_ns = begun_ns;
	at_living_introduce(&self.hub->living, pid, &life);
}

bool process_is_apart(void)
{
	return self.apart;
}

void at_process_moved(unsigned long namespaces)
{
	if (namespaces & CLONE_NEWUSER)
		self.apart = true;
	if (!(namespaces & CLONE_NEWPID))
		return;
	self.children_apart = true;
	/* Of those nobody else can tell. */
	if (self.pid)
		at_span_set_text(&self_span, AT_ATTR_AUTOTRACE_BLIND_SPOT,
				 AT_TEXT("namespace"));
}

/* What it would say of itself there would be said of somebody else here. */
static bool has_another_pid(void)
{
	return self.children_apart || sys_getpid() == 1;
}

void process_after_fork_child(void)
{
	if (has_another_pid())
		self.hub = NULL;
	self.pid = 0;
	atomic_store(&self.entered_as, 0);
}

/* --- end --- */

/* A child that shares our memory, or that nobody announced, has another pid. */
static bool is_ours(void)
{
	return self.pid && self.pid == (uint32_t)sys_getpid();
}

bool process_is_told(void)
{
	return self.hub && is_ours() && is_sampled();
}

/* Less is not worth the look: it costs as much as all else at the end. */
#define PEAK_SMALL_KIB 8192

/*
 * The kernel's figure counts from before the program: a child of a large one
 * inherits it. Where it has not grown since, the memory map knows.
 */
static void correct_peak(struct rusage *now)
{
	static const char mark[] = "VmHWM:";
	char status[1536];
	struct at_text line, number, rest = { status, 0 };
	uint64_t kib;
	int fd;
	long len;

	if (now->ru_maxrss > self.before.ru_maxrss ||
	    now->ru_maxrss <= PEAK_SMALL_KIB)
		return;
	fd = sys_open("/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	len = sys_read(fd, status, sizeof(status));
	sys_close(fd);
	rest.len = len > 0 ? (size_t)len : 0;
	while (at_text_next(&rest, '\n', &line)) {
		if (line.len < sizeof(mark) ||
		    memcmp(line.ptr, mark, sizeof(mark) - 1) != 0)
			continue;
		line.ptr += sizeof(mark) - 1;
		line.len -= sizeof(mark) - 1;
		line = at_text_trim(line);
		if (at_text_next(&line, ' ', &number) &&
		    !at_text_to_u64(number, &kib))
			now->ru_maxrss = (long)kib;
	}
}

static void close_span(void)
{
	struct rusage now = { 0 };

	self_span.duration_ns = at_clock_now_ns() - self.start_ns;
	sys_getrusage(RUSAGE_SELF, &now);
	correct_peak(&now);
	at_program_fill_usage(&self_span, &now, &self.before);
	self_span.record = self.hub ? AT_RECORD_ENDED : AT_RECORD_SPAN;
	output_span(&self_span);
}

void at_process_ends(int status)
{
	uint32_t entered_as = atomic_load(&self.entered_as);

	if (is_ours() && is_sampled() && !atomic_exchange(&self.ended, true)) {
		at_program_fill_exit(&self_span, W_EXITCODE(status & 0xff, 0));
		close_span();
	}
	if (entered_as && entered_as == (uint32_t)sys_getpid())
		at_living_leave(&self.hub->living, entered_as,
				self_own.span_id);
}

void at_process_replaced(void)
{
	if (!self.hub && is_ours() && is_sampled() &&
	    !atomic_exchange(&self.ended, true))
		close_span();
}

/* --- children --- */

bool at_process_listens(void)
{
	return self.hub && is_sampled() && !at_thread_hands_off();
}

void at_process_reaped(pid_t pid, int wait_status, const struct rusage *usage)
{
	struct at_span record;

	if (pid <= 0 || !(WIFEXITED(wait_status) || WIFSIGNALED(wait_status)))
		return;
	at_span_init(&record, AT_KIND_INTERNAL);
	record.pid = (uint32_t)pid;
	record.start_unix_ns = at_clock_unix_ns(at_clock_now_ns());
	at_program_fill_exit(&record, wait_status);
	if (usage)
		at_program_fill_usage(&record, usage, NULL);
	output_record(&record, AT_RECORD_REAPED);
}
