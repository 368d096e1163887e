// SPDX-License-Identifier: Apache-2.0
#include "cli/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/unwind.h"
#include "core/clock.h"
#include "core/program.h"

/* What a span has room for beside its own attributes. */
#define STACK_BYTES 1000

/* Somebody waits for it. */
#define PATIENCE_MS 1500

/* --- in words --- */

struct cause {
	int number, code;
	const char *text;
	bool address; /* it is about one */
};

static const struct cause causes[] = {
	{ SIGSEGV, SEGV_MAPERR, "nothing is mapped", true },
	{ SIGSEGV, SEGV_ACCERR, "access is not allowed", true },
	{ SIGBUS, BUS_ADRALN, "access is not aligned", true },
	{ SIGBUS, BUS_ADRERR, "nothing is behind the mapping", true },
	{ SIGFPE, FPE_INTDIV, "integer division by zero", false },
	{ SIGFPE, FPE_INTOVF, "integer overflow", false },
	{ SIGFPE, FPE_FLTDIV, "division by zero", false },
	{ SIGFPE, FPE_FLTINV, "invalid floating point operation", false },
	{ SIGILL, ILL_ILLOPN, "no such instruction", true },
	{ SIGILL, ILL_ILLOPC, "no such instruction", true },
	{ SIGILL, ILL_PRVOPC, "privileged instruction", true },
};

static void write_cause(struct at_writer *writer, const struct at_crash *crash)
{
	char address[24];
	size_t i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		const struct cause *cause = &causes[i];

		if (cause->number != crash->number ||
		    cause->code != crash->code)
			continue;
		at_write_string(writer, ": ");
		at_write_string(writer, cause->text);
		if (!cause->address)
			return;
		snprintf(address, sizeof(address), " at 0x%llx",
			 (unsigned long long)crash->address);
		at_write_string(writer, address);
		return;
	}
}

static void write_message(struct at_writer *writer,
			  const struct at_crash *crash)
{
	const char *name = sigdescr_np(crash->number);

	at_write_string(writer, name ? name : "Unknown signal");
	if (crash->code > 0) {
		write_cause(writer, crash);
	} else if (crash->address != crash->pid) {
		at_write_string(writer, ": sent by process ");
		at_write_u64(writer, crash->address);
	}
}

void at_crash_fill(struct at_span *record, const struct at_crash *crash,
		   struct at_text stack)
{
	char text[128];
	struct at_writer writer = AT_WRITER(text, sizeof(text));

	at_span_init(record, AT_KIND_INTERNAL);
	record->record = AT_RECORD_CRASHED;
	record->pid = crash->pid;
	record->tid = crash->tid;
	at_span_set_int(record, AT_FIELD_EXCEPTION_UNIX_NS,
			(int64_t)crash->unix_ns);
	at_program_write_signal(&writer, (unsigned int)crash->number);
	at_span_set_text(record, AT_ATTR_EXCEPTION_TYPE,
			 at_writer_text(&writer));
	writer.len = 0;
	write_message(&writer, crash);
	at_span_set_text(record, AT_ATTR_EXCEPTION_MESSAGE,
			 at_writer_text(&writer));
	if (stack.len)
		at_span_set_text(record, AT_ATTR_EXCEPTION_STACKTRACE, stack);
}

/* --- a process that reads the stack of another one --- */

__attribute__((noreturn)) static void unwind_and_exit(
	const struct at_crash *crash, int fd)
{
	char text[STACK_BYTES];
	struct at_writer writer = AT_WRITER(text, sizeof(text));

	at_unwind((pid_t)crash->pid, crash->context, &writer);
	_exit(write(fd, text, writer.len) < 0);
}

/* All there is to read until the other side is closed, or late. */
static size_t read_all(int fd, char *bytes, size_t size)
{
	uint64_t until_ns = at_clock_now_ns() + PATIENCE_MS * UINT64_C(1000000);
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	size_t used = 0;
	ssize_t len;

	while (used < size) {
		uint64_t now_ns = at_clock_now_ns();

		if (now_ns >= until_ns ||
		    poll(&poller, 1, (int)((until_ns - now_ns) / 1000000)) <= 0)
			break;
		len = read(fd, bytes + used, size - used);
		if (len <= 0)
			break;
		used += (size_t)len;
	}
	return used;
}

/* What hangs or crashes over a hostile file is the helper, not the run. */
static size_t read_stack(const struct at_crash *crash, char text[STACK_BYTES])
{
	int channel[2];
	size_t len = 0;
	pid_t helper;

	if (pipe2(channel, O_CLOEXEC))
		return 0;
	helper = fork();
	if (helper == 0)
		unwind_and_exit(crash, channel[1]);
	close(channel[1]);
	if (helper > 0) {
		len = read_all(channel[0], text, STACK_BYTES);
		kill(helper, SIGKILL);
		while (waitpid(helper, NULL, 0) < 0 && errno == EINTR)
			;
	}
	close(channel[0]);
	return len;
}

static void take(struct at_hub *hub, const struct at_crash *crash)
{
	char text[STACK_BYTES];
	struct at_text stack = { text, read_stack(crash, text) };
	struct at_span record;

	if (!stack.len)
		atomic_fetch_add(&hub->counters.value[AT_COUNT_STACKS_MISSED],
				 1);
	at_crash_fill(&record, crash, stack);
	at_ring_push(at_hub_ring(hub), (uint32_t)getpid(), &record,
		     record.size_bytes);
}

/* --- the thread --- */

static void *serve(void *context)
{
	struct at_crash_reader *reader = context;
	struct at_crashes *crashes = &reader->hub->crashes;
	struct at_crash crash;
	uint32_t seen, box;

	while (!atomic_load(&reader->over)) {
		seen = atomic_load(&crashes->asked_count);
		while (at_crash_take(crashes, &crash, &box)) {
			take(reader->hub, &crash);
			at_crash_answer(crashes, box);
		}
		if (!atomic_load(&reader->over))
			at_crash_wait(crashes, seen);
	}
	return NULL;
}

void at_crash_reader_expect(struct at_hub *hub)
{
	atomic_store(&hub->crashes.reader, (uint32_t)getpid());
}

int at_crash_reader_start(struct at_crash_reader *reader, struct at_hub *hub)
{
	int error;

	reader->hub = hub;
	error = pthread_create(&reader->thread, NULL, serve, reader);
	reader->running = error == 0;
	if (!reader->running)
		atomic_store(&hub->crashes.reader, 0);
	return -error;
}

void at_crash_reader_stop(struct at_crash_reader *reader)
{
	if (!reader->running)
		return;
	atomic_store(&reader->hub->crashes.reader, 0);
	atomic_store(&reader->over, true);
	at_crash_wake(&reader->hub->crashes);
	pthread_join(reader->thread, NULL);
	reader->running = false;
}
