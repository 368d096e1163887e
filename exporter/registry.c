// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "exporter/exporters.h"

const struct at_exporter *const at_exporters[] = {
	&at_exporter_otlp,
	&at_exporter_file,
	&at_exporter_console,
	NULL,
};

struct choice {
	const struct at_exporter **chosen;
	int count;
	bool none; /* "none" was in the list */
	uint64_t rejected_count;
};

/* Local ones go in front, so that no dead collector holds them up. */
static void choose(struct choice *choice, const struct at_exporter *exporter)
{
	int i, at = choice->count;

	for (i = 0; i < choice->count; i++)
		if (choice->chosen[i] == exporter)
			return;
	if (choice->count == EXPORTERS_MAX)
		return;
	while (exporter->local && at > 0 && !choice->chosen[at - 1]->local)
		at--;
	memmove(&choice->chosen[at + 1], &choice->chosen[at],
		(size_t)(choice->count - at) * sizeof(choice->chosen[0]));
	choice->chosen[at] = exporter;
	choice->count++;
}

static void choose_named(struct choice *choice, struct at_text name)
{
	const struct at_exporter *const *at;

	for (at = at_exporters; *at; at++) {
		if (at_text_equal_nocase(at_text_from((*at)->name), name)) {
			choose(choice, *at);
			return;
		}
	}
	if (at_text_equal_nocase(AT_TEXT("none"), name))
		choice->none = true;
	else
		choice->rejected_count++;
}

static void choose_listed(struct choice *choice, const char *list)
{
	struct at_text rest = at_text_from(list), item;

	while (at_text_next(&rest, ',', &item)) {
		item = at_text_trim(item);
		if (item.len)
			choose_named(choice, item);
	}
}

/* Without an origin: whether the value differs from its default. */
static bool is_given(const struct at_config_origin *origin,
		     enum at_setting setting, const char *value)
{
	if (origin)
		return origin->source[setting] == AT_SOURCE_ENV ||
		       origin->source[setting] == AT_SOURCE_FALLBACK;
	return strcmp(value, at_setting_table[setting].standard) != 0;
}

int exporters_choose(const struct at_config *config,
		     const struct at_config_origin *origin,
		     const struct at_exporter *chosen[EXPORTERS_MAX],
		     uint64_t *rejected_count)
{
	struct choice choice = { .chosen = chosen };
	bool endpoint = config->otlp_traces_endpoint[0] ||
			is_given(origin, AT_SETTING_otlp_endpoint,
				 config->otlp_endpoint);
	bool nothing_listed;

	if (is_given(origin, AT_SETTING_exporters, config->exporters))
		choose_listed(&choice, config->exporters);
	*rejected_count += choice.rejected_count;
	nothing_listed = choice.count == 0;
	if (nothing_listed && choice.none)
		return 0;
	if (config->file[0])
		choose(&choice, &at_exporter_file);
	if (nothing_listed && (endpoint || !config->file[0]))
		choose(&choice, &at_exporter_otlp);
	return choice.count;
}
