// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/child.h"
#include "core/clock.h"
#include "core/environ.h"
#include "core/ids.h"
#include "propagator/propagator.h"
#include "sampler/sampler.h"

/* Spans on their way to the reader, which takes them out at once. */
#define HUB_RECORDS 4096

/* Spans kept for the tree: some 30 MiB at most. */
#define LIST_MAX 200000

/* For a reader that does not keep to its deadline. */
#define GRACE_MS 500

static bool is_given(const struct at_config_origin *origin,
		     enum at_setting setting)
{
	return origin->source[setting] == AT_SOURCE_ENV ||
	       origin->source[setting] == AT_SOURCE_FALLBACK;
}

static bool network_is_configured(const struct at_config_origin *origin)
{
	return is_given(origin, AT_SETTING_otlp_endpoint) ||
	       is_given(origin, AT_SETTING_otlp_traces_endpoint);
}

/* An explicit "none" is stronger than an endpoint. */
static bool nothing_is_wanted(const char *list)
{
	struct at_text rest = at_text_from(list), item;

	while (at_text_next(&rest, ',', &item)) {
		item = at_text_trim(item);
		if (item.len && !at_text_equal_nocase(item, AT_TEXT("none")))
			return false;
	}
	return true;
}

void at_session_choose(struct at_config *config,
		       const struct at_config_origin *origin, const char *file,
		       bool outer)
{
	static char list[512];
	struct at_writer writer = AT_WRITER(list, sizeof(list) - 1);
	bool listed = is_given(origin, AT_SETTING_exporters);
	bool nothing = listed && nothing_is_wanted(config->exporters);

	if (outer || nothing)
		config->file = "";
	if (file)
		config->file = file;
	if (!outer && listed && !nothing)
		at_write_string(&writer, config->exporters);
	else if (!outer && !listed && network_is_configured(origin))
		at_write_string(&writer, "otlp");
	if (config->file[0])
		at_write_string(&writer, writer.len ? ",file" : "file");
	if (!writer.len)
		at_write_string(&writer, "none");
	list[writer.len] = 0;
	config->exporters = list;
}

static void sample(struct at_session *session)
{
	struct at_sample_request request = {
		.parent = session->has_parent ? &session->parent : NULL,
		.trace_id = session->root.trace_id,
	};
	struct at_sampler sampler;

	at_sampler_open(&sampler, session->config.sampler,
			session->config.sampler_arg);
	if (at_sample(&sampler, &request) == AT_RECORD_AND_SAMPLE)
		session->root.flags |= AT_FLAG_SAMPLED;
}

/* The trace that TRACEPARENT names, or one of our own. */
static void open_trace(struct at_session *session, char **environment)
{
	struct at_text given = at_environ_get(environment, "TRACEPARENT");
	struct at_text state = at_environ_get(environment, "TRACESTATE");
	struct at_context *root = &session->root, *parent = &session->parent;

	if (given.ptr && at_traceparent_parse(given, parent) == 0) {
		session->has_parent = true;
		if (state.len)
			at_tracestate_parse(&state, 1, parent);
		memcpy(root->trace_id, parent->trace_id, AT_TRACE_ID_BYTES);
		root->flags = parent->flags & AT_FLAG_RANDOM;
	} else {
		at_ids_trace(root->trace_id);
		root->flags = AT_FLAG_RANDOM;
	}
	at_ids_span(root->span_id);
	sample(session);
}

/* A run inside a run: its spans are part of the picture outside as well. */
static void join_outer(struct at_session *session)
{
	struct at_hub *outer;

	if (session->config.hub[0] &&
	    at_hub_join(session->config.hub, &outer) == 0)
		session->outer = at_hub_ring(outer);
}

static void observe(void *context, const struct at_span *span)
{
	struct at_session *session = context;

	at_span_list_add_record(&session->list, span);
	if (session->outer)
		at_ring_push(session->outer, (uint32_t)getpid(), span,
			     span->size_bytes);
}

static bool pid_alive(uint32_t pid)
{
	return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

static void fill_host(struct at_session *session, const char *name)
{
	struct at_exporter_host *host = &session->host;

	host->abi = AT_EXPORTER_ABI;
	host->config = &session->config;
	host->ring = at_hub_ring(session->hub);
	host->counters = &session->hub->counters;
	host->executable_name = name;
	host->many_processes = true;
	host->pid_alive = pid_alive;
	host->observe = observe;
	host->observe_context = session;
}

int at_session_open(struct at_session *session, char **environment,
		    const struct at_session_choice *choice)
{
	struct at_config_origin origin;
	int error;

	memset(session, 0, sizeof(*session));
	session->hub_fd = -1;
	session->list.max_count = LIST_MAX;
	at_config_load(&session->config, environment, &origin);
	session->rejected_count = at_counter_value(AT_COUNT_CONFIG_REJECTED);
	if (choice->service)
		session->config.service_name = choice->service;
	join_outer(session);
	at_session_choose(&session->config, &origin, choice->file,
			  session->outer != NULL);
	open_trace(session, environment);
	error = at_hub_create(HUB_RECORDS, &session->hub, &session->hub_fd,
			      session->address);
	if (!error)
		fill_host(session, choice->name);
	return error;
}

void at_session_begin(struct at_session *session)
{
	session->start_ns = at_clock_now_ns();
}

static void *read_hub(void *context)
{
	struct at_session *session = context;

	autotrace_export(&session->host);
	return NULL;
}

int at_session_read(struct at_session *session)
{
	int error = pthread_create(&session->reader, NULL, read_hub, session);

	session->reading = error == 0;
	return -error;
}

/* Exit code as text, or the signal's name. */
static void set_outcome(struct at_span *span, int wait_status)
{
	int code = at_child_exit_code(wait_status);
	char text[32];
	struct at_writer writer = AT_WRITER(text, sizeof(text));

	at_span_set_int(span, AT_ATTR_PROCESS_EXIT_CODE, code);
	if (WIFSIGNALED(wait_status)) {
		const char *name = sigabbrev_np(WTERMSIG(wait_status));

		at_write_string(&writer, "SIG");
		if (name)
			at_write_string(&writer, name);
		else
			at_write_u64(&writer, (uint64_t)WTERMSIG(wait_status));
	} else {
		at_write_u64(&writer, (uint64_t)code);
	}
	if (code)
		at_span_set_error(span, at_writer_text(&writer));
}

void at_session_fill(const struct at_session *session,
		     const struct at_session_result *result, uint64_t end_ns,
		     struct at_span *span)
{
	const struct at_context *parent = &session->parent;
	struct at_text name = at_text_from(basename(result->command));

	at_span_init(span, AT_KIND_INTERNAL);
	memcpy(span->trace_id, session->root.trace_id, AT_TRACE_ID_BYTES);
	memcpy(span->span_id, session->root.span_id, AT_SPAN_ID_BYTES);
	span->flags = session->root.flags;
	span->has_parent = session->has_parent;
	if (session->has_parent) {
		memcpy(span->parent_id, parent->span_id, AT_SPAN_ID_BYTES);
		span->parent_remote = 1;
		at_span_set_tracestate(
			span, (struct at_text){ parent->tracestate,
						parent->tracestate_len });
	}
	span->pid = (uint32_t)result->pid;
	span->tid = (uint32_t)result->pid;
	span->start_unix_ns = at_clock_unix_ns(session->start_ns);
	span->duration_ns = end_ns - session->start_ns;
	at_span_set_name(span, name);
	at_span_set_text(span, AT_ATTR_PROCESS_EXECUTABLE_NAME, name);
	at_span_set_int(span, AT_ATTR_PROCESS_PID, result->pid);
	at_span_set_text(span, AT_ATTR_AUTOTRACE_COMMAND,
			 at_text_from(result->command));
	set_outcome(span, result->wait_status);
}

static void push_root(struct at_session *session,
		      const struct at_session_result *result)
{
	struct at_span span;

	at_session_fill(session, result, at_clock_now_ns(), &span);
	if (!(span.flags & AT_FLAG_SAMPLED))
		return;
	if (at_ring_push(session->host.ring, (uint32_t)getpid(), &span,
			 span.size_bytes))
		atomic_fetch_add(
			&session->host.counters->value[AT_COUNT_QUEUE_FULL], 1);
}

/* Wait for the reader until its deadline and a little more. */
static int join_reader(struct at_session *session, uint64_t deadline_ns)
{
	uint64_t until_ns = deadline_ns + GRACE_MS * UINT64_C(1000000);
	struct timespec until = {
		.tv_sec = (time_t)(until_ns / 1000000000u),
		.tv_nsec = (long)(until_ns % 1000000000u),
	};

	return -pthread_clockjoin_np(session->reader, NULL, CLOCK_MONOTONIC,
				     &until);
}

int at_session_end(struct at_session *session,
		   const struct at_session_result *result)
{
	struct at_exporter_host *host = &session->host;
	uint64_t deadline_ns;

	push_root(session, result);
	if (!session->reading)
		return 0;
	deadline_ns = at_clock_now_ns() +
		      session->config.exit_timeout_ms * UINT64_C(1000000);
	atomic_store(&host->deadline_ns, deadline_ns);
	atomic_store(&host->command, AT_EXPORT_DRAIN);
	at_ring_wake(host->ring);
	return join_reader(session, deadline_ns);
}

void at_session_close(struct at_session *session)
{
	if (session->hub_fd >= 0)
		close(session->hub_fd);
	at_span_list_free(&session->list);
}
