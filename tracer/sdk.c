// SPDX-License-Identifier: Apache-2.0
#include "tracer/sdk.h"

#include <errno.h>
#include <string.h>

#include "core/counters.h"
#include "protocol/protocol.h"
#include "tracer/conn.h"
#include "tracer/inbound.h"
#include "tracer/served.h"

_Atomic bool sdk_found;

static bool defers;
static bool sees_served;
static _Atomic bool accepts;
/* Contexts may have come in that we have not seen. */
static _Atomic bool comes_unseen;
/* A parent's id, nobody's that we know. */
static _Atomic uint64_t strange;

void sdk_start(const struct at_config *config)
{
	defers = config->with_sdk[0] == 'd';
	sees_served = served_is_wanted(config);
	/* They hand on what they read where we cannot: in TLS, in HTTP/2. */
	atomic_store(&comes_unseen, inbound_is_edge_proxy());
	atomic_store(&sdk_found, false);
	atomic_store(&strange, 0);
}

static void found(void)
{
	if (!atomic_exchange(&sdk_found, true))
		at_count(AT_COUNT_SDK_FOUND, 1);
}

/* --- telemetry --- */

enum form { FORM_ANY, FORM_OTLP, FORM_THRIFT };

static const struct intake {
	struct at_text path; /* its end */
	enum form form;
	bool spans; /* of an OpenTelemetry SDK */
} intakes[] = {
	{ AT_TEXT("/v1/traces"), FORM_OTLP, true },
	{ AT_TEXT("/v1/metrics"), FORM_OTLP, false },
	{ AT_TEXT("/v1/logs"), FORM_OTLP, false },
	/* Zipkin */
	{ AT_TEXT("/api/v2/spans"), FORM_ANY, false },
	{ AT_TEXT("/api/v1/spans"), FORM_ANY, false },
	/* Jaeger */
	{ AT_TEXT("/api/traces"), FORM_THRIFT, false },
	/* Datadog's agent, and its intake */
	{ AT_TEXT("/v0.3/traces"), FORM_ANY, false },
	{ AT_TEXT("/v0.4/traces"), FORM_ANY, false },
	{ AT_TEXT("/v0.5/traces"), FORM_ANY, false },
	{ AT_TEXT("/v0.7/traces"), FORM_ANY, false },
	{ AT_TEXT("/v1.0/traces"), FORM_ANY, false },
	{ AT_TEXT("/api/v0.2/traces"), FORM_ANY, false },
	{ AT_TEXT("/v0.6/stats"), FORM_ANY, false },
	{ AT_TEXT("/api/v2/apmtelemetry"), FORM_ANY, false },
	/* gRPC */
	{ AT_TEXT("/opentelemetry.proto.collector.trace.v1.TraceService/Export"),
	  FORM_ANY, true },
	{ AT_TEXT("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"),
	  FORM_ANY, false },
	{ AT_TEXT("/opentelemetry.proto.collector.logs.v1.LogsService/Export"),
	  FORM_ANY, false },
	{ AT_TEXT("/jaeger.api_v2.CollectorService/PostSpans"), FORM_ANY,
	  false },
	{ AT_TEXT("/zipkin.proto3.SpanService/Report"), FORM_ANY, false },
};

static bool has_form(struct at_text lines, enum form form)
{
	struct at_text type;

	if (form == FORM_ANY || !lines.len)
		return true;
	type = at_text_trim(at_text_before(
		at_http1_find_field(lines, AT_TEXT("content-type")), ";"));
	if (form == FORM_THRIFT)
		return at_text_ends_with_nocase(type, AT_TEXT("thrift")) ||
		       at_text_ends_with_nocase(type, AT_TEXT("thrift.binary"));
	return at_text_equal_nocase(type, AT_TEXT("application/x-protobuf")) ||
	       at_text_equal_nocase(type, AT_TEXT("application/json"));
}

/* Rarely called, and its frame would be everybody's. */
__attribute__((noinline)) static const struct intake *intake_of(
	struct at_text target, struct at_text lines)
{
	struct at_text path = at_text_before(target, "?");
	size_t i;

	for (i = 0; i < sizeof(intakes) / sizeof(intakes[0]); i++)
		if (at_text_ends_with_nocase(path, intakes[i].path))
			return has_form(lines, intakes[i].form) ? &intakes[i] :
								  NULL;
	return NULL;
}

bool sdk_leaves_out(struct at_text method, struct at_text target,
		    struct at_text lines, bool served)
{
	const struct intake *intake = NULL;

	/* POST or PUT: most requests are neither. */
	if (method.len && method.ptr[0] == 'P')
		intake = intake_of(target, lines);
	if (intake && intake->spans && !served && defers)
		found();
	return intake || sdk_is_here();
}

/* --- parents --- */

static bool knows_what_comes(void)
{
	return !atomic_load_explicit(&comes_unseen, memory_order_relaxed) &&
	       !context_is_forgetful() &&
	       (sees_served ||
		!atomic_load_explicit(&accepts, memory_order_relaxed));
}

/*
 * A span below a request that was served is an SDK's. In a trace that nobody
 * knows it may be a person's, who wrote the header by hand: but not a new one
 * for each request.
 */
__attribute__((noinline)) static bool is_strange(
	const struct at_context *context)
{
	uint64_t id, before = 0;

	if (context_is_known(context) || !knows_what_comes())
		return false;
	if (context_trace_came_in(context))
		return true;
	memcpy(&id, context->span_id, sizeof(id));
	return !atomic_compare_exchange_strong(&strange, &before, id) &&
	       before != id;
}

bool sdk_sends(const struct at_context *context)
{
	if (defers && !sdk_is_here() && is_strange(context))
		found();
	return sdk_is_here();
}

/* TLS, HTTP/2, FastCGI, uwsgi; in a file these bytes mean something else. */
void sdk_reads(int fd, const char *bytes, size_t len)
{
	if (len >= 4 &&
	    (!memcmp(bytes, "\x16\x03", 2) || !memcmp(bytes, "PRI", 3) ||
	     !memcmp(bytes, "\x01\x01", 2) || (!bytes[0] && !bytes[3])) &&
	    conn_possible(fd))
		atomic_store_explicit(&comes_unseen, true,
				      memory_order_relaxed);
}

void sdk_accepts(void)
{
	atomic_store_explicit(&accepts, true, memory_order_relaxed);
}
