// SPDX-License-Identifier: Apache-2.0
#include "core/crash.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LONG_NS UINT64_C(60000000000)

static struct at_crashes *boxes(void)
{
	struct at_crashes *crashes =
		aligned_alloc(64, sizeof(struct at_crashes));

	cr_assert_not_null(crashes);
	memset(crashes, 0, sizeof(*crashes));
	atomic_store(&crashes->reader, (uint32_t)getpid());
	return crashes;
}

static struct at_crash crash_of(uint32_t pid)
{
	return (struct at_crash){ .pid = pid, .number = 11, .context = pid };
}

Test(core_crash, nobody_waits_for_a_reader_that_is_not_there)
{
	struct at_crashes *crashes = boxes();
	struct at_crash crash = crash_of(1);
	pid_t gone = fork();

	if (!gone)
		_exit(0);
	waitpid(gone, NULL, 0);
	atomic_store(&crashes->reader, 0);
	cr_assert_eq(at_crash_ask(crashes, &crash, LONG_NS), -ESRCH);
	atomic_store(&crashes->reader, (uint32_t)gone);
	cr_assert_eq(at_crash_ask(crashes, &crash, LONG_NS), -ESRCH);
	free(crashes);
}

Test(core_crash, patience_ends_and_boxes_too)
{
	struct at_crashes *crashes = boxes();
	struct at_crash crash, seen;
	uint32_t i, box;

	for (i = 1; i <= AT_CRASH_BOXES; i++) {
		crash = crash_of(i);
		cr_assert_eq(at_crash_ask(crashes, &crash, 1), -ETIMEDOUT);
	}
	cr_assert_eq(at_crash_ask(crashes, &crash, LONG_NS), -EBUSY);
	/* They can still be read, each once. */
	for (i = 1; i <= AT_CRASH_BOXES; i++) {
		cr_assert(at_crash_take(crashes, &seen, &box));
		cr_assert_eq(seen.pid, i);
		at_crash_answer(crashes, box);
	}
	cr_assert(!at_crash_take(crashes, &seen, &box));
	cr_assert_eq(at_crash_ask(crashes, &crash, 1), -ETIMEDOUT);
	free(crashes);
}

/* --- many that ask, one that answers --- */

#define ASKERS 8
#define ROUNDS 200

static struct at_crashes *shared;
static _Atomic uint32_t answered_count;

static void *ask(void *context)
{
	uint32_t first = (uint32_t)(uintptr_t)context, i;

	for (i = 0; i < ROUNDS; i++) {
		struct at_crash crash = crash_of(first + i);

		cr_assert_eq(at_crash_ask(shared, &crash, LONG_NS), 0);
		atomic_fetch_add(&answered_count, 1);
	}
	return NULL;
}

Test(core_crash, everybody_is_answered)
{
	pthread_t thread[ASKERS];
	struct at_crash crash;
	uint32_t i, box, seen_count = 0, seen;

	shared = boxes();
	for (i = 0; i < ASKERS; i++)
		pthread_create(&thread[i], NULL, ask,
			       (void *)(uintptr_t)(1 + i * ROUNDS));
	while (seen_count < ASKERS * ROUNDS) {
		seen = atomic_load(&shared->asked_count);
		while (at_crash_take(shared, &crash, &box)) {
			cr_assert_eq(crash.context, crash.pid);
			seen_count++;
			at_crash_answer(shared, box);
		}
		if (seen_count < ASKERS * ROUNDS)
			at_crash_wait(shared, seen);
	}
	for (i = 0; i < ASKERS; i++)
		pthread_join(thread[i], NULL);
	cr_assert_eq(atomic_load(&answered_count), ASKERS * ROUNDS);
	free(shared);
}
