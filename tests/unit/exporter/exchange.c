// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/exporter/exchange.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct rig rig;
struct collector *collector;
static char endpoint[128];

void set_up(const char *a, const char *b, const char *c, const char *d)
{
	const char *environ[] = { endpoint, a, b, c, d, NULL };

	collector = collector_start();
	snprintf(endpoint, sizeof(endpoint), "OTEL_EXPORTER_OTLP_ENDPOINT=%s",
		 collector->endpoint);
	rig_init(&rig, environ);
}

void set_up_port(int port, const char *a)
{
	const char *environ[] = { endpoint, a, NULL };

	snprintf(endpoint, sizeof(endpoint),
		 "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:%d", port);
	rig_init(&rig, environ);
}

const Otlp__ScopeSpans *spans_of(int post)
{
	const Otlp__TracesData *traces = rig_unpack(collector->posts[post].body,
						    collector->posts[post].len);

	cr_assert_eq(traces->n_resource_spans, 1);
	cr_assert_eq(traces->resource_spans[0]->n_scope_spans, 1);
	return traces->resource_spans[0]->scope_spans[0];
}

void expect_all_once(int first)
{
	uint8_t seen[4096] = { 0 };
	uint32_t number, total = 0;
	int post;
	size_t i;

	for (post = first; post < collector->post_count; post++) {
		const Otlp__ScopeSpans *scope = spans_of(post);

		for (i = 0; i < scope->n_spans; i++, total++) {
			memcpy(&number, scope->spans[i]->span_id.data, 4);
			cr_assert_lt(number, rig.pushed);
			cr_assert_eq(seen[number]++, 0, "span %u twice",
				     number);
		}
	}
	cr_assert_eq(total, rig.pushed);
}

void expect_counts(uint64_t exported, uint64_t failed, uint64_t rejected,
		   uint64_t exit_timeout)
{
	cr_assert_eq(rig_counter(&rig, AT_COUNT_SPANS_EXPORTED), exported,
		     "exported %lu",
		     rig_counter(&rig, AT_COUNT_SPANS_EXPORTED));
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXPORT_FAILED), failed,
		     "failed %lu", rig_counter(&rig, AT_COUNT_EXPORT_FAILED));
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXPORT_REJECTED), rejected);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_EXIT_TIMEOUT), exit_timeout,
		     "exit timeout %lu",
		     rig_counter(&rig, AT_COUNT_EXIT_TIMEOUT));
}

void expect_field(int post, const char *field)
{
	char line[200];

	snprintf(line, sizeof(line), "\r\n%s\r\n", field);
	cr_assert(strstr(collector->posts[post].head, line), "%s in\n%s", field,
		  collector->posts[post].head);
}
