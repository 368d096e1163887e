// SPDX-License-Identifier: Apache-2.0
#include "cli/job_trace.h"

#include <openssl/sha.h>
#include <string.h>

/* Bytes `from` and on of the SHA-256 of the parts, written one after the
 * other. */
static void derive(uint8_t *id, size_t count, size_t from,
		   const struct at_text parts[3])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char text[2048];
	struct at_writer writer = AT_WRITER(text, sizeof(text));
	int i;

	for (i = 0; i < 3; i++)
		at_write_text(&writer, parts[i]);
	SHA256((const unsigned char *)text, writer.len, hash);
	memcpy(id, hash + from, count);
}

bool at_job_trace(const struct at_ci *ci, struct at_context *context)
{
	bool github = ci->system && !strcmp(ci->system, "github");
	struct at_text attempt = ci->fact[AT_CI_ATTEMPT];
	struct at_text job = ci->fact[AT_CI_TASK_ID];
	/* Ids of different installations are alike, their addresses are not. */
	struct at_text run = ci->fact[github ? AT_CI_RUN_ID : AT_CI_RUN_URL];

	if (!run.len)
		run = ci->fact[AT_CI_RUN_ID];
	if (!run.len)
		return false;
	if (github && !attempt.len)
		attempt = AT_TEXT("1");
	memset(context, 0, sizeof(*context));
	context->flags = AT_FLAG_RANDOM;
	context->remote = true;
	derive(context->trace_id, AT_TRACE_ID_BYTES, 0,
	       (struct at_text[]){ run, attempt, AT_TEXT("t") });
	if (github && job.len)
		derive(context->span_id, AT_SPAN_ID_BYTES, 8,
		       (struct at_text[]){ job, AT_TEXT("-j"), AT_TEXT("") });
	else
		derive(context->span_id, AT_SPAN_ID_BYTES, 8,
		       (struct at_text[]){ run, attempt, AT_TEXT("s") });
	return true;
}

static const struct {
	const char *word;
	const char *result;
} results[] = {
	{ "success", "success" },
	{ "succeeded", "success" },
	{ "succeededwithissues", "success" },
	{ "passed", "success" },
	{ "failure", "failure" },
	{ "failed", "failure" },
	{ "unstable", "failure" },
	{ "error", "error" },
	{ "timeout", "timeout" },
	{ "timed_out", "timeout" },
	{ "cancelled", "cancellation" },
	{ "canceled", "cancellation" },
	{ "cancellation", "cancellation" },
	{ "aborted", "cancellation" },
	{ "skip", "skip" },
	{ "skipped", "skip" },
};

const char *at_job_result(struct at_text word)
{
	uint64_t status;
	size_t i;

	for (i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		if (at_text_equal_nocase(at_text_from(results[i].word), word))
			return results[i].result;
	if (at_text_to_u64(word, &status))
		return NULL;
	return status ? "failure" : "success";
}

void at_job_fill(struct at_span *span, const struct at_ci *ci,
		 const char *result)
{
	static const struct {
		enum at_ci_fact fact;
		enum at_attr attr;
	} facts[] = {
		{ AT_CI_TASK_NAME, AT_ATTR_CICD_PIPELINE_TASK_NAME },
		{ AT_CI_TASK_ID, AT_ATTR_CICD_PIPELINE_TASK_RUN_ID },
		{ AT_CI_TASK_URL, AT_ATTR_CICD_PIPELINE_TASK_RUN_URL },
	};
	size_t i;

	for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (ci->fact[facts[i].fact].len)
			at_span_set_text(span, facts[i].attr,
					 ci->fact[facts[i].fact]);
	if (!result)
		return;
	at_span_set_text(span, AT_ATTR_CICD_PIPELINE_TASK_RUN_RESULT,
			 at_text_from(result));
	if (!strcmp(result, "failure") || !strcmp(result, "error"))
		at_span_set_error(span, at_text_from(result));
}
