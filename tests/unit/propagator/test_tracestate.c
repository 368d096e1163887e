// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "propagator/propagator.h"
#include "tests/support/guard_page.h"
#include "tests/support/vectors.h"

#define FIELD_MAX 8

static struct at_context context;

static int parse(const char *field)
{
	struct at_text text = at_text_from(field);

	context.tracestate_len = 9;
	return at_tracestate_parse(&text, 1, &context);
}

static void expect_state(const char *expected)
{
	struct at_text state = { context.tracestate, context.tracestate_len };

	cr_expect(at_text_equal(state, at_text_from(expected)),
		  "\"%.*s\" is not \"%s\"", (int)state.len, state.ptr,
		  expected);
}

/* The members of a vector in one field. */
static void join(const cJSON *members, char *text)
{
	const cJSON *member;

	*text = '\0';
	cJSON_ArrayForEach(member, members)
		text += sprintf(text, "%s%s=%s",
				member == members->child ? "" : ",",
				member->child->valuestring,
				member->child->next->valuestring);
}

/* Each field at the end of readable memory of its own. */
static int parse_vector(const cJSON *vector)
{
	struct guard_page pages[FIELD_MAX];
	struct at_text fields[FIELD_MAX];
	const cJSON *in;
	size_t count = 0, i;
	int result;

	cJSON_ArrayForEach(in, cJSON_GetObjectItem(vector, "in")) {
		cr_assert_lt(count, FIELD_MAX);
		guard_page_open(&pages[count], 4096);
		fields[count] = guard_page_text(
			&pages[count], at_text_from(cJSON_GetStringValue(in)));
		count++;
	}
	context.tracestate_len = 9;
	result = at_tracestate_parse(fields, count, &context);
	for (i = 0; i < count; i++)
		guard_page_close(&pages[i]);
	return result;
}

Test(propagator_tracestate, fields_are_joined_as_the_vectors_say)
{
	cJSON *all = vectors_load("tracestate"), *vector;
	char expected[4096];

	cJSON_ArrayForEach(vector, all) {
		bool accept = vector_true(vector, "accept");

		join(cJSON_GetObjectItem(vector, "members"), expected);
		cr_expect_eq(parse_vector(vector), accept ? 0 : -EBADMSG, "%s",
			     vector_id(vector));
		expect_state(accept ? expected : "");
	}
	cJSON_Delete(all);
}

Test(propagator_tracestate, no_field_at_all_is_an_empty_state)
{
	context.tracestate_len = 9;
	cr_expect_eq(at_tracestate_parse(NULL, 0, &context), 0);
	expect_state("");
}

Test(propagator_tracestate, values_are_printable_ascii_to_the_last_character)
{
	int c;

	for (c = 1; c < 256; c++) {
		char field[] = { 'a', '=', 'b', (char)c, 'b', '\0' };
		bool good = c >= 0x20 && c <= 0x7e && c != '=' && c != ',';

		/* A comma ends the member, and what follows is none. */
		cr_expect_eq(parse(field), good ? 0 : -EBADMSG, "%d", c);
	}
}

Test(propagator_tracestate, ids_and_flags_are_left_alone)
{
	struct at_context before;

	memset(&context, 0x5a, sizeof(context));
	before = context;
	cr_expect_eq(parse("a=1"), 0);
	cr_expect_arr_eq(&context, &before,
			 offsetof(struct at_context, tracestate_len));
}

/* "k00=vvv...," : whole member `len` bytes; returns behind it. */
static char *put_member(char *at, int number, size_t len)
{
	at += sprintf(at, "k%02d=", number);
	memset(at, 'v', len - 4);
	at += len - 4;
	*at++ = ',';
	*at = '\0';
	return at;
}

Test(propagator_tracestate, what_is_over_512_bytes_loses_members_from_the_right)
{
	char field[4096], *at = field;
	int i;

	for (i = 0; i < 6; i++)
		at = put_member(at, i, 100);
	cr_expect_eq(parse(field), 0);
	cr_expect_eq(context.tracestate_len, 5 * 101 - 1);
	cr_expect_eq(memcmp(context.tracestate, field, 5 * 101 - 1), 0);
}

Test(propagator_tracestate, exactly_512_bytes_are_kept_whole)
{
	char field[4096], *at = field;
	size_t extra;
	int i;

	for (extra = 0; extra < 2; extra++) {
		at = field;
		for (i = 0; i < 4; i++)
			at = put_member(at, i, 100);
		put_member(at, 4, 512 - 4 * 101 + extra);
		cr_expect_eq(parse(field), 0);
		cr_expect_eq(context.tracestate_len, extra ? 4 * 101 - 1 : 512);
	}
}

Test(propagator_tracestate, large_members_are_the_first_to_go)
{
	char field[4096], *at = field;

	at = put_member(at, 0, 129);
	at = put_member(at, 1, 128);
	at = put_member(at, 2, 128);
	at = put_member(at, 3, 128);
	put_member(at, 4, 20);
	cr_expect_eq(parse(field), 0);
	cr_expect_eq(context.tracestate_len, 3 * 129 + 20);
	cr_expect_eq(memcmp(context.tracestate, "k01=", 4), 0);
}

Test(propagator_tracestate, the_largest_member_there_can_be_does_not_fit)
{
	char field[1024];

	memset(field, 'a', 513);
	field[256] = '=';
	field[513] = '\0';
	cr_expect_eq(parse(field), 0);
	expect_state("");
	strcpy(field + 513, ",b=1");
	cr_expect_eq(parse(field), 0);
	expect_state("b=1");
}

Test(propagator_tracestate, repeated_keys_count_towards_the_limit_of_members)
{
	char field[256], *at = field;
	int i;

	for (i = 0; i < 33; i++)
		at += sprintf(at, "a=%d,", i % 10);
	cr_expect_eq(parse(field), -EBADMSG);
	expect_state("");
	field[32 * 4] = '\0';
	cr_expect_eq(parse(field), 0);
	expect_state("a=0");
}

/* A refusal leaves nothing, an acceptance a state that is read the same. */
Test(propagator_tracestate, a_field_cut_anywhere_is_read_whole_or_not_at_all)
{
	static const char whole[] = "rojo=00f067aa0ba902b7 , t@v/*-_=a b!~ ,, "
				    "9=\t\t, rojo=x ,";
	struct guard_page page;
	size_t len;

	guard_page_open(&page, sizeof(whole));
	for (len = 0; len < sizeof(whole); len++) {
		struct at_text cut = { whole, len };
		struct at_context first;
		int result;

		cut = guard_page_text(&page, cut);
		result = at_tracestate_parse(&cut, 1, &context);
		if (result) {
			cr_expect_eq(context.tracestate_len, 0);
			continue;
		}
		first = context;
		cut = (struct at_text){ first.tracestate,
					first.tracestate_len };
		cr_expect_eq(at_tracestate_parse(&cut, 1, &context), 0);
		cr_expect_eq(context.tracestate_len, first.tracestate_len);
		cr_expect_eq(memcmp(context.tracestate, first.tracestate,
				    first.tracestate_len),
			     0);
	}
	guard_page_close(&page);
}
