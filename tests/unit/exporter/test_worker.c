// SPDX-License-Identifier: Apache-2.0
/*
 * The worker: batches, the end, what is lost and counted.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/sys.h"
#include "tests/unit/exporter/exchange.h"

Test(exporter_worker, a_batch_goes_out_when_full_and_the_rest_by_the_timer)
{
	uint64_t gap_ns;

	set_up(BATCH_OF_10, "OTEL_BSP_SCHEDULE_DELAY=300", NULL, NULL);
	rig_start(&rig);
	rig_push(&rig, 35);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 35));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
	cr_assert_eq(collector->post_count, 4);
	expect_all_once(0);
	gap_ns = collector->posts[3].time_ns - collector->posts[2].time_ns;
	cr_assert_geq(gap_ns, 280 * MS);
	cr_assert_eq(collector->connection_count, 1, "one for all batches");
}

/* ---- the end ---- */

Test(exporter_worker, the_end_delivers_all_that_was_pushed)
{
	uint64_t took_ns;

	set_up(BATCH_OF_10, NULL, NULL, NULL);
	rig_push(&rig, 25);
	rig_start(&rig);
	took_ns = rig_end(&rig, AT_EXPORT_DRAIN, 5000 * MS);
	collector_stop(collector);
	expect_all_once(0);
	expect_counts(25, 0, 0, 0);
	cr_assert_lt(took_ns, 1000 * MS);
}

Test(exporter_worker, the_end_with_nothing_to_deliver_is_at_once)
{
	set_up(NULL, NULL, NULL, NULL);
	rig_start(&rig);
	cr_assert_lt(rig_end(&rig, AT_EXPORT_DRAIN, 5000 * MS), 500 * MS);
	collector_stop(collector);
	cr_assert_eq(collector->connection_count, 0);
}

Test(exporter_worker, at_the_end_nobody_there_is_final_and_quick)
{
	int holder, port = refused_port(&holder);
	uint64_t took_ns;

	set_up_port(port, BATCH_OF_10);
	rig_push(&rig, 45);
	rig_start(&rig);
	took_ns = rig_end(&rig, AT_EXPORT_DRAIN, 5000 * MS);
	expect_counts(0, 45, 0, 0);
	cr_assert_lt(took_ns, 800 * MS);
	close(holder);
}

/* The first attempt failed long before the end; no wait of it is left. */
Test(exporter_worker, the_end_cuts_a_back_off_short)
{
	int holder, port = refused_port(&holder);
	const struct timespec moment = { .tv_nsec = 50000000 };
	uint64_t took_ns;

	set_up_port(port, NOW);
	rig_push(&rig, 1);
	rig_start(&rig);
	nanosleep(&moment, NULL);
	took_ns = rig_end(&rig, AT_EXPORT_DRAIN, 5000 * MS);
	expect_counts(0, 1, 0, 0);
	cr_assert_lt(took_ns, 800 * MS);
	close(holder);
}

static void expect_deadline_kept(void)
{
	uint64_t took_ns;

	rig_push(&rig, 45);
	rig_start(&rig);
	took_ns = rig_end(&rig, AT_EXPORT_DRAIN, 200 * MS);
	expect_counts(0, 0, 0, 45);
	cr_assert_geq(took_ns, 190 * MS);
	cr_assert_lt(took_ns, 1000 * MS);
}

Test(exporter_worker, at_the_end_a_silent_collector_costs_the_limit_once)
{
	set_up(BATCH_OF_10, NULL, NULL, NULL);
	collector->otherwise.act = COLLECTOR_HOLD;
	expect_deadline_kept();
	collector_stop(collector);
}

Test(exporter_worker, at_the_end_a_black_hole_costs_the_limit_once)
{
	int fds[BLACK_HOLE_FDS], i, port = black_hole_port(fds);

	set_up_port(port, BATCH_OF_10);
	expect_deadline_kept();
	for (i = 0; i < BLACK_HOLE_FDS; i++)
		close(fds[i]);
}

Test(exporter_worker, at_the_end_there_is_no_time_for_a_busy_collector)
{
	uint64_t took_ns;

	set_up(NULL, NULL, NULL, NULL);
	collector->otherwise =
		(struct collector_step){ .status = 503,
					 .head = "Retry-After: 1\r\n" };
	rig_push(&rig, 5);
	rig_start(&rig);
	took_ns = rig_end(&rig, AT_EXPORT_DRAIN, 950 * MS);
	collector_stop(collector);
	expect_counts(0, 0, 0, 5);
	cr_assert_lt(took_ns, 800 * MS);
}

Test(exporter_worker, a_silent_collector_costs_the_timeout_not_for_ever)
{
	uint64_t start_ns;

	set_up(NOW, "OTEL_EXPORTER_OTLP_TIMEOUT=300", NULL, NULL);
	collector_script(collector,
			 (struct collector_step){ .act = COLLECTOR_HOLD });
	rig_push(&rig, 5);
	start_ns = rig_now_ns();
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_EXPORT_FAILED, 5));
	cr_assert_geq(rig_now_ns() - start_ns, 290 * MS);
	cr_assert_lt(rig_now_ns() - start_ns, 2000 * MS);
	rig_push(&rig, 1);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 1));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
}

/* ---- the rest ---- */

Test(exporter_worker, another_build_of_the_library_is_refused)
{
	set_up(NULL, NULL, NULL, NULL);
	rig.host.abi = AT_EXPORTER_ABI + 1;
	cr_assert_eq(autotrace_export(&rig.host), -EPROTO);
	collector_stop(collector);
}

static void count_span(void *context, const struct at_span *span)
{
	cr_assert_eq(at_span_check(span, span->size_bytes), 0);
	++*(int *)context;
}

Test(exporter_worker, with_no_exporter_spans_are_observed_and_nothing_is_lost)
{
	static const char *const environ[] = { "OTEL_TRACES_EXPORTER=none",
					       NULL };
	int seen = 0;

	rig_init(&rig, environ);
	rig.host.observe = count_span;
	rig.host.observe_context = &seen;
	rig.host.lock = NULL;
	rig.host.unlock = NULL;
	rig_push(&rig, 100);
	rig_start(&rig);
	rig_end(&rig, AT_EXPORT_DRAIN, 5000 * MS);
	cr_assert_eq(seen, 100);
	expect_counts(0, 0, 0, 0);
}

Test(exporter_worker, a_record_never_finished_holds_nothing_up_for_long)
{
	struct at_ring_slot *slot;
	uint64_t start_ns;

	set_up(NOW, NULL, NULL, NULL);
	rig_push(&rig, 1);
	slot = &rig.ring->slots[0];
	atomic_fetch_sub(&slot->state, 1); /* READY to BUSY: as if stopped */
	rig_push(&rig, 1);
	start_ns = rig_now_ns();
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 1));
	cr_assert_geq(rig_now_ns() - start_ns, 190 * MS);
	cr_assert_lt(rig_now_ns() - start_ns, 2000 * MS);
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_RING_LOST), 1);
}

Test(exporter_worker, no_descriptor_stays_open)
{
	int before, after, i;

	before = dup(0);
	close(before);
	set_up(NOW, NULL, NULL, NULL);
	for (i = 0; i < 3; i++) {
		rig_push(&rig, 1);
		rig_start(&rig);
		cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED,
					   (uint64_t)i + 1));
		rig_end(&rig, AT_EXPORT_PAUSE, 0);
	}
	collector_stop(collector);
	after = dup(0);
	cr_assert_eq(after, before);
	for (i = 512; i < 600; i++)
		cr_assert_lt(sys_fcntl(i, 1 /* F_GETFD */, 0), 0);
}
