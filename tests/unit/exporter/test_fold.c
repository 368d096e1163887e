// SPDX-License-Identifier: Apache-2.0
#include "exporter/fold.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/span.h"
#include "exporter/heap.h"
#include "exporter/otlp_encode.h"
#include "tests/unit/exporter/rig.h"

static struct rig rig;
static struct at_ring_reader reader;
static struct batch batch;
static struct batch_intake intake;
static struct resource resource;
static struct otlp_rules rules = {
	.resource = &resource,
	.attribute_count = AT_NO_LIMIT,
	.value_length = AT_NO_LIMIT,
};
static struct fold fold;

static void set_up(void)
{
	static const char *const none[] = { NULL };

	rig_init(&rig, none);
	at_ring_reader_init(&reader, rig.ring);
	cr_assert_eq(batch_open(&batch, 100), 0);
	intake.redact = redact_rules_from(&rig.config);
	cr_assert_eq(resource_build(&resource, &rig.config, "x", true, NULL),
		     0);
	fold.max = 2;
}

static void tear_down(void)
{
	fold_free(&fold);
	batch_clear(&batch);
}

TestSuite(fold, .init = set_up, .fini = tear_down);

/* Spans have numbers for ids; parent 0: none. */
static struct at_span span_of(uint8_t id, uint8_t parent)
{
	struct at_span span;

	at_span_init(&span, AT_KIND_INTERNAL);
	memset(span.trace_id, 0xaa, sizeof(span.trace_id));
	memset(span.span_id, id, sizeof(span.span_id));
	memset(span.parent_id, parent, sizeof(span.parent_id));
	span.has_parent = parent != 0;
	span.duration_ns = 1000;
	return span;
}

static struct at_span program(uint8_t id, uint8_t parent, int code)
{
	struct at_span span = span_of(id, parent);

	at_span_set_name(&span, AT_TEXT("p"));
	at_span_set_text(&span, AT_ATTR_PROCESS_EXECUTABLE_NAME, AT_TEXT("p"));
	at_span_set_int(&span, AT_ATTR_PROCESS_EXIT_CODE, code);
	if (code)
		at_span_set_error(&span, AT_TEXT("1"));
	return span;
}

static void push(struct at_span span)
{
	rig_push_span(&rig, &span);
}

static Otlp__TracesData *traces;

/* What was pushed since, folded. */
static uint32_t folded(const struct at_exporter_books *books)
{
	batch_clear(&batch);
	cr_assert_eq(batch_fill(&batch, &reader, &intake, 1), 0);
	traces = otlp_encode(&batch, &rules, NULL);
	return fold_traces(&fold, traces, &batch.arena, books);
}

static const Otlp__Span *sent(uint8_t id)
{
	const Otlp__ScopeSpans *scope =
		traces->resource_spans[0]->scope_spans[0];
	size_t i;

	for (i = 0; i < scope->n_spans; i++)
		if (scope->spans[i]->span_id.data[0] == id)
			return scope->spans[i];
	return NULL;
}

static int64_t count_in(uint8_t id)
{
	const Otlp__Span *span = sent(id);
	size_t i;

	cr_assert(span);
	for (i = 0; i < span->n_attributes; i++)
		if (!strncmp((char *)span->attributes[i]->key.data,
			     "autotrace.folded_count", 22))
			return span->attributes[i]->value->int_value;
	return 0;
}

Test(fold, nothing_up_to_the_limit)
{
	push(program(10, 1, 0));
	push(program(11, 1, 0));
	push(program(1, 0, 0));
	cr_expect_eq(folded(NULL), 0);
	cr_expect_eq(otlp_span_count(traces), 3);
	cr_expect_eq(count_in(1), 0);
}

Test(fold, beyond_it_leaves_are_counted_in_their_parent)
{
	push(program(10, 1, 0));
	push(program(11, 1, 0));
	push(program(12, 1, 0));
	push(program(13, 1, 0));
	cr_expect_eq(folded(NULL), 2);
	cr_expect_eq(otlp_span_count(traces), 2);
	push(program(14, 1, 0));
	push(program(1, 0, 0));
	cr_expect_eq(folded(NULL), 1);
	cr_expect_eq(count_in(1), 3);
}

Test(fold, a_parent_of_folded_ones_is_a_leaf)
{
	push(program(10, 1, 0));
	push(program(11, 1, 0));
	push(program(20, 2, 0));
	push(program(21, 2, 0));
	push(program(2, 1, 0));
	push(program(1, 0, 0));
	cr_expect_eq(folded(NULL), 3);
	cr_expect_eq(count_in(1), 3);
}

Test(fold, what_is_worth_a_look_stays)
{
	struct at_span slow = program(12, 1, 0), blind = program(13, 1, 0);
	struct at_span open = span_of(14, 1), request = span_of(30, 15);

	push(program(10, 1, 0));
	push(program(11, 1, 0));
	slow.duration_ns = FOLD_SHORT_NS;
	push(slow);
	at_span_set_text(&blind, AT_ATTR_AUTOTRACE_BLIND_SPOT,
			 AT_TEXT("static"));
	push(blind);
	at_span_set_text(&open, AT_ATTR_PROCESS_EXECUTABLE_NAME, AT_TEXT("p"));
	push(open);
	request.kind = AT_KIND_CLIENT;
	push(request);
	push(program(15, 1, 0)); /* of which the request is */
	push(program(16, 1, 2));
	push(program(1, 0, 0));
	cr_expect_eq(folded(NULL), 0);
	cr_expect_eq(otlp_span_count(traces), 9);
}

static bool is_parent(void *context, const uint8_t *span_id)
{
	return span_id[0] == *(uint8_t *)context;
}

/* Whoever is below it would have no parent. */
Test(fold, whose_children_still_run_stays)
{
	uint8_t id = 12;
	struct at_exporter_books books = { .context = &id,
					   .is_parent = is_parent };

	push(program(10, 1, 0));
	push(program(11, 1, 0));
	push(program(12, 1, 0));
	push(program(13, 1, 0));
	cr_expect_eq(folded(&books), 1);
	cr_expect(sent(12));
}

/* There would be nobody to be counted in. */
Test(fold, whose_parent_has_been_sent_stays)
{
	push(program(10, 1, 0));
	push(program(1, 0, 0));
	push(program(11, 1, 0));
	cr_expect_eq(folded(NULL), 0);
}

Test(fold, each_trace_has_its_limit)
{
	struct at_span other;
	uint8_t i;

	for (i = 10; i < 13; i++)
		push(program(i, 1, 0));
	for (i = 20; i < 23; i++) {
		other = program(i, 2, 0);
		memset(other.trace_id, 0xbb, sizeof(other.trace_id));
		push(other);
	}
	cr_expect_eq(folded(NULL), 2);
}

Test(fold, many)
{
	uint32_t all = 0;
	int round;

	fold.max = 100;
	for (round = 0; round < 50; round++) {
		struct at_span span;
		uint32_t i;

		for (i = 0; i < 100; i++) {
			uint32_t number = (uint32_t)round * 100 + i + 1000;

			span = program(1, 1, 0);
			memcpy(span.span_id, &number, sizeof(number));
			push(span);
		}
		all += folded(NULL);
	}
	cr_expect_eq(all, 4900);
	push(program(1, 0, 0));
	folded(NULL);
	cr_expect_eq(count_in(1), 4900);
}

Test(fold, without_memory_nothing_is_lost)
{
	uint32_t count, i;

	for (i = 1; i < 6; i++) {
		push(program(10, 1, 0));
		push(program(11, 1, 0));
		push(program(12, 1, 0));
		batch_clear(&batch);
		cr_assert_eq(batch_fill(&batch, &reader, &intake, 1), 0);
		traces = otlp_encode(&batch, &rules, NULL);
		heap_fail_at = i;
		count = fold_traces(&fold, traces, &batch.arena, NULL);
		heap_fail_at = 0;
		cr_expect_eq(otlp_span_count(traces) + count, 3);
		fold_free(&fold);
	}
}
