// SPDX-License-Identifier: Apache-2.0
#include "tracer/capture.h"

#include <string.h>

#include "protocol/protocol.h"

#define ITEMS_BYTES 768

static const char *names[CAPTURE_COUNT];

void capture_start(const struct at_config *config)
{
	names[CAPTURE_CLIENT_REQUEST] = config->client_request_headers;
	names[CAPTURE_CLIENT_RESPONSE] = config->client_response_headers;
	names[CAPTURE_SERVER_REQUEST] = config->server_request_headers;
	names[CAPTURE_SERVER_RESPONSE] = config->server_response_headers;
}

bool capture_is_on(enum capture capture)
{
	return names[capture] && names[capture][0];
}

/* Name and value of each, with a NUL behind them; not one that has a NUL. */
static void write_values(struct at_writer *writer, struct at_text head,
			 struct at_text name)
{
	struct at_text value;
	size_t i;

	while (at_http1_next_field(&head, name, &value)) {
		if (memchr(value.ptr, 0, value.len))
			continue;
		for (i = 0; i < name.len; i++)
			at_write_char(writer, at_lower(name.ptr[i]));
		at_write_char(writer, 0);
		at_write_text(writer, value);
		at_write_char(writer, 0);
	}
}

/* Credentials stay where they are, whatever is asked for. */
static bool is_credential(struct at_text name)
{
	return at_text_equal_nocase(name, AT_TEXT("authorization")) ||
	       at_text_equal_nocase(name, AT_TEXT("proxy-authorization")) ||
	       at_text_equal_nocase(name, AT_TEXT("cookie")) ||
	       at_text_equal_nocase(name, AT_TEXT("set-cookie"));
}

/* A frame of its own, for stacks are small and few want this. */
__attribute__((noinline)) void capture_fill(struct at_span *span,
					    enum capture capture,
					    struct at_text head)
{
	bool answer = capture == CAPTURE_CLIENT_RESPONSE ||
		      capture == CAPTURE_SERVER_RESPONSE;
	struct at_text rest = at_text_from(names[capture]), name;
	char items[ITEMS_BYTES];
	struct at_writer writer = AT_WRITER(items, sizeof(items));
	size_t whole = 0;

	while (at_text_next(&rest, ',', &name)) {
		name = at_text_trim(name);
		if (name.len && !is_credential(name))
			write_values(&writer, head, name);
		if (writer.overflow)
			break;
		whole = writer.len;
	}
	if (writer.overflow)
		span->truncated = 1;
	if (whole)
		at_span_set_texts(span,
				  answer ? AT_ATTR_HTTP_RESPONSE_HEADER :
					   AT_ATTR_HTTP_REQUEST_HEADER,
				  (struct at_text){ items, whole });
}

struct at_text capture_head(const char *begin, const char *end, size_t len)
{
	if (len > (size_t)(end - begin))
		return (struct at_text){ begin, 0 };
	return (struct at_text){ end - len, len };
}
