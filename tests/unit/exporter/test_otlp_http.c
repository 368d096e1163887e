// SPDX-License-Identifier: Apache-2.0
/*
 * The otlp exporter against a collector that misbehaves.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/unit/exporter/exchange.h"

Test(exporter_otlp_http, one_span_arrives_whole)
{
	const Otlp__ScopeSpans *scope;

	set_up(NOW, NULL, NULL, NULL);
	rig_push(&rig, 1);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 1));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
	expect_counts(1, 0, 0, 0);
	cr_assert_eq(collector->post_count, 1);
	cr_assert_eq(strncmp(collector->posts[0].head,
			     "POST /v1/traces HTTP/1.1\r\n", 26),
		     0);
	expect_field(0, "Content-Type: application/x-protobuf");
	expect_field(0, "User-Agent: OTel-OTLP-Exporter-C/" AT_VERSION);
	cr_assert_null(strstr(collector->posts[0].head, "Expect"));
	cr_assert_null(strstr(collector->posts[0].head, "traceparent"));
	scope = spans_of(0);
	cr_assert_eq(scope->n_spans, 1);
	cr_assert_eq(scope->spans[0]->flags, 0x103);
}

Test(exporter_otlp_http, gzip_and_headers_and_path_as_configured)
{
	set_up(NOW, "OTEL_EXPORTER_OTLP_COMPRESSION=gzip",
	       "OTEL_EXPORTER_OTLP_HEADERS=api-key=a%20b,bad,x=1", NULL);
	rig_push(&rig, 40);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 40));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
	expect_field(0, "Content-Encoding: gzip");
	expect_field(0, "api-key: a b");
	expect_field(0, "x: 1");
	expect_all_once(0);
	cr_assert_eq(rig_counter(&rig, AT_COUNT_CONFIG_REJECTED), 1);
}

Test(exporter_otlp_http, json_where_it_is_asked_for)
{
	set_up(NOW, "OTEL_EXPORTER_OTLP_PROTOCOL=http/json", NULL, NULL);
	collector_script(
		collector,
		(struct collector_step){
			.head = "Content-Type: application/json\r\n",
			.body = "{\"partialSuccess\":{\"rejectedSpans\":\"2\"}}" });
	rig_push(&rig, 3);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_EXPORT_REJECTED, 2));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
	expect_field(0, "Content-Type: application/json");
	cr_assert_eq(collector->posts[0].body[0], '{');
	expect_counts(1, 0, 2, 0);
}

Test(exporter_otlp_http, proxies_of_the_environment_are_not_used)
{
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	set_up(NOW, NULL, NULL, NULL);
	rig_push(&rig, 1);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 1));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
}

Test(exporter_otlp_http, partial_success_is_counted_and_not_retried)
{
	set_up(NOW, NULL, NULL, NULL);
	collector_script(
		collector,
		(struct collector_step){
			.head = "Content-Type: application/x-protobuf\r\n",
			.body = "\x0a\x07\x08\x03\x12\x03"
				"bad",
			.size = 9 });
	rig_push(&rig, 10);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 7));
	rig_end(&rig, AT_EXPORT_DRAIN, 1000 * MS);
	collector_stop(collector);
	expect_counts(7, 0, 3, 0);
	cr_assert_eq(collector->post_count, 1);
}

Test(exporter_otlp_http, what_may_be_retried_is_after_its_time)
{
	uint64_t gap_ns;

	set_up(NOW, NULL, NULL, NULL);
	collector_script(collector,
			 (struct collector_step){
				 .status = 503, .head = "Retry-After: 2\r\n" });
	rig_push(&rig, 5);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 5));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
	cr_assert_eq(collector->post_count, 2);
	gap_ns = collector->posts[1].time_ns - collector->posts[0].time_ns;
	cr_assert_geq(gap_ns, 1990 * MS);
	cr_assert_lt(gap_ns, 3500 * MS);
	expect_all_once(1);
	expect_counts(5, 0, 0, 0);
}

static void expect_no_retry(struct collector_step step)
{
	set_up(NOW, NULL, NULL, NULL);
	collector_script(collector, step);
	rig_push(&rig, 5);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_EXPORT_FAILED, 5));
	/* What comes later is sent all the same. */
	rig_push(&rig, 1);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 1));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
	cr_assert_eq(collector->post_count, 2);
	expect_counts(1, 5, 0, 0);
}

Test(exporter_otlp_http, a_bad_request_is_lost_at_once)
{
	expect_no_retry((struct collector_step){ .status = 400 });
}

Test(exporter_otlp_http, a_server_error_is_lost_at_once)
{
	expect_no_retry((struct collector_step){
		.status = 500, .head = "Retry-After: 1\r\n" });
}

Test(exporter_otlp_http, redirects_are_not_followed)
{
	expect_no_retry((struct collector_step){
		.status = 307, .head = "Location: http://127.0.0.1:1/\r\n" });
}

Test(exporter_otlp_http, garbage_is_lost_at_once)
{
	expect_no_retry((struct collector_step){
		.act = COLLECTOR_RAW, .head = "\x01\xff no protocol\r\n\r\n" });
}

Test(exporter_otlp_http, a_wait_beyond_the_limit_is_not_waited)
{
	expect_no_retry((struct collector_step){
		.status = 429, .head = "Retry-After: 3600\r\n" });
}

/* The collector has said yes; what is missing is only what it says of it. */
Test(exporter_otlp_http, a_yes_that_is_cut_short_is_a_yes)
{
	set_up(NOW, NULL, NULL, NULL);
	collector_script(collector,
			 (struct collector_step){ .act = COLLECTOR_CUT });
	rig_push(&rig, 5);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 5));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
	cr_assert_eq(collector->post_count, 1);
}

Test(exporter_otlp_http, a_connection_closed_without_answer_is_retried)
{
	set_up(NOW, NULL, NULL, NULL);
	collector_script(collector,
			 (struct collector_step){ .act = COLLECTOR_CLOSE });
	rig_push(&rig, 5);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 5));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
	cr_assert_geq(collector->post_count, 2);
	expect_all_once(collector->post_count - 1);
}

static long peak_kb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

Test(exporter_otlp_http, an_endless_answer_is_given_up_in_bounded_memory)
{
	long before_kb;

	set_up(NOW, NULL, NULL, NULL);
	rig_push(&rig, 1);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 1));
	before_kb = peak_kb();
	collector_script(collector,
			 (struct collector_step){ .act = COLLECTOR_ENDLESS,
						  .size = 1 << 30 });
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	rig_push(&rig, 5);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_EXPORT_FAILED, 5));
	rig_push(&rig, 1);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_SPANS_EXPORTED, 2));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
	expect_counts(2, 5, 0, 0);
	cr_assert_lt(collector->sent_bytes, 40 << 20);
	cr_assert_lt(peak_kb() - before_kb, 40 << 10);
	cr_assert_eq(collector->post_count, 3);
}

Test(exporter_otlp_http, an_endless_head_is_given_up_in_bounded_memory)
{
	set_up(NOW, NULL, NULL, NULL);
	collector_script(collector,
			 (struct collector_step){ .act = COLLECTOR_ENDLESS_HEAD,
						  .size = 1 << 30 });
	rig_push(&rig, 5);
	rig_start(&rig);
	cr_assert(rig_wait_counter(&rig, AT_COUNT_EXPORT_FAILED, 5));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	collector_stop(collector);
	cr_assert_lt(collector->sent_bytes, 40 << 20);
}
