// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "cli/span_list.h"

static void expect_label(const struct at_label *label, const char *expected)
{
	char text[AT_LABEL_BYTES];

	at_label_write(text, label);
	cr_expect_str_eq(text, expected);
}

#define LABEL(...) (&(struct at_label){ __VA_ARGS__ })

Test(cli_label, a_request_is_method_host_and_path)
{
	expect_label(LABEL(.method = AT_TEXT("GET"), .name = AT_TEXT("GET"),
			   .url = AT_TEXT("http://shop:8080/api/order")),
		     "GET shop:8080 /api/order");
	expect_label(LABEL(.method = AT_TEXT("GET"),
			   .url = AT_TEXT("http://[::1]:80/")),
		     "GET [::1]:80 /");
	expect_label(LABEL(.method = AT_TEXT("GET"),
			   .url = AT_TEXT("https://example.org")),
		     "GET example.org");
}

Test(cli_label, credentials_query_and_fragment_are_left_out)
{
	expect_label(LABEL(.method = AT_TEXT("GET"),
			   .url = AT_TEXT("http://me:pw@h/a?token=b#c")),
		     "GET h /a");
	expect_label(LABEL(.method = AT_TEXT("GET"),
			   .url = AT_TEXT("http://a@b@h?x=/y")),
		     "GET h");
	expect_label(LABEL(.method = AT_TEXT("GET"), .host = AT_TEXT("h"),
			   .path = AT_TEXT("/a?b=c")),
		     "GET h /a");
}

Test(cli_label, without_a_url_the_parts_are_put_together)
{
	expect_label(LABEL(.method = AT_TEXT("PUT"), .host = AT_TEXT("h"),
			   .port = 81, .path = AT_TEXT("/x")),
		     "PUT h:81 /x");
	expect_label(LABEL(.method = AT_TEXT("PUT"), .host = AT_TEXT("::1"),
			   .port = 81),
		     "PUT [::1]:81");
	expect_label(LABEL(.method = AT_TEXT("GET"), .path = AT_TEXT("/x")),
		     "GET /x");
}

Test(cli_label, anything_else_has_its_name)
{
	expect_label(LABEL(.name = AT_TEXT("make")), "make");
	expect_label(LABEL(.name = AT_TEXT("connect"), .host = AT_TEXT("h")),
		     "connect h");
	expect_label(LABEL(.name = AT_TEXT("connect"), .host = AT_TEXT("::1"),
			   .port = 81),
		     "connect [::1]:81");
	expect_label(LABEL(.name = AT_TEXT("GET"), .method = AT_TEXT("GET")),
		     "GET");
	expect_label(LABEL(.name = { 0 }), "");
}

Test(cli_label, a_url_that_is_none_is_not_taken_for_one)
{
	static const char *const urls[] = {
		"x", "/a", "http:", "http:/x", "://x", "http://", "?://"
	};
	size_t i;

	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		expect_label(LABEL(.method = AT_TEXT("GET"),
				   .url = at_text_from(urls[i]),
				   .host = AT_TEXT("h")),
			     "GET h");
}

Test(cli_label, what_is_too_long_is_cut)
{
	char url[4000] = "http://h/";
	char text[AT_LABEL_BYTES];

	memset(url + 9, 'x', sizeof(url) - 9);
	at_label_write(text, LABEL(.method = AT_TEXT("GET"),
				   .url = { url, sizeof(url) }));
	cr_expect_eq(strlen(text), AT_LABEL_BYTES - 1);
	cr_expect_eq(strncmp(text, "GET h /xxx", 10), 0);
}

static void expect_outcome(const char *error_type, bool exited,
			   const char *expected)
{
	char text[AT_OUTCOME_BYTES];

	at_outcome_write(text, at_text_from(error_type), exited);
	cr_expect_str_eq(text, expected);
}

Test(cli_label, an_exit_code_is_told_from_a_status_code)
{
	expect_outcome("", false, "");
	expect_outcome("503", false, "503");
	expect_outcome("timeout", false, "timeout");
	expect_outcome("3", true, "exit 3");
	expect_outcome("SIGKILL", true, "SIGKILL");
}
