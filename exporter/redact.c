// SPDX-License-Identifier: Apache-2.0
#include "exporter/redact.h"

#include <string.h>

static const struct at_text redacted = AT_TEXT("REDACTED");

/* The semantic conventions' keys, of any version. */
static const struct at_text convention_keys[] = {
	AT_TEXT("AWSAccessKeyId"),
	AT_TEXT("Signature"),
	AT_TEXT("X-Amz-Credential"),
	AT_TEXT("X-Amz-Security-Token"),
	AT_TEXT("X-Amz-Signature"),
	AT_TEXT("X-Goog-Signature"),
	AT_TEXT("sig"),
	{ NULL, 0 },
};

static const struct at_text secret_keys[] = {
	AT_TEXT("access_token"),  AT_TEXT("api_key"),       AT_TEXT("apikey"),
	AT_TEXT("auth"),          AT_TEXT("client_secret"), AT_TEXT("code"),
	AT_TEXT("id_token"),      AT_TEXT("job_token"),     AT_TEXT("jwt"),
	AT_TEXT("key"),           AT_TEXT("passwd"),        AT_TEXT("password"),
	AT_TEXT("private_token"), AT_TEXT("refresh_token"), AT_TEXT("secret"),
	AT_TEXT("session"),       AT_TEXT("token"),         { NULL, 0 },
};

/* Web hooks whose path is the secret: all that follows the mark is. */
static const struct {
	const char *host; /* or a parent domain of it */
	const char *mark;
} hooks[] = {
	{ "api.telegram.org", "/bot" },
	{ "discord.com", "/api/webhooks/" },
	{ "discordapp.com", "/api/webhooks/" },
	{ "hooks.slack.com", "/services/" },
	{ "hooks.slack.com", "/workflows/" },
	{ "hooks.zapier.com", "/hooks/catch/" },
	{ "maker.ifttt.com", "/with/key/" },
	{ "outlook.office.com", "/webhook/" },
	{ "webhook.office.com", "/webhookb2/" },
};

struct redact_rules redact_rules_from(const struct at_config *config)
{
	struct redact_rules rules = {
		.exact = convention_keys,
		.any_case = secret_keys,
		.more = config->redact,
		.query = REDACT_KNOWN,
	};

	if (strcmp(config->url_query, "redact-values") == 0)
		rules.query = REDACT_VALUES;
	else if (strcmp(config->url_query, "drop") == 0)
		rules.query = REDACT_DROP;
	return rules;
}

static char folded(char c)
{
	return c == '-' ? '_' : at_lower(c);
}

bool redact_equal_folded(struct at_text a, struct at_text b)
{
	size_t i;

	if (a.len != b.len)
		return false;
	for (i = 0; i < a.len; i++)
		if (folded(a.ptr[i]) != folded(b.ptr[i]))
			return false;
	return true;
}

static bool is_secret(const struct redact_rules *rules, struct at_text key)
{
	struct at_text more = at_text_from(rules->more), item;
	const struct at_text *name;

	if (rules->query == REDACT_VALUES)
		return true;
	for (name = rules->exact; name->ptr; name++)
		if (name->len == key.len && at_text_equal(*name, key))
			return true;
	for (name = rules->any_case; name->ptr; name++)
		if (name->len == key.len && redact_equal_folded(*name, key))
			return true;
	while (at_text_next(&more, ',', &item))
		if (key.len && redact_equal_folded(at_text_trim(item), key))
			return true;
	return false;
}

/* Text up to the first of the bytes in `ends`, cut off the front of *rest. */
static struct at_text cut_until(struct at_text *rest, const char *ends)
{
	struct at_text front = { rest->ptr, rest->len };

	/* The nearest of them; each is looked for before the last found. */
	for (; *ends && front.len; ends++) {
		const char *end = memchr(front.ptr, *ends, front.len);

		if (end)
			front.len = (size_t)(end - front.ptr);
	}
	rest->ptr += front.len;
	rest->len -= front.len;
	return front;
}

bool redact_query(const struct redact_rules *rules, struct at_text query,
		  struct at_writer *writer)
{
	struct at_text item, key;
	bool first = true, changed = false;

	if (rules->query == REDACT_DROP)
		return query.len;
	while (at_text_next(&query, '&', &item)) {
		if (!first)
			at_write_char(writer, '&');
		first = false;
		key = item;
		key = cut_until(&key, "=");
		if (key.len == item.len || !is_secret(rules, key)) {
			at_write_text(writer, item);
			continue;
		}
		at_write_text(writer, key);
		at_write_char(writer, '=');
		at_write_text(writer, redacted);
		changed = true;
	}
	return changed;
}

/* Writes the authority without credentials; *host is what follows them. */
static bool write_authority(struct at_text authority, struct at_text *host,
			    struct at_writer *writer)
{
	const char *at = authority.len ?
				 memrchr(authority.ptr, '@', authority.len) :
				 NULL;

	*host = authority;
	if (at) {
		host->ptr = at + 1;
		host->len = authority.len - (size_t)(at + 1 - authority.ptr);
		at_write_text(writer, redacted);
		at_write_char(writer, ':');
		at_write_text(writer, redacted);
		at_write_char(writer, '@');
	}
	at_write_text(writer, *host);
	return at;
}

static bool in_domain(struct at_text host, const char *domain)
{
	struct at_text suffix = at_text_from(domain);

	return at_text_ends_with_nocase(host, suffix) &&
	       (host.len == suffix.len ||
		host.ptr[host.len - suffix.len - 1] == '.');
}

/* How much of a path may be shown. */
static size_t shown_bytes(struct at_text authority, struct at_text path)
{
	struct at_text host = cut_until(&authority, ":");
	size_t i;

	for (i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		size_t len = strlen(hooks[i].mark);
		const char *mark;

		if (!in_domain(host, hooks[i].host))
			continue;
		mark = memmem(path.ptr, path.len, hooks[i].mark, len);
		if (mark)
			return (size_t)(mark - path.ptr) + len;
	}
	return path.len;
}

static bool write_path(struct at_text authority, struct at_text path,
		       struct at_writer *writer)
{
	size_t shown = shown_bytes(authority, path);

	at_write_bytes(writer, path.ptr, shown);
	if (shown == path.len)
		return false;
	at_write_text(writer, redacted);
	return true;
}

/* Cuts "scheme://" off; a text without one begins with its path. */
static struct at_text cut_scheme(struct at_text *rest)
{
	struct at_text after = *rest, scheme;

	scheme = cut_until(&after, ":/?#");
	if (after.len < 3 || memcmp(after.ptr, "://", 3) != 0)
		return (struct at_text){ rest->ptr, 0 };
	scheme.len += 3;
	rest->ptr += scheme.len;
	rest->len -= scheme.len;
	return scheme;
}

bool redact_url(const struct redact_rules *rules, struct at_text url,
		struct at_writer *writer)
{
	struct at_text rest = url, scheme, host, part;
	bool changed = false;

	scheme = cut_scheme(&rest);
	at_write_text(writer, scheme);
	part = scheme.len ? cut_until(&rest, "/?#") : scheme;
	changed |= write_authority(part, &host, writer);
	part = cut_until(&rest, "?#");
	changed |= write_path(host, part, writer);
	part = cut_until(&rest, "#");
	if (part.len) {
		if (rules->query == REDACT_DROP)
			changed = true;
		else
			at_write_char(writer, '?');
		part.ptr++;
		part.len--;
		changed |= redact_query(rules, part, writer);
	}
	at_write_text(writer, rest);
	return changed;
}

typedef bool redaction(const struct redact_rules *rules, struct at_text text,
		       struct at_writer *writer);

static void redact_field(const struct redact_rules *rules, struct at_span *span,
			 enum at_attr attr, redaction *redact)
{
	/* Every three bytes of it ("&k=") may become eleven. */
	char text[AT_SPAN_FIELDS_BYTES * 4 + 32];
	struct at_writer writer = AT_WRITER(text, sizeof(text));
	struct at_field field;

	if (!at_span_find(span, attr, &field) ||
	    !redact(rules, field.text, &writer))
		return;
	if (attr == AT_ATTR_PROCESS_COMMAND_ARGS)
		at_span_set_texts(span, attr, at_writer_text(&writer));
	else
		at_span_set_text(span, attr, at_writer_text(&writer));
}

void redact_span(const struct redact_rules *rules, struct at_span *span)
{
	redact_field(rules, span, AT_ATTR_URL_FULL, redact_url);
	redact_field(rules, span, AT_ATTR_URL_QUERY, redact_query);
	redact_field(rules, span, AT_ATTR_PROCESS_COMMAND_ARGS, redact_args);
}
