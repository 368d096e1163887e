// SPDX-License-Identifier: Apache-2.0
#include "tracer/method.h"

#define KNOWN_MAX 32
static struct at_text known[KNOWN_MAX];
static unsigned int known_count;

void method_start(const struct at_config *config)
{
	struct at_text rest = at_text_from(config->known_methods);
	struct at_text item;

	known_count = 0;
	while (known_count < KNOWN_MAX && at_text_next(&rest, ',', &item))
		known[known_count++] = at_text_trim(item);
}

static bool is_known(struct at_text method)
{
	unsigned int i;

	for (i = 0; i < known_count; i++)
		if (at_text_equal(known[i], method))
			return true;
	return false;
}

void method_fill(struct at_span *span, struct at_text method)
{
	if (is_known(method)) {
		at_span_set_name(span, method);
		at_span_set_text(span, AT_ATTR_HTTP_REQUEST_METHOD, method);
		return;
	}
	at_span_set_name(span, AT_TEXT("HTTP"));
	at_span_set_text(span, AT_ATTR_HTTP_REQUEST_METHOD, AT_TEXT("_OTHER"));
	at_span_set_text(span, AT_ATTR_HTTP_REQUEST_METHOD_ORIGINAL, method);
}
