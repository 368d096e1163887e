// SPDX-License-Identifier: Apache-2.0
#include "cli/span_list.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

Test(cli_span_list, spans_and_their_texts_are_copied)
{
	struct at_span_list list = { 0 };
	char label[32], error[32];
	struct at_shown shown = { .label = label, .error_type = error };
	size_t i;

	for (i = 0; i < 10000; i++) {
		snprintf(label, sizeof(label), "label %zu", i);
		snprintf(error, sizeof(error), "error %zu", i);
		cr_assert_eq(at_span_list_add(&list, &shown), 0);
	}
	cr_assert_eq(list.count, 10000);
	for (i = 0; i < 10000; i++) {
		snprintf(label, sizeof(label), "label %zu", i);
		snprintf(error, sizeof(error), "error %zu", i);
		cr_expect_str_eq(list.item[i].label, label);
		cr_expect_str_eq(list.item[i].error_type, error);
	}
	at_span_list_free(&list);
	cr_expect_eq(list.count, 0);
}

Test(cli_span_list, a_text_longer_than_a_chunk_has_one_of_its_own)
{
	static char label[200000];
	struct at_span_list list = { 0 };
	struct at_shown shown = { .label = label, .error_type = "e" };

	memset(label, 'x', sizeof(label) - 1);
	cr_assert_eq(at_span_list_add(&list, &shown), 0);
	cr_assert_eq(at_span_list_add(&list, &shown), 0);
	cr_expect_str_eq(list.item[1].label, label);
	at_span_list_free(&list);
}

Test(cli_span_list, over_the_limit_spans_are_counted)
{
	struct at_span_list list = { .max_count = 2 };
	struct at_shown shown = { .label = "", .error_type = "" };

	cr_expect_eq(at_span_list_add(&list, &shown), 0);
	cr_expect_eq(at_span_list_add(&list, &shown), 0);
	cr_expect_eq(at_span_list_add(&list, &shown), -ENOSPC);
	cr_expect_eq(list.count, 2);
	cr_expect_eq(list.left_out_count, 1);
	at_span_list_free(&list);
}

Test(cli_span_list, a_record_gives_what_is_shown_of_it)
{
	struct at_span_list list = { 0 };
	struct at_span span;

	at_span_init(&span, AT_KIND_CLIENT);
	memset(span.trace_id, 1, sizeof(span.trace_id));
	memset(span.span_id, 2, sizeof(span.span_id));
	memset(span.parent_id, 3, sizeof(span.parent_id));
	span.has_parent = 1;
	span.start_unix_ns = 5;
	span.duration_ns = 7;
	at_span_set_name(&span, AT_TEXT("GET"));
	at_span_set_text(&span, AT_ATTR_HTTP_REQUEST_METHOD, AT_TEXT("_OTHER"));
	at_span_set_text(&span, AT_ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
			 AT_TEXT("PURGE"));
	at_span_set_text(&span, AT_ATTR_URL_FULL, AT_TEXT("http://h:1/p?q"));
	at_span_set_int(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE, 404);
	at_span_set_error(&span, AT_TEXT("404"));
	cr_assert_eq(at_span_check(&span, span.size_bytes), 0);
	cr_assert_eq(at_span_list_add_record(&list, &span), 0);
	cr_expect_str_eq(list.item[0].label, "PURGE h:1 /p");
	cr_expect_str_eq(list.item[0].error_type, "404");
	cr_expect_eq(list.item[0].status_code, 404);
	cr_expect(list.item[0].failed);
	cr_expect(list.item[0].has_parent);
	cr_expect_eq(list.item[0].trace_id[15], 1);
	cr_expect_eq(list.item[0].span_id[7], 2);
	cr_expect_eq(list.item[0].parent_id[7], 3);
	cr_expect_eq(list.item[0].start_ns, 5);
	cr_expect_eq(list.item[0].duration_ns, 7);
	at_span_list_free(&list);
}

/* Records come through memory that others write to. */
Test(cli_span_list, a_record_with_odd_values_is_taken)
{
	struct at_span_list list = { 0 };
	struct at_span span;
	char error[300];

	memset(error, 'e', sizeof(error));
	at_span_init(&span, AT_KIND_CLIENT);
	at_span_set_int(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE, -1);
	at_span_set_text(&span, AT_ATTR_ERROR_TYPE,
			 (struct at_text){ error, sizeof(error) });
	at_span_set_text(&span, AT_ATTR_SERVER_PORT, AT_TEXT("text"));
	cr_assert_eq(at_span_check(&span, span.size_bytes), 0);
	cr_assert_eq(at_span_list_add_record(&list, &span), 0);
	cr_expect_eq(list.item[0].status_code, 0);
	cr_expect_lt(strlen(list.item[0].error_type), 64);
	cr_expect_str_eq(list.item[0].label, "");
	at_span_list_free(&list);
}
