// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/span_list.h"

/* The parts of an absolute URL that are shown. */
struct url_parts {
	struct at_text authority;
	struct at_text path;
};

static struct at_text up_to(struct at_text text, const char *stops)
{
	size_t len = 0;

	while (len < text.len && !strchr(stops, text.ptr[len]))
		len++;
	return (struct at_text){ text.ptr, len };
}

static void skip(struct at_text *text, size_t len)
{
	text->ptr += len;
	text->len -= len;
}

/* False when it is not absolute. */
static bool split_url(struct at_text url, struct url_parts *parts)
{
	struct at_text scheme = up_to(url, ":/?#");
	size_t i;

	if (!scheme.len || url.len < scheme.len + 3 ||
	    memcmp(url.ptr + scheme.len, "://", 3) != 0)
		return false;
	skip(&url, scheme.len + 3);
	parts->authority = up_to(url, "/?#");
	skip(&url, parts->authority.len);
	for (i = parts->authority.len; i-- > 0;) {
		if (parts->authority.ptr[i] == '@') {
			skip(&parts->authority, i + 1);
			break;
		}
	}
	parts->path = up_to(url, "?#");
	return parts->authority.len != 0;
}

/* Append what fits; the last byte stays free for the NUL. */
static void append(struct at_writer *writer, struct at_text text)
{
	if (text.len > writer->cap - writer->len)
		text.len = writer->cap - writer->len;
	at_write_text(writer, text);
}

static void append_host(struct at_writer *writer, const struct at_label *label)
{
	bool bracket = label->host.len &&
		       memchr(label->host.ptr, ':', label->host.len);
	char port[24];
	struct at_writer digits = AT_WRITER(port, sizeof(port));

	append(writer, bracket ? AT_TEXT(" [") : AT_TEXT(" "));
	append(writer, label->host);
	append(writer, bracket ? AT_TEXT("]") : AT_TEXT(""));
	if (label->port > 0) {
		at_write_char(&digits, ':');
		at_write_u64(&digits, (uint64_t)label->port);
		append(writer, at_writer_text(&digits));
	}
}

static void append_request(struct at_writer *writer,
			   const struct at_label *label)
{
	struct url_parts parts;

	append(writer, label->method);
	if (split_url(label->url, &parts)) {
		append(writer, AT_TEXT(" "));
		append(writer, parts.authority);
	} else {
		if (label->host.len)
			append_host(writer, label);
		parts.path = up_to(label->path, "?#");
	}
	if (parts.path.len) {
		append(writer, AT_TEXT(" "));
		append(writer, parts.path);
	}
}

void at_label_write(char text[AT_LABEL_BYTES], const struct at_label *label)
{
	struct at_writer writer = AT_WRITER(text, AT_LABEL_BYTES - 1);
	bool place = label->url.len || label->host.len || label->path.len;

	if (label->method.len && place) {
		append_request(&writer, label);
	} else {
		append(&writer, label->name);
		if (label->host.len)
			append_host(&writer, label);
	}
	text[writer.len] = 0;
}

void at_outcome_write(char text[AT_OUTCOME_BYTES], struct at_text error_type,
		      bool exited)
{
	struct at_writer writer = AT_WRITER(text, AT_OUTCOME_BYTES - 1);
	uint64_t code;

	if (exited && at_text_to_u64(error_type, &code) == 0)
		append(&writer, AT_TEXT("exit "));
	append(&writer, error_type);
	text[writer.len] = 0;
}
