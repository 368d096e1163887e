// SPDX-License-Identifier: Apache-2.0
/*
 * The worker: waits for spans, takes them in batches, and has every chosen
 * exporter deliver each batch, one after the other.
 *
 * Spans wait in the ring until their batch is due, not here: what is here is
 * lost to whoever comes after this process.
 */
#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/ids.h"
#include "core/log.h"
#include "exporter/descriptor.h"
#include "exporter/environment.h"
#include "exporter/exporters.h"
#include "exporter/fold.h"
#include "exporter/heap.h"
#include "exporter/http_client.h"

#define NS_PER_MS UINT64_C(1000000)
/* How often a record that is being written is looked at again. */
#define UNFINISHED_NS UINT64_C(1000000)
#define TICK_NS UINT64_C(1000000000)

/* An exporter in use. */
struct outlet {
	const struct at_exporter *exporter;
	void *self;   /* NULL: not open */
	bool served;  /* has had the current batch, for better or worse */
	int given_up; /* no more attempts in this drain, and why; 0: go on */
};

struct worker {
	struct at_exporter_host *host;
	struct at_ring_reader reader;
	uint64_t lost_counted;
	struct batch batch;
	struct batch_intake intake;
	struct resource resource;
	struct otlp_rules rules;
	struct outlet outlets[EXPORTERS_MAX];
	int outlet_count;
	uint64_t delay_ns;
	struct fold fold;
	/* The current batch: */
	struct pace pace;
	bool fit_to_send; /* what stays at home has been left out of it */
	int result;       /* 0, or why some exporter lost it */
	uint64_t rejected_count; /* the most that one exporter reported */
	uint64_t done_count;     /* the least that a failing one delivered */
};

/* ---- settings ---- */

static uint64_t sooner_ms(uint64_t a_ms, uint64_t b_ms)
{
	uint64_t ms = a_ms < b_ms ? a_ms : b_ms;

	return ms > AT_NO_LIMIT / NS_PER_MS ? AT_NO_LIMIT : ms * NS_PER_MS;
}

static uint32_t batch_max(const struct at_exporter_host *host)
{
	uint64_t max = host->config->bsp_batch_count;

	return max < host->ring->record_max ? (uint32_t)max :
					      host->ring->record_max;
}

static void choose_outlets(struct worker *worker)
{
	struct at_exporter_host *host = worker->host;
	const struct at_exporter *chosen[EXPORTERS_MAX];
	uint64_t rejected_count = 0;
	bool only_console = true;
	int i;

	worker->outlet_count = exporters_choose(host->config, host->origin,
						chosen, &rejected_count);
	for (i = 0; i < worker->outlet_count; i++) {
		worker->outlets[i].exporter = chosen[i];
		only_console &= chosen[i] == &at_exporter_console;
		if (chosen[i]->check)
			rejected_count += chosen[i]->check(host->config);
	}
	/* Whoever watches the console wants each span when it ends. */
	if (!only_console || !worker->outlet_count)
		worker->delay_ns = sooner_ms(
			host->config->bsp_schedule_delay_ms, AT_NO_LIMIT);
	if (host->books && worker->delay_ns > TICK_NS)
		worker->delay_ns = TICK_NS;
	host_count(host, AT_COUNT_CONFIG_REJECTED, rejected_count);
}

static void start_reader(struct worker *worker)
{
	struct at_exporter_host *host = worker->host;

	at_ring_reader_init(&worker->reader, host->ring);
	worker->lost_counted = 0;
	if (host->many_processes)
		worker->reader.pid_alive = host->pid_alive;
}

static void name_resource(struct worker *worker)
{
	struct at_exporter_host *host = worker->host;
	struct environment environment = { NULL, NULL };

	if (host->config->ci)
		environment = environment_read();
	resource_free(&worker->resource);
	if (resource_build(&worker->resource, host->config,
			   host->executable_name, host->many_processes,
			   environment.block) > 0)
		host_count(host, AT_COUNT_CONFIG_REJECTED, 1);
	environment_free(&environment);
}

static void set_rules(struct worker *worker)
{
	const struct at_exporter_host *host = worker->host;

	worker->intake = (struct batch_intake){
		.redact = redact_rules_from(host->config),
		.books = host->books,
		.observe = host->observe,
		.observe_context = host->observe_context,
	};
	worker->rules = (struct otlp_rules){
		.resource = &worker->resource,
		.attribute_count = host->config->span_attribute_count,
		.value_length = host->config->span_value_length,
		.pid_on_spans = host->many_processes,
	};
}

static struct worker *worker_new(struct at_exporter_host *host)
{
	struct worker *worker = heap_zalloc(1, sizeof(*worker));

	if (!worker)
		return NULL;
	worker->host = host;
	at_log_to(host->config->log);
	at_log_stderr_from(descriptor_stderr);
	if (batch_open(&worker->batch, batch_max(host))) {
		heap_free(worker);
		return NULL;
	}
	pace_init(&worker->pace, host, AT_NO_LIMIT);
	worker->fold.max = host->config->trace_spans;
	choose_outlets(worker);
	start_reader(worker);
	name_resource(worker);
	set_rules(worker);
	host->state = worker;
	return worker;
}

/* The parent exports what it had taken, over the connections it has. */
static void after_fork(struct worker *worker)
{
	int i;

	at_ids_reseed();
	for (i = 0; i < worker->outlet_count; i++) {
		struct outlet *outlet = &worker->outlets[i];

		if (outlet->self)
			outlet->exporter->after_fork(outlet->self);
		outlet->self = NULL;
	}
	batch_clear(&worker->batch);
	start_reader(worker);
	name_resource(worker);
}

/* ---- one batch ---- */

static uint32_t fill(struct worker *worker)
{
	uint64_t lost;

	lost = batch_fill(&worker->batch, &worker->reader, &worker->intake,
			  at_clock_now_ns());
	lost += worker->reader.lost_count - worker->lost_counted;
	worker->lost_counted = worker->reader.lost_count;
	host_count(worker->host, AT_COUNT_RING_LOST, lost);
	return worker->batch.count;
}

static void begin_batch(struct worker *worker)
{
	const struct at_config *config = worker->host->config;
	int i;

	pace_init(&worker->pace, worker->host,
		  sooner_ms(config->bsp_export_timeout_ms,
			    config->otlp_timeout_ms));
	worker->result = 0;
	worker->rejected_count = 0;
	worker->done_count = worker->batch.count;
	worker->fit_to_send = false;
	for (i = 0; i < worker->outlet_count; i++)
		worker->outlets[i].served = false;
}

/*
 * Counted once a span, whatever the number of exporters: exported is what all
 * of them took.
 */
static void end_batch(struct worker *worker)
{
	struct at_exporter_host *host = worker->host;
	uint64_t count = worker->batch.count, done = worker->done_count;
	uint64_t rejected = worker->rejected_count;

	if (worker->result)
		host_count(host,
			   worker->result == -ETIME ? AT_COUNT_EXIT_TIMEOUT :
						      AT_COUNT_EXPORT_FAILED,
			   count - done);
	else
		done = count;
	if (rejected > done)
		rejected = done;
	if (worker->outlet_count) {
		host_count(host, AT_COUNT_EXPORT_REJECTED, rejected);
		host_count(host, AT_COUNT_SPANS_EXPORTED, done - rejected);
	}
	batch_clear(&worker->batch);
	pace_init(&worker->pace, host, AT_NO_LIMIT);
}

static Otlp__TracesData *encoded(struct worker *worker)
{
	uint64_t cut_count = 0;
	Otlp__TracesData *traces =
		otlp_encode(&worker->batch, &worker->rules, &cut_count);

	host_count(worker->host, AT_COUNT_VALUES_CUT, cut_count);
	return traces;
}

static const char *reason_text(int result)
{
	switch (result) {
	case -ECONNREFUSED:
		return "nobody there";
	case -EREMOTEIO:
		return "refused by the collector";
	case -EMSGSIZE:
		return "too long an answer";
	case -EPROTO:
		return "not understood, or not trusted";
	case -ETIME:
		return "the program has ended";
	case -ETIMEDOUT:
		return "no time left";
	case -ENOMEM:
		return "no memory";
	case -ENOSPC:
		return "no space left";
	case -ENOENT:
		return "no such file";
	case -EACCES:
		return "not allowed";
	default:
		return "errno ";
	}
}

static void log_failure(const struct worker *worker,
			const struct outlet *outlet, int result)
{
	char text[128];
	struct at_writer line = AT_WRITER(text, sizeof(text));
	const char *reason = reason_text(result);

	at_write_string(&line, outlet->exporter->name);
	at_write_string(&line, ": ");
	at_write_u64(&line, worker->batch.count);
	at_write_string(&line, " spans not delivered: ");
	at_write_string(&line, reason);
	if (reason[strlen(reason) - 1] == ' ')
		at_write_u64(&line, (uint64_t)-result);
	at_log_line(at_writer_text(&line));
}

static void note_result(struct worker *worker, const struct outlet *outlet,
			const struct delivery *delivery, int result)
{
	if (delivery->rejected_count > worker->rejected_count)
		worker->rejected_count = delivery->rejected_count;
	if (!result)
		return;
	if (delivery->done_count < worker->done_count)
		worker->done_count = delivery->done_count;
	worker->result = result;
	log_failure(worker, outlet, result);
}

/*
 * Local exporters come first and have had the whole. False: nothing is left
 * for the others.
 */
static bool make_fit_to_send(struct worker *worker, Otlp__TracesData *traces)
{
	const struct at_exporter_host *host = worker->host;

	if (!worker->fit_to_send) {
		worker->fit_to_send = true;
		if (strcmp(host->config->command_args, "all") != 0)
			otlp_leave_private(traces);
		if (host->many_processes)
			host_count(worker->host, AT_COUNT_SPANS_FOLDED,
				   fold_traces(&worker->fold, traces,
					       &worker->batch.arena,
					       host->books));
	}
	return otlp_span_count(traces) > 0;
}

static int hand_over(struct worker *worker, struct outlet *outlet,
		     struct delivery *delivery)
{
	int result = 0;

	if (outlet->exporter->needs_traces) {
		delivery->traces = encoded(worker);
		result = delivery->traces ? 0 : -ENOMEM;
	}
	if (!result && delivery->traces && !outlet->exporter->local &&
	    !make_fit_to_send(worker, delivery->traces))
		return 0;
	if (!result && !outlet->self)
		result = outlet->exporter->open(worker->host, &outlet->self);
	if (!result)
		result = outlet->exporter->send(outlet->self, delivery);
	return result;
}

/* 0 when this exporter is through with the batch, -EAGAIN when paused. */
static int serve(struct worker *worker, struct outlet *outlet)
{
	struct delivery delivery = {
		.batch = &worker->batch,
		.pace = &worker->pace,
	};
	int result = outlet->given_up;

	if (!result)
		result = hand_over(worker, outlet, &delivery);
	if (result == -EAGAIN && worker->pace.pause_since_ns)
		return result;
	note_result(worker, outlet, &delivery, result);
	outlet->served = true;
	/* At the end there is no time to ask a dead collector twice. */
	if ((result == -ETIME || result == -ECONNREFUSED) &&
	    pace_command(&worker->pace) == AT_EXPORT_DRAIN)
		outlet->given_up = result;
	return 0;
}

/* Have the batch delivered. False on a pause: it is kept for the next call. */
static bool deliver(struct worker *worker)
{
	int i, result = 0;

	pace_start(&worker->pace);
	for (i = 0; i < worker->outlet_count && !result; i++)
		if (!worker->outlets[i].served)
			result = serve(worker, &worker->outlets[i]);
	pace_stop(&worker->pace);
	if (result)
		return false;
	end_batch(worker);
	return true;
}

/* Take what waits and have it delivered. False on a pause. */
static bool export_batch(struct worker *worker)
{
	if (!fill(worker))
		return true;
	begin_batch(worker);
	return deliver(worker);
}

/* ---- life ---- */

static enum at_export_command command_of(const struct worker *worker)
{
	return pace_command(&worker->pace);
}

static uint32_t in_books(const struct at_exporter_host *host)
{
	return host->books ? host->books->waiting(host->books->context) : 0;
}

/*
 * Who keeps books has to look up from them now and then, when nothing is left
 * to be entered.
 */
static void wait_for_spans(struct worker *worker, uint32_t at_least,
			   uint64_t until_ns)
{
	struct at_exporter_host *host = worker->host;
	uint64_t now_ns = at_clock_now_ns();

	if (host->books && until_ns - now_ns > TICK_NS)
		until_ns = now_ns + TICK_NS;
	pace_wait_ring(host, AT_EXPORT_RUN, at_least, until_ns);
	if (host->books && !at_ring_count(host->ring))
		host->books->tick(host->books->context, at_clock_now_ns());
}

/* Wait until a batch is due. False when a command came first. */
static bool wait_for_batch(struct worker *worker)
{
	struct at_exporter_host *host = worker->host;
	uint32_t max = worker->batch.max;
	uint64_t due_ns = 0;

	while (command_of(worker) == AT_EXPORT_RUN) {
		uint64_t now_ns = at_clock_now_ns();
		uint32_t count = at_ring_count(host->ring) + in_books(host);

		if (!count) {
			due_ns = 0;
			wait_for_spans(worker, 1, AT_NO_LIMIT);
			continue;
		}
		if (!due_ns)
			due_ns = worker->delay_ns > AT_NO_LIMIT - now_ns ?
					 AT_NO_LIMIT :
					 now_ns + worker->delay_ns;
		if (count >= max || now_ns >= due_ns)
			return true;
		wait_for_spans(worker, max, due_ns);
	}
	return false;
}

/* The next record in line is not finished: let its writer go on. */
static void wait_for_writer(struct worker *worker)
{
	pace_wait_ring(worker->host, command_of(worker), UINT32_MAX,
		       at_clock_now_ns() + UNFINISHED_NS);
}

static void run(struct worker *worker)
{
	uint64_t popped;

	if (worker->batch.count && !deliver(worker))
		return;
	while (wait_for_batch(worker)) {
		popped = atomic_load(&worker->host->ring->popped_count);
		if (!export_batch(worker))
			return;
		if (popped == atomic_load(&worker->host->ring->popped_count))
			wait_for_writer(worker);
	}
}

/* Everything pushed before the call, even if others keep pushing. */
static void drain(struct worker *worker)
{
	struct at_ring *ring = worker->host->ring;
	uint64_t last = atomic_load(&ring->pushed_count);
	int i;

	for (i = 0; i < worker->outlet_count; i++)
		worker->outlets[i].given_up = 0;
	if (worker->batch.count && !deliver(worker))
		return;
	while (command_of(worker) == AT_EXPORT_DRAIN &&
	       (in_books(worker->host) ||
		(at_ring_count(ring) &&
		 atomic_load(&ring->popped_count) < last))) {
		uint64_t popped = atomic_load(&ring->popped_count);

		if (!export_batch(worker))
			return;
		if (popped == atomic_load(&ring->popped_count)) {
			if (pace_left_ns(&worker->pace, NULL) == 0)
				break;
			wait_for_writer(worker);
		}
	}
}

/* The thread may end, and its descriptors with it. */
static void close_outlets(struct worker *worker)
{
	int i;

	for (i = 0; i < worker->outlet_count; i++) {
		struct outlet *outlet = &worker->outlets[i];

		if (outlet->self)
			outlet->exporter->close(outlet->self);
		outlet->self = NULL;
		outlet->given_up = 0;
	}
	http_client_leave_thread();
}

static void work(struct worker *worker)
{
	for (;;) {
		switch (command_of(worker)) {
		case AT_EXPORT_RUN:
			run(worker);
			break;
		case AT_EXPORT_DRAIN:
			drain(worker);
			/* fall through */
		default:
			return;
		}
	}
}

int autotrace_export(struct at_exporter_host *host)
{
	struct worker *worker;
	int result = 0;

	if (host->abi != AT_EXPORTER_ABI)
		return -EPROTO;
	pace_lock(host);
	worker = host->state;
	if (!worker)
		worker = worker_new(host);
	else if (host->forked)
		after_fork(worker);
	host->forked = false;
	if (worker) {
		work(worker);
		atomic_store(&host->kept_count, worker->batch.count);
		close_outlets(worker);
	} else {
		result = -ENOMEM;
	}
	pace_unlock(host);
	return result;
}

int autotrace_deliver(struct at_exporter_host *host,
		      struct Otlp__TracesData *traces, uint32_t span_count)
{
	struct worker *worker;
	int result = 0;

	pace_lock(host);
	worker = host->state ? host->state : worker_new(host);
	if (!worker) {
		result = -ENOMEM;
	} else if (!traces) {
		close_outlets(worker);
	} else {
		worker->batch.traces = traces;
		worker->batch.count = span_count;
		begin_batch(worker);
		deliver(worker);
		result = worker->result;
	}
	pace_unlock(host);
	return result;
}
