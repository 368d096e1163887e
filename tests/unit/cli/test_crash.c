// SPDX-License-Identifier: Apache-2.0
#include "cli/crash.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "cli/unwind.h"

static void expect_message(struct at_crash crash, const char *message)
{
	struct at_span record;
	struct at_field field;

	at_crash_fill(&record, &crash, AT_TEXT("#0 f+0x1 (p+0x2)\n"));
	cr_assert_eq(at_span_check(&record, record.size_bytes), 0);
	cr_expect_eq(record.record, AT_RECORD_CRASHED);
	cr_expect_eq(record.pid, 70);
	cr_assert(at_span_find(&record, AT_ATTR_EXCEPTION_MESSAGE, &field));
	cr_expect(at_text_equal(field.text, at_text_from(message)),
		  "%.*s, not %s", (int)field.text.len, field.text.ptr, message);
	cr_assert(at_span_find(&record, AT_ATTR_EXCEPTION_STACKTRACE, &field));
}

Test(cli_crash, in_words)
{
	expect_message((struct at_crash){ .pid = 70,
					  .number = SIGSEGV,
					  .code = SEGV_ACCERR,
					  .address = 0xabc },
		       "Segmentation fault: access is not allowed at 0xabc");
	expect_message((struct at_crash){ .pid = 70,
					  .number = SIGSEGV,
					  .code = SI_KERNEL },
		       "Segmentation fault");
	expect_message((struct at_crash){ .pid = 70,
					  .number = SIGFPE,
					  .code = FPE_INTDIV,
					  .address = 0xabc },
		       "Floating point exception: integer division by zero");
	expect_message((struct at_crash){ .pid = 70,
					  .number = SIGABRT,
					  .code = SI_USER,
					  .address = 71 },
		       "Aborted: sent by process 71");
	expect_message((struct at_crash){ .pid = 70,
					  .number = SIGABRT,
					  .code = SI_TKILL,
					  .address = 70 },
		       "Aborted");
	expect_message(
		(struct at_crash){ .pid = 70, .number = 4711, .code = 1 },
		"Unknown signal");
}

/* --- stacks --- */

static ucontext_t here;

__attribute__((noinline)) static void wait_in_function(int ready)
{
	getcontext(&here);
	if (write(ready, "x", 1) == 1)
		pause();
	/* No tail call: this function stays on the stack. */
	__asm__ volatile("" ::: "memory");
}

static struct at_text stack_of(pid_t pid, uint64_t context, char *text,
			       size_t size)
{
	struct at_writer writer = AT_WRITER(text, size);

	at_unwind(pid, context, &writer);
	return at_writer_text(&writer);
}

static bool contains(struct at_text text, const char *part)
{
	return memmem(text.ptr, text.len, part, strlen(part));
}

Test(cli_crash, the_stack_of_another_process)
{
	uint64_t address = (uint64_t)(uintptr_t)&here;
	char text[4096], small[64];
	struct at_text stack;
	int ready[2];
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	if (!pid)
		wait_in_function(ready[1]);
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	stack = stack_of(pid, address, text, sizeof(text));
	cr_expect(contains(stack, "#0 wait_in_function+0x"), "%.*s",
		  (int)stack.len, stack.ptr);
	cr_expect(contains(stack, " (unit-cli+0x"), "%.*s", (int)stack.len,
		  stack.ptr);
	/* Whole lines only, and a word that there are more. */
	stack = stack_of(pid, address, small, sizeof(small));
	cr_expect(stack.len <= sizeof(small) && contains(stack, ")\n...\n"),
		  "%.*s", (int)stack.len, stack.ptr);
	/* Nothing to be read there. */
	cr_expect_eq(stack_of(pid, 8, text, sizeof(text)).len, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	cr_expect_eq(stack_of(pid, address, text, sizeof(text)).len, 0);
}
