// SPDX-License-Identifier: Apache-2.0
#include "cli/job_trace.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

#include "tests/support/vectors.h"

static struct at_ci ci;

static bool trace_of(const char *const environment[],
		     struct at_context *context)
{
	at_ci_detect(&ci, (char *const *)(uintptr_t)environment);
	return at_job_trace(&ci, context);
}

#define TRACE_OF(context, ...) \
	trace_of((const char *const[]){ __VA_ARGS__, NULL }, context)

static void expect_hex(const uint8_t *bytes, size_t count, const char *hex,
		       const char *id)
{
	char text[64];
	struct at_writer writer = AT_WRITER(text, sizeof(text) - 1);

	at_write_hex(&writer, bytes, count);
	text[writer.len] = 0;
	cr_expect_str_eq(text, hex, "%s", id);
}

static void check_vector(const cJSON *vector)
{
	char run[64], attempt[64], job[64] = "NONE=";
	const char *job_span = vector_text(vector, "job_span_id");
	struct at_context context;

	snprintf(run, sizeof(run), "GITHUB_RUN_ID=%" PRId64,
		 vector_int(vector, "run_id", 1));
	snprintf(attempt, sizeof(attempt), "GITHUB_RUN_ATTEMPT=%" PRId64,
		 vector_int(vector, "attempt", 1));
	if (job_span)
		snprintf(job, sizeof(job), "JOB_CHECK_RUN_ID=%" PRId64,
			 vector_int(vector, "check_run_id", 0));
	cr_assert(TRACE_OF(&context, "GITHUB_ACTIONS=true", run, attempt, job));
	if (vector_text(vector, "trace_id"))
		expect_hex(context.trace_id, 16,
			   vector_text(vector, "trace_id"), vector_id(vector));
	expect_hex(context.span_id, 8,
		   job_span ? job_span : vector_text(vector, "root_span_id"),
		   vector_id(vector));
}

/* Spans of single steps are not ours to make: their vectors are left out. */
Test(cli_job_trace, vectors)
{
	cJSON *all = vectors_load("github-ids"), *vector;
	int count = 0;

	cJSON_ArrayForEach(vector, all) {
		if (vector_text(vector, "step"))
			continue;
		check_vector(vector);
		count++;
	}
	cr_expect_geq(count, 3);
	cJSON_Delete(all);
}

Test(cli_job_trace, the_first_attempt_is_number_one)
{
	struct at_context one, other;

	cr_assert(TRACE_OF(&one, "GITHUB_ACTIONS=true", "GITHUB_RUN_ID=5"));
	cr_assert(TRACE_OF(&other, "GITHUB_ACTIONS=true", "GITHUB_RUN_ID=5",
			   "GITHUB_RUN_ATTEMPT=1"));
	cr_expect_arr_eq(one.trace_id, other.trace_id, 16);
	cr_expect(at_context_valid(&one));
}

Test(cli_job_trace, elsewhere_jobs_of_one_run_agree_and_others_do_not)
{
	struct at_context one, same, other;

	cr_assert(TRACE_OF(&one, "GITLAB_CI=true", "CI_PIPELINE_ID=5",
			   "CI_PIPELINE_URL=https://a/5", "CI_JOB_ID=1"));
	cr_assert(TRACE_OF(&same, "GITLAB_CI=true", "CI_PIPELINE_ID=5",
			   "CI_PIPELINE_URL=https://a/5", "CI_JOB_ID=2"));
	cr_assert(TRACE_OF(&other, "GITLAB_CI=true", "CI_PIPELINE_ID=5",
			   "CI_PIPELINE_URL=https://b/5", "CI_JOB_ID=1"));
	cr_expect_arr_eq(one.trace_id, same.trace_id, 16);
	cr_expect_arr_eq(one.span_id, same.span_id, 8);
	cr_expect(memcmp(one.trace_id, other.trace_id, 16) != 0);
	cr_expect_not(TRACE_OF(&one, "GITLAB_CI=true"));
	cr_expect_not(TRACE_OF(&one, "HOME=/"));
}

Test(cli_job_trace, results)
{
	static const char *const words[][2] = {
		{ "success", "success" },
		{ "Succeeded", "success" },
		{ "0", "success" },
		{ "2", "failure" },
		{ "failed", "failure" },
		{ "UNSTABLE", "failure" },
		{ "cancelled", "cancellation" },
		{ "Canceled", "cancellation" },
		{ "skipped", "skip" },
		{ "timed_out", "timeout" },
		{ "error", "error" },
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		cr_expect_str_eq(at_job_result(at_text_from(words[i][0])),
				 words[i][1]);
	cr_expect_null(at_job_result(AT_TEXT("whatever")));
	cr_expect_null(at_job_result(AT_TEXT("")));
}

static void expect_text(const struct at_span *span, enum at_attr attr,
			const char *expected)
{
	struct at_field field;

	cr_assert(at_span_find(span, attr, &field));
	cr_expect(at_text_equal(field.text, at_text_from(expected)));
}

Test(cli_job_trace, the_span_says_what_the_conventions_ask)
{
	struct at_context context;
	struct at_field field;
	struct at_span span;

	TRACE_OF(&context, "GITLAB_CI=true", "CI_JOB_NAME=test", "CI_JOB_ID=99",
		 "CI_JOB_URL=https://a/99");
	at_span_init(&span, AT_KIND_INTERNAL);
	at_job_fill(&span, &ci, "failure");
	expect_text(&span, AT_ATTR_CICD_PIPELINE_TASK_NAME, "test");
	expect_text(&span, AT_ATTR_CICD_PIPELINE_TASK_RUN_ID, "99");
	expect_text(&span, AT_ATTR_CICD_PIPELINE_TASK_RUN_URL, "https://a/99");
	expect_text(&span, AT_ATTR_CICD_PIPELINE_TASK_RUN_RESULT, "failure");
	expect_text(&span, AT_ATTR_ERROR_TYPE, "failure");
	cr_expect_eq(span.status, AT_STATUS_ERROR);
	at_span_init(&span, AT_KIND_INTERNAL);
	at_job_fill(&span, &ci, "cancellation");
	cr_expect_eq(span.status, AT_STATUS_UNSET);
	at_span_init(&span, AT_KIND_INTERNAL);
	at_job_fill(&span, &ci, NULL);
	cr_expect_not(at_span_find(&span, AT_ATTR_CICD_PIPELINE_TASK_RUN_RESULT,
				   &field));
}
