// SPDX-License-Identifier: Apache-2.0
#include "exporter/otlp_answer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exporter/heap.h"
#include "tests/support/vectors.h"

#define S INT64_C(1000000000)

static int64_t unix_s(const char *text)
{
	struct tm when = { 0 };

	if (!text)
		return 1785000000;
	cr_assert_not_null(strptime(text, "%Y-%m-%dT%H:%M:%SZ", &when));
	return timegm(&when);
}

/* Statuses, and what Retry-After asks for. */
Test(exporter_otlp_answer, retry_vectors)
{
	cJSON *all = vectors_load("otlp-retry"), *vector;

	cJSON_ArrayForEach(vector, all) {
		long status = vector_int(vector, "status", 0);
		const char *after = vector_text(vector, "retry_after");
		int64_t want_s = vector_int(vector, "min_wait_s", -1);
		bool beyond = vector_int(vector, "timeout_ms", 0) != 0;
		int64_t got_ns;

		if (!status)
			continue; /* transport errors: test_worker.c */
		cr_assert_eq(otlp_answer_retryable(status),
			     vector_true(vector, "retry") || beyond, "%s",
			     vector_id(vector));
		if (!after || !otlp_answer_retryable(status))
			continue;
		got_ns = otlp_answer_retry_after(
			after, unix_s(vector_text(vector, "now")));
		if (want_s >= 0)
			cr_assert_eq(got_ns, want_s * S, "%s",
				     vector_id(vector));
		else if (beyond)
			cr_assert_gt(got_ns, 10 * S);
		else
			cr_assert_eq(got_ns, -EINVAL, "%s", vector_id(vector));
	}
	cJSON_Delete(all);
}

Test(exporter_otlp_answer, absurd_waits_are_bounded)
{
	cr_assert_eq(otlp_answer_retry_after("99999999999999999999", 0),
		     86400 * S);
	cr_assert_eq(otlp_answer_retry_after("18446744073709551615", 0),
		     86400 * S);
	cr_assert_eq(otlp_answer_retry_after("Fri, 31 Dec 2199 23:59:59 GMT",
					     0),
		     86400 * S);
	cr_assert_eq(otlp_answer_retry_after("", 0), -EINVAL);
}

Test(exporter_otlp_answer, back_off_grows_by_half_up_to_five_seconds)
{
	static const double want_s[] = { 1, 1.5, 2.25, 3.375, 5, 5 };
	uint32_t i;
	int j;

	for (i = 0; i < 6; i++) {
		uint64_t low_ns = UINT64_MAX, high_ns = 0;

		for (j = 0; j < 2000; j++) {
			uint64_t random =
				(uint64_t)j * UINT64_C(0x9e3779b97f4a7c15);
			uint64_t ns = otlp_answer_backoff_ns(i + 2, random);

			low_ns = ns < low_ns ? ns : low_ns;
			high_ns = ns > high_ns ? ns : high_ns;
		}
		cr_assert_geq((double)low_ns, want_s[i] * 0.799e9);
		cr_assert_leq((double)low_ns, want_s[i] * 0.81e9);
		cr_assert_leq((double)high_ns, want_s[i] * 1.201e9);
		cr_assert_geq((double)high_ns, want_s[i] * 1.19e9);
	}
}

static const char *message_of(struct at_text body, bool json, uint64_t want)
{
	static char text[64];
	struct at_writer message = AT_WRITER(text, sizeof(text) - 1);

	cr_assert_eq(otlp_answer_rejected(body, json, &message), want);
	text[message.len] = 0;
	return text;
}

Test(exporter_otlp_answer, response_vectors)
{
	cJSON *all = vectors_load("otlp-response"), *vector;
	int count = 0;

	cJSON_ArrayForEach(vector, all) {
		const char *text = vector_text(vector, "body");
		const char *want = vector_text(vector, "message");
		uint64_t rejected = (uint64_t)vector_int(vector, "rejected", 0);
		struct at_text body = at_text_from(text);
		uint8_t *bytes = NULL;

		if (!text && !vector_text(vector, "body_hex"))
			continue; /* over 4 MiB: test_worker.c */
		if (!text) {
			bytes = vector_hex(vector, "body_hex", &body.len);
			body.ptr = (const char *)bytes;
		}
		cr_assert_str_eq(message_of(body, text != NULL, rejected),
				 want ? want : "", "%s", vector_id(vector));
		free(bytes);
		count++;
	}
	cr_assert_eq(count, 6);
	cJSON_Delete(all);
}

static uint64_t rejected_of(const char *json)
{
	char text[64];
	struct at_writer message = AT_WRITER(text, sizeof(text));

	return otlp_answer_rejected(at_text_from(json), true, &message);
}

Test(exporter_otlp_answer, json_in_every_form_and_none)
{
	cr_assert_eq(rejected_of(" { \"x\" : [ {\"a\":\"}\\\"]\"} , 1 ] , "
				 "\"partialSuccess\" :\n { \"errorMessage\" : "
				 "\"a,b}\" , \"rejectedSpans\" : 12 } } "),
		     12);
	cr_assert_eq(rejected_of("{\"partialSuccess\":null}"), 0);
	cr_assert_eq(rejected_of("{\"partialSuccess\":{\"rejectedSpans\":"
				 "\"-3\"}}"),
		     0);
	cr_assert_eq(rejected_of(""), 0);
	cr_assert_eq(rejected_of("{"), 0);
	cr_assert_eq(rejected_of("{\"partialSuccess\""), 0);
	cr_assert_eq(rejected_of("{\"partialSuccess\":"), 0);
	cr_assert_eq(rejected_of("{\"partialSuccess\":{"), 0);
	cr_assert_eq(rejected_of("{\"a\":\"\\"), 0);
	cr_assert_eq(rejected_of("]]]]"), 0);
	cr_assert_eq(rejected_of("[[[["), 0);
}

Test(exporter_otlp_answer, protobuf_that_is_none)
{
	char text[64];
	struct at_writer message = AT_WRITER(text, sizeof(text));
	struct at_text bad = { "\x0a\x7f\x08", 3 };

	cr_assert_eq(otlp_answer_rejected(bad, false, &message), 0);
	heap_fail_at = 1;
	bad = (struct at_text){ "\x0a\x02\x08\x03", 4 };
	cr_assert_eq(otlp_answer_rejected(bad, false, &message), 0);
	heap_fail_at = 0;
	cr_assert_eq(otlp_answer_rejected(bad, false, &message), 3);
}

Test(exporter_otlp_answer, a_long_message_is_cut)
{
	char json[400], text[32];
	struct at_writer message = AT_WRITER(text, sizeof(text));

	sprintf(json, "{\"partialSuccess\":{\"errorMessage\":\"%0300d\"}}", 7);
	cr_assert_eq(otlp_answer_rejected(at_text_from(json), true, &message),
		     0);
	cr_assert_eq(message.len, sizeof(text));
	cr_assert_not(message.overflow);
}
