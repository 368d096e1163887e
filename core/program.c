// SPDX-License-Identifier: Apache-2.0
#include "core/program.h"

#include <sys/wait.h>

#define BLOCK_BYTES 512

/* By number, as every CPU of sys.h has them. */
static const char signal_names[][12] = {
	"",        "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",    "SIGTRAP",
	"SIGABRT", "SIGBUS",  "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV",
	"SIGUSR2", "SIGPIPE", "SIGALRM",   "SIGTERM", "SIGSTKFLT", "SIGCHLD",
	"SIGCONT", "SIGSTOP", "SIGTSTP",   "SIGTTIN", "SIGTTOU",   "SIGURG",
	"SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH",  "SIGIO",
	"SIGPWR",  "SIGSYS",
};

void at_program_write_signal(struct at_writer *writer, unsigned int signal)
{
	if (signal < sizeof(signal_names) / sizeof(signal_names[0])) {
		at_write_string(writer, signal_names[signal]);
		return;
	}
	at_write_string(writer, "SIG");
	at_write_u64(writer, signal);
}

void at_program_fill_exit(struct at_span *span, int wait_status)
{
	int code = WEXITSTATUS(wait_status);
	char text[16];
	struct at_writer writer = AT_WRITER(text, sizeof(text));

	if (WIFSIGNALED(wait_status)) {
		code = 128 + WTERMSIG(wait_status);
		at_program_write_signal(&writer,
					(unsigned int)WTERMSIG(wait_status));
	} else {
		at_write_u64(&writer, (uint64_t)code);
	}
	at_span_set_int(span, AT_ATTR_PROCESS_EXIT_CODE, code);
	if (code)
		at_span_set_error(span, at_writer_text(&writer));
}

static int64_t milliseconds(const struct timeval *time,
			    const struct timeval *before)
{
	return (time->tv_sec - before->tv_sec) * 1000 +
	       (time->tv_usec - before->tv_usec) / 1000;
}

void at_program_fill_usage(struct at_span *span, const struct rusage *usage,
			   const struct rusage *before)
{
	static const struct rusage nothing;

	if (!before)
		before = &nothing;
	at_span_set_int(span, AT_ATTR_AUTOTRACE_PROCESS_USER_CPU_MS,
			milliseconds(&usage->ru_utime, &before->ru_utime));
	at_span_set_int(span, AT_ATTR_AUTOTRACE_PROCESS_SYSTEM_CPU_MS,
			milliseconds(&usage->ru_stime, &before->ru_stime));
	at_span_set_int(span, AT_ATTR_AUTOTRACE_PROCESS_PEAK_MEMORY_BYTES,
			usage->ru_maxrss * 1024);
	at_span_set_int(span, AT_ATTR_AUTOTRACE_PROCESS_READ_BYTES,
			(usage->ru_inblock - before->ru_inblock) * BLOCK_BYTES);
	at_span_set_int(span, AT_ATTR_AUTOTRACE_PROCESS_WRITE_BYTES,
			(usage->ru_oublock - before->ru_oublock) * BLOCK_BYTES);
}
