// SPDX-License-Identifier: Apache-2.0
#include "cli/json.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/guard_page.h"

static bool accepted(struct at_text text)
{
	struct at_json json;

	at_json_init(&json, text);
	at_json_skip(&json);
	return at_json_finish(&json);
}

static const char *const good[] = {
	"{}",
	"[]",
	" [ 1 , -2.5e+3 , 0 , 0.1E-2 , \"x\" , true , false , null ] ",
	"{\"a\":{\"b\":[{},[],[[]]]},\"c\":\"\\u00e9\\n\\\"\\\\\\/\"}",
	"\"\"",
	"0",
	"-0",
	"12345678901234567890",
	"null",
	"\r\n\t{ \"k\" :\t1 }\n",
};

static const char *const bad[] = {
	"",           " ",
	"{",          "[",
	"]",          "}",
	"[1,]",       "[,1]",
	"[1 2]",      "{,}",
	"{\"a\"}",    "{\"a\":}",
	"{\"a\":1,}", "{a:1}",
	"{\"a\" 1}",  "{1:2}",
	"[1}",        "{\"a\":1]",
	"tru",        "truex",
	"nul",        "01",
	"1.",         ".5",
	"-",          "1e",
	"1e+",        "+1",
	"\"",         "\"a",
	"\"\\\"",     "\"\\x\"",
	"\"\\u12\"",  "\"\\u12g4\"",
	"\"a\nb\"",   "1 2",
	"{} {}",      "[\"a\" \"b\"]",
	"NaN",        "'a'",
	"[1,,2]",     "\"\\",
};

Test(cli_json, what_is_json_is_passed_over)
{
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(accepted(at_text_from(good[i])), "%s", good[i]);
}

Test(cli_json, what_is_not_json_is_refused)
{
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_not(accepted(at_text_from(bad[i])), "%s", bad[i]);
}

Test(cli_json, depth_is_bounded)
{
	char deep[2 * 200 + 1];
	unsigned int levels;

	for (levels = 1; levels < 200; levels++) {
		memset(deep, '[', levels);
		memset(deep + levels, ']', levels);
		deep[2 * levels] = 0;
		cr_expect_eq(accepted(at_text_from(deep)),
			     levels <= AT_JSON_DEPTH_MAX, "%u", levels);
	}
}

static void expect_string(const char *json_text, const char *expected)
{
	char text[64];
	struct at_writer writer = AT_WRITER(text, sizeof(text));
	struct at_json json;

	at_json_init(&json, at_text_from(json_text));
	cr_expect(at_json_string(&json, &writer), "%s", json_text);
	cr_expect(at_json_finish(&json), "%s", json_text);
	cr_expect(at_text_equal(at_writer_text(&writer),
				at_text_from(expected)),
		  "%s: %.*s", json_text, (int)writer.len, text);
}

Test(cli_json, strings_are_decoded)
{
	expect_string("\"plain\"", "plain");
	expect_string("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
	expect_string("\"\\u0041\\u00e9\\u65E5\"", "Aé日");
	expect_string("\"\\ud83d\\ude00\"", "😀");
	expect_string("\"\\ud83d\"", "\xef\xbf\xbd");
	expect_string("\"\\ude00x\"", "\xef\xbf\xbdx");
	expect_string("\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
					    "A");
	expect_string("\"日本\"", "日本");
}

Test(cli_json, a_string_too_long_is_cut_between_characters)
{
	char text[4];
	struct at_writer writer = AT_WRITER(text, sizeof(text));
	struct at_json json;

	at_json_init(&json, at_text_from("\"ab日x\""));
	cr_expect(at_json_string(&json, &writer));
	cr_expect_eq(writer.len, 2);
	cr_expect(at_json_finish(&json));
}

static bool u64_is(const char *text, uint64_t expected)
{
	struct at_json json;
	uint64_t value = 0;

	at_json_init(&json, at_text_from(text));
	return at_json_u64(&json, &value) && value == expected;
}

Test(cli_json, integers_are_numbers_or_strings)
{
	cr_expect(u64_is("0", 0));
	cr_expect(u64_is("\"18446744073709551615\"", UINT64_MAX));
	cr_expect(u64_is("18446744073709551615", UINT64_MAX));
	cr_expect_not(u64_is("18446744073709551616", 0));
	cr_expect_not(u64_is("-1", 0));
	cr_expect_not(u64_is("1.5", 1));
	cr_expect_not(u64_is("\"\"", 0));
	cr_expect_not(u64_is("null", 0));
	cr_expect_not(u64_is("{}", 0));
}

Test(cli_json, members_are_walked_one_by_one)
{
	struct at_json json;
	struct at_text key;
	uint64_t value, sum = 0;

	at_json_init(&json,
		     at_text_from("{\"a\": [1, 2], \"b\": {}, \"c\": 4}"));
	cr_assert(at_json_enter(&json, AT_JSON_OBJECT));
	cr_assert(at_json_key(&json, &key));
	cr_assert(at_json_enter(&json, AT_JSON_ARRAY));
	while (at_json_element(&json))
		if (at_json_u64(&json, &value))
			sum += value;
	cr_assert(at_json_key(&json, &key));
	cr_expect(at_text_equal(key, AT_TEXT("b")));
	at_json_skip(&json);
	cr_assert(at_json_key(&json, &key));
	cr_assert(at_json_u64(&json, &value));
	cr_expect_eq(sum + value, 7);
	cr_expect_not(at_json_key(&json, &key));
	cr_expect(at_json_finish(&json));
}

Test(cli_json, after_a_mistake_every_answer_is_no)
{
	struct at_json json;
	struct at_text key;

	at_json_init(&json, at_text_from("[1, 2]"));
	cr_expect_not(at_json_enter(&json, AT_JSON_OBJECT));
	cr_expect_str_eq(json.error, "an object");
	cr_expect_not(at_json_enter(&json, AT_JSON_ARRAY));
	cr_expect_not(at_json_element(&json));
	cr_expect_not(at_json_key(&json, &key));
	cr_expect_eq(at_json_peek(&json), AT_JSON_NOTHING);
	cr_expect_not(at_json_finish(&json));
	cr_expect_str_eq(json.error, "an object");
	cr_expect_eq(at_json_column(&json), 1);
}

/* Every front part of a text, right before a page that must not be read. */
Test(cli_json, nothing_behind_the_text_is_read)
{
	static const char text[] =
		"{\"a\":[1,-2.5e3,true,null],\"b\\u00e9\\ud83d\\ude00\":\"\\n日\"}";
	struct guard_page page;
	size_t len;

	guard_page_open(&page, sizeof(text));
	for (len = 0; len < sizeof(text) - 1; len++)
		cr_expect_not(accepted((struct at_text){
			guard_page_put(&page, text, len), len }));
	guard_page_close(&page);
}

/* Our verdict on a damaged text is that of an independent parser. */
Test(cli_json, damaged_texts_are_judged_as_by_cjson)
{
	static const char text[] =
		"{\"a\":[7,true,null,{}],\"b\":\"\\nx\",\"c\":[[]]}";
	char damaged[sizeof(text)];
	unsigned int i, checked = 0;

	srand(11);
	for (i = 0; i < 20000; i++) {
		/* None that makes numbers or escapes only cJSON takes. */
		const char *const letters = "{}[]\",: eatn\\rl9";
		const char *end;
		cJSON *other;

		strcpy(damaged, text);
		damaged[rand() % (sizeof(text) - 1)] = letters[rand() % 16];
		if (i % 2)
			damaged[rand() % (sizeof(text) - 1)] =
				letters[rand() % 16];
		other = cJSON_ParseWithOpts(damaged, &end, 1);
		cr_expect_eq(accepted(at_text_from(damaged)), other != NULL,
			     "%s", damaged);
		checked += other != NULL;
		cJSON_Delete(other);
	}
	cr_expect_gt(checked, 100);
}

Test(cli_json, a_printed_text_is_read_back_as_it_was)
{
	static const char *const texts[] = { "", "a\"b\\c/d", "\x01\x1f\x7f\n",
					     "é日😀" };
	char *text;
	size_t i, len;
	cJSON *read;
	FILE *out;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		out = open_memstream(&text, &len);
		at_json_print(out, at_text_from(texts[i]));
		fclose(out);
		read = cJSON_Parse(text);
		cr_expect_str_eq(cJSON_GetStringValue(read), texts[i]);
		cJSON_Delete(read);
		free(text);
	}
	out = open_memstream(&text, &len);
	at_json_print(out, at_text_from("a\xff\xe6"));
	fclose(out);
	cr_expect_str_eq(text, "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
	free(text);
}
