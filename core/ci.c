// SPDX-License-Identifier: Apache-2.0
#include "core/ci.h"

#include <string.h>

#include "core/environ.h"

enum kind { TEXT, URL, REPOSITORY, REF, UUID, NUMBER };

static const struct {
	const char *attribute;
	enum kind kind;
} facts[AT_CI_FACT_COUNT] = {
#define FACT(id, attribute, kind) [AT_CI_##id] = { attribute, kind },
	AT_CI_FACTS(FACT)
#undef FACT
};

static const struct system {
	const char *name;
	const char *when[2];
	const char *template[AT_CI_FACT_COUNT];
} systems[] = {
#define CI_SYSTEM(name, first, second, ...) \
	{ name, { first, second }, { __VA_ARGS__ } },
#include "core/ci.def"
#undef CI_SYSTEM
};

const char *at_ci_attribute(enum at_ci_fact fact)
{
	return facts[fact].attribute;
}

/* ---- templates ---- */

static const struct at_text none = { "", 0 };

static struct at_text front(struct at_text text, size_t len)
{
	return (struct at_text){ text.ptr, len };
}

static struct at_text behind(struct at_text text, size_t len)
{
	return (struct at_text){ text.ptr + len, text.len - len };
}

static size_t find(struct at_text text, char c)
{
	const char *at = text.len ? memchr(text.ptr, c, text.len) : NULL;

	return at ? (size_t)(at - text.ptr) : text.len;
}

/* What stands between braces: NAME, NAME: or NAME=text. */
static struct at_text value_of(struct at_text hole, char *const *environment)
{
	char name[64];
	size_t len = 0;
	struct at_text value;

	while (len < hole.len && hole.ptr[len] != ':' && hole.ptr[len] != '=')
		len++;
	if (len >= sizeof(name))
		return none;
	memcpy(name, hole.ptr, len);
	name[len] = 0;
	value = at_environ_get(environment, name);
	if (!value.len || len == hole.len)
		return value;
	if (hole.ptr[len] == '=')
		return behind(hole, len + 1);
	return front(value, find(value, ':'));
}

/* False where a variable is not set; what was written is to be taken back. */
static bool fill_holes(struct at_writer *writer, struct at_text template,
		       char *const *environment)
{
	while (template.len) {
		size_t plain = find(template, '{');
		struct at_text value;
		size_t end;

		at_write_text(writer, front(template, plain));
		template = behind(template, plain);
		if (!template.len)
			break;
		end = find(template, '}');
		value = value_of(behind(front(template, end), 1), environment);
		if (!value.len)
			return false;
		at_write_text(writer, value);
		template = behind(template, end + 1);
	}
	return !writer->overflow;
}

static bool expand(struct at_writer *writer, struct at_text template,
		   char *const *environment)
{
	size_t open = find(template, '['), close = find(template, ']'), len;

	if (!fill_holes(writer, front(template, open), environment))
		return false;
	if (open == template.len)
		return true;
	len = writer->len;
	if (!fill_holes(writer, behind(front(template, close), open + 1),
			environment))
		writer->len = len;
	return fill_holes(writer, behind(template, close + 1), environment);
}

static struct at_writer room(struct at_ci *ci)
{
	return AT_WRITER(ci->bytes + ci->used, sizeof(ci->bytes) - ci->used);
}

static struct at_text keep(struct at_ci *ci, const struct at_writer *writer)
{
	if (writer->overflow)
		return none;
	ci->used += writer->len;
	return at_writer_text(writer);
}

static struct at_text expand_any(struct at_ci *ci, const char *templates,
				 char *const *environment)
{
	struct at_text rest = at_text_from(templates), template;

	while (at_text_next(&rest, '|', &template)) {
		struct at_writer writer = room(ci);

		if (expand(&writer, template, environment))
			return keep(ci, &writer);
	}
	return none;
}

/* ---- what the texts are made into ---- */

static bool take_prefix(struct at_text *text, struct at_text prefix)
{
	if (text->len < prefix.len ||
	    memcmp(text->ptr, prefix.ptr, prefix.len) != 0)
		return false;
	*text = behind(*text, prefix.len);
	return true;
}

static struct at_text ref_name(struct at_text text)
{
	if (!take_prefix(&text, AT_TEXT("refs/heads/")) &&
	    !take_prefix(&text, AT_TEXT("refs/tags/")))
		take_prefix(&text, AT_TEXT("refs/"));
	take_prefix(&text, AT_TEXT("origin/"));
	return text;
}

/* The number of a pull request; "false" and branch names are none. */
static struct at_text number(struct at_text text)
{
	size_t i, len;

	take_prefix(&text, AT_TEXT("refs/pull/"));
	len = find(text, '/');
	for (i = 0; i < len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return none;
	return front(text, len);
}

static struct at_text without_braces(struct at_text text)
{
	if (text.len > 2 && text.ptr[0] == '{' && text.ptr[text.len - 1] == '}')
		return behind(front(text, text.len - 1), 1);
	return text;
}

struct url {
	struct at_text scheme; /* empty: none */
	struct at_text host;   /* and port; without credentials */
	struct at_text path;   /* and whatever follows; with its slash */
};

static struct url split_url(struct at_text text)
{
	size_t colon = find(text, ':');
	struct url url = { .scheme = none, .host = none, .path = text };
	size_t at;

	if (text.len < colon + 3 || memcmp(text.ptr + colon, "://", 3) != 0)
		return url;
	url.scheme = front(text, colon);
	text = behind(text, colon + 3);
	url.host = front(text, find(text, '/'));
	url.path = behind(text, url.host.len);
	while ((at = find(url.host, '@')) < url.host.len)
		url.host = behind(url.host, at + 1);
	return url;
}

/* git@host:owner/name; a path has no colon before its first slash. */
static struct url split_remote(struct at_text text)
{
	struct url url = split_url(text);
	size_t colon = find(text, ':');

	if (url.scheme.len || colon == text.len || colon > find(text, '/'))
		return url;
	url.scheme = AT_TEXT("ssh");
	url.host = front(text, colon);
	url.host = behind(url.host, find(url.host, '@') < colon ?
					    find(url.host, '@') + 1 :
					    0);
	url.path = behind(text, colon + 1);
	return url;
}

static struct at_text write_url(struct at_ci *ci, const struct url *url)
{
	struct at_writer writer = room(ci);

	at_write_text(&writer, url->scheme);
	at_write_string(&writer, "://");
	at_write_text(&writer, url->host);
	if (url->path.len && url->path.ptr[0] != '/')
		at_write_char(&writer, '/');
	at_write_text(&writer, url->path);
	return keep(ci, &writer);
}

static struct at_text plain_url(struct at_ci *ci, struct at_text text)
{
	struct url url = split_url(text);

	return url.host.len ? write_url(ci, &url) : none;
}

static struct at_text repository_path(struct at_text path)
{
	const struct at_text suffix = AT_TEXT(".git");

	path = front(path, find(path, '?'));
	while (path.len && path.ptr[path.len - 1] == '/')
		path.len--;
	if (at_text_ends_with_nocase(path, suffix))
		path.len -= suffix.len;
	return path;
}

static bool is_web(struct at_text scheme)
{
	return at_text_equal_nocase(scheme, AT_TEXT("https")) ||
	       at_text_equal_nocase(scheme, AT_TEXT("http"));
}

/* Where a browser finds what git reads; a path on this machine is nowhere. */
static struct at_text browser_url(struct at_ci *ci, struct at_text text)
{
	struct url url = split_remote(text);

	if (!url.host.len)
		return none;
	if (!is_web(url.scheme)) {
		url.scheme = AT_TEXT("https");
		url.host = front(url.host, find(url.host, ':'));
	}
	url.path = repository_path(url.path);
	return write_url(ci, &url);
}

static struct at_text made(struct at_ci *ci, enum kind kind,
			   struct at_text text)
{
	if (!text.len)
		return text;
	switch (kind) {
	case URL:
		return plain_url(ci, text);
	case REPOSITORY:
		return browser_url(ci, text);
	case REF:
		return ref_name(text);
	case UUID:
		return without_braces(text);
	case NUMBER:
		return number(text);
	case TEXT:
		break;
	}
	return text;
}

/* ---- facts that follow from others ---- */

static bool starts_with(struct at_text text, struct at_text prefix)
{
	return take_prefix(&text, prefix);
}

/* `head` as it was given. */
static void settle_ref(struct at_ci *ci, struct at_text head)
{
	struct at_text *fact = ci->fact;

	if (fact[AT_CI_TAG].len) {
		fact[AT_CI_HEAD] = fact[AT_CI_TAG];
		fact[AT_CI_HEAD_TYPE] = AT_TEXT("tag");
	} else if (starts_with(head, AT_TEXT("refs/tags/"))) {
		fact[AT_CI_HEAD_TYPE] = AT_TEXT("tag");
	} else if (!head.len || starts_with(head, AT_TEXT("refs/pull/"))) {
		fact[AT_CI_HEAD_TYPE] = none;
	} else if (!at_text_equal(fact[AT_CI_HEAD_TYPE], AT_TEXT("tag"))) {
		fact[AT_CI_HEAD_TYPE] = AT_TEXT("branch");
	}
	fact[AT_CI_TYPE] = fact[AT_CI_HEAD_TYPE];
	/* Some systems name a target branch for every push. */
	if (!fact[AT_CI_CHANGE_ID].len)
		fact[AT_CI_BASE] = none;
}

static struct at_text provider_at(struct at_text host)
{
	static const struct {
		const char *host, *name;
	} known[] = {
		{ "github.com", "github" },
		{ "gitlab.*", "gitlab" },
		{ "gitea.*", "gitea" },
		{ "bitbucket.org", "bitbucket" },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (at_text_glob_nocase(at_text_from(known[i].host), host))
			return at_text_from(known[i].name);
	return none;
}

/* `remote` as it was given: also a path says what the repository is called. */
static void settle_repository(struct at_ci *ci, struct at_text remote)
{
	struct at_text *fact = ci->fact;
	struct url url = split_remote(remote);
	struct at_text path = fact[AT_CI_SLUG];
	const char *slash;

	if (!fact[AT_CI_PROVIDER].len)
		fact[AT_CI_PROVIDER] = provider_at(url.host);
	if (!path.len)
		path = repository_path(url.path);
	if (!path.len)
		return;
	take_prefix(&path, AT_TEXT("/"));
	slash = memrchr(path.ptr, '/', path.len);
	if (slash && (fact[AT_CI_SLUG].len || fact[AT_CI_PROVIDER].len))
		fact[AT_CI_OWNER] = front(path, (size_t)(slash - path.ptr));
	fact[AT_CI_REPOSITORY_NAME] =
		slash ? behind(path, (size_t)(slash - path.ptr) + 1) : path;
}

static bool is_set(char *const *environment, const char *name)
{
	struct at_text value = at_environ_get(environment, name);

	return value.len && !at_text_equal_nocase(value, AT_TEXT("false")) &&
	       !at_text_equal(value, AT_TEXT("0"));
}

static const struct system *find_system(char *const *environment)
{
	size_t i;

	for (i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
		if (is_set(environment, systems[i].when[0]) &&
		    (!systems[i].when[1][0] ||
		     is_set(environment, systems[i].when[1])))
			return &systems[i];
	return NULL;
}

bool at_ci_detect(struct at_ci *ci, char *const *environment)
{
	const struct system *system = find_system(environment);
	struct at_text given[AT_CI_FACT_COUNT];
	int i;

	ci->system = system ? system->name : NULL;
	ci->used = 0;
	for (i = 0; i < AT_CI_FACT_COUNT; i++) {
		given[i] = system && system->template[i] ?
				   expand_any(ci, system->template[i],
					      environment) :
				   none;
		ci->fact[i] = made(ci, facts[i].kind, given[i]);
	}
	if (!system)
		return false;
	settle_ref(ci, given[AT_CI_HEAD]);
	settle_repository(ci, given[AT_CI_REPOSITORY_URL]);
	return true;
}
