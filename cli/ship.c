// SPDX-License-Identifier: Apache-2.0
#include "cli/ship.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

#define NS_PER_MS UINT64_C(1000000)

int at_ship_open(struct at_ship *ship, const struct at_config *config,
		 const struct at_config_origin *origin, uint64_t patience_ms)
{
	/* Nothing is ever in it, but the worker has one. */
	struct at_ring *ring = aligned_alloc(4096, at_ring_bytes(1));

	if (!ring)
		return -ENOMEM;
	memset(ring, 0, at_ring_bytes(1));
	at_ring_init(ring, 1);
	memset(ship, 0, sizeof(*ship));
	ship->patience_ns = patience_ms * NS_PER_MS;
	ship->host = (struct at_exporter_host){
		.abi = AT_EXPORTER_ABI,
		.config = config,
		.origin = origin,
		.ring = ring,
		.counters = &ship->counters,
		.command = AT_EXPORT_DRAIN,
		.executable_name = "autotrace",
	};
	return 0;
}

void at_ship_close(struct at_ship *ship)
{
	autotrace_deliver(&ship->host, NULL, 0);
	at_otlp_message_free(&ship->message);
	free(ship->host.ring);
}

/* One resource, one scope, some spans: what exporters take. */
struct parcel {
	Otlp__TracesData traces;
	Otlp__ResourceSpans resource, *resources[1];
	Otlp__ScopeSpans scope, *scopes[1];
	Otlp__Resource no_resource;
	Otlp__Scope no_scope;
};

static void pack(struct parcel *parcel, const Otlp__ResourceSpans *resource,
		 const Otlp__ScopeSpans *scope)
{
	otlp__traces_data__init(&parcel->traces);
	otlp__resource__init(&parcel->no_resource);
	otlp__scope__init(&parcel->no_scope);
	parcel->resource = *resource;
	parcel->scope = *scope;
	if (!parcel->resource.resource)
		parcel->resource.resource = &parcel->no_resource;
	if (!parcel->scope.scope)
		parcel->scope.scope = &parcel->no_scope;
	parcel->resources[0] = &parcel->resource;
	parcel->scopes[0] = &parcel->scope;
	parcel->traces.resource_spans = parcel->resources;
	parcel->traces.n_resource_spans = 1;
	parcel->resource.scope_spans = parcel->scopes;
	parcel->resource.n_scope_spans = 1;
}

static void send_scope(struct at_ship *ship,
		       const Otlp__ResourceSpans *resource,
		       const Otlp__ScopeSpans *scope)
{
	size_t max = ship->host.config->bsp_batch_count, done = 0;
	struct parcel parcel;

	pack(&parcel, resource, scope);
	while (done < scope->n_spans) {
		size_t count = scope->n_spans - done;

		if (count > max)
			count = max;
		parcel.scope.spans = scope->spans + done;
		parcel.scope.n_spans = count;
		atomic_store(&ship->host.deadline_ns,
			     at_clock_now_ns() + ship->patience_ns);
		autotrace_deliver(&ship->host, &parcel.traces, (uint32_t)count);
		ship->span_count += count;
		done += count;
	}
}

int at_ship_line(struct at_ship *ship, struct at_text line,
		 struct at_otlp_mistake *mistake)
{
	const Otlp__TracesData *traces;
	size_t i, j;
	int error = at_otlp_message_read(&ship->message, line, mistake);

	if (error)
		return error;
	traces = ship->message.traces;
	for (i = 0; i < traces->n_resource_spans; i++) {
		const Otlp__ResourceSpans *resource = traces->resource_spans[i];

		for (j = 0; j < resource->n_scope_spans; j++)
			send_scope(ship, resource, resource->scope_spans[j]);
	}
	return 0;
}

struct at_shipped at_ship_result(const struct at_ship *ship)
{
	const _Atomic uint64_t *value = ship->counters.value;
	struct at_shipped shipped = {
		.accepted = atomic_load(&value[AT_COUNT_SPANS_EXPORTED]),
		.rejected = atomic_load(&value[AT_COUNT_EXPORT_REJECTED]),
	};

	shipped.lost = ship->span_count - shipped.accepted - shipped.rejected;
	return shipped;
}
