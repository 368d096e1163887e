// SPDX-License-Identifier: Apache-2.0
#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/exporter/rig.h"

static struct rig rig;
static char dir[] = "/tmp/autotrace-file-XXXXXX";
static char path[64], setting[80];

static void make_dir(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/spans.jsonl", dir);
}

static void remove_dir(void)
{
	char other[80];

	snprintf(other, sizeof(other), "%s.1", path);
	unlink(other);
	unlink(path);
	rmdir(dir);
}

TestSuite(exporter_file, .init = make_dir, .fini = remove_dir);

static void set_up(const char *file, const char *a, const char *b)
{
	const char *environ[] = { setting, a, b, NULL };

	snprintf(setting, sizeof(setting), "AUTOTRACE_FILE=%s", file);
	rig_init(&rig, environ);
}

/* Push so many spans and have them exported. */
static void export_spans(uint32_t count)
{
	rig_push(&rig, count);
	rig_start(&rig);
	rig_end(&rig, AT_EXPORT_DRAIN, 20000 * MS);
}

static int span_count(const cJSON *line)
{
	const cJSON *at = cJSON_GetObjectItem(line, "resourceSpans");

	at = cJSON_GetObjectItem(at->child, "scopeSpans");
	return cJSON_GetArraySize(cJSON_GetObjectItem(at->child, "spans"));
}

/* Spans in the file; *bad_lines are those that are no JSON. */
static int read_spans(const char *file, int *bad_lines)
{
	FILE *stream = fopen(file, "re");
	char *text = NULL;
	size_t cap = 0;
	ssize_t len;
	int count = 0;

	cr_assert_not_null(stream, "%s", file);
	*bad_lines = 0;
	while ((len = getline(&text, &cap, stream)) > 0) {
		cJSON *line = cJSON_ParseWithLength(text, (size_t)len);

		cr_assert_leq(len, 300000);
		if (line && text[len - 1] == '\n')
			count += span_count(line);
		else
			++*bad_lines;
		cJSON_Delete(line);
	}
	free(text);
	fclose(stream);
	return count;
}

static void expect_spans(const char *file, int want)
{
	int bad_lines;

	cr_assert_eq(read_spans(file, &bad_lines), want);
	cr_assert_eq(bad_lines, 0);
}

Test(exporter_file, a_path_alone_selects_it)
{
	struct stat status;

	set_up(path, NULL, NULL);
	umask(022);
	export_spans(3);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_SPANS_EXPORTED), 3);
	expect_spans(path, 3);
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0644);
}

Test(exporter_file, a_second_run_appends)
{
	set_up(path, NULL, NULL);
	export_spans(2);
	set_up(path, NULL, NULL);
	export_spans(3);
	expect_spans(path, 5);
}

Test(exporter_file, long_batches_become_lines_of_bounded_length)
{
	set_up(path, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=2000", NULL);
	export_spans(2000);
	expect_spans(path, 2000);
}

Test(exporter_file, many_processes_share_one_file)
{
	enum { PROCESSES = 12, BATCHES = 20, SPANS = 40 };
	pid_t children[PROCESSES];
	int i, j, status;

	for (i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		if (children[i])
			continue;
		set_up(path, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=7", NULL);
		for (j = 0; j < BATCHES; j++)
			export_spans(SPANS);
		_exit(0);
	}
	for (i = 0; i < PROCESSES; i++) {
		cr_assert_eq(waitpid(children[i], &status, 0), children[i]);
		cr_assert_eq(status, 0);
	}
	expect_spans(path, PROCESSES * BATCHES * SPANS);
}

Test(exporter_file, goes_on_in_a_new_file_after_rotation)
{
	char old[80];

	snprintf(old, sizeof(old), "%s.1", path);
	set_up(path, "OTEL_BSP_SCHEDULE_DELAY=0", NULL);
	rig_push(&rig, 2);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 2));
	cr_assert_eq(rename(path, old), 0);
	rig_push(&rig, 1);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 3));
	cr_assert_eq(unlink(path), 0);
	rig_push(&rig, 1);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 4));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	expect_spans(old, 2);
	expect_spans(path, 1);
}

Test(exporter_file, a_full_disk_is_counted_and_not_retried)
{
	uint64_t start_ns = rig_now_ns();

	set_up("/dev/full", NULL, NULL);
	export_spans(5);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXPORT_FAILED), 5);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_SPANS_EXPORTED), 0);
	cr_assert_lt(rig_now_ns() - start_ns, 5000 * MS);
}

/* The disk fills in the middle of a line. */
Test(exporter_file, a_half_line_is_taken_back)
{
	struct rlimit limit;
	struct stat status;

	signal(SIGXFSZ, SIG_IGN);
	set_up(path, NULL, NULL);
	export_spans(10);
	cr_assert_eq(stat(path, &status), 0);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = (rlim_t)status.st_size + 1000;
	setrlimit(RLIMIT_FSIZE, &limit);
	export_spans(10);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXPORT_FAILED), 10);
	expect_spans(path, 10);
	export_spans(10);
	expect_spans(path, 20);
}

/* What of a batch was written before the disk was full is not lost. */
Test(exporter_file, lines_before_the_failing_one_count_as_exported)
{
	struct rlimit limit;
	int bad_lines, written;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 600000;
	setrlimit(RLIMIT_FSIZE, &limit);
	set_up(path, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=2000", NULL);
	export_spans(2000);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	written = read_spans(path, &bad_lines);
	cr_assert_eq(bad_lines, 0);
	cr_assert_gt(written, 0);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_SPANS_EXPORTED),
		     (uint64_t)written);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXPORT_FAILED),
		     2000 - (uint64_t)written);
}

/* A pipe that takes less than a line: nothing can be taken back. */
Test(exporter_file, after_a_half_line_that_stays_a_new_line_begins)
{
	char *text = malloc(1 << 20), *second;
	ssize_t len;
	int fd, fill;

	cr_assert_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	fill = open(path, O_WRONLY | O_CLOEXEC);
	fcntl(fd, F_SETPIPE_SZ, 8192);
	set_up(path, "OTEL_BSP_SCHEDULE_DELAY=0", NULL);
	rig_push(&rig, 50);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_EXPORT_FAILED, 50));
	len = read(fd, text, 1 << 20);
	cr_assert_gt(len, 0);
	cr_assert_null(memchr(text, '\n', (size_t)len));
	rig_push(&rig, 1);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 1));
	len = read(fd, text, 1 << 20);
	text[len] = 0;
	cr_assert_eq(text[0], '\n');
	second = strchr(text + 1, '\n');
	cr_assert_eq(second, text + len - 1);
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	close(fd);
	close(fill);
	free(text);
}

Test(exporter_file, a_fifo_without_reader_does_not_hang)
{
	cr_assert_eq(mkfifo(path, 0600), 0);
	set_up(path, NULL, NULL);
	export_spans(1);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXPORT_FAILED), 1);
}

Test(exporter_file, asked_for_without_a_path_it_is_a_bad_setting)
{
	set_up("", "OTEL_TRACES_EXPORTER=file", NULL);
	export_spans(4);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_CONFIG_REJECTED), 1);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXPORT_FAILED), 4);
}

Test(exporter_file, a_path_that_cannot_be_opened_is_tried_again)
{
	char missing[80];

	rmdir(dir);
	snprintf(missing, sizeof(missing), "%s", path);
	set_up(missing, "OTEL_BSP_SCHEDULE_DELAY=0", NULL);
	rig_push(&rig, 1);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_EXPORT_FAILED, 1));
	cr_assert_eq(mkdir(dir, 0700), 0);
	rig_push(&rig, 1);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 1));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	expect_spans(path, 1);
}

/* No collector there: the file has everything all the same. */
Test(exporter_file, is_served_before_the_network)
{
	set_up(path, "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1",
	       "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=10");
	export_spans(35);
	expect_spans(path, 35);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXPORT_FAILED), 35);
}
