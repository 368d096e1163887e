// SPDX-License-Identifier: Apache-2.0
/*
 * Header fields that the user wants to see on spans (private to tracer/):
 * OTEL_INSTRUMENTATION_HTTP_{CLIENT,SERVER}_CAPTURE_{REQUEST,RESPONSE}_HEADERS,
 * for HTTP/1 heads that lie in one piece. Thread- and async-signal-safe.
 */
#ifndef TRACER_CAPTURE_H
#define TRACER_CAPTURE_H

#include "core/config.h"
#include "core/span.h"
#include "core/text.h"

enum capture {
	CAPTURE_CLIENT_REQUEST,
	CAPTURE_CLIENT_RESPONSE,
	CAPTURE_SERVER_REQUEST,
	CAPTURE_SERVER_RESPONSE,
	CAPTURE_COUNT,
};

void capture_start(const struct at_config *config);

/* Is there anything to look for? One load. */
bool capture_is_on(enum capture capture);

/*
 * The wanted fields of these lines, each with all its values, as
 * AT_ATTR_HTTP_REQUEST_HEADER or _RESPONSE_HEADER; never credentials
 * (Authorization, Cookie and the like). What is too much for a span is left
 * out, and the span says that it was cut.
 */
void capture_fill(struct at_span *span, enum capture capture,
		  struct at_text head);

/* The lines that end at `end`, if all `len` bytes of them lie behind `begin`. */
struct at_text capture_head(const char *begin, const char *end, size_t len);

#endif
