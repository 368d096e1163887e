// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stddef.h>

#include "propagator/formats.h"

const struct at_propagator *const at_propagators[] = {
	&at_propagator_tracecontext, &at_propagator_baggage,
	&at_propagator_b3,           &at_propagator_b3multi,
	&at_propagator_jaeger,       &at_propagator_xray,
	&at_propagator_datadog,      NULL,
};

static const struct at_propagator *find(struct at_text name)
{
	const struct at_propagator *const *at;

	for (at = at_propagators; *at; at++)
		if (at_text_equal_nocase(at_text_from((*at)->name), name))
			return *at;
	return NULL;
}

static void add(struct at_propagator_set *set,
		const struct at_propagator *propagator)
{
	unsigned int i;

	for (i = 0; i < set->count; i++)
		if (set->item[i] == propagator)
			return;
	if (set->count < AT_PROPAGATOR_MAX)
		set->item[set->count++] = propagator;
}

int at_propagators_select(struct at_propagator_set *set, const char *list)
{
	struct at_text rest = at_text_from(list), item;
	int unknown_count = 0;

	set->count = 0;
	while (at_text_next(&rest, ',', &item)) {
		const struct at_propagator *propagator;

		item = at_text_trim(item);
		propagator = find(item);
		if (propagator)
			add(set, propagator);
		else if (item.len &&
			 !at_text_equal_nocase(item, AT_TEXT("none")))
			unknown_count++;
	}
	return unknown_count;
}

void at_propagators_inject(const struct at_propagator_set *set,
			   const struct at_context *context,
			   struct at_writer *writer)
{
	unsigned int i;

	if (!at_context_valid(context))
		return;
	for (i = 0; i < set->count; i++)
		set->item[i]->inject(context, writer);
}

int at_propagators_extract(const struct at_propagator_set *set,
			   const struct at_carrier *carrier,
			   struct at_context *context)
{
	int found = -ENOENT;
	unsigned int i;

	for (i = 0; i < set->count; i++)
		if (set->item[i]->extract &&
		    !set->item[i]->extract(carrier, context))
			found = 0;
	return found;
}

void at_propagators_others(struct at_propagator_set *set,
			   const struct at_propagator_set *all)
{
	unsigned int i;

	set->count = 0;
	for (i = 0; i < all->count; i++)
		if (all->item[i] != &at_propagator_tracecontext &&
		    all->item[i] != &at_propagator_baggage)
			set->item[set->count++] = all->item[i];
}
