// SPDX-License-Identifier: Apache-2.0
/* Contexts that came in are known again as long as they are at work. */
#include "tracer/context.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/ids.h"

#define AT_WORK 200
#define ALL 60000

Test(context, who_is_at_work_is_not_forgotten)
{
	static uint8_t ids[ALL][AT_SPAN_ID_BYTES];
	static struct at_context context;
	size_t i;

	for (i = 0; i < ALL; i++) {
		at_ids_span(context.span_id);
		memcpy(ids[i], context.span_id, sizeof(ids[i]));
		cr_assert_not(context_is_known(&context));
		context_came_in(&context);
		if (i < AT_WORK)
			continue;
		memcpy(context.span_id, ids[i - AT_WORK], sizeof(ids[i]));
		cr_assert(context_is_known(&context), "%zu", i);
	}
	/* Seven times as many as there is room for. */
	memcpy(context.span_id, ids[0], sizeof(ids[0]));
	cr_expect_not(context_is_known(&context));
}
