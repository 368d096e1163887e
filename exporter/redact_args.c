// SPDX-License-Identifier: Apache-2.0
/*
 * What is secret in the arguments of programs. An argument is taken apart into
 * words, since it may be a script (`sh -c 'curl -H "Authorization: ..."'`).
 */
#include <string.h>

#include "exporter/redact.h"

static const struct at_text redacted = AT_TEXT("REDACTED");

/* A name that has one of these in it is that of a secret. */
static const char *const secret_parts[] = {
	"password",   "passwd",      "passphrase",    "secret",
	"token",      "credential",  "api_key",       "apikey",
	"access_key", "private_key", "authorization",
};

/* Whole names, of options and of headers. */
static const char *const secret_names[] = {
	"auth", "cookie", "jwt", "pass", "pwd", "session",
};

/* What well-known secrets begin with. */
static const char *const secret_starts[] = {
	"ghp_",  "gho_",  "ghs_", "github_pat_", "glpat-",
	"xoxb-", "xoxp-", "AKIA", "npm_",        "pypi-",
	"eyJ",   "sk-",   "SG.",  "hf_",         "dop_v1_",
};
#define SECRET_MIN 16 /* bytes of such a thing */

#define BLANKS " \t\r\n"
#define ENDS BLANKS "'\"`;|&()<>"

struct scan {
	const struct redact_rules *rules;
	struct at_writer *writer;
	const char *arg;
	struct at_text rest; /* of it */
	bool value_next;     /* the word before was an option with a value */
	bool changed;
};

static void mask(struct scan *scan)
{
	at_write_text(scan->writer, redacted);
	scan->changed = true;
}

static size_t span_until(struct at_text text, const char *ends)
{
	return at_text_before(text, ends).len;
}

static size_t blanks_at(struct at_text text)
{
	size_t len = 0;

	while (len < text.len && strchr(BLANKS, text.ptr[len]))
		len++;
	return len;
}

static struct at_text cut(struct at_text *rest, size_t len)
{
	struct at_text front = { rest->ptr, len };

	rest->ptr += len;
	rest->len -= len;
	return front;
}

static bool contains_folded(struct at_text text, const char *part)
{
	size_t len = strlen(part), i;

	for (i = 0; i + len <= text.len; i++)
		if (redact_equal_folded((struct at_text){ text.ptr + i, len },
					at_text_from(part)))
			return true;
	return false;
}

static bool names_secret(const struct scan *scan, struct at_text name)
{
	struct at_text more = at_text_from(scan->rules->more), item;
	size_t i;

	while (name.len && name.ptr[0] == '-') {
		name.ptr++;
		name.len--;
	}
	if (!name.len)
		return false;
	for (i = 0; i < sizeof(secret_parts) / sizeof(*secret_parts); i++)
		if (contains_folded(name, secret_parts[i]))
			return true;
	for (i = 0; i < sizeof(secret_names) / sizeof(*secret_names); i++)
		if (redact_equal_folded(name, at_text_from(secret_names[i])))
			return true;
	while (at_text_next(&more, ',', &item))
		if (redact_equal_folded(name, at_text_trim(item)))
			return true;
	return false;
}

static bool looks_secret(struct at_text word)
{
	size_t i;

	if (word.len < SECRET_MIN)
		return false;
	for (i = 0; i < sizeof(secret_starts) / sizeof(*secret_starts); i++)
		if (!strncmp(word.ptr, secret_starts[i],
			     strlen(secret_starts[i])))
			return true;
	return false;
}

/* What stands here is a value, as far as its quotes or the word go. */
static void mask_value(struct scan *scan, const char *ends)
{
	struct at_text *rest = &scan->rest;
	char quote[2] = { 0 };

	if (!rest->len)
		return;
	if (*rest->ptr == '\'' || *rest->ptr == '"') {
		quote[0] = *rest->ptr;
		ends = quote;
		at_write_text(scan->writer, cut(rest, 1));
	}
	if (cut(rest, span_until(*rest, ends)).len)
		mask(scan);
}

/* `name=value` and `Name: value`: true when that was it. */
static bool pair(struct scan *scan, struct at_text word)
{
	size_t name = span_until(word, "=:");
	bool header = name < word.len && word.ptr[name] == ':';

	if (!name || name == word.len ||
	    !names_secret(scan, (struct at_text){ word.ptr, name }))
		return false;
	at_write_text(scan->writer, cut(&scan->rest, name + 1));
	if (header) {
		while (scan->rest.len && *scan->rest.ptr == ' ')
			at_write_text(scan->writer, cut(&scan->rest, 1));
		mask_value(scan, "'\"\n");
	} else {
		/* An option is no script: its value is all that follows. */
		bool option = word.ptr == scan->arg && *word.ptr == '-';

		mask_value(scan, option ? "" : ENDS);
	}
	return true;
}

/* `-u user:password`, as curl, wget and others have it. */
static void write_user(struct scan *scan, struct at_text word)
{
	size_t name = span_until(word, ":");

	at_write_bytes(scan->writer, word.ptr, name);
	if (name == word.len)
		return;
	at_write_char(scan->writer, ':');
	mask(scan);
}

static bool is_user_option(struct at_text word)
{
	return at_text_equal(word, AT_TEXT("-u")) ||
	       at_text_equal(word, AT_TEXT("-U")) ||
	       at_text_equal(word, AT_TEXT("--user")) ||
	       at_text_equal(word, AT_TEXT("--proxy-user"));
}

/* What `-p` means to these is no password. */
static bool is_plain_p(struct at_text program)
{
	static const char *const programs[] = { "mkdir", "cp",   "install",
						"ssh",   "test", "unzip" };
	size_t i;

	program = at_base_name(program);
	for (i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if (at_text_equal(program, at_text_from(programs[i])))
			return true;
	return false;
}

/* Is the word behind this one a secret? `before`: the word before it. */
static bool wants_value(const struct scan *scan, struct at_text word,
			struct at_text before)
{
	if (word.ptr[0] != '-')
		return false;
	if (at_text_equal(word, AT_TEXT("-p")))
		return !is_plain_p(before);
	return names_secret(scan, word);
}

static void take_word(struct scan *scan, struct at_text *before)
{
	struct at_text word = { scan->rest.ptr, span_until(scan->rest, ENDS) };
	bool url = memmem(word.ptr, word.len, "://", 3) != NULL;

	if (url) /* its own query may go on behind a `&` */
		word.len = span_until(scan->rest, BLANKS "'\"`|()<>");
	if (!url && pair(scan, word))
		return;
	cut(&scan->rest, word.len);
	if (url)
		scan->changed |= redact_url(scan->rules, word, scan->writer);
	else if (looks_secret(word))
		mask(scan);
	else if (is_user_option(*before))
		write_user(scan, word);
	else
		at_write_text(scan->writer, word);
	scan->value_next = wants_value(scan, word, *before);
	*before = word;
}

static void take_arg(struct scan *scan, struct at_text arg,
		     struct at_text *before)
{
	scan->arg = arg.ptr;
	scan->rest = arg;
	if (scan->value_next && arg.len) {
		scan->value_next = false;
		if (*arg.ptr != '-') {
			mask(scan);
			return;
		}
	}
	while (scan->rest.len) {
		size_t gap = blanks_at(scan->rest);

		at_write_text(scan->writer, cut(&scan->rest, gap));
		if (!scan->rest.len)
			break;
		if (scan->value_next && gap) {
			scan->value_next = false;
			mask_value(scan, ENDS);
		} else if (span_until(scan->rest, ENDS)) {
			take_word(scan, before);
		} else {
			at_write_text(scan->writer, cut(&scan->rest, 1));
		}
	}
}

bool redact_args(const struct redact_rules *rules, struct at_text args,
		 struct at_writer *writer)
{
	struct scan scan = { .rules = rules, .writer = writer };
	struct at_text arg, before = AT_TEXT("");

	while (args.len && at_text_next(&args, 0, &arg)) {
		take_arg(&scan, arg, &before);
		at_write_char(writer, 0);
	}
	return scan.changed;
}
