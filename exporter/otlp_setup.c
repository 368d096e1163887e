// SPDX-License-Identifier: Apache-2.0
#include "exporter/otlp_setup.h"

#include <errno.h>
#include <string.h>

#include "exporter/heap.h"
#include "exporter/percent.h"

#define DEFAULT_URL "http://localhost:4318/v1/traces"
#define TRACES_PATH "v1/traces"

struct url_parts {
	struct at_text base; /* scheme and authority */
	struct at_text path;
	struct at_text query; /* with its question mark */
};

static bool starts_with_nocase(struct at_text text, struct at_text prefix)
{
	struct at_text front = { text.ptr, prefix.len };

	return text.len >= prefix.len && at_text_equal_nocase(front, prefix);
}

static size_t scheme_bytes(struct at_text url)
{
	static const struct at_text schemes[] = { AT_TEXT("http://"),
						  AT_TEXT("https://") };
	size_t i;

	for (i = 0; i < 2; i++)
		if (starts_with_nocase(url, schemes[i]))
			return schemes[i].len;
	return 0;
}

static bool has_host(struct at_text authority)
{
	const char *at = authority.len ?
				 memrchr(authority.ptr, '@', authority.len) :
				 NULL;

	if (at) {
		authority.len -= (size_t)(at + 1 - authority.ptr);
		authority.ptr = at + 1;
	}
	return authority.len && authority.ptr[0] != ':';
}

static bool printable(struct at_text text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			return false;
	return true;
}

static size_t span_until(struct at_text text, size_t from, const char *ends)
{
	while (from < text.len && !strchr(ends, text.ptr[from]))
		from++;
	return from;
}

static int split(struct at_text url, struct url_parts *parts)
{
	size_t scheme, path, query, end;

	url = at_text_trim(url);
	scheme = scheme_bytes(url);
	path = span_until(url, scheme, "/?#");
	query = span_until(url, path, "?#");
	end = span_until(url, query, "#");
	if (!scheme || !printable(url) ||
	    !has_host((struct at_text){ url.ptr + scheme, path - scheme }))
		return -EINVAL;
	parts->base = (struct at_text){ url.ptr, path };
	parts->path = (struct at_text){ url.ptr + path, query - path };
	parts->query = (struct at_text){ url.ptr + query, end - query };
	return 0;
}

/* Used as it is, but for a path that is missing altogether. */
static int write_whole(struct at_text setting, struct at_writer *url)
{
	struct url_parts parts;

	if (split(setting, &parts))
		return -EINVAL;
	at_write_text(url, parts.base);
	if (parts.path.len)
		at_write_text(url, parts.path);
	else
		at_write_char(url, '/');
	at_write_text(url, parts.query);
	return 0;
}

static int write_base(struct at_text setting, struct at_writer *url)
{
	struct url_parts parts;

	if (split(setting, &parts))
		return -EINVAL;
	at_write_text(url, parts.base);
	at_write_text(url, parts.path);
	if (!parts.path.len || parts.path.ptr[parts.path.len - 1] != '/')
		at_write_char(url, '/');
	at_write_string(url, TRACES_PATH);
	return 0;
}

int otlp_setup_url(const struct at_config *config, struct at_writer *url)
{
	struct at_text whole = at_text_from(config->otlp_traces_endpoint);
	int result;

	if (whole.len)
		result = write_whole(whole, url);
	else
		result = write_base(at_text_from(config->otlp_endpoint), url);
	if (!result && url->overflow)
		result = -EINVAL;
	if (result) {
		url->len = 0;
		url->overflow = false;
		at_write_string(url, DEFAULT_URL);
	}
	return result;
}

static bool is_token(struct at_text name)
{
	size_t i;

	for (i = 0; i < name.len; i++) {
		char c = at_lower(name.ptr[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      (c && strchr("!#$%&'*+-.^_`|~", c))))
			return false;
	}
	return name.len != 0;
}

static bool is_ours(struct at_text name)
{
	static const struct at_text ours[] = {
		AT_TEXT("content-type"),
		AT_TEXT("content-encoding"),
		AT_TEXT("content-length"),
		AT_TEXT("transfer-encoding"),
	};
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (at_text_equal_nocase(name, ours[i]))
			return true;
	return false;
}

/* No line may be smuggled in by %0d%0a. */
static bool is_one_line(struct at_text value)
{
	size_t i;

	for (i = 0; i < value.len; i++)
		if ((uint8_t)value.ptr[i] < ' ' && value.ptr[i] != '\t')
			return false;
	return true;
}

int otlp_setup_header(struct at_text *rest, struct at_writer *line)
{
	struct at_text name, raw, value;
	size_t start;
	int result = percent_next_pair(rest, &name, &raw);

	if (result <= 0)
		return result;
	if (!is_token(name) || is_ours(name))
		return -EINVAL;
	at_write_text(line, name);
	at_write_string(line, raw.len ? ": " : ";");
	start = line->len;
	if (percent_decode(raw, line) || line->overflow)
		return -EINVAL;
	value = (struct at_text){ line->ptr + start, line->len - start };
	return is_one_line(value) ? 1 : -EINVAL;
}

static uint32_t bad_headers(struct at_text rest)
{
	size_t cap = rest.len + 4;
	char *line = heap_alloc(cap);
	uint32_t count = 0;
	int found = line ? 1 : 0;

	while (found) {
		struct at_writer writer = AT_WRITER(line, cap);

		found = otlp_setup_header(&rest, &writer);
		count += found < 0;
	}
	heap_free(line);
	return count;
}

uint32_t otlp_setup_check(const struct at_config *config)
{
	char text[OTLP_SETUP_URL_BYTES];
	struct at_writer url = AT_WRITER(text, sizeof(text));
	uint32_t count = bad_headers(at_text_from(config->otlp_headers));

	return count + (otlp_setup_url(config, &url) != 0);
}
