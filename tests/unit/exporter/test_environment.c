// SPDX-License-Identifier: Apache-2.0
#include "exporter/environment.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporter/heap.h"

Test(exporter_environment, is_what_the_process_was_started_with)
{
	struct environment environment;
	char *const *at;
	int path_count = 0;

	setenv("AT_TEST_LATER", "1", 1);
	unsetenv("PATH");
	environment = environment_read();
	cr_assert_not_null(environment.block);
	for (at = environment.block; *at; at++) {
		path_count += !strncmp(*at, "PATH=", 5);
		cr_assert(strncmp(*at, "AT_TEST_LATER", 13) != 0);
	}
	cr_assert_eq(path_count, 1);
	environment_free(&environment);
	cr_assert_null(environment.block);
}

Test(exporter_environment, without_memory_there_is_none)
{
	int n;

	for (n = 1; n <= 2; n++) {
		struct environment environment;

		heap_fail_at = (uint64_t)n;
		environment = environment_read();
		cr_assert_null(environment.block);
		environment_free(&environment);
	}
	heap_fail_at = 0;
}
