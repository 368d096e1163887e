// SPDX-License-Identifier: Apache-2.0
#include "cli/session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/job_trace.h"
#include "core/clock.h"
#include "core/environ.h"
#include "core/ids.h"
#include "core/program.h"
#include "propagator/propagator.h"
#include "sampler/sampler.h"

/* Spans on their way to the reader, which takes them out at once. */
#define HUB_RECORDS 4096

/* Spans kept for the tree: some 30 MiB at most. */
#define LIST_MAX 200000

/* What a cancelled job has for its spans; some runners wait for 2 s. */
#define FLUSH_MS 900

/* For a reader that does not keep to its deadline. */
#define GRACE_MS 500

/* Milliseconds that a full hub is waited for. */
#define PUSH_TRIES 200

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

/* `parent`: what TRACEPARENT decided; NULL: nothing did. */
static void sample(struct at_session *session, const struct at_context *parent)
{
	struct at_sample_request request = {
		.parent = parent,
		.trace_id = session->root.trace_id,
	};
	struct at_sampler sampler;

	at_sampler_open(&sampler, session->config.sampler,
			session->config.sampler_arg);
	if (at_sample(&sampler, &request) == AT_RECORD_AND_SAMPLE)
		session->root.flags |= AT_FLAG_SAMPLED;
}

/* What the propagators besides those of W3C have in the environment. */
static bool join_others(struct at_session *session, char **environment)
{
	const struct at_environ_carrier carrier =
		at_environ_carrier(environment);
	struct at_propagator_set all;
	struct at_context found;

	at_propagators_select(&all, session->config.propagators);
	at_propagators_others(&session->others, &all);
	if (at_propagators_extract(&session->others, &carrier.carrier,
				   &found) ||
	    !at_context_valid(&found))
		return false;
	/* Where they say the same, TRACEPARENT says it with more. */
	if (memcmp(found.span_id, session->parent.span_id, AT_SPAN_ID_BYTES))
		session->parent = found;
	return true;
}

/* The trace that TRACEPARENT names, or the one to adopt, or one of our own. */
static void open_trace(struct at_session *session, char **environment,
		       const struct at_context *adopt)
{
	struct at_text given = at_environ_get(environment, "TRACEPARENT");
	struct at_text state = at_environ_get(environment, "TRACESTATE");
	struct at_context *root = &session->root, *parent = &session->parent;
	bool joined = given.ptr && at_traceparent_parse(given, parent) == 0;

	if (joined && state.len)
		at_tracestate_parse(&state, 1, parent);
	joined |= join_others(session, environment);
	if (!joined && adopt)
		*parent = *adopt;
	session->has_parent = joined || adopt;
	if (session->has_parent) {
		memcpy(root->trace_id, parent->trace_id, AT_TRACE_ID_BYTES);
		root->flags = parent->flags & AT_FLAG_RANDOM;
	} else {
		at_ids_trace(root->trace_id);
		root->flags = AT_FLAG_RANDOM;
	}
	session->joined = joined;
	at_ids_span(root->span_id);
	sample(session, joined ? parent : NULL);
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

static int pop(void *context, struct at_ring_reader *reader,
	       struct at_span *span, uint64_t now_ns)
{
	return at_processes_pop(context, reader, span, now_ns);
}

static uint32_t waiting(void *context)
{
	const struct at_processes *processes = context;

	return processes->done_count;
}

static bool is_parent(void *context, const uint8_t *span_id)
{
	return at_processes_is_parent(context, span_id);
}

static void tick(void *context, uint64_t now_ns)
{
	at_processes_sweep(context, now_ns);
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
	session->books = (struct at_exporter_books){
		.context = &session->processes,
		.pop = pop,
		.waiting = waiting,
		.is_parent = is_parent,
		.tick = tick,
	};
	host->books = &session->books;
}

/* With --keep nothing leaves before it is known how the run went. */
static int hold_back(struct at_session *session)
{
	if (!session->keep.asked || !strcmp(session->config.exporters, "none"))
		return 0;
	session->keeping = session->config;
	session->config.exporters = "file";
	return at_spool_open(&session->spool, &session->config.file);
}

int at_session_open(struct at_session *session, char **environment,
		    const struct at_session_choice *choice)
{
	struct at_config_origin origin;
	int error;

	memset(session, 0, sizeof(*session));
	session->hub_fd = -1;
	session->spool.fd = -1;
	session->list.max_count = LIST_MAX;
	at_config_load(&session->config, environment, &origin);
	session->rejected_count = at_counter_value(AT_COUNT_CONFIG_REJECTED);
	if (choice->service)
		session->config.service_name = choice->service;
	join_outer(session);
	at_session_choose(&session->config, &origin, choice->file,
			  session->outer != NULL);
	session->keep = choice->keep;
	open_trace(session, environment, choice->adopt);
	error = hold_back(session);
	if (!error)
		error = at_hub_create(HUB_RECORDS, &session->hub,
				      &session->hub_fd, session->address);
	if (error)
		return error;
	at_processes_init(&session->processes, session->hub);
	if (session->config.stacks[0] == 'c')
		at_crash_reader_expect(session->hub);
	fill_host(session, choice->name);
	return 0;
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
	if (session->config.stacks[0] == 'c' && !session->crashes.running)
		at_crash_reader_start(&session->crashes, session->hub);
	return -error;
}

/* What the trace hangs below: whom it is about is still to be said. */
static void open_root(const struct at_session *session, struct at_span *span)
{
	const struct at_context *parent = &session->parent;

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
	span->start_unix_ns = at_clock_unix_ns(session->start_ns);
}

void at_session_fill_job(const struct at_session *session,
			 const struct at_session_result *result,
			 uint64_t end_ns, struct at_span *span)
{
	open_root(session, span);
	span->duration_ns = end_ns - session->start_ns;
	if (result->unfinished)
		at_span_set_bool(span, AT_ATTR_AUTOTRACE_UNFINISHED, true);
	at_span_set_name(span, at_text_from(result->command));
	at_job_fill(span, result->job, result->job_result);
}

void at_session_fill(const struct at_session *session, const char *command,
		     uint32_t pid, struct at_span *span)
{
	struct at_text name = at_text_from(basename(command));

	open_root(session, span);
	span->record = AT_RECORD_BEGAN;
	span->pid = pid;
	span->tid = pid;
	at_span_set_name(span, name);
	at_span_set_text(span, AT_ATTR_PROCESS_EXECUTABLE_NAME, name);
	at_span_set_int(span, AT_ATTR_PROCESS_PID, pid);
	at_span_set_text(span, AT_ATTR_AUTOTRACE_COMMAND,
			 at_text_from(command));
}

void at_session_become(struct at_session *session, const char *command)
{
	struct at_hub_head *head = &session->hub->head;
	uint32_t pid = (uint32_t)getpid();
	struct at_life life = { .exec_ns = at_clock_now_ns() };
	struct at_span span;

	memcpy(head->span_id, session->root.span_id, AT_SPAN_ID_BYTES);
	memcpy(head->parent_id, session->parent.span_id, AT_SPAN_ID_BYTES);
	head->has_parent = session->has_parent;
	atomic_store(&head->pid, pid);
	if (!(session->root.flags & AT_FLAG_SAMPLED))
		return;
	memcpy(life.own, session->root.span_id, AT_SPAN_ID_BYTES);
	at_living_enter(&session->hub->living, pid, &life);
	at_session_fill(session, command, pid, &span);
	at_ring_push(at_hub_ring(session->hub), pid, &span, span.size_bytes);
}

void at_session_fill_end(const struct at_session_result *result,
			 uint64_t at_unix_ns, struct at_span *record)
{
	at_span_init(record, AT_KIND_INTERNAL);
	record->record = AT_RECORD_REAPED;
	record->pid = (uint32_t)result->pid;
	record->start_unix_ns = at_unix_ns;
	at_program_fill_exit(record, result->wait_status);
	at_program_fill_usage(record, &result->usage, NULL);
}

/* The reader takes them out all the time; it may be late, not dead. */
static void push(struct at_session *session, struct at_span *record)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	int tries = PUSH_TRIES;

	while (at_ring_push(session->host.ring, (uint32_t)getpid(), record,
			    record->size_bytes) == -ENOSPC &&
	       session->reading && tries--)
		nanosleep(&nap, NULL);
}

/* What still runs is unfinished from here on. */
static void push_closed(struct at_session *session, uint64_t now_ns)
{
	struct at_span record;

	at_span_init(&record, AT_KIND_INTERNAL);
	record.record = AT_RECORD_CLOSED;
	record.start_unix_ns = at_clock_unix_ns(now_ns);
	push(session, &record);
}

static void push_end(struct at_session *session,
		     const struct at_session_result *result)
{
	uint64_t now_ns = at_clock_now_ns();
	struct at_span record;

	if (!result->job)
		at_session_fill_end(result, at_clock_unix_ns(now_ns), &record);
	else
		at_session_fill_job(session, result, now_ns, &record);
	if (!result->job || (record.flags & AT_FLAG_SAMPLED))
		push(session, &record);
	push_closed(session, now_ns);
}

/* Wait for the reader until its deadline and a little more. */
static int join_reader(struct at_session *session, uint64_t deadline_ns)
{
	uint64_t until_ns = deadline_ns + GRACE_MS * UINT64_C(1000000);
	struct timespec until = {
		.tv_sec = (time_t)(until_ns / 1000000000u),
		.tv_nsec = (long)(until_ns % 1000000000u),
	};
	int error = pthread_clockjoin_np(session->reader, NULL, CLOCK_MONOTONIC,
					 &until);

	if (!error)
		session->reading = false;
	return -error;
}

static int drain(struct at_session *session, uint64_t patience_ms)
{
	struct at_exporter_host *host = &session->host;
	uint64_t deadline_ns =
		at_clock_now_ns() + patience_ms * UINT64_C(1000000);

	if (!session->reading)
		return 0;
	atomic_store(&host->deadline_ns, deadline_ns);
	atomic_store(&host->command, AT_EXPORT_DRAIN);
	at_ring_wake(host->ring);
	return join_reader(session, deadline_ns);
}

int at_session_end(struct at_session *session,
		   const struct at_session_result *result)
{
	at_crash_reader_stop(&session->crashes);
	push_end(session, result);
	return drain(session, session->config.exit_timeout_ms);
}

static void let_go(struct at_session *session, uint64_t patience_ms)
{
	at_spool_ship(&session->spool, &session->keeping, patience_ms,
		      &session->hub->counters);
}

void at_session_flush(struct at_session *session)
{
	session->cancelled = true;
	push_closed(session, at_clock_now_ns());
	if (drain(session, FLUSH_MS))
		return;
	let_go(session, FLUSH_MS);
	atomic_store(&session->host.command, AT_EXPORT_RUN);
	at_session_read(session);
}

bool at_session_release(struct at_session *session)
{
	/* What a cancelled job has begun to show is shown to its end. */
	bool wanted = session->cancelled ||
		      at_keep_wants(&session->keep, &session->list,
				    session->root.span_id);

	if (wanted)
		let_go(session, session->config.exit_timeout_ms);
	return wanted;
}

void at_session_close(struct at_session *session)
{
	if (session->hub_fd >= 0)
		close(session->hub_fd);
	at_processes_free(&session->processes);
	at_spool_close(&session->spool);
	at_span_list_free(&session->list);
}
