// SPDX-License-Identifier: Apache-2.0
#include "exporter/otlp_setup.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/vectors.h"

static struct at_config config;

static const char *url_of(char **environ, int want)
{
	static char url[OTLP_SETUP_URL_BYTES + 1];
	struct at_writer writer = AT_WRITER(url, OTLP_SETUP_URL_BYTES);

	at_config_load(&config, environ, NULL);
	cr_assert_eq(otlp_setup_url(&config, &writer), want);
	url[writer.len] = 0;
	return url;
}

Test(exporter_otlp_setup, endpoint_vectors)
{
	cJSON *all = vectors_load("otlp-endpoint"), *vector;
	int count = 0;

	cJSON_ArrayForEach(vector, all) {
		char **environ = vector_env(vector, "env");
		const char *want = vector_text(vector, "url");

		/* "target" is for gRPC, which there is none of yet. */
		if (want) {
			cr_assert_str_eq(url_of(environ, 0), want, "%s",
					 vector_id(vector));
			count++;
		}
		vector_env_free(environ);
	}
	cr_assert_geq(count, 15);
	cJSON_Delete(all);
}

static void expect_endpoint(const char *setting, const char *url, int result)
{
	char variable[4096];
	char *environ[] = { variable, NULL };

	snprintf(variable, sizeof(variable), "OTEL_EXPORTER_OTLP_%s", setting);
	cr_assert_str_eq(url_of(environ, result), url, "%s", setting);
}

#define DEFAULT "http://localhost:4318/v1/traces"

Test(exporter_otlp_setup, what_is_no_url_gives_the_default_endpoint)
{
	static const char *const bad[] = {
		"ENDPOINT=c:4317",
		"ENDPOINT=ftp://c",
		"ENDPOINT=http://",
		"ENDPOINT=http:///v1",
		"ENDPOINT=http://:80/",
		"ENDPOINT=https://u@/",
		"ENDPOINT=http://c:1/a b",
		"ENDPOINT=http://c\r\nX: y",
		"TRACES_ENDPOINT=unix:/sock",
	};
	char longest[3000] = "TRACES_ENDPOINT=http://c/";
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_endpoint(bad[i], DEFAULT, -EINVAL);
	memset(longest + strlen(longest), 'x', 2500);
	expect_endpoint(longest, DEFAULT, -EINVAL);
}

Test(exporter_otlp_setup, schemes_in_any_case_and_queries)
{
	expect_endpoint("ENDPOINT=HTTP://c:1", "HTTP://c:1/v1/traces", 0);
	expect_endpoint("ENDPOINT=http://c:1/p?x=1#f", "http://c:1/p/v1/traces",
			0);
	expect_endpoint("TRACES_ENDPOINT=http://c:1?x=1#f", "http://c:1/?x=1",
			0);
	expect_endpoint("TRACES_ENDPOINT=http://u:p@c/x", "http://u:p@c/x", 0);
	expect_endpoint("ENDPOINT= http://c:1 ", "http://c:1/v1/traces", 0);
}

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower(*text);
}

/* Parses a headers setting into an object, names in lower case. */
static cJSON *headers_of(const char *setting, bool *bad)
{
	struct at_text rest = at_text_from(setting);
	cJSON *object = cJSON_CreateObject();
	char line[512];
	int found;

	*bad = false;
	do {
		struct at_writer writer = AT_WRITER(line, sizeof(line) - 1);
		char *colon;

		found = otlp_setup_header(&rest, &writer);
		line[writer.len] = 0;
		*bad |= found < 0;
		colon = strstr(line, ": ");
		if (found <= 0)
			continue;
		cr_assert_not_null(colon);
		*colon = 0;
		lower(line);
		cJSON_AddStringToObject(object, line, colon + 2);
	} while (found);
	return object;
}

Test(exporter_otlp_setup, header_vectors)
{
	cJSON *all = vectors_load("otlp-headers"), *vector;

	cJSON_ArrayForEach(vector, all) {
		char **environ = vector_env(vector, "env");
		const char *setting = vector_text(vector, "in");
		bool bad;
		cJSON *got;

		at_config_load(&config, environ, NULL);
		got = headers_of(setting ? setting : config.otlp_headers, &bad);
		cr_assert(cJSON_Compare(got, cJSON_GetObjectItem(vector, "out"),
					true),
			  "%s", vector_id(vector));
		cr_assert_eq(bad, vector_true(vector, "warn"), "%s",
			     vector_id(vector));
		cJSON_Delete(got);
		vector_env_free(environ);
	}
	cJSON_Delete(all);
}

static void expect_no_header(const char *setting)
{
	bool bad;
	cJSON *got = headers_of(setting, &bad);

	cr_assert(bad, "%s", setting);
	cr_assert_eq(cJSON_GetArraySize(got), 0, "%s", setting);
	cJSON_Delete(got);
}

Test(exporter_otlp_setup, headers_that_would_break_the_request)
{
	expect_no_header("a=b%0d%0ax: y");
	expect_no_header("a=b%00c");
	expect_no_header("a:=b");
	expect_no_header("Content-Type=text/plain");
	expect_no_header("content-encoding=br");
	expect_no_header("Content-Length=1");
	expect_no_header("Transfer-Encoding=chunked");
	expect_no_header("a=%zz");
}

Test(exporter_otlp_setup, an_empty_value_has_curls_form)
{
	struct at_text rest = at_text_from("a=");
	char line[16];
	struct at_writer writer = AT_WRITER(line, sizeof(line));

	cr_assert_eq(otlp_setup_header(&rest, &writer), 1);
	cr_assert(at_text_equal(at_writer_text(&writer), AT_TEXT("a;")));
}

static uint32_t rejected_count(char *a, char *b)
{
	char *environ[] = { a, b, NULL };

	at_config_load(&config, environ, NULL);
	return otlp_setup_check(&config);
}

Test(exporter_otlp_setup, settings_not_understood_are_counted)
{
	char none[] = "";
	char bad[] = "OTEL_EXPORTER_OTLP_ENDPOINT=nowhere";
	char headers[] = "OTEL_EXPORTER_OTLP_HEADERS=a=1,b,c d=2,e=3";

	cr_assert_eq(rejected_count(none, none), 0);
	cr_assert_eq(rejected_count(none, bad), 1);
	cr_assert_eq(rejected_count(headers, bad), 3);
}
