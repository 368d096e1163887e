// SPDX-License-Identifier: Apache-2.0
#include "cli/processes.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"

#define SWEEP_NS UINT64_C(1000000000)

struct at_open_program {
	struct at_open_program *next;
	uint64_t missed_unix_ns; /* since when it is not there; 0: it is */
	bool told;               /* as unfinished: its end is not, again */
	struct at_span span;     /* cut behind its fields */
};

static struct at_open_program **bucket_of(struct at_processes *processes,
					  uint32_t pid)
{
	return &processes->open[pid % AT_PROCESSES_BUCKETS];
}

void at_processes_init(struct at_processes *processes, struct at_hub *hub)
{
	memset(processes, 0, sizeof(*processes));
	processes->hub = hub;
	processes->done_end = &processes->done;
}

static void free_list(struct at_open_program *at)
{
	struct at_open_program *next;

	for (; at; at = next) {
		next = at->next;
		free(at);
	}
}

void at_processes_free(struct at_processes *processes)
{
	uint32_t i;

	for (i = 0; i < AT_PROCESSES_BUCKETS; i++)
		free_list(processes->open[i]);
	free_list(processes->done);
	at_processes_init(processes, processes->hub);
}

static bool same_span(const struct at_span *a, const struct at_span *b)
{
	return a->pid == b->pid &&
	       !memcmp(a->span_id, b->span_id, AT_SPAN_ID_BYTES);
}

/* Take the program with these ids out; NULL: not here. */
static struct at_open_program *take(struct at_processes *processes,
				    const struct at_span *like)
{
	struct at_open_program **link = bucket_of(processes, like->pid);

	for (; *link; link = &(*link)->next) {
		struct at_open_program *found = *link;

		if (same_span(&found->span, like)) {
			*link = found->next;
			processes->open_count--;
			return found;
		}
	}
	return NULL;
}

/*
 * The head of a run is announced twice, the second time by itself; what only
 * the first knows stays. True: it has been told already, as unfinished.
 */
static bool forget(struct at_processes *processes, struct at_span *span)
{
	struct at_open_program *before = take(processes, span);
	bool told = before && before->told;
	struct at_field command;

	if (before &&
	    at_span_find(&before->span, AT_ATTR_AUTOTRACE_COMMAND, &command))
		at_span_set_text(span, AT_ATTR_AUTOTRACE_COMMAND, command.text);
	free(before);
	return told;
}

/* Most recent first. With room for the whole: its end is to be filled in. */
static void begin(struct at_processes *processes, struct at_span *span)
{
	struct at_open_program **bucket = bucket_of(processes, span->pid);
	struct at_open_program *made;

	forget(processes, span);
	if (processes->open_count >= AT_PROCESSES_MAX)
		return;
	made = malloc(sizeof(*made));
	if (!made)
		return;
	processes->open_count++;
	memcpy(&made->span, span, span->size_bytes);
	made->missed_unix_ns = 0;
	made->told = false;
	made->next = *bucket;
	*bucket = made;
}

static void hand_out(struct at_processes *processes,
		     struct at_open_program *program)
{
	if (program->told) {
		free(program);
		return;
	}
	program->span.record = AT_RECORD_SPAN;
	program->next = NULL;
	*processes->done_end = program;
	processes->done_end = &program->next;
	processes->done_count++;
	atomic_fetch_add(&processes->hub->counters.value[AT_COUNT_SPANS_ENDED],
			 1);
}

/* What is known of the end of a process: fields, error, and when. */
struct ending {
	const struct at_span *facts; /* NULL: nothing */
	bool usage;                  /* facts tell what the process used */
	uint64_t unix_ns;
	enum at_attr mark; /* set, where nothing is known */
};

static void copy_facts(struct at_span *span, const struct at_span *facts,
		       bool usage)
{
	struct at_field field;
	uint32_t offset = 0;

	while (at_span_next(facts, &offset, &field)) {
		bool of_end = field.attr == AT_ATTR_PROCESS_EXIT_CODE;
		bool of_usage =
			field.attr >= AT_ATTR_AUTOTRACE_PROCESS_USER_CPU_MS &&
			field.attr <= AT_ATTR_AUTOTRACE_PROCESS_WRITE_BYTES;

		if (field.type == AT_TYPE_INT &&
		    (of_end || (usage && of_usage)))
			at_span_set_int(span, field.attr, field.number);
		else if (field.attr == AT_ATTR_ERROR_TYPE)
			at_span_set_error(span, field.text);
	}
}

/* Every image of a process ends with it; what it used goes to the last one. */
static void end_all(struct at_processes *processes, uint32_t pid,
		    const struct ending *ending)
{
	struct at_open_program **link = bucket_of(processes, pid);
	bool usage = ending->usage;

	while (*link) {
		struct at_open_program *program = *link;
		struct at_span *span = &program->span;

		if (span->pid != pid) {
			link = &program->next;
			continue;
		}
		*link = program->next;
		processes->open_count--;
		if (ending->unix_ns > span->start_unix_ns)
			span->duration_ns =
				ending->unix_ns - span->start_unix_ns;
		if (ending->facts)
			copy_facts(span, ending->facts, usage);
		else
			at_span_set_bool(span, ending->mark, true);
		usage = false;
		at_living_leave(&processes->hub->living, pid, span->span_id);
		hand_out(processes, program);
	}
}

static uint64_t end_of(const struct at_span *span)
{
	return span->start_unix_ns + span->duration_ns;
}

/* False: nothing is to be passed on. */
static bool end(struct at_processes *processes, struct at_span *span)
{
	struct ending ending = { .facts = span, .unix_ns = end_of(span) };
	bool told = forget(processes, span);

	end_all(processes, span->pid, &ending);
	span->record = AT_RECORD_SPAN;
	return !told;
}

/* It is not over: its parent's wait, or a look, will tell of its end. */
static void note_crash(struct at_processes *processes,
		       const struct at_span *crash)
{
	struct at_open_program *at = *bucket_of(processes, crash->pid);
	struct at_field field;
	uint32_t offset = 0;

	while (at && at->span.pid != crash->pid)
		at = at->next;
	while (at && at_span_next(crash, &offset, &field)) {
		if (field.attr == AT_FIELD_EXCEPTION_UNIX_NS &&
		    field.type == AT_TYPE_INT)
			at_span_set_int(&at->span, field.attr, field.number);
		else if (at_attr_is_of_exception(field.attr) &&
			 field.type == AT_TYPE_TEXT)
			at_span_set_text(&at->span, field.attr, field.text);
	}
}

/* As it is now; should its end still be heard of, it is not told again. */
static void tell_unfinished(struct at_processes *processes,
			    struct at_open_program *program, uint64_t unix_ns)
{
	struct at_open_program *copy = malloc(sizeof(*copy));

	if (!copy)
		return;
	memcpy(copy, program,
	       offsetof(struct at_open_program, span) +
		       program->span.size_bytes);
	if (unix_ns > copy->span.start_unix_ns)
		copy->span.duration_ns = unix_ns - copy->span.start_unix_ns;
	at_span_set_bool(&copy->span, AT_ATTR_AUTOTRACE_UNFINISHED, true);
	hand_out(processes, copy);
	program->told = true;
}

static void close_all(struct at_processes *processes, uint64_t unix_ns)
{
	struct at_open_program *at;
	uint32_t i;

	for (i = 0; i < AT_PROCESSES_BUCKETS; i++)
		for (at = processes->open[i]; at; at = at->next)
			if (!at->told)
				tell_unfinished(processes, at, unix_ns);
}

/* True: it is a span, to be passed on. */
static bool take_in(struct at_processes *processes, struct at_span *span)
{
	struct ending ending = { .facts = span,
				 .usage = true,
				 .unix_ns = end_of(span) };

	switch ((enum at_record)span->record) {
	case AT_RECORD_BEGAN:
		begin(processes, span);
		return false;
	case AT_RECORD_NOT_BEGUN:
		free(take(processes, span));
		return false;
	case AT_RECORD_REAPED:
		end_all(processes, span->pid, &ending);
		return false;
	case AT_RECORD_CLOSED:
		close_all(processes, end_of(span));
		return false;
	case AT_RECORD_CRASHED:
		note_crash(processes, span);
		return false;
	case AT_RECORD_ENDED:
		return end(processes, span);
	case AT_RECORD_SPAN:
		break;
	}
	return true;
}

static int take_done(struct at_processes *processes, struct at_span *span)
{
	struct at_open_program *program = processes->done;

	processes->done = program->next;
	if (!processes->done)
		processes->done_end = &processes->done;
	processes->done_count--;
	memcpy(span, &program->span, program->span.size_bytes);
	free(program);
	return (int)span->size_bytes;
}

int at_processes_pop(struct at_processes *processes,
		     struct at_ring_reader *reader, struct at_span *span,
		     uint64_t now_ns)
{
	int len;

	do {
		if (processes->done)
			return take_done(processes, span);
		len = at_ring_pop(reader, span, sizeof(*span), now_ns);
		if (len <= 0)
			return len;
		if (at_span_check(span, (uint32_t)len))
			return -EBADMSG;
	} while (!take_in(processes, span));
	return (int)span->size_bytes;
}

bool at_processes_is_parent(const struct at_processes *processes,
			    const uint8_t *span_id)
{
	const struct at_open_program *at;
	uint32_t i;

	for (i = 0; i < AT_PROCESSES_BUCKETS; i++)
		for (at = processes->open[i]; at; at = at->next)
			if (at->span.has_parent &&
			    !memcmp(at->span.parent_id, span_id,
				    AT_SPAN_ID_BYTES))
				return true;
	return false;
}

/* When the system started, by the clock of the spans. */
static uint64_t boot_unix_ns(uint64_t unix_ns)
{
	struct timespec up = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &up);
	return unix_ns -
	       ((uint64_t)up.tv_sec * 1000000000u + (uint64_t)up.tv_nsec);
}

/* Its number may be another's by now; clocks may have been set a little. */
static bool is_there(const struct at_span *span, uint64_t boot_ns)
{
	uint64_t ticks = at_process_start_ticks(span->pid);

	return ticks &&
	       boot_ns + ticks * AT_TICK_NS < span->start_unix_ns + SWEEP_NS;
}

/*
 * Gone, and nobody has said how: only at the second look, since what was said
 * last may still be in the ring at the first.
 */
static bool is_missed(struct at_open_program *program, uint64_t unix_ns)
{
	if (is_there(&program->span, boot_unix_ns(unix_ns)))
		program->missed_unix_ns = 0;
	else if (!program->missed_unix_ns)
		program->missed_unix_ns = unix_ns;
	return program->missed_unix_ns && program->missed_unix_ns < unix_ns;
}

/* The first that is missed; looks at all that are open. */
static struct at_open_program *find_missed(struct at_open_program *at,
					   uint64_t unix_ns)
{
	for (; at; at = at->next)
		if (is_missed(at, unix_ns))
			return at;
	return NULL;
}

static void sweep_open(struct at_processes *processes, uint64_t unix_ns)
{
	struct ending ending = { .mark = AT_ATTR_AUTOTRACE_INCOMPLETE };
	struct at_open_program *missed;
	uint32_t i;

	for (i = 0; i < AT_PROCESSES_BUCKETS; i++)
		while ((missed = find_missed(processes->open[i], unix_ns))) {
			ending.unix_ns = missed->missed_unix_ns;
			end_all(processes, missed->span.pid, &ending);
		}
}

/* Entries of forked children, and of programs that are not sampled. */
static void sweep_living(struct at_living *living)
{
	uint32_t i;

	for (i = 0; i < AT_LIVING_SLOTS; i++) {
		uint32_t pid = at_living_pid(living, i);

		if (pid && kill((pid_t)pid, 0) && errno == ESRCH)
			at_living_leave(living, pid, NULL);
	}
}

void at_processes_sweep(struct at_processes *processes, uint64_t now_ns)
{
	if (now_ns - processes->swept_ns < SWEEP_NS)
		return;
	processes->swept_ns = now_ns;
	sweep_open(processes, at_clock_unix_ns(now_ns));
	sweep_living(&processes->hub->living);
}
