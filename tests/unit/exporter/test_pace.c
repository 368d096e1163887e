// SPDX-License-Identifier: Apache-2.0
/*
 * Pauses and forks: nothing is lost, nothing is sent twice.
 */
#include "exporter/pace.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/exporter/exchange.h"

static struct pace pace;

static void set_up_pace(uint64_t budget_ns)
{
	static const char *const none[] = { NULL };

	rig_init(&rig, none);
	pace_init(&pace, &rig.host, budget_ns);
	pace_start(&pace);
	pace_lock(&rig.host);
}

static void expect_left(uint64_t at_least_ns, uint64_t at_most_ns, int want)
{
	int why = 0;
	uint64_t left_ns = pace_left_ns(&pace, &why);

	cr_assert_geq(left_ns, at_least_ns);
	cr_assert_leq(left_ns, at_most_ns);
	cr_assert_eq(why, want);
}

Test(exporter_pace, the_nearest_limit_counts_and_says_which_it_is)
{
	set_up_pace(1000 * MS);
	expect_left(900 * MS, 1000 * MS, -ETIMEDOUT);
	rig_command(&rig, AT_EXPORT_DRAIN, 500 * MS);
	expect_left(400 * MS, 500 * MS, -ETIME);
	rig_command(&rig, AT_EXPORT_DRAIN, 5000 * MS);
	expect_left(800 * MS, 1000 * MS, -ETIMEDOUT);
	rig_command(&rig, AT_EXPORT_DRAIN, 0);
	expect_left(0, 0, -ETIME);
	rig_command(&rig, AT_EXPORT_PAUSE, 0);
	expect_left(1, PACE_PAUSE_NS, -EAGAIN);
	rig_command(&rig, AT_EXPORT_RUN, 0);
	pace_init(&pace, &rig.host, AT_NO_LIMIT);
	pace_start(&pace);
	expect_left(AT_NO_LIMIT, AT_NO_LIMIT, 0);
}

Test(exporter_pace, what_was_used_before_a_pause_is_gone)
{
	set_up_pace(100 * MS);
	pace.started_ns -= 60 * MS;
	pace_stop(&pace);
	pace_start(&pace);
	expect_left(20 * MS, 40 * MS, -ETIMEDOUT);
	pace.started_ns -= 60 * MS;
	pace_stop(&pace);
	pace_start(&pace);
	expect_left(0, 0, -ETIMEDOUT);
}

Test(exporter_pace, sleeps_until_the_time_has_come)
{
	uint64_t start_ns;

	set_up_pace(1000 * MS);
	start_ns = rig_now_ns();
	pace.not_before_ns = start_ns + 50 * MS;
	cr_assert_eq(pace_sleep(&pace), 0);
	cr_assert_geq(rig_now_ns() - start_ns, 50 * MS);
	pace.not_before_ns = rig_now_ns() + 2000 * MS;
	start_ns = rig_now_ns();
	cr_assert_eq(pace_sleep(&pace), -ETIMEDOUT);
	rig_command(&rig, AT_EXPORT_DRAIN, 500 * MS);
	cr_assert_eq(pace_sleep(&pace), -ETIME);
	pace.unreachable = true;
	cr_assert_eq(pace_sleep(&pace), 0);
	rig_command(&rig, AT_EXPORT_PAUSE, 0);
	cr_assert_eq(pace_sleep(&pace), -EAGAIN);
	cr_assert_lt(rig_now_ns() - start_ns, 500 * MS);
}

static void *give_command(void *unused)
{
	const struct timespec moment = { .tv_nsec = 20000000 };

	(void)unused;
	nanosleep(&moment, NULL);
	rig_command(&rig, AT_EXPORT_PAUSE, 0);
	return NULL;
}

Test(exporter_pace, a_command_ends_every_sleep)
{
	uint64_t start_ns;
	pthread_t thread;

	set_up_pace(AT_NO_LIMIT);
	start_ns = rig_now_ns();
	pthread_create(&thread, NULL, give_command, NULL);
	while (pace_command(&pace) == AT_EXPORT_RUN)
		pace_wait_ring(&rig.host, AT_EXPORT_RUN, 1, AT_NO_LIMIT);
	pthread_join(thread, NULL);
	/* Given before the sleep, it is not slept through. */
	pace_wait_ring(&rig.host, AT_EXPORT_RUN, 1, AT_NO_LIMIT);
	cr_assert_lt(rig_now_ns() - start_ns, 5000 * MS);
}

Test(exporter_pace, a_pause_of_an_idle_worker_is_at_once)
{
	uint64_t took_ns, best_ns = UINT64_MAX;
	int i;

	set_up(NULL, NULL, NULL, NULL);
	for (i = 0; i < 20; i++) {
		rig_push(&rig, 1);
		rig_start(&rig);
		took_ns = rig_end(&rig, AT_EXPORT_PAUSE, 0);
		best_ns = took_ns < best_ns ? took_ns : best_ns;
		cr_assert_lt(took_ns, 1000 * MS);
	}
	cr_assert_lt(best_ns, 5 * MS);
	cr_assert_eq(at_ring_count(rig.ring), 20, "all of it stays");
	rig_start(&rig);
	rig_end(&rig, AT_EXPORT_DRAIN, 5000 * MS);
	collector_stop(collector);
	expect_all_once(0);
}

Test(exporter_pace, an_abort_takes_a_transfer_back_and_sends_it_again)
{
	uint64_t took_ns;

	set_up(NOW, NULL, NULL, NULL);
	collector_script(collector,
			 (struct collector_step){ .act = COLLECTOR_HOLD });
	rig_push(&rig, 5);
	rig_start(&rig);
	cr_assert(collector_wait_posts(collector, 1));
	took_ns = rig_end(&rig, AT_EXPORT_ABORT, 0);
	cr_assert_geq(took_ns, 10 * MS);
	cr_assert_lt(took_ns, 500 * MS);
	expect_counts(0, 0, 0, 0);
	cr_assert_eq(rig.host.kept_count, 5);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 5));
	rig_end(&rig, AT_EXPORT_DRAIN, 5000 * MS);
	collector_stop(collector);
	cr_assert_eq(collector->post_count, 2);
	expect_all_once(1);
	expect_counts(5, 0, 0, 0);
	cr_assert_eq(rig.host.kept_count, 0);
}

/* It would come twice. */
Test(exporter_pace, a_pause_does_not_take_back_what_is_all_out)
{
	uint64_t took_ns;

	set_up(NOW, "OTEL_BSP_EXPORT_TIMEOUT=400", NULL, NULL);
	collector_script(collector,
			 (struct collector_step){ .act = COLLECTOR_HOLD });
	rig_push(&rig, 5);
	rig_start(&rig);
	cr_assert(collector_wait_posts(collector, 1));
	took_ns = rig_end(&rig, AT_EXPORT_PAUSE, 0);
	cr_assert_geq(took_ns, 200 * MS);
	rig_start(&rig);
	rig_end(&rig, AT_EXPORT_DRAIN, 5000 * MS);
	collector_stop(collector);
	cr_assert_eq(collector->post_count, 1);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXPORT_FAILED), 5);
}

Test(exporter_pace, a_pause_lets_a_transfer_end_that_is_about_to)
{
	int i;

	set_up(NOW, NULL, NULL, NULL);
	for (i = 0; i < 30; i++) {
		rig_push(&rig, 3);
		rig_start(&rig);
		cr_assert(collector_wait_posts(collector, i + 1));
		rig_end(&rig, AT_EXPORT_PAUSE, 0);
	}
	rig_start(&rig);
	rig_end(&rig, AT_EXPORT_DRAIN, 5000 * MS);
	collector_stop(collector);
	cr_assert_eq(collector->post_count, 30);
	expect_counts(90, 0, 0, 0);
}

Test(exporter_pace, a_pause_ends_a_back_off_and_keeps_its_time)
{
	uint64_t gap_ns;

	set_up(NOW, NULL, NULL, NULL);
	collector_script(collector,
			 (struct collector_step){
				 .status = 503, .head = "Retry-After: 2\r\n" });
	rig_push(&rig, 5);
	rig_start(&rig);
	cr_assert(collector_wait_posts(collector, 1));
	cr_assert_lt(rig_end(&rig, AT_EXPORT_PAUSE, 0), 500 * MS);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 5));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
	gap_ns = collector->posts[1].time_ns - collector->posts[0].time_ns;
	cr_assert_geq(gap_ns, 1990 * MS);
	expect_counts(5, 0, 0, 0);
}

/* What the child has taken over of the worker belongs to the parent. */
Test(exporter_pace, a_forked_child_sends_its_own_spans_as_another_instance)
{
	struct at_ring *ring = rig.ring;
	int status;
	pid_t child;

	set_up(NOW, NULL, NULL, NULL);
	ring = rig.ring;
	rig_push(&rig, 3);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 3));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	child = fork();
	if (child == 0) {
		memset(ring, 0, at_ring_bytes(2048));
		at_ring_init(ring, 2048);
		memset(&rig.counters, 0, sizeof(rig.counters));
		rig.host.forked = true;
		rig_push(&rig, 2);
		rig_start(&rig);
		rig_end(&rig, AT_EXPORT_DRAIN, 5000 * MS);
		_exit((int)rig_counter(&rig, AT_COUNT_SPANS_EXPORTED));
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 2);
	rig_push(&rig, 1);
	rig_start(&rig);
	rig_end(&rig, AT_EXPORT_DRAIN, 5000 * MS);
	collector_stop(collector);
	cr_assert_eq(collector->post_count, 3);
	cr_assert_eq(spans_of(1)->n_spans, 2);
	cr_assert_eq(spans_of(2)->n_spans, 1);
}

/* Forked in the middle of a transfer: the parent's connection is not ours. */
Test(exporter_pace, a_child_forked_during_a_transfer_leaves_it_alone)
{
	int status;
	pid_t child;

	set_up(NOW, NULL, NULL, NULL);
	collector_script(collector,
			 (struct collector_step){ .act = COLLECTOR_HOLD });
	rig_push(&rig, 3);
	rig_start(&rig);
	cr_assert(collector_wait_posts(collector, 1));
	rig.host.lock();
	child = fork();
	if (child == 0) {
		rig.host.unlock();
		memset(rig.ring, 0, at_ring_bytes(2048));
		at_ring_init(rig.ring, 2048);
		memset(&rig.counters, 0, sizeof(rig.counters));
		rig.host.forked = true;
		rig_push(&rig, 2);
		rig_start(&rig);
		rig_end(&rig, AT_EXPORT_DRAIN, 5000 * MS);
		_exit((int)rig_counter(&rig, AT_COUNT_SPANS_EXPORTED));
	}
	rig.host.unlock();
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status));
	cr_assert_eq(WEXITSTATUS(status), 2);
	cr_assert_eq(collector->post_count, 2);
	cr_assert_eq(spans_of(1)->n_spans, 2);
	rig_end(&rig, AT_EXPORT_DRAIN, 100 * MS);
	collector_stop(collector);
	expect_counts(0, 0, 0, 3);
}
