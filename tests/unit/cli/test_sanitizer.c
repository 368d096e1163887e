// SPDX-License-Identifier: Apache-2.0
#include "cli/sanitizer.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES 8192

/* This test is such a program. */
Test(sanitizer, this_program_wants_it)
{
	cr_expect(at_wants_asan_first("/proc/self/exe", NULL));
}

Test(sanitizer, others_do_not)
{
	cr_expect_not(at_wants_asan_first("/bin/sh", NULL));
	cr_expect_not(at_wants_asan_first("/etc/passwd", NULL));
	cr_expect_not(at_wants_asan_first("/", NULL));
	cr_expect_not(at_wants_asan_first("/dev/null", NULL));
	cr_expect_not(at_wants_asan_first("/nowhere/at/all", NULL));
	cr_expect_not(at_wants_asan_first("sh", "/usr/bin:/bin"));
	cr_expect_not(at_wants_asan_first("sh", NULL));
	cr_expect_not(at_wants_asan_first("", ""));
}

/* The first in PATH is what will run. */
Test(sanitizer, found_as_exec_finds_it)
{
	char dir[] = "/tmp/at-sanitizer-XXXXXX", path[64], list[64];
	char exe[4096];
	ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	cr_assert(len > 0 && mkdtemp(dir));
	exe[len] = 0;
	snprintf(path, sizeof(path), "%s/sh", dir);
	cr_assert_eq(symlink(exe, path), 0);
	snprintf(list, sizeof(list), "/nowhere::%s:/bin", dir);
	cr_expect(at_wants_asan_first("sh", list));
	snprintf(list, sizeof(list), "/bin:%s", dir);
	cr_expect_not(at_wants_asan_first("sh", list));
	unlink(path);
	rmdir(dir);
}

static void write_file(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	cr_assert(file && fwrite(bytes, 1, len, file) == len && !fclose(file));
}

/* Cut or broken files are none. */
Test(sanitizer, nonsense_is_survived)
{
	static char head[HEAD_BYTES];
	char path[] = "/tmp/at-sanitizer-XXXXXX";
	int fd = open("/proc/self/exe", O_RDONLY);
	size_t i;

	cr_assert_eq(read(fd, head, sizeof(head)), HEAD_BYTES);
	close(fd);
	close(mkstemp(path));
	for (i = 0; i < 1200; i += 7) {
		write_file(path, head, i);
		cr_expect_not(at_wants_asan_first(path, NULL));
	}
	for (i = 4; i < 1000; i++) {
		char byte = head[i];

		head[i] = (char)(byte ^ 0xff);
		write_file(path, head, sizeof(head));
		at_wants_asan_first(path, NULL);
		head[i] = byte;
	}
	unlink(path);
}

Test(sanitizer, options_are_added_to)
{
	static const char *const cases[][2] = {
		{ NULL, "verify_asan_link_order=0" },
		{ "", "verify_asan_link_order=0" },
		{ "a=1:b=2", "a=1:b=2:verify_asan_link_order=0" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *value = at_asan_options(cases[i][0]);

		cr_expect_str_eq(value, cases[i][1]);
		free(value);
	}
}
