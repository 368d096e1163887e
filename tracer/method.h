// SPDX-License-Identifier: Apache-2.0
/*
 * OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS (private to tracer/): a method that
 * is none of them must not name spans. Thread- and async-signal-safe.
 */
#ifndef TRACER_METHOD_H
#define TRACER_METHOD_H

#include "core/config.h"
#include "core/span.h"
#include "core/text.h"

void method_start(const struct at_config *config);

/* Name and method of a span; an unknown method is told apart. */
void method_fill(struct at_span *span, struct at_text method);

#endif
