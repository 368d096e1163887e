// SPDX-License-Identifier: Apache-2.0
#include "tracer/repeat.h"

#include <string.h>

#include "core/section.h"

#define REPEATS 16

struct repeat {
	bool open;
	uint64_t until_ns;
	struct failure failure; /* of those counted, not of the first */
};

static struct repeat repeats[REPEATS] AT_LARGE;
unsigned int repeat_open_count;

static bool same(const struct failure *a, const struct failure *b)
{
	return a->type == b->type && a->port == b->port &&
	       a->host_len == b->host_len &&
	       !memcmp(a->host, b->host, a->host_len);
}

static void count_in(struct failure *sum, const struct failure *failure)
{
	if (!sum->count)
		sum->start_ns = failure->start_ns;
	sum->end_ns = failure->end_ns;
	sum->has_peer = failure->has_peer;
	sum->peer = failure->peer;
	sum->count += failure->count;
}

static void open_window(struct repeat *repeat, struct failure *failure)
{
	repeat->open = true;
	repeat->until_ns = failure->end_ns + REPEAT_WINDOW_NS;
	repeat->failure = *failure;
	repeat->failure.repeated = true;
	repeat->failure.count = failure->count - 1;
	if (failure->count > 1)
		failure->end_ns = failure->first_end_ns;
	failure->count = 1;
	repeat_open_count++;
}

/* With every window taken a failure is simply reported. */
bool repeat_first(struct failure *failure)
{
	struct repeat *unused = NULL;
	unsigned int i;

	for (i = 0; i < REPEATS; i++) {
		if (!repeats[i].open) {
			unused = &repeats[i];
			continue;
		}
		if (!same(&repeats[i].failure, failure))
			continue;
		count_in(&repeats[i].failure, failure);
		return false;
	}
	if (unused)
		open_window(unused, failure);
	return true;
}

bool repeat_due(uint64_t now_ns, struct failure *out)
{
	unsigned int i;

	for (i = 0; repeat_open_count && i < REPEATS; i++) {
		struct repeat *repeat = &repeats[i];

		if (!repeat->open || now_ns < repeat->until_ns)
			continue;
		repeat->open = false;
		repeat_open_count--;
		if (!repeat->failure.count)
			continue;
		*out = repeat->failure;
		return true;
	}
	return false;
}

void repeat_forget_all(void)
{
	unsigned int i;

	for (i = 0; i < REPEATS; i++)
		repeats[i].open = false;
	repeat_open_count = 0;
}
