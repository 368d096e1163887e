// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static void choose(char **environment, const char *file, bool outer,
		   struct at_config *config)
{
	struct at_config_origin origin;

	at_config_load(config, environment, &origin);
	at_session_choose(config, &origin, file, outer);
}

#define BLOCK(...) ((char *[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

static void expect_choice(char **environment, const char *file, bool outer,
			  const char *exporters, const char *path)
{
	struct at_config config;

	choose(environment, file, outer, &config);
	cr_expect_str_eq(config.exporters, exporters);
	cr_expect_str_eq(config.file, path);
}

#define ENDPOINT (char *)"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"
#define TRACES (char *)"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://h/x"
#define LISTED (char *)"OTEL_TRACES_EXPORTER=otlp,console"
#define NONE (char *)"OTEL_TRACES_EXPORTER=none"
#define FROM_ENV (char *)"AUTOTRACE_FILE=/env"

Test(cli_session, nothing_configured_is_no_exporter)
{
	expect_choice(BLOCK(), NULL, false, "none", "");
	expect_choice(BLOCK((char *)"OTEL_EXPORTER_OTLP_HEADERS=a=b"), NULL,
		      false, "none", "");
}

Test(cli_session, what_is_configured_is_exported_to)
{
	expect_choice(BLOCK(ENDPOINT), NULL, false, "otlp", "");
	expect_choice(BLOCK(TRACES), NULL, false, "otlp", "");
	expect_choice(BLOCK(LISTED), NULL, false, "otlp,console", "");
	expect_choice(BLOCK(FROM_ENV), NULL, false, "file", "/env");
}

Test(cli_session, a_file_on_the_command_line_comes_on_top)
{
	expect_choice(BLOCK(), "/f", false, "file", "/f");
	expect_choice(BLOCK(ENDPOINT), "/f", false, "otlp,file", "/f");
	expect_choice(BLOCK(LISTED), "/f", false, "otlp,console,file", "/f");
	expect_choice(BLOCK(FROM_ENV), "/f", false, "file", "/f");
}

Test(cli_session, none_is_none_but_for_the_command_line)
{
	expect_choice(BLOCK(NONE, ENDPOINT, FROM_ENV), NULL, false, "none", "");
	expect_choice(BLOCK(NONE, ENDPOINT), "/f", false, "file", "/f");
}

Test(cli_session, below_another_run_only_the_command_line_counts)
{
	expect_choice(BLOCK(ENDPOINT, FROM_ENV), NULL, true, "none", "");
	expect_choice(BLOCK(LISTED), "/f", true, "file", "/f");
}

static void open_session(struct at_session *session, char **environment)
{
	static const struct at_session_choice choice = { .name = "sh" };

	cr_assert_eq(at_session_open(session, environment, &choice), 0);
}

#define TRACE_ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT (char *)"TRACEPARENT=00-" TRACE_ID "-00f067aa0ba902b7-01"
#define UNSAMPLED (char *)"TRACEPARENT=00-" TRACE_ID "-00f067aa0ba902b7-00"

Test(cli_session, a_run_is_a_trace_of_its_own)
{
	struct at_session session;

	open_session(&session, BLOCK());
	cr_expect_not(session.has_parent);
	cr_expect(at_context_valid(&session.root));
	cr_expect_eq(session.root.flags, AT_FLAG_SAMPLED | AT_FLAG_RANDOM);
	at_session_close(&session);
}

Test(cli_session, a_run_inside_a_trace_joins_it)
{
	struct at_session session;

	open_session(&session, BLOCK(PARENT, (char *)"TRACESTATE=a=1"));
	cr_expect(session.has_parent);
	cr_expect_arr_eq(session.root.trace_id, session.parent.trace_id, 16);
	cr_expect_eq(session.root.trace_id[0], 0x4b);
	cr_expect(memcmp(session.root.span_id, session.parent.span_id, 8) != 0);
	cr_expect_eq(session.root.flags, AT_FLAG_SAMPLED);
	cr_expect_eq(session.parent.tracestate_len, 3);
	at_session_close(&session);
}

Test(cli_session, a_traceparent_that_is_none_is_not_joined)
{
	struct at_session session;

	open_session(&session,
		     BLOCK((char *)"TRACEPARENT=00-" TRACE_ID "-0-01"));
	cr_expect_not(session.has_parent);
	at_session_close(&session);
}

Test(cli_session, the_sampler_decides)
{
	struct at_session session;

	open_session(&session, BLOCK(UNSAMPLED));
	cr_expect_eq(session.root.flags & AT_FLAG_SAMPLED, 0);
	at_session_close(&session);
	open_session(&session, BLOCK((char *)"OTEL_TRACES_SAMPLER=always_off"));
	cr_expect_eq(session.root.flags, AT_FLAG_RANDOM);
	at_session_close(&session);
}

static void fill(struct at_session *session, struct at_span *span)
{
	at_session_begin(session);
	at_session_fill(session, "/usr/bin/make", 4711, span);
	cr_assert_eq(at_span_check(span, span->size_bytes), 0);
}

static void expect_text(const struct at_span *span, enum at_attr attr,
			const char *expected)
{
	struct at_field field;

	cr_assert(at_span_find(span, attr, &field));
	cr_expect(at_text_equal(field.text, at_text_from(expected)), "%.*s",
		  (int)field.text.len, field.text.ptr);
}

static void expect_int(const struct at_span *span, enum at_attr attr,
		       int64_t expected)
{
	struct at_field field;

	cr_assert(at_span_find(span, attr, &field));
	cr_expect_eq(field.number, expected);
}

Test(cli_session, the_span_of_a_run_says_what_ran)
{
	struct at_session session;
	struct at_span span;
	struct at_field field;

	open_session(&session, BLOCK(PARENT));
	fill(&session, &span);
	cr_expect_eq(span.kind, AT_KIND_INTERNAL);
	cr_expect_eq(span.status, AT_STATUS_UNSET);
	cr_expect_eq(span.record, AT_RECORD_BEGAN);
	cr_expect_eq(span.pid, 4711);
	cr_expect_eq(span.has_parent, 1);
	cr_expect_eq(span.parent_remote, 1);
	cr_expect_arr_eq(span.span_id, session.root.span_id, 8);
	cr_expect_arr_eq(span.parent_id, session.parent.span_id, 8);
	expect_text(&span, AT_FIELD_NAME, "make");
	expect_text(&span, AT_ATTR_PROCESS_EXECUTABLE_NAME, "make");
	expect_text(&span, AT_ATTR_AUTOTRACE_COMMAND, "/usr/bin/make");
	expect_int(&span, AT_ATTR_PROCESS_PID, 4711);
	cr_expect_not(at_span_find(&span, AT_ATTR_PROCESS_EXIT_CODE, &field));
	at_session_close(&session);
}

/* By its own id, whoever fills it in, and below the one outside. */
Test(cli_session, the_command_is_told_which_span_is_its)
{
	struct at_session session;

	open_session(&session, BLOCK(PARENT));
	at_session_begin(&session);
	at_session_become(&session, "make");
	cr_expect_eq(session.hub->head.pid, (uint32_t)getpid());
	cr_expect_arr_eq(session.hub->head.span_id, session.root.span_id, 8);
	cr_expect_arr_eq(session.hub->head.parent_id, session.parent.span_id,
			 8);
	cr_expect_eq(session.hub->head.has_parent, 1);
	at_session_close(&session);
}

static void fill_end(int wait_status, struct at_span *record)
{
	struct at_session_result result = { .pid = 4711,
					    .wait_status = wait_status };

	at_session_fill_end(&result, 5000, record);
	cr_expect_eq(record->record, AT_RECORD_REAPED);
	cr_expect_eq(record->pid, 4711);
	cr_expect_eq(record->start_unix_ns, 5000);
}

Test(cli_session, the_end_of_a_run_says_how_it_failed)
{
	struct at_span record;
	struct at_field field;

	fill_end(W_EXITCODE(0, 0), &record);
	expect_int(&record, AT_ATTR_PROCESS_EXIT_CODE, 0);
	cr_expect_not(at_span_find(&record, AT_ATTR_ERROR_TYPE, &field));
	fill_end(W_EXITCODE(2, 0), &record);
	expect_int(&record, AT_ATTR_PROCESS_EXIT_CODE, 2);
	expect_text(&record, AT_ATTR_ERROR_TYPE, "2");
	fill_end(SIGKILL, &record);
	expect_int(&record, AT_ATTR_PROCESS_EXIT_CODE, 137);
	expect_text(&record, AT_ATTR_ERROR_TYPE, "SIGKILL");
}

Test(cli_session, the_command_s_end_is_heard_of_once)
{
	struct at_session_result result = { .pid = getpid(),
					    .wait_status = W_EXITCODE(3, 0) };
	struct at_session session;

	open_session(&session, BLOCK());
	at_session_begin(&session);
	at_session_become(&session, "make");
	cr_assert_eq(at_session_read(&session), 0);
	cr_assert_eq(at_session_end(&session, &result), 0);
	cr_assert_eq(session.list.count, 1);
	cr_expect_str_eq(session.list.item[0].label, "make");
	cr_expect_str_eq(session.list.item[0].error_type, "exit 3");
	at_session_close(&session);
}

/* The whole way: a record pushed to the hub, and the run's own, are read. */
Test(cli_session, what_reaches_the_hub_reaches_the_list)
{
	struct at_session_result result = { .pid = getpid() };
	struct at_session session;
	struct at_hub *joined;
	struct at_span span;

	open_session(&session, BLOCK());
	at_session_begin(&session);
	at_session_become(&session, "sh");
	cr_assert_eq(at_session_read(&session), 0);
	cr_assert_eq(at_hub_join(session.address, &joined), 0);
	at_span_init(&span, AT_KIND_CLIENT);
	memcpy(span.trace_id, session.root.trace_id, 16);
	memset(span.span_id, 9, 8);
	at_span_set_name(&span, AT_TEXT("from outside"));
	cr_assert_eq(at_ring_push(at_hub_ring(joined), 77, &span,
				  span.size_bytes),
		     0);
	cr_assert_eq(at_session_end(&session, &result), 0);
	cr_assert_eq(session.list.count, 2);
	cr_expect_str_eq(session.list.item[0].label, "from outside");
	cr_expect_str_eq(session.list.item[1].label, "sh");
	at_session_close(&session);
}

Test(cli_session, a_run_inside_a_run_hands_its_spans_on)
{
	struct at_session_result result = { .pid = getpid() };
	struct at_session outer, inner;
	char hub[sizeof("AUTOTRACE_HUB=") + AT_HUB_ADDRESS_BYTES];

	open_session(&outer, BLOCK());
	at_session_begin(&outer);
	cr_assert_eq(at_session_read(&outer), 0);
	snprintf(hub, sizeof(hub), "AUTOTRACE_HUB=%s", outer.address);
	at_session_become(&outer, "outer");
	open_session(&inner, BLOCK(hub));
	at_session_begin(&inner);
	at_session_become(&inner, "inner");
	cr_assert_eq(at_session_read(&inner), 0);
	cr_assert_eq(at_session_end(&inner, &result), 0);
	cr_assert_eq(at_session_end(&outer, &result), 0);
	cr_assert_eq(inner.list.count, 1);
	cr_assert_eq(outer.list.count, 2);
	cr_expect_str_eq(outer.list.item[0].label, "inner");
	at_session_close(&inner);
	at_session_close(&outer);
}
