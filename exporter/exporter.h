// SPDX-License-Identifier: Apache-2.0
/*
 * Exporter: from the ring to the wire. Door of the folder.
 *
 * The same sources are linked twice: into libautotrace-exporter.so, which the
 * library loads on its background thread, and into the `autotrace` command.
 * One call, autotrace_export(), is the whole life of the worker; nothing in
 * here starts a thread.
 */
#ifndef AT_EXPORTER_H
#define AT_EXPORTER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/config.h"
#include "core/counters.h"
#include "core/ring.h"
#include "core/span.h"

#define AT_EXPORTER_ABI 2

/* What the worker is asked to do; written by the host, then the ring woken. */
enum at_export_command {
	AT_EXPORT_RUN = 0,
	/*
	 * Return as soon as possible, leaving what waits in the ring (fork). A
	 * request that is out is waited for: taken back it would come twice.
	 */
	AT_EXPORT_PAUSE = 1,
	/* Export all that has been pushed, then return; by deadline_ns. */
	AT_EXPORT_DRAIN = 2,
	/* A pause that cannot wait (sandbox): what is out is sent again. */
	AT_EXPORT_ABORT = 3,
};

/* A hub's reader keeps books of what is no span: cli/processes.c. */
struct at_exporter_books {
	void *context;
	/* In place of at_ring_pop(). */
	int (*pop)(void *context, struct at_ring_reader *reader,
		   struct at_span *span, uint64_t now_ns);
	/* Spans that pop would give though the ring is empty. */
	uint32_t (*waiting)(void *context);
	/* Does anybody still run whose parent is this span? */
	bool (*is_parent)(void *context, const uint8_t *span_id);
	/* To be called now and then while nothing comes. */
	void (*tick)(void *context, uint64_t now_ns);
};

/*
 * The host's side of the worker. Everything in it outlives the call, and the
 * worker keeps what it has behind `state` from one call to the next.
 */
struct at_exporter_host {
	uint32_t abi;
	const struct at_config *config;
	struct at_ring *ring;
	struct at_counters *counters;
	_Atomic uint32_t command;
	_Atomic uint64_t deadline_ns; /* monotonic; for AT_EXPORT_DRAIN */
	/*
	 * Held by the worker for every instruction inside curl, OpenSSL and
	 * c-ares, released only around its own waits. NULL in the command.
	 */
	void (*lock)(void);
	void (*unlock)(void);
	/* service.name when neither setting gives one: executable's name. */
	const char *executable_name;
	/*
	 * Spans of many processes arrive here (hub): process facts go on the
	 * spans, not on the resource.
	 */
	bool many_processes;
	bool (*pid_alive)(uint32_t pid); /* many_processes only */
	/* Sees every span, redacted, before it is exported; NULL: nobody. */
	void (*observe)(void *context, const struct at_span *span);
	void *observe_context;
	const struct at_exporter_books *books; /* NULL: the ring is all spans */
	/* Forked since the last call: forget connections, do not close them. */
	bool forked;
	/* Which settings were given; NULL: judged by their values. */
	const struct at_config_origin *origin;
	/* Spans taken out of the ring that wait for the next call. */
	_Atomic uint32_t kept_count;
	/* The worker's own, from one call to the next; NULL at first. */
	void *state;
};

/*
 * Run the worker on the calling thread until the command says otherwise.
 * 0, or -EPROTO when abi is not AT_EXPORTER_ABI. Spans that could not be
 * exported are counted in host->counters.
 */
__attribute__((visibility("default"))) int autotrace_export(
	struct at_exporter_host *host);

struct Otlp__TracesData;

/*
 * Deliver one message, as it is, to the exporters that `host` chooses: one
 * resource, one scope, span_count spans. For the command; the ring of the host
 * is not read. `console` writes nothing of it. NULL ends the connections.
 * 0, -ENOMEM, or why an exporter lost it; counted in host->counters.
 */
int autotrace_deliver(struct at_exporter_host *host,
		      struct Otlp__TracesData *traces, uint32_t span_count);

#endif
