// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/exporter/rig.h"

static struct rig rig;
static int kept; /* the real stderr, for what the test has to say */

static void set_up(const char *more)
{
	const char *environ[] = { "OTEL_TRACES_EXPORTER=console", more, NULL };

	rig_init(&rig, environ);
}

/* From here on descriptor 2 is this one. */
static void take_stderr(int fd)
{
	kept = dup(2);
	cr_assert_eq(dup2(fd, 2), 2);
}

static void give_stderr_back(void)
{
	dup2(kept, 2);
	close(kept);
}

static void export_all(void)
{
	rig_start(&rig);
	rig_end(&rig, AT_EXPORT_DRAIN, 1000 * MS);
	give_stderr_back();
}

Test(exporter_console, one_line_a_span_on_stderr)
{
	static const char head[] =
		"autotrace: 22:13:20.123 CLIENT GET 1.500ms ERROR "
		"trace=11111111111111111111111111111111 "
		"span=2222222222222222 parent=3333333333333333 ";
	char text[8192];
	struct at_span span;
	int fds[2];
	ssize_t len;

	cr_assert_eq(pipe(fds), 0);
	set_up(NULL);
	rig_make_span(&span, 1);
	memset(span.trace_id, 0x11, 16);
	memset(span.span_id, 0x22, 8);
	memset(span.parent_id, 0x33, 8);
	span.has_parent = 1;
	/* 2023-11-14 22:13:20 UTC */
	span.start_unix_ns = UINT64_C(1700000000123456789);
	at_span_set_error(&span, AT_TEXT("500"));
	at_span_set_bool(&span, AT_ATTR_AUTOTRACE_PROPAGATED, false);
	at_span_set_text(&span, AT_ATTR_SERVER_ADDRESS, AT_TEXT("h\x1b[2J\n"));
	at_span_set_double(&span, AT_ATTR_PROCESS_PID, 12.345);
	rig_push_span(&rig, &span);
	rig_push(&rig, 1);
	take_stderr(fds[1]);
	export_all();
	len = read(fds[0], text, sizeof(text) - 1);
	cr_assert_gt(len, 0);
	text[len] = 0;
	cr_assert_eq(strncmp(text, head, strlen(head)), 0, "%s", text);
	cr_assert(strstr(text, " http.response.status_code=200"));
	cr_assert(strstr(text, " server.address=h?[2J?"));
	cr_assert(strstr(text, " autotrace.propagated=false"));
	cr_assert(strstr(text, " process.pid=12.345 "));
	cr_assert(strstr(text, "REDACTED"));
	cr_assert_null(strstr(text, "u:p@"));
	cr_assert_eq(text[len - 1], '\n');
	cr_assert(strstr(strchr(text, '\n'), "\nautotrace: "));
	cr_assert_eq(rig_counter(&rig, AT_COUNT_SPANS_EXPORTED), 2);
}

/* Its thread has descriptors of its own, as in the library. */
static void *with_private_table(void *unused)
{
	(void)unused;
	cr_assert_eq(syscall(SYS_close_range, 0, ~0U, 2 /* UNSHARE */), 0);
	rig.result = autotrace_export(&rig.host);
	return NULL;
}

Test(exporter_console, finds_stderr_from_a_thread_with_private_descriptors)
{
	char text[4096];
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	set_up(NULL);
	rig_push(&rig, 1);
	take_stderr(fds[1]);
	rig_command(&rig, AT_EXPORT_DRAIN, 1000 * MS);
	cr_assert_eq(
		pthread_create(&rig.thread, NULL, with_private_table, NULL), 0);
	rig_join(&rig);
	give_stderr_back();
	cr_assert_gt(read(fds[0], text, sizeof(text)), 0);
	cr_assert_eq(strncmp(text, "autotrace: ", 11), 0);
}

static void expect_refused(int fd)
{
	set_up(NULL);
	rig_push(&rig, 1);
	take_stderr(fd);
	export_all();
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXPORT_FAILED), 1);
}

/* Descriptor 2 of a daemon may be its database. */
Test(exporter_console, writes_to_no_socket)
{
	char byte;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	expect_refused(fds[1]);
	cr_assert_lt(recv(fds[0], &byte, 1, MSG_DONTWAIT), 0);
}

Test(exporter_console, writes_to_no_file_that_is_read_too)
{
	char path[] = "/tmp/autotrace-console-XXXXXX";
	int fd = mkstemp(path);

	expect_refused(fd);
	cr_assert_eq(lseek(fd, 0, SEEK_END), 0);
	unlink(path);
}

Test(exporter_console, writes_to_a_file_that_is_written_only)
{
	char path[] = "/tmp/autotrace-console-XXXXXX";
	int fd;

	close(mkstemp(path));
	fd = open(path, O_WRONLY);
	set_up(NULL);
	rig_push(&rig, 1);
	take_stderr(fd);
	export_all();
	cr_assert_gt(lseek(fd, 0, SEEK_END), 100);
	unlink(path);
}

Test(exporter_console, a_stderr_that_nobody_reads_costs_the_limit)
{
	static char filler[65536];
	uint64_t start_ns;
	int fds[2];

	cr_assert_eq(pipe2(fds, O_NONBLOCK), 0);
	while (write(fds[1], filler, sizeof(filler)) > 0)
		;
	set_up(NULL);
	rig_push(&rig, 3);
	take_stderr(fds[1]);
	start_ns = rig_now_ns();
	rig_start(&rig);
	rig_end(&rig, AT_EXPORT_DRAIN, 200 * MS);
	give_stderr_back();
	cr_assert_lt(rig_now_ns() - start_ns, 1000 * MS);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXIT_TIMEOUT), 3);
}

Test(exporter_console, without_a_stderr_spans_are_counted)
{
	set_up(NULL);
	rig_push(&rig, 1);
	kept = dup(2);
	close(2);
	export_all();
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXPORT_FAILED), 1);
}
