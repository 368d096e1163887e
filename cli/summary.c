// SPDX-License-Identifier: Apache-2.0
#include "cli/summary.h"

#include <stdlib.h>
#include <string.h>

#include "cli/units.h"

static void print_hex(FILE *out, const uint8_t *bytes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		fprintf(out, "%02x", bytes[i]);
}

static int compare_trace_ids(const void *a, const void *b, void *context)
{
	const struct at_shown *span = context;

	return memcmp(span[*(const size_t *)a].trace_id,
		      span[*(const size_t *)b].trace_id, AT_TRACE_ID_BYTES);
}

/* 0 when there is no memory to find out. */
static size_t count_traces(const struct at_span_list *list)
{
	size_t *order = calloc(list->count + 1, sizeof(*order));
	size_t i, count = list->count ? 1 : 0;

	if (!order)
		return 0;
	for (i = 0; i < list->count; i++)
		order[i] = i;
	qsort_r(order, list->count, sizeof(*order), compare_trace_ids,
		list->item);
	for (i = 1; i < list->count; i++)
		count += compare_trace_ids(&order[i - 1], &order[i],
					   list->item) != 0;
	free(order);
	return count;
}

static void print_count(FILE *out, uint64_t count, const char *noun)
{
	char text[AT_UNITS_BYTES];

	at_units_count(text, count);
	fprintf(out, "%s %s%s", text, noun, count == 1 ? "" : "s");
}

void at_summary_of_list(FILE *out, const struct at_span_list *list)
{
	size_t traces = count_traces(list);

	if (traces == 1) {
		fputs("trace ", out);
		print_hex(out, list->item[0].trace_id, AT_TRACE_ID_BYTES);
		fputs(", ", out);
	}
	print_count(out, list->count, "span");
	if (traces > 1) {
		fputs(" in ", out);
		print_count(out, traces, "trace");
	}
}

/* Sum of the counters of one class. */
static uint64_t sum_of(const struct at_counters *counters,
		       enum at_counter_class class)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < AT_COUNTER_COUNT; i++)
		if (at_counter_table[i].class == class)
			sum += atomic_load(&counters->value[i]);
	return sum;
}

static void print_phrases(FILE *out, const struct at_counters *counters,
			  enum at_counter_class class)
{
	const char *before = "";
	char text[AT_UNITS_BYTES];
	int i;

	for (i = 0; i < AT_COUNTER_COUNT; i++) {
		uint64_t count = atomic_load(&counters->value[i]);

		if (at_counter_table[i].class != class || !count)
			continue;
		at_units_count(text, count);
		fprintf(out, "%s%s %s", before, text,
			at_counter_table[i].phrase);
		before = "; ";
	}
}

void at_summary_of_counters(FILE *out, const struct at_counters *counters)
{
	char text[AT_UNITS_BYTES];
	uint64_t lost = sum_of(counters, AT_COUNTER_LOST);

	at_units_count(text, lost);
	fprintf(out, ", %s dropped", text);
	if (lost) {
		fputs(" (", out);
		print_phrases(out, counters, AT_COUNTER_LOST);
		fputs(")", out);
	}
	if (sum_of(counters, AT_COUNTER_LESS)) {
		fputs("; ", out);
		print_phrases(out, counters, AT_COUNTER_LESS);
	}
}

void at_summary_link(FILE *out, const char *url,
		     const uint8_t trace_id[AT_TRACE_ID_BYTES])
{
	static const char hole[] = "{trace_id}";

	if (!strstr(url, hole))
		return;
	fputs(", ", out);
	while (*url) {
		unsigned char c = (unsigned char)*url;

		if (!strncmp(url, hole, strlen(hole))) {
			print_hex(out, trace_id, AT_TRACE_ID_BYTES);
			url += strlen(hole);
			continue;
		}
		fprintf(out, c > 0x20 && c < 0x7f ? "%c" : "%%%02X", c);
		url++;
	}
}
