// SPDX-License-Identifier: Apache-2.0
/* The exporter and several forkers at the gate. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/clock.h"
#include "preload/preload.h"

#define FORKERS 3
#define ROUNDS 2000
#define LONG_NS UINT64_C(20000000000)

/* Not atomic: the sanitizer says if anybody is there with the exporter. */
static uint64_t exporter_work;
static _Atomic bool done;
static _Atomic uint32_t closed_count, slow_count;

static void *export(void *unused)
{
	while (!atomic_load(&done)) {
		gate_lock();
		exporter_work++;
		gate_unlock();
	}
	return unused;
}

static void *fork_often(void *unused)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		uint64_t before;

		if (!gate_close(LONG_NS)) {
			atomic_fetch_add(&slow_count, 1);
			continue;
		}
		before = exporter_work;
		sched_yield();
		if (exporter_work != before)
			atomic_fetch_add(&slow_count, 1);
		gate_open();
		atomic_fetch_add(&closed_count, 1);
	}
	return unused;
}

Test(gate_threads, forkers_share_it_and_the_exporter_is_out)
{
	pthread_t exporter, forker[FORKERS];
	int i;

	pthread_create(&exporter, NULL, export, NULL);
	for (i = 0; i < FORKERS; i++)
		pthread_create(&forker[i], NULL, fork_often, NULL);
	for (i = 0; i < FORKERS; i++)
		pthread_join(forker[i], NULL);
	cr_expect_eq(closed_count, FORKERS * ROUNDS);
	cr_expect_eq(slow_count, 0);
	/* Nobody is left behind in it: the exporter comes to its end. */
	atomic_store(&done, true);
	pthread_join(exporter, NULL);
}

Test(gate_threads, who_gave_up_holds_nothing)
{
	uint64_t begin;

	gate_lock();
	begin = at_clock_now_ns();
	cr_expect(!gate_close(5000000));
	cr_expect(at_clock_now_ns() - begin >= 5000000);
	gate_unlock();
	gate_lock();
	gate_unlock();
	cr_expect(gate_close(0));
	cr_expect(gate_close(0));
	gate_open();
	gate_open();
	gate_lock();
	gate_unlock();
}

Test(gate_threads, a_child_is_told_whether_the_exporter_was_inside)
{
	gate_lock();
	cr_expect(!gate_after_fork_child());
	cr_expect(gate_close(0));
	cr_expect(gate_after_fork_child());
	gate_lock();
	gate_unlock();
}
