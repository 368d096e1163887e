// SPDX-License-Identifier: Apache-2.0
/*
 * The part of Criterion's interface that the threaded unit tests use, for
 * programs under ThreadSanitizer: Criterion's own runner maps its arena where
 * the sanitizer keeps its shadow, and aborts.
 *
 * A test runs in a child process, as with Criterion; runner.c has the main
 * function. Messages behind the conditions are accepted and not printed.
 */
#ifndef AT_TESTS_TSAN_CRITERION_H
#define AT_TESTS_TSAN_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct at_tsan_test {
	const char *suite;
	const char *name;
	void (*run)(void);
	struct at_tsan_test *next;
	void (*init)(void);
	void (*fini)(void);
	double timeout;
	int exit_code;
	int signal;
	bool disabled;
};

/* Adds a test to the list that main runs. Called by constructors only. */
void at_tsan_register(struct at_tsan_test *test);

/* Prints where and what failed, and ends the test's process. */
void at_tsan_failed(const char *file, int line, const char *what)
	__attribute__((noreturn));

#define Test(suite_, name_, ...)                                              \
	static void suite_##_##name_##_run(void);                             \
	static struct at_tsan_test suite_##_##name_##_row = {                 \
		#suite_, #name_, suite_##_##name_##_run, NULL, __VA_ARGS__    \
	};                                                                    \
	__attribute__((constructor)) static void suite_##_##name_##_add(void) \
	{                                                                     \
		at_tsan_register(&suite_##_##name_##_row);                    \
	}                                                                     \
	static void suite_##_##name_##_run(void)

#define cr_assert(ok, ...) \
	((ok) ? (void)0 : at_tsan_failed(__FILE__, __LINE__, #ok))
#define cr_assert_not(ok, ...) cr_assert(!(ok))
#define cr_assert_fail(...) at_tsan_failed(__FILE__, __LINE__, "reached")
#define cr_assert_eq(a, b, ...) cr_assert((a) == (b))
#define cr_assert_neq(a, b, ...) cr_assert((a) != (b))
#define cr_assert_lt(a, b, ...) cr_assert((a) < (b))
#define cr_assert_leq(a, b, ...) cr_assert((a) <= (b))
#define cr_assert_gt(a, b, ...) cr_assert((a) > (b))
#define cr_assert_geq(a, b, ...) cr_assert((a) >= (b))
#define cr_assert_null(a, ...) cr_assert((a) == NULL)
#define cr_assert_not_null(a, ...) cr_assert((a) != NULL)
#define cr_assert_str_eq(a, b, ...) cr_assert(strcmp((a), (b)) == 0)
#define cr_assert_str_neq(a, b, ...) cr_assert(strcmp((a), (b)) != 0)
#define cr_assert_arr_eq(a, b, size, ...) \
	cr_assert(memcmp((a), (b), (size)) == 0)
#define cr_expect cr_assert
#define cr_expect_eq cr_assert_eq

#endif
