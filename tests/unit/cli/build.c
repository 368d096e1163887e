// SPDX-License-Identifier: Apache-2.0
#include "build.h"

#include <criterion/criterion.h>
#include <stdio.h>

static void add(struct at_span_list *list, const struct build_span *span)
{
	char error[32] = "";
	struct at_shown shown = {
		.trace_id = { 1 },
		.span_id = { span->id },
		.parent_id = { span->parent },
		.has_parent = span->parent != 0,
		.kind = span->status ? AT_KIND_CLIENT : AT_KIND_INTERNAL,
		.process = !span->status,
		.http = span->status != 0,
		.status_code = span->status > 0 ? (uint16_t)span->status : 0,
		.exit_code = (int16_t)(span->status ? -1 : span->exit_code),
		.failed = span->exit_code || span->signal || span->status < 0 ||
			  span->status >= 400,
		.start_ns =
			1700000000000 * BUILD_MS + span->start_ms * BUILD_MS,
		.duration_ns = (span->end_ms - span->start_ms) * BUILD_MS,
		.label = span->name,
		.program = span->name,
		.error_type = error,
	};

	if (span->signal)
		snprintf(error, sizeof(error), "%s", span->signal);
	else if (span->exit_code)
		snprintf(error, sizeof(error), "exit %d", span->exit_code);
	cr_assert_eq(at_span_list_add(list, &shown), 0);
}

void build_grow(struct build *build, const struct build_span *spans)
{
	memset(build, 0, sizeof(*build));
	for (; spans->id; spans++)
		add(&build->list, spans);
	cr_assert_eq(at_forest_grow(&build->forest, &build->list), 0);
}

void build_free(struct build *build)
{
	at_forest_free(&build->forest);
	at_span_list_free(&build->list);
}

uint32_t build_node(const struct build *build, uint8_t id)
{
	uint8_t span_id[AT_SPAN_ID_BYTES] = { id };

	return at_forest_find(&build->forest, span_id);
}
