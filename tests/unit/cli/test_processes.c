// SPDX-License-Identifier: Apache-2.0
#include "cli/processes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/program.h"

static struct at_hub *hub;
static struct at_ring_reader reader;
static struct at_processes processes;
static struct at_span span; /* the last that came out */

static void open_books(void)
{
	char address[AT_HUB_ADDRESS_BYTES];
	int fd;

	cr_assert_eq(at_hub_create(64, &hub, &fd, address), 0);
	at_ring_reader_init(&reader, at_hub_ring(hub));
	at_processes_init(&processes, hub);
}

static void close_books(void)
{
	at_processes_free(&processes);
}

TestSuite(processes, .init = open_books, .fini = close_books);

/* --- what processes say --- */

static void say(struct at_span *record, enum at_record what)
{
	record->record = (uint16_t)what;
	cr_assert_eq(at_ring_push(at_hub_ring(hub), record->pid, record,
				  record->size_bytes),
		     0);
}

static struct at_span span_of(uint32_t pid, uint8_t id, uint64_t start_ns)
{
	struct at_span made;

	at_span_init(&made, AT_KIND_INTERNAL);
	memset(made.trace_id, 1, sizeof(made.trace_id));
	memset(made.span_id, id, sizeof(made.span_id));
	made.pid = pid;
	made.start_unix_ns = start_ns;
	return made;
}

static void say_began(uint32_t pid, uint8_t id, uint64_t start_ns)
{
	struct at_span made = span_of(pid, id, start_ns);

	at_span_set_name(&made, AT_TEXT("program"));
	say(&made, AT_RECORD_BEGAN);
}

static void say_ended(uint32_t pid, uint8_t id, uint64_t start_ns,
		      uint64_t duration_ns, int wait_status)
{
	struct at_span made = span_of(pid, id, start_ns);

	made.duration_ns = duration_ns;
	at_program_fill_exit(&made, wait_status);
	say(&made, AT_RECORD_ENDED);
}

static void say_reaped(uint32_t pid, uint64_t at_ns, int wait_status)
{
	struct at_span made = span_of(pid, 0, at_ns);

	at_program_fill_exit(&made, wait_status);
	at_span_set_int(&made, AT_ATTR_AUTOTRACE_PROCESS_USER_CPU_MS, 12);
	say(&made, AT_RECORD_REAPED);
}

static void say_closed(uint64_t at_ns)
{
	struct at_span made = span_of(1, 0, at_ns);

	say(&made, AT_RECORD_CLOSED);
}

/* --- what comes out --- */

static bool next(void)
{
	int len = at_processes_pop(&processes, &reader, &span, 0);

	cr_assert_geq(len, 0);
	return len > 0;
}

static int64_t number(enum at_attr attr)
{
	struct at_field field;

	return at_span_find(&span, attr, &field) ? field.number : -1;
}

static void expect(uint8_t id, uint64_t duration_ns, int64_t exit_code)
{
	cr_assert(next());
	cr_expect_eq(span.span_id[0], id);
	cr_expect_eq(span.record, AT_RECORD_SPAN);
	cr_expect_eq(span.duration_ns, duration_ns);
	cr_expect_eq(number(AT_ATTR_PROCESS_EXIT_CODE), exit_code);
}

Test(processes, whoever_says_so_itself_ends)
{
	say_began(70, 1, 1000);
	cr_expect_not(next());
	say_ended(70, 1, 1000, 50, W_EXITCODE(3, 0));
	expect(1, 50, 3);
	say_reaped(70, 2000, W_EXITCODE(3, 0));
	cr_expect_not(next());
}

Test(processes, whoever_is_killed_is_ended)
{
	struct at_field error;

	say_began(70, 1, 1000);
	say_began(71, 2, 1000);
	say_reaped(70, 1700, SIGKILL);
	expect(1, 700, 128 + SIGKILL);
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_PROCESS_USER_CPU_MS), 12);
	cr_assert(at_span_find(&span, AT_ATTR_ERROR_TYPE, &error));
	cr_expect(at_text_equal(error.text, AT_TEXT("SIGKILL")));
	cr_expect_not(next());
}

/* An image that another has taken the place of ends with its process. */
Test(processes, all_images_of_a_process_end_together)
{
	say_began(70, 1, 1000);
	say_began(70, 2, 1200);
	say_ended(70, 2, 1200, 300, W_EXITCODE(1, 0));
	expect(2, 300, 1);
	expect(1, 500, 1);
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_PROCESS_USER_CPU_MS), -1);
	cr_expect_not(next());
}

/* What it used is counted once: for the last image. */
Test(processes, what_a_process_used_goes_to_its_last_image)
{
	say_began(70, 1, 1000);
	say_began(70, 2, 1200);
	say_reaped(70, 1500, W_EXITCODE(0, 0));
	expect(2, 300, 0);
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_PROCESS_USER_CPU_MS), 12);
	expect(1, 500, 0);
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_PROCESS_USER_CPU_MS), -1);
}

Test(processes, an_exec_that_failed_leaves_nothing)
{
	struct at_span made = span_of(70, 2, 1200);

	say_began(70, 1, 1000);
	say(&made, AT_RECORD_BEGAN);
	say(&made, AT_RECORD_NOT_BEGUN);
	say_ended(70, 1, 1000, 400, W_EXITCODE(0, 0));
	expect(1, 400, 0);
	cr_expect_not(next());
}

/* Told as unfinished when the trace is closed, and never again. */
Test(processes, what_still_runs_is_told_once)
{
	say_began(70, 1, 1000);
	say_closed(1900);
	expect(1, 900, -1);
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_UNFINISHED), 1);
	say_closed(1950);
	say_ended(70, 1, 1000, 5000, W_EXITCODE(0, 0));
	cr_expect_not(next());
	say_began(71, 2, 1000);
	say_closed(2000);
	expect(2, 1000, -1);
	say_reaped(71, 2100, SIGTERM);
	cr_expect_not(next());
}

Test(processes, the_head_may_announce_itself_again)
{
	struct at_span made = span_of(70, 1, 1000);
	struct at_field field;

	at_span_set_text(&made, AT_ATTR_AUTOTRACE_COMMAND, AT_TEXT("/bin/x"));
	say(&made, AT_RECORD_BEGAN);
	say_began(70, 1, 1100);
	say_reaped(70, 1500, W_EXITCODE(0, 0));
	expect(1, 400, 0);
	cr_assert(at_span_find(&span, AT_ATTR_AUTOTRACE_COMMAND, &field));
	cr_expect_not(next());
}

Test(processes, other_spans_pass)
{
	struct at_span made = span_of(70, 9, 1000);

	say(&made, AT_RECORD_SPAN);
	cr_assert(next());
	cr_expect_eq(span.span_id[0], 9);
	made.record = 77;
	cr_assert_eq(at_ring_push(at_hub_ring(hub), 70, &made, made.size_bytes),
		     0);
	cr_expect_eq(at_processes_pop(&processes, &reader, &span, 0), -EBADMSG);
	cr_expect_not(next());
}

/* Nobody makes the hub's memory grow without end. */
Test(processes, there_is_a_limit)
{
	uint32_t i;

	for (i = 1; i <= AT_PROCESSES_MAX + 100; i++) {
		say_began(i, 1, 1000);
		cr_assert_not(next());
	}
	cr_expect_eq(processes.open_count, AT_PROCESSES_MAX);
	say_ended(AT_PROCESSES_MAX + 50, 1, 1000, 5, W_EXITCODE(0, 0));
	expect(1, 5, 0);
	say_reaped(7, 2000, SIGKILL);
	expect(1, 1000, 128 + SIGKILL);
	cr_expect_eq(processes.open_count, AT_PROCESSES_MAX - 1);
}

/* --- those that are gone --- */

static uint32_t gone_pid(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	return (uint32_t)pid;
}

Test(processes, whoever_is_missed_at_the_second_look_is_ended)
{
	uint64_t now_ns = at_clock_now_ns() + 10000000000u;
	uint64_t unix_ns = at_clock_unix_ns(now_ns);
	uint32_t pid = gone_pid();

	say_began(pid, 1, unix_ns - 500);
	say_began((uint32_t)getpid(), 2, unix_ns);
	cr_expect_not(next());
	at_processes_sweep(&processes, now_ns);
	cr_expect_not(next());
	at_processes_sweep(&processes, now_ns + 10); /* too soon to look */
	cr_expect_not(next());
	at_processes_sweep(&processes, now_ns + 2000000000u);
	expect(1, 500, -1);
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_INCOMPLETE), 1);
	cr_expect_not(next());
}

Test(processes, the_dead_are_taken_off_the_list_of_the_living)
{
	struct at_life life = { .since_ns = 1 };
	uint32_t pid = gone_pid();

	cr_assert(at_living_enter(&hub->living, pid, &life));
	cr_assert(at_living_enter(&hub->living, (uint32_t)getpid(), &life));
	at_processes_sweep(&processes, at_clock_now_ns() + 10000000000u);
	cr_expect_not(at_living_find(&hub->living, pid, &life));
	cr_expect(at_living_find(&hub->living, (uint32_t)getpid(), &life));
}

static void say_crashed(uint32_t pid, const char *type)
{
	struct at_span made = span_of(pid, 0, 0);

	at_span_set_int(&made, AT_FIELD_EXCEPTION_UNIX_NS, 1600);
	at_span_set_text(&made, AT_ATTR_EXCEPTION_TYPE, at_text_from(type));
	/* Not what a crash has to tell. */
	at_span_set_int(&made, AT_ATTR_PROCESS_EXIT_CODE, 99);
	say(&made, AT_RECORD_CRASHED);
}

/* It dies later: of that its parent will hear. */
Test(processes, a_crash_is_of_the_last_image)
{
	struct at_field field;

	say_crashed(70, "SIGILL"); /* of nobody that is known */
	say_began(70, 1, 1000);
	say_began(70, 2, 1200);
	say_crashed(70, "SIGSEGV");
	cr_expect_not(next());
	say_reaped(70, 1700, SIGSEGV);
	expect(2, 500, 128 + SIGSEGV);
	cr_assert(at_span_find(&span, AT_ATTR_EXCEPTION_TYPE, &field));
	cr_expect(at_text_equal(field.text, AT_TEXT("SIGSEGV")));
	cr_assert(at_span_find(&span, AT_FIELD_EXCEPTION_UNIX_NS, &field));
	cr_expect_eq(field.number, 1600);
	expect(1, 700, 128 + SIGSEGV);
	cr_expect_not(at_span_find(&span, AT_ATTR_EXCEPTION_TYPE, &field));
}
