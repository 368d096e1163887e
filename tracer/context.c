// SPDX-License-Identifier: Apache-2.0
#include "tracer/context.h"

#include "core/environ.h"
#include "propagator/propagator.h"

static struct at_context process_context;
static bool process_context_known;

void context_start(char *const *environ)
{
	struct at_text value = at_environ_get(environ, "TRACEPARENT");

	process_context_known = value.ptr &&
				!at_traceparent_parse(value, &process_context);
	if (!process_context_known)
		return;
	value = at_environ_get(environ, "TRACESTATE");
	if (value.ptr && value.len)
		at_tracestate_parse(&value, 1, &process_context);
}

const struct at_context *context_parent(enum context_rule *rule)
{
	*rule = process_context_known ? CONTEXT_PROCESS : CONTEXT_ROOT;
	return process_context_known ? &process_context : NULL;
}
