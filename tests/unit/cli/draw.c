// SPDX-License-Identifier: Apache-2.0
#include "draw.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

const struct at_tree_style draw_plain = {
	.columns = 80,
	.max_lines = AT_TREE_LINES,
	.utf8 = true,
};

static void put_id(uint8_t id[AT_SPAN_ID_BYTES], uint64_t number)
{
	int i;

	for (i = 0; i < AT_SPAN_ID_BYTES; i++)
		id[AT_SPAN_ID_BYTES - 1 - i] = (uint8_t)(number >> 8 * i);
}

void draw_add(struct at_span_list *list, const struct draw_span *span)
{
	struct at_shown shown = {
		.trace_id = { 0xaa, span->trace },
		.has_parent = span->parent != 0,
		.failed = span->error != NULL,
		.status_code = span->status_code,
		.start_ns = 1700000000 * UINT64_C(1000000000) +
			    span->start_ms * DRAW_MS,
		.duration_ns = span->duration_ms * DRAW_MS,
		.label = span->label,
		.error_type = span->error ? span->error : "",
	};

	put_id(shown.span_id, span->id);
	put_id(shown.parent_id, span->parent);
	cr_assert_eq(at_span_list_add(list, &shown), 0);
}

void draw(struct drawn *drawn, const struct at_span_list *list,
	  const struct at_tree_style *style)
{
	size_t len = 0;
	FILE *out;
	char *at;

	memset(drawn, 0, sizeof(*drawn));
	out = open_memstream(&drawn->text, &len);
	cr_assert_not_null(out);
	cr_assert_eq(at_tree_draw(out, list, style), 0);
	fclose(out);
	cr_expect_eq(strlen(drawn->text), len, "a NUL in the text");
	for (at = drawn->text; *at; at++) {
		char *end = strchr(at, '\n');

		cr_assert_not_null(end, "the last line has no end");
		cr_assert_lt(drawn->line_count, DRAW_LINES_MAX);
		drawn->line[drawn->line_count++] = at;
		*end = 0;
		at = end;
	}
}

void draw_free(struct drawn *drawn)
{
	free(drawn->text);
}

const char *draw_find(const struct drawn *drawn, const char *text)
{
	unsigned int i;

	for (i = 0; i < drawn->line_count; i++)
		if (strstr(drawn->line[i], text))
			return drawn->line[i];
	return NULL;
}
