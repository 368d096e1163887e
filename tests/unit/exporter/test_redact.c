// SPDX-License-Identifier: Apache-2.0
#include "exporter/redact.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/guard_page.h"
#include "tests/support/vectors.h"

static struct redact_rules rules_of(const char *const environ[])
{
	static struct at_config config;

	at_config_load(&config, (char **)(uintptr_t)environ, NULL);
	return redact_rules_from(&config);
}

static struct redact_rules default_rules(void)
{
	static const char *const none[] = { NULL };

	return rules_of(none);
}

/* Redacted, from and into exactly as much memory as there is. */
static char *redacted(const struct redact_rules *rules, const char *url)
{
	static char out[4096];
	struct at_writer writer = AT_WRITER(out, sizeof(out) - 1);
	struct guard_page page;
	bool changed;

	guard_page_open(&page, strlen(url) + 1);
	changed = redact_url(rules, guard_page_text(&page, at_text_from(url)),
			     &writer);
	guard_page_close(&page);
	out[writer.len] = 0;
	cr_assert_eq(changed, strcmp(out, url) != 0, "%s", url);
	return out;
}

Test(exporter_redact, vectors_with_the_default_list)
{
	struct redact_rules rules = default_rules();
	cJSON *all = vectors_load("url-redaction"), *vector;

	cJSON_ArrayForEach(vector, all)
		cr_assert_str_eq(redacted(&rules, vector_text(vector, "in")),
				 vector_text(vector, "out"), "%s",
				 vector_id(vector));
	cJSON_Delete(all);
}

/* The list of a vector, as the rules want it. */
static struct at_text *keys_of(const cJSON *vector)
{
	cJSON *list = cJSON_GetObjectItem(vector, "sensitive"), *item;
	struct at_text *keys =
		calloc((size_t)cJSON_GetArraySize(list) + 1, sizeof(*keys));
	size_t count = 0;

	cJSON_ArrayForEach(item, list)
		keys[count++] = at_text_from(item->valuestring);
	return keys;
}

static void expect_query(const cJSON *vector)
{
	struct redact_rules rules = default_rules();
	const char *target = vector_text(vector, "target");
	const char *mark = strchr(target, '?');
	const char *want = vector_text(vector, "url.query");
	char out[256];
	struct at_writer writer = AT_WRITER(out, sizeof(out) - 1);

	if (mark)
		redact_query(&rules, at_text_from(mark + 1), &writer);
	out[writer.len] = 0;
	cr_assert_str_eq(out, want ? want : "", "%s", vector_id(vector));
}

Test(exporter_redact, vectors_with_other_lists_and_bare_queries)
{
	static const struct at_text none[] = { { NULL, 0 } };
	cJSON *all = vectors_load("url-redaction-options"), *vector;

	cJSON_ArrayForEach(vector, all) {
		struct at_text *keys = keys_of(vector);
		struct redact_rules rules = { keys, none, "", REDACT_KNOWN };

		if (vector_true(vector, "server"))
			expect_query(vector);
		else
			cr_assert_str_eq(redacted(&rules,
						  vector_text(vector, "in")),
					 vector_text(vector, "out"), "%s",
					 vector_id(vector));
		free(keys);
	}
	cJSON_Delete(all);
}

struct row {
	const char *in, *out; /* NULL: unchanged */
};

static void expect_rows(const struct redact_rules *rules,
			const struct row *rows)
{
	for (; rows->in; rows++)
		cr_assert_str_eq(redacted(rules, rows->in),
				 rows->out ? rows->out : rows->in);
}

Test(exporter_redact, secrets_of_our_own_list_in_any_case)
{
	static const struct row rows[] = {
		{ "http://h/?token=a", "http://h/?token=REDACTED" },
		{ "http://h/?Access-Token=a&q=1",
		  "http://h/?Access-Token=REDACTED&q=1" },
		{ "http://h/?API_KEY=a", "http://h/?API_KEY=REDACTED" },
		{ "http://h/?client-secret=a&code=b&jwt=c&session=d",
		  "http://h/?client-secret=REDACTED&code=REDACTED&jwt=REDACTED"
		  "&session=REDACTED" },
		{ "http://h/?password=a#frag",
		  "http://h/?password=REDACTED#frag" },
		{ "http://h/?tokens=a&keyboard=b", NULL },
		{ "http://h/token=a", NULL },
		{ NULL, NULL },
	};
	struct redact_rules rules = default_rules();

	expect_rows(&rules, rows);
}

Test(exporter_redact, more_keys_by_setting)
{
	static const char *const environ[] = { "AUTOTRACE_REDACT=iban, Pin",
					       NULL };
	static const struct row rows[] = {
		{ "http://h/?IBAN=a&pin=b&x=c",
		  "http://h/?IBAN=REDACTED&pin=REDACTED&x=c" },
		{ "http://h/?token=a", "http://h/?token=REDACTED" },
		{ "http://h/?=a", NULL },
		{ NULL, NULL },
	};
	struct redact_rules rules = rules_of(environ);

	expect_rows(&rules, rows);
}

Test(exporter_redact, all_values_by_setting)
{
	static const char *const environ[] = {
		"AUTOTRACE_URL_QUERY=redact-values", NULL
	};
	static const struct row rows[] = {
		{ "http://h/p?a=1&b=&c", "http://h/p?a=REDACTED&b=REDACTED&c" },
		{ "http://h/p", NULL },
		{ NULL, NULL },
	};
	struct redact_rules rules = rules_of(environ);

	expect_rows(&rules, rows);
}

Test(exporter_redact, no_query_by_setting)
{
	static const char *const environ[] = { "AUTOTRACE_URL_QUERY=drop",
					       NULL };
	static const struct row rows[] = {
		{ "http://u@h/p?a=1#f", "http://REDACTED:REDACTED@h/p#f" },
		{ "http://h?a=1", "http://h" },
		{ "http://h/?", "http://h/" },
		{ "http://h/p", NULL },
		{ NULL, NULL },
	};
	struct redact_rules rules = rules_of(environ);

	expect_rows(&rules, rows);
}

Test(exporter_redact, secret_paths_of_web_hooks)
{
	static const struct row rows[] = {
		{ "https://hooks.slack.com/services/T0/B0/xyz",
		  "https://hooks.slack.com/services/REDACTED" },
		{ "https://HOOKS.slack.com:443/services/T0/B0/xyz?a=b",
		  "https://HOOKS.slack.com:443/services/REDACTED?a=b" },
		{ "https://api.telegram.org/bot123:abc/sendMessage",
		  "https://api.telegram.org/botREDACTED" },
		{ "https://acme.webhook.office.com/webhookb2/1@2/x",
		  "https://acme.webhook.office.com/webhookb2/REDACTED" },
		{ "https://nothooks.slack.com/services/T0", NULL },
		{ "https://example.com/services/T0/B0/xyz", NULL },
		{ "https://hooks.slack.com/", NULL },
		{ NULL, NULL },
	};
	struct redact_rules rules = default_rules();

	expect_rows(&rules, rows);
}

Test(exporter_redact, odd_urls_lose_their_secrets_and_nothing_else)
{
	static const struct row rows[] = {
		{ "", NULL },
		{ "/path?token=a", "/path?token=REDACTED" },
		{ "http://", NULL },
		{ "http://a@b@c/", "http://REDACTED:REDACTED@c/" },
		{ "http://@h/", "http://REDACTED:REDACTED@h/" },
		{ "/p?next=http://u:p@h/&token=a",
		  "/p?next=http://u:p@h/&token=REDACTED" },
		{ "h?x=http://u@h/", NULL },
		{ NULL, NULL },
	};
	struct redact_rules rules = default_rules();

	expect_rows(&rules, rows);
}

static struct at_text url_of(const struct at_span *span)
{
	struct at_field field;

	cr_assert(at_span_find(span, AT_ATTR_URL_FULL, &field));
	return field.text;
}

Test(exporter_redact, a_span_is_redacted_in_place_and_keeps_the_rest)
{
	struct redact_rules rules = default_rules();
	struct at_span span;
	struct at_field field;

	at_span_init(&span, AT_KIND_CLIENT);
	at_span_set_text(&span, AT_ATTR_URL_FULL,
			 AT_TEXT("http://u:p@h/?sig=1"));
	at_span_set_int(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE, 200);
	redact_span(&rules, &span);
	cr_assert(at_text_equal(
		url_of(&span),
		AT_TEXT("http://REDACTED:REDACTED@h/?sig=REDACTED")));
	cr_assert(
		at_span_find(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE, &field));
	cr_assert_eq(field.number, 200);
	cr_assert_eq(at_span_check(&span, span.size_bytes), 0);
}

/* Redaction makes this URL three times as long as a span can hold. */
Test(exporter_redact, a_url_that_grows_too_long_is_cut_not_leaked)
{
	struct redact_rules rules = default_rules();
	struct at_span span;
	struct at_text url;
	char text[1700] = "http://u:secretsecret@h/?";
	size_t i;

	for (i = strlen(text); i + 6 < sizeof(text); i += 6)
		memcpy(text + i, "sig=z&", 6);
	at_span_init(&span, AT_KIND_CLIENT);
	at_span_set_text(&span, AT_ATTR_URL_FULL, (struct at_text){ text, i });
	redact_span(&rules, &span);
	url = url_of(&span);
	cr_assert_eq(memmem(url.ptr, url.len, "secret", 6), NULL);
	cr_assert_eq(memmem(url.ptr, url.len, "=z", 2), NULL);
	cr_assert(span.truncated);
	cr_assert_eq(at_span_check(&span, span.size_bytes), 0);
}
