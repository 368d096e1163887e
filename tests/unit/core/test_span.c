// SPDX-License-Identifier: Apache-2.0
#include "core/span.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/guard_page.h"

#define HEADER_BYTES offsetof(struct at_span, fields)

static struct at_span span;

static void new_span(void)
{
	memset(&span, 0xa5, sizeof(span));
	at_span_init(&span, AT_KIND_CLIENT);
}

TestSuite(core_span, .init = new_span);

static void set_text(enum at_attr attr, const char *value)
{
	at_span_set_text(&span, attr, at_text_from(value));
}

static void expect_sound(void)
{
	cr_assert_eq(at_span_check(&span, span.size_bytes), 0);
}

static void expect_text(enum at_attr attr, const char *expected)
{
	struct at_field field;

	expect_sound();
	cr_assert(at_span_find(&span, attr, &field), "%d absent", attr);
	cr_expect_eq(field.type, AT_TYPE_TEXT);
	cr_expect(at_text_equal(field.text, at_text_from(expected)),
		  "\"%.*s\" is not \"%s\"", (int)field.text.len, field.text.ptr,
		  expected);
}

static void expect_number(enum at_attr attr, enum at_attr_type type,
			  int64_t expected)
{
	struct at_field field;

	expect_sound();
	cr_assert(at_span_find(&span, attr, &field));
	cr_expect_eq(field.type, type);
	cr_expect_eq(field.number, expected);
}

static void expect_absent(enum at_attr attr)
{
	struct at_field field;

	cr_expect_not(at_span_find(&span, attr, &field));
}

Test(core_span, every_attribute_has_a_name_of_its_own_and_a_help)
{
	int i, j;

	for (i = 0; i < AT_ATTR_COUNT; i++) {
		cr_expect_gt(strlen(at_attr_table[i].name), 0);
		cr_expect_gt(strlen(at_attr_table[i].help), 0);
		for (j = 0; j < i; j++)
			cr_expect_str_neq(at_attr_table[i].name,
					  at_attr_table[j].name);
	}
	cr_expect_lt(AT_ATTR_COUNT, AT_FIELD_NAME);
}

Test(core_span, a_new_span_is_sound_and_empty)
{
	struct at_field field;
	uint32_t offset = 0;

	expect_sound();
	cr_expect_eq(span.kind, AT_KIND_CLIENT);
	cr_expect_eq(span.size_bytes, HEADER_BYTES);
	cr_expect_eq(span.attr_count, 0);
	cr_expect_eq(span.status, AT_STATUS_UNSET);
	cr_expect_eq(span.start_unix_ns, 0);
	cr_expect_not(at_span_next(&span, &offset, &field));
}

Test(core_span, what_is_set_is_found_in_order)
{
	struct at_field field;
	uint32_t offset = 0;

	at_span_set_name(&span, AT_TEXT("GET"));
	set_text(AT_ATTR_HTTP_REQUEST_METHOD, "GET");
	at_span_set_int(&span, AT_ATTR_SERVER_PORT, -8080);
	at_span_set_bool(&span, AT_ATTR_AUTOTRACE_INCOMPLETE, true);
	at_span_set_tracestate(&span, AT_TEXT("a=1"));
	expect_text(AT_FIELD_NAME, "GET");
	expect_text(AT_FIELD_TRACESTATE, "a=1");
	expect_text(AT_ATTR_HTTP_REQUEST_METHOD, "GET");
	expect_number(AT_ATTR_SERVER_PORT, AT_TYPE_INT, -8080);
	expect_number(AT_ATTR_AUTOTRACE_INCOMPLETE, AT_TYPE_BOOL, 1);
	expect_absent(AT_ATTR_URL_FULL);
	cr_expect_eq(span.attr_count, 3);
	cr_assert(at_span_next(&span, &offset, &field));
	cr_expect_eq(field.attr, AT_FIELD_NAME);
	cr_assert(at_span_next(&span, &offset, &field));
	cr_expect_eq(field.attr, AT_ATTR_HTTP_REQUEST_METHOD);
}

Test(core_span, a_fraction_is_kept_whole)
{
	struct at_field field;

	at_span_set_double(&span, AT_ATTR_SERVER_PORT, -0.125);
	expect_sound();
	cr_assert(at_span_find(&span, AT_ATTR_SERVER_PORT, &field));
	cr_expect_eq(field.type, AT_TYPE_DOUBLE);
	cr_expect_eq(field.real, -0.125);
	cr_expect_eq(field.number, 0);
}

Test(core_span, a_key_set_again_has_the_last_value_once)
{
	uint32_t size;

	set_text(AT_ATTR_URL_FULL, "http://a/");
	set_text(AT_ATTR_SERVER_ADDRESS, "a");
	at_span_set_int(&span, AT_ATTR_SERVER_PORT, 80);
	size = span.size_bytes;
	set_text(AT_ATTR_URL_FULL, "http://b/");
	at_span_set_int(&span, AT_ATTR_SERVER_PORT, 81);
	cr_expect_eq(span.size_bytes, size);
	expect_text(AT_ATTR_URL_FULL, "http://b/");
	expect_number(AT_ATTR_SERVER_PORT, AT_TYPE_INT, 81);
	set_text(AT_ATTR_URL_FULL, "http://longer/");
	expect_text(AT_ATTR_URL_FULL, "http://longer/");
	expect_text(AT_ATTR_SERVER_ADDRESS, "a");
	set_text(AT_ATTR_URL_FULL, "");
	expect_text(AT_ATTR_URL_FULL, "");
	cr_expect_eq(span.attr_count, 3);
	cr_expect_eq(span.size_bytes, size - strlen("http://b/"));
}

Test(core_span, a_value_of_the_same_length_is_replaced_in_place)
{
	struct at_field field;
	uint32_t offset = 0;

	at_span_set_int(&span, AT_ATTR_SERVER_PORT, 80);
	set_text(AT_ATTR_URL_FULL, "12345678");
	at_span_set_int(&span, AT_ATTR_SERVER_PORT, 81);
	cr_assert(at_span_next(&span, &offset, &field));
	cr_expect_eq(field.attr, AT_ATTR_SERVER_PORT);
	/* As long, but a number no more. */
	set_text(AT_ATTR_SERVER_PORT, "8 bytes.");
	expect_text(AT_ATTR_SERVER_PORT, "8 bytes.");
	expect_text(AT_ATTR_URL_FULL, "12345678");
	cr_expect_eq(span.attr_count, 2);
}

Test(core_span, an_empty_tracestate_is_none)
{
	at_span_set_tracestate(&span, at_text_from(NULL));
	expect_absent(AT_FIELD_TRACESTATE);
}

Test(core_span, the_first_error_stays)
{
	at_span_set_error(&span, AT_TEXT("500"));
	at_span_set_error(&span, AT_TEXT("connection_reset"));
	cr_expect_eq(span.status, AT_STATUS_ERROR);
	expect_text(AT_ATTR_ERROR_TYPE, "500");
}

static char *big_text(size_t len)
{
	char *text = malloc(len + 1);

	memset(text, 'x', len);
	text[len] = '\0';
	return text;
}

Test(core_span, a_text_of_any_length_is_kept_or_cut_and_the_span_is_sound)
{
	size_t len;

	for (len = 0; len < 3000; len++) {
		char *text = big_text(len);
		struct at_field field;

		new_span();
		set_text(AT_ATTR_URL_FULL, text);
		expect_sound();
		cr_assert(at_span_find(&span, AT_ATTR_URL_FULL, &field));
		cr_assert_leq(field.text.len, len);
		cr_assert_eq(span.truncated, field.text.len < len);
		free(text);
	}
	cr_expect_gt(span.size_bytes, 1700);
}

Test(core_span, a_text_beyond_64_kib_is_cut_too)
{
	char *text = big_text(65536 + 3);

	set_text(AT_ATTR_URL_FULL, text);
	expect_sound();
	cr_expect(span.truncated);
	free(text);
}

Test(core_span, a_text_is_never_cut_inside_a_character)
{
	static const char euro[] = "\xe2\x82\xac";
	char text[3001] = "";
	size_t shift, i;

	for (shift = 0; shift < 3; shift++) {
		struct at_field field;

		memset(text, 'x', shift);
		for (i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, euro, 3);
		text[i] = '\0';
		new_span();
		set_text(AT_ATTR_URL_FULL, text);
		cr_assert(at_span_find(&span, AT_ATTR_URL_FULL, &field));
		cr_expect(span.truncated);
		cr_expect_eq((field.text.len - shift) % 3, 0);
	}
}

Test(core_span, the_cause_of_an_error_always_has_room)
{
	char *text = big_text(3000);

	set_text(AT_ATTR_URL_FULL, text);
	set_text(AT_ATTR_SERVER_ADDRESS, "no room");
	cr_expect_eq(span.dropped_attr_count, 1);
	expect_absent(AT_ATTR_SERVER_ADDRESS);
	at_span_set_int(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE, 500);
	at_span_set_error(&span, AT_TEXT("connection_refused"));
	expect_number(AT_ATTR_HTTP_RESPONSE_STATUS_CODE, AT_TYPE_INT, 500);
	expect_text(AT_ATTR_ERROR_TYPE, "connection_refused");
	free(text);
}

Test(core_span, numbers_without_room_are_dropped_and_counted)
{
	char *text = big_text(1900);

	set_text(AT_ATTR_URL_FULL, text);
	at_span_set_int(&span, AT_ATTR_SERVER_PORT, 1);
	at_span_set_bool(&span, AT_ATTR_AUTOTRACE_INCOMPLETE, true);
	expect_absent(AT_ATTR_SERVER_PORT);
	cr_expect_eq(span.dropped_attr_count, 2);
	cr_expect_eq(span.attr_count, 1);
	expect_sound();
	free(text);
}

Test(core_span, not_even_the_head_of_an_empty_value_goes_beyond_the_end)
{
	struct at_span *edge = malloc(sizeof(*edge));
	char *text = big_text(3000);

	at_span_init(edge, AT_KIND_CLIENT);
	at_span_set_text(edge, AT_ATTR_ERROR_TYPE, at_text_from(text));
	cr_assert_eq(edge->size_bytes, sizeof(*edge));
	at_span_set_name(edge, AT_TEXT(""));
	at_span_set_text(edge, AT_ATTR_URL_FULL, AT_TEXT(""));
	at_span_set_text(edge, AT_ATTR_HTTP_RESPONSE_STATUS_CODE, AT_TEXT(""));
	cr_expect_eq(edge->dropped_attr_count, 3);
	cr_expect_eq(edge->size_bytes, sizeof(*edge));
	free(text);
	free(edge);
}

/* One random call of a setter. */
static void set_something(const char *text)
{
	enum at_attr attr = (enum at_attr)(random() % AT_ATTR_COUNT);
	struct at_text value = { text, (size_t)random() % 300 };

	switch (random() % 6) {
	case 0:
		at_span_set_int(&span, attr, random());
		break;
	case 1:
		at_span_set_bool(&span, attr, random() % 2);
		break;
	case 2:
		at_span_set_name(&span, value);
		break;
	case 3:
		at_span_set_error(&span, value);
		break;
	default:
		at_span_set_text(&span, attr, value);
	}
}

static unsigned int attributes_in_span(void)
{
	struct at_field field;
	uint32_t offset = 0;
	unsigned int count = 0;

	while (at_span_next(&span, &offset, &field))
		count += field.attr < AT_ATTR_COUNT;
	return count;
}

Test(core_span, any_sequence_of_setters_leaves_a_sound_span)
{
	char *text = big_text(300);
	int round, i;

	srandom(9);
	for (round = 0; round < 3000; round++) {
		new_span();
		for (i = 0; i < 40; i++) {
			set_something(text);
			expect_sound();
			cr_assert_eq(attributes_in_span(), span.attr_count);
		}
	}
	free(text);
}

static void fill_example(void)
{
	at_span_set_name(&span, AT_TEXT("GET"));
	set_text(AT_ATTR_URL_FULL, "http://shop/api/order");
	at_span_set_int(&span, AT_ATTR_SERVER_PORT, 80);
	at_span_set_bool(&span, AT_ATTR_AUTOTRACE_INCOMPLETE, false);
}

/* Aligned, so that it can be read as a span; ends at the guard page. */
static struct at_span *at_edge(struct guard_page *page, uint32_t size)
{
	return (struct at_span *)(void *)guard_page_put(page, &span, size);
}

Test(core_span, a_record_of_another_length_is_refused_without_reading_on)
{
	struct guard_page page;
	uint32_t size, whole;

	fill_example();
	/* Multiples of 8 only: a span is aligned wherever it is read. */
	at_span_set_text(&span, AT_ATTR_SERVER_ADDRESS,
			 (struct at_text){ "12345678",
					   (12 - span.size_bytes % 8) % 8 });
	whole = span.size_bytes;
	cr_assert_eq(whole % 8, 0);
	guard_page_open(&page, sizeof(span));
	for (size = 0; size <= whole; size += 8) {
		struct at_span *cut = at_edge(&page, size);

		cr_expect_eq(at_span_check(cut, size),
			     size == whole ? 0 : -EBADMSG);
		if (size < HEADER_BYTES)
			continue;
		/* Its own word for it, and yet the fields are cut. */
		cut->size_bytes = size;
		at_span_check(cut, size);
	}
	cr_expect_eq(at_span_check(&span, sizeof(span) + 1), -EBADMSG);
	guard_page_close(&page);
}

Test(core_span, a_head_out_of_range_is_refused)
{
	fill_example();
	span.kind = 0;
	cr_expect_eq(at_span_check(&span, span.size_bytes), -EBADMSG);
	span.kind = 6;
	cr_expect_eq(at_span_check(&span, span.size_bytes), -EBADMSG);
	span.kind = AT_KIND_SERVER;
	span.status = 3;
	cr_expect_eq(at_span_check(&span, span.size_bytes), -EBADMSG);
	span.status = AT_STATUS_OK;
	expect_sound();
}

Test(core_span, a_field_of_an_unknown_key_type_or_size_is_refused)
{
	struct at_field field;
	uint8_t *head;

	at_span_set_int(&span, AT_ATTR_SERVER_PORT, 80);
	cr_assert(at_span_find(&span, AT_ATTR_SERVER_PORT, &field));
	head = span.fields;
	head[0] = AT_ATTR_COUNT;
	cr_expect_eq(at_span_check(&span, span.size_bytes), -EBADMSG);
	head[0] = AT_ATTR_SERVER_PORT;
	head[1] = AT_TYPE_DOUBLE + 1;
	cr_expect_eq(at_span_check(&span, span.size_bytes), -EBADMSG);
	head[1] = AT_TYPE_BOOL;
	cr_expect_eq(at_span_check(&span, span.size_bytes), -EBADMSG);
	head[1] = AT_TYPE_INT;
	expect_sound();
	head[2]++;
	cr_expect_eq(at_span_check(&span, span.size_bytes), -EBADMSG);
}

/* Whatever passes the check can be walked within its bounds. */
Test(core_span, random_corruption_is_refused_or_harmless)
{
	int round, accepted = 0;

	srandom(10);
	for (round = 0; round < 200000; round++) {
		struct at_field field;
		uint32_t offset = 0, size;
		int flips = 1 + (int)(random() % 3);

		new_span();
		fill_example();
		size = span.size_bytes;
		while (flips--)
			((uint8_t *)&span)[random() % size] = (uint8_t)random();
		if (at_span_check(&span, size))
			continue;
		accepted++;
		while (at_span_next(&span, &offset, &field))
			cr_assert_leq((const uint8_t *)field.text.ptr +
					      field.text.len,
				      (const uint8_t *)&span + size);
		cr_assert_eq(offset, size - HEADER_BYTES);
	}
	cr_expect_gt(accepted, 1000);
}

Test(core_span, a_context_is_valid_when_both_ids_are)
{
	struct at_context context = { .flags = 1 };

	cr_expect_not(at_context_valid(&context));
	context.trace_id[15] = 1;
	cr_expect_not(at_context_valid(&context));
	context.span_id[0] = 1;
	cr_expect(at_context_valid(&context));
	context.trace_id[15] = 0;
	cr_expect_not(at_context_valid(&context));
}

Test(span, a_text_in_pieces)
{
	static char longer[AT_SPAN_FIELDS_BYTES];
	struct at_field field;

	at_span_init(&span, AT_KIND_CLIENT);
	at_span_extend_text(&span, AT_ATTR_URL_FULL, AT_TEXT("none"));
	cr_expect_not(at_span_find(&span, AT_ATTR_URL_FULL, &field));
	at_span_set_text(&span, AT_ATTR_URL_FULL, AT_TEXT("http://a"));
	at_span_extend_text(&span, AT_ATTR_URL_FULL, AT_TEXT("/b"));
	at_span_extend_text(&span, AT_ATTR_URL_FULL, AT_TEXT(""));
	cr_assert(at_span_find(&span, AT_ATTR_URL_FULL, &field));
	cr_expect(at_text_equal(field.text, AT_TEXT("http://a/b")));
	cr_expect_eq(at_span_check(&span, span.size_bytes), 0);
	cr_expect_eq(span.attr_count, 1);
	memset(longer, 'c', sizeof(longer));
	at_span_extend_text(&span, AT_ATTR_URL_FULL,
			    (struct at_text){ longer, sizeof(longer) });
	cr_assert(at_span_find(&span, AT_ATTR_URL_FULL, &field));
	cr_expect_gt(field.text.len, 1700);
	cr_expect(span.truncated);
	cr_expect_eq(at_span_check(&span, span.size_bytes), 0);
	/* There is still room for what must be said. */
	at_span_set_error(&span, AT_TEXT("connection_reset"));
	cr_expect(at_span_find(&span, AT_ATTR_ERROR_TYPE, &field));
	cr_expect_eq(at_span_check(&span, span.size_bytes), 0);
	/* Not the last one any more. */
	at_span_extend_text(&span, AT_ATTR_URL_FULL, AT_TEXT("d"));
	cr_expect_eq(at_span_check(&span, span.size_bytes), 0);
}
