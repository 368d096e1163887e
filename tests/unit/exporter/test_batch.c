// SPDX-License-Identifier: Apache-2.0
#include "exporter/batch.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/exporter/rig.h"

static struct rig rig;
static struct at_ring_reader reader;
static struct batch batch;
static struct batch_intake intake;

static void set_up(uint32_t max)
{
	static const char *const none[] = { NULL };

	rig_init(&rig, none);
	at_ring_reader_init(&reader, rig.ring);
	cr_assert_eq(batch_open(&batch, max), 0);
	intake.redact = redact_rules_from(&rig.config);
}

Test(exporter_batch, takes_what_waits_in_order_and_not_more_than_its_size)
{
	struct at_span want;
	const struct at_span *span;
	size_t offset = 0;
	uint32_t number = 0;

	set_up(5);
	rig_push(&rig, 7);
	cr_assert_eq(batch_fill(&batch, &reader, &intake, 1), 0);
	cr_assert_eq(batch.count, 5);
	cr_assert(batch_full(&batch));
	while ((span = batch_next(&batch, &offset))) {
		rig_make_span(&want, number++);
		cr_assert_arr_eq(span->span_id, want.span_id, 8);
	}
	cr_assert_eq(number, 5);
	cr_assert_eq(at_ring_count(rig.ring), 2);
	batch_clear(&batch);
	batch_fill(&batch, &reader, &intake, 1);
	cr_assert_eq(batch.count, 2);
	cr_assert_not(batch_full(&batch));
	batch_free(&batch);
}

Test(exporter_batch, every_span_is_redacted_before_anybody_sees_it)
{
	const struct at_span *span;
	struct at_field url;
	size_t offset = 0;

	set_up(10);
	rig_push(&rig, 3);
	batch_fill(&batch, &reader, &intake, 1);
	while ((span = batch_next(&batch, &offset))) {
		cr_assert(at_span_find(span, AT_ATTR_URL_FULL, &url));
		cr_assert_null(memmem(url.text.ptr, url.text.len, "u:p@", 4));
		cr_assert_null(memmem(url.text.ptr, url.text.len, "=s", 2));
	}
	batch_free(&batch);
}

static void count_span(void *context, const struct at_span *span)
{
	cr_assert_eq(at_span_check(span, span->size_bytes), 0);
	++*(int *)context;
}

Test(exporter_batch, records_that_are_no_spans_are_left_out_and_counted)
{
	struct at_span span;
	int seen = 0;

	set_up(10);
	intake.observe = count_span;
	intake.observe_context = &seen;
	rig_push(&rig, 1);
	at_ring_push(rig.ring, 1, "no span", 7);
	rig_make_span(&span, 8);
	memset(span.span_id, 0, sizeof(span.span_id));
	at_ring_push(rig.ring, 1, &span, span.size_bytes);
	rig_make_span(&span, 9);
	memset(span.trace_id, 0, sizeof(span.trace_id));
	at_ring_push(rig.ring, 1, &span, span.size_bytes);
	rig_make_span(&span, 10);
	span.fields[2] = 0xff;
	span.fields[3] = 0xff;
	at_ring_push(rig.ring, 1, &span, span.size_bytes);
	rig_push(&rig, 1);
	cr_assert_eq(batch_fill(&batch, &reader, &intake, 1), 4);
	cr_assert_eq(batch.count, 2);
	cr_assert_eq(seen, 2);
	batch_free(&batch);
}

/* However many it may hold, it holds no more than its bytes. */
Test(exporter_batch, is_full_when_its_memory_is)
{
	char text[1500];
	struct at_span span;

	set_up(1 << 20);
	memset(text, 'x', sizeof(text));
	do {
		rig_make_span(&span, 1);
		at_span_set_text(&span, AT_ATTR_NETWORK_PEER_ADDRESS,
				 (struct at_text){ text, sizeof(text) });
		rig_push_span(&rig, &span);
		batch_fill(&batch, &reader, &intake, 1);
	} while (!batch_full(&batch));
	cr_assert_gt(batch.count, 2000);
	cr_assert_leq(batch.used_bytes, BATCH_MAX_BYTES);
	batch_free(&batch);
}
