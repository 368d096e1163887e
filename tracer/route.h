// SPDX-License-Identifier: Apache-2.0
/*
 * AUTOTRACE_ROUTES: what a served request's path is called (private to
 * tracer/). Nothing is ever invented: without the setting a span is named by
 * its method alone. Thread- and async-signal-safe.
 */
#ifndef TRACER_ROUTE_H
#define TRACER_ROUTE_H

#include "core/config.h"
#include "core/span.h"
#include "core/text.h"

void route_start(const struct at_config *config);

/*
 * The span has its method as name. The first template that fits the path
 * becomes http.route and the rest of the name; with `auto`, the path with its
 * ids replaced the rest of the name alone, of at most ROUTE_NAMES_MAX kinds.
 */
void route_fill(struct at_span *span, struct at_text path);

#define ROUTE_NAMES_MAX 100

#endif
