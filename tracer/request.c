// SPDX-License-Identifier: Apache-2.0
#include "tracer/request.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "core/counters.h"
#include "core/ids.h"
#include "propagator/propagator.h"
#include "sampler/sampler.h"
#include "tracer/baggage.h"
#include "tracer/capture.h"
#include "tracer/method.h"
#include "tracer/output.h"
#include "tracer/propagate.h"
#include "tracer/sdk.h"
#include "tracer/sole.h"
#include "tracer/target.h"
#include "tracer/transfer.h"
#include "tracer/turn.h"

#define REQUEST_NOT_COUNTED AT_COUNTER_COUNT

/* Whoever tries to hold one finds out by its count that it is free. */
#define KEPT_BYTES (offsetof(struct request, refs) + sizeof(_Atomic uint32_t))

static struct pool requests = POOL_KEEPING(struct request, 32, KEPT_BYTES);
static const struct at_config *config;
static struct at_sampler sampler;
static struct at_propagator_set propagators;
static struct at_propagator_set others;

void request_start(const struct at_config *settings)
{
	config = settings;
	method_start(config);
	capture_start(config);
	if (at_sampler_open(&sampler, config->sampler, config->sampler_arg))
		at_count(AT_COUNT_CONFIG_REJECTED, 1);
	at_count(AT_COUNT_CONFIG_REJECTED,
		 (uint64_t)at_propagators_select(&propagators,
						 config->propagators));
	at_propagators_others(&others, &propagators);
	baggage_start(&propagators);
}

const struct at_propagator_set *request_others(void)
{
	return &others;
}

struct request *request_new(void)
{
	struct request *request = pool_take(&requests);

	if (!request) {
		at_count(AT_COUNT_NO_MEMORY, 1);
		return NULL;
	}
	memset((char *)request + KEPT_BYTES, 0,
	       offsetof(struct request, header) - KEPT_BYTES);
	atomic_store_explicit(&request->refs, 1, memory_order_release);
	return request;
}

struct request *request_begin(bool secure)
{
	struct request *request = request_new();

	if (request) {
		request->start_ns = at_clock_now_ns();
		request->secure = secure;
	}
	return request;
}

const char *request_header(const struct request *request)
{
	return request->baggage ? request->baggage->text : request->header;
}

void request_hold(struct request *request)
{
	atomic_fetch_add_explicit(&request->refs, 1, memory_order_relaxed);
}

struct request *request_hold_at(uint32_t index)
{
	struct request *request = pool_at(&requests, index);
	uint32_t refs = request ? atomic_load(&request->refs) : 0;

	while (refs &&
	       !atomic_compare_exchange_weak(&request->refs, &refs, refs + 1))
		;
	return refs ? request : NULL;
}

void request_free(struct request *request)
{
	if (atomic_fetch_sub(&request->refs, 1) != 1)
		return;
	if (request->transfer && !request->transfer_sent)
		transfer_unsent(request->transfer);
	baggage_release(request->baggage);
	pool_give(&requests, request);
}

#ifdef AT_UNIT_TEST
uint32_t request_in_use(void)
{
	return pool_in_use(&requests);
}
#endif

/* --- what the request is about --- */

void request_fill_peer(struct at_span *span, const struct address *peer)
{
	if (!peer->len)
		return;
	at_span_set_text(span, AT_ATTR_NETWORK_PEER_ADDRESS,
			 (struct at_text){ peer->text, peer->len });
	if (peer->port)
		at_span_set_int(span, AT_ATTR_NETWORK_PEER_PORT, peer->port);
}

static void fill_span(struct request *request, const struct target *target,
		      const struct head_view *head, const struct address *peer)
{
	struct at_span *span = &request->span;

	/* First: what is set in parts is found. */
	target_fill_url(span, target, peer);
	method_fill(span, head->method);
	if (target->host.len) {
		at_span_set_text(span, AT_ATTR_SERVER_ADDRESS, target->host);
		at_span_set_int(span, AT_ATTR_SERVER_PORT, target->port);
	}
	request_fill_peer(span, peer);
	at_span_set_text(span, AT_ATTR_NETWORK_PROTOCOL_VERSION, head->version);
	if (head->cut)
		span->truncated = 1;
}

static void fill_hop(struct at_span *span, const struct transfer_hop *hop,
		     struct at_text host, const struct address *peer)
{
	transfer_fill(span, hop, host);
	if (!peer->len && *hop->peer && *hop->peer != '/')
		at_span_set_text(span, AT_ATTR_NETWORK_PEER_ADDRESS,
				 at_text_from(hop->peer));
}

/* --- whose child, kept or not --- */

static const struct at_context *choose_parent(struct request *request,
					      const struct head_view *head,
					      const struct target *target,
					      struct at_context *own,
					      enum context_rule *rule)
{
	const struct at_context *parent;

	if (head->context_count == 1 &&
	    !at_traceparent_parse(head->context, own)) {
		*rule = CONTEXT_HEADER;
		return own;
	}
	parent = context_parent(rule);
	if (*rule == CONTEXT_THREAD)
		request->baggage = baggage_hold(turn_baggage());
	if (*rule == CONTEXT_THREAD || !sole_context(request, target, own))
		return parent;
	*rule = CONTEXT_SOLE;
	return own;
}

/* SPAN-3: trace id, then the sampler, then a span id, even when dropped. */
void request_identity(struct at_context *context,
		      const struct at_context *parent)
{
	/* Who leaves it to us has not decided anything. */
	struct at_sample_request question = {
		.parent = parent && !parent->undecided ? parent : NULL,
	};

	if (parent) {
		at_context_copy(context, parent);
		context->flags = parent->flags & AT_FLAG_RANDOM;
	} else {
		at_ids_trace(context->trace_id);
		context->flags = AT_FLAG_RANDOM;
		context->debug = false;
		context->tracestate_len = 0;
	}
	context->remote = false;
	context->undecided = false;
	question.trace_id = context->trace_id;
	if (at_sample(&sampler, &question) == AT_RECORD_AND_SAMPLE)
		context->flags |= AT_FLAG_SAMPLED;
	at_ids_span(context->span_id);
}

void request_open_span(struct at_span *span, const struct at_context *context,
		       const struct at_context *parent, enum context_rule rule,
		       uint64_t start_ns)
{
	static const struct at_text names[] = {
		[CONTEXT_ROOT] = AT_TEXT(""),
		[CONTEXT_HEADER] = AT_TEXT("header"),
		[CONTEXT_THREAD] = AT_TEXT("thread"),
		[CONTEXT_SOLE] = AT_TEXT("sole"),
		[CONTEXT_PROCESS] = AT_TEXT("process"),
	};

	at_span_init(span, AT_KIND_CLIENT);
	memcpy(span->trace_id, context->trace_id, AT_TRACE_ID_BYTES);
	memcpy(span->span_id, context->span_id, AT_SPAN_ID_BYTES);
	span->flags = context->flags;
	span->start_unix_ns = at_clock_unix_ns(start_ns);
	if (!parent)
		return;
	memcpy(span->parent_id, parent->span_id, AT_SPAN_ID_BYTES);
	span->has_parent = 1;
	span->parent_remote = parent->remote;
	at_span_set_text(span, AT_ATTR_AUTOTRACE_PARENT, names[rule]);
	at_span_set_tracestate(span,
			       (struct at_text){ parent->tracestate,
						 parent->tracestate_len });
}

/* NULL: insert; else the reason, as in autotrace.not_propagated. */
static const char *refusal(struct request *request,
			   const struct head_view *head,
			   const struct target *target,
			   const struct address *peer,
			   enum request_insertion insertion)
{
	request->unsent_why = REQUEST_NOT_COUNTED;
	if (!propagators.count)
		return "off";
	if (target->connect)
		return "connect";
	if (!propagate_to(target->host, target->absolute ? NULL : peer)) {
		request->unsent_why = AT_COUNT_HEADER_FOREIGN;
		return "foreign_host";
	}
	if (request->rewrites)
		return NULL;
	if (head->context_count || head->has_tracestate ||
	    (head->has_others && others.count))
		return "own_context";
	if (insertion == REQUEST_UNSAFE) {
		request->unsent_why = AT_COUNT_HEADER_UNSAFE;
		return "unsafe_io";
	}
	return NULL;
}

/*
 * May its own traceparent name our span instead? Only one that is exported, and
 * that says no more than the application did: its flags stay. Not where it is
 * another tracer's.
 */
static bool may_rewrite(const struct request *request,
			const struct head_view *head,
			const struct at_context *parent, enum context_rule rule,
			enum request_insertion insertion)
{
	return insertion == REQUEST_REWRITE && rule == CONTEXT_HEADER &&
	       context_is_known(parent) && request->sampled &&
	       (parent->flags & AT_FLAG_SAMPLED) &&
	       head->context.len == AT_TRACEPARENT_BYTES &&
	       head->context.ptr[1] == '0'; /* version 00 */
}

static void write_id(struct request *request, const struct at_context *context)
{
	struct at_writer writer =
		AT_WRITER(request->header, AT_TRACEPARENT_PARENT_BYTES);

	at_write_hex(&writer, context->span_id, AT_SPAN_ID_BYTES);
}

/* The span is not open yet: room for the lines, where a stack has none. */
static void write_header(struct request *request,
			 const struct at_context *context, bool as_fields)
{
	struct at_writer writer =
		AT_WRITER(request->header, REQUEST_HEADER_BYTES);
	struct at_writer first =
		AT_WRITER((char *)request->span.fields, REQUEST_HEADER_BYTES);

	if (as_fields) {
		at_propagators_inject(&propagators, context, &first);
		at_http2_encode(at_writer_text(&first), &writer);
		writer.overflow |= first.overflow;
	} else {
		at_propagators_inject(&propagators, context, &writer);
	}
	request->header_len = writer.overflow ? 0 : (uint16_t)writer.len;
}

void request_not_propagated(struct request *request, const char *why)
{
	at_span_set_bool(&request->span, AT_ATTR_AUTOTRACE_PROPAGATED, false);
	at_span_set_text(&request->span, AT_ATTR_AUTOTRACE_NOT_PROPAGATED,
			 at_text_from(why));
}

static void drop_baggage(struct request *request)
{
	baggage_release(request->baggage);
	request->baggage = NULL;
}

/* Not beside its own. A frame of HTTP/2 has only so much room. */
static void add_baggage(struct request *request, const struct head_view *head)
{
	if (head->has_baggage)
		drop_baggage(request);
	if (request->baggage)
		baggage_append(request, head->as_fields,
			       head->as_fields ? AT_HTTP2_FRAME_BYTES -
							 request->own_length :
						 BAGGAGE_ROOM);
}

static void prepare(struct request *request, const struct head_view *head,
		    const struct address *peer,
		    enum request_insertion insertion)
{
	struct at_context context, own;
	enum context_rule rule;
	const struct at_context *parent;
	const struct transfer_hop *hop;
	struct target target;
	const char *why_not;

	drop_baggage(request);
	target_read(&target, head, peer);
	parent = choose_parent(request, head, &target, &own, &rule);
	request_identity(&context, parent);
	hop = target.connect ? NULL : transfer_next(peer);
	if (hop) {
		request->transfer = hop->id;
		request->start_ns = hop->start_ns;
	}
	if (rule == CONTEXT_HEADER && sdk_sends(parent))
		request->left_out = true;
	request->sampled = !request->left_out &&
			   (context.flags & AT_FLAG_SAMPLED);
	request->is_head = at_text_equal(head->method, AT_TEXT("HEAD"));
	request->is_connect = target.connect;
	request->is_upgrade = head->is_upgrade;
	request->expects_continue = head->expects_continue;
	request->header_len = 0;
	request->rewrites = may_rewrite(request, head, parent, rule, insertion);
	why_not = refusal(request, head, &target, peer, insertion);
	if (request->left_out)
		request->unsent_why = REQUEST_NOT_COUNTED;
	else if (why_not)
		request->rewrites = false;
	else if (request->rewrites)
		write_id(request, &context);
	else
		write_header(request, &context, head->as_fields);
	if (why_not || request->rewrites || request->left_out)
		drop_baggage(request);
	else
		add_baggage(request, head);
	if (!request->sampled)
		return;
	request_open_span(&request->span, &context, parent, rule,
			  request->start_ns);
	fill_span(request, &target, head, peer);
	request->has_below = !why_not;
	if (hop)
		fill_hop(&request->span, hop, target.host, peer);
	if (why_not)
		request_not_propagated(request, why_not);
}

void request_prepare(struct request *request, const struct at_http1 *machine,
		     const struct address *peer,
		     enum request_insertion insertion, struct at_text lines)
{
	const struct at_http1_text *text = &request->text;
	struct head_view head = {
		.method = at_http1_method(machine, text),
		.target = at_http1_target(machine, text),
		.authority = at_http1_host(machine, text),
		.context = at_http1_context(machine, text),
		.version = machine->minor ? AT_TEXT("1.1") : AT_TEXT("1.0"),
		.context_count = machine->context_count,
		.has_tracestate = machine->flags & AT_HTTP1_HAS_TRACESTATE,
		.has_baggage = machine->flags & AT_HTTP1_HAS_BAGGAGE,
		.has_others = machine->flags & AT_HTTP1_HAS_OTHERS,
		.cut = machine->flags & (AT_HTTP1_LINE_CUT | AT_HTTP1_HOST_CUT),
		.is_upgrade = machine->flags & AT_HTTP1_UPGRADE,
		.expects_continue = machine->flags & AT_HTTP1_EXPECT_CONTINUE,
		.secure = request->secure,
	};

	request->left_out =
		sdk_leaves_out(head.method, head.target, lines, false);
	prepare(request, &head, peer, insertion);
}

void request_prepare_http2(struct request *request,
			   const struct at_http2 *machine,
			   const struct address *peer,
			   enum request_insertion insertion)
{
	const struct at_http2_text *text = &request->text2;
	struct head_view head = {
		.method = at_http2_field(machine, text, AT_HTTP2_METHOD),
		.target = at_http2_field(machine, text, AT_HTTP2_PATH),
		.authority = at_http2_field(machine, text, AT_HTTP2_AUTHORITY),
		.context = at_http2_field(machine, text, AT_HTTP2_TRACEPARENT),
		.version = AT_TEXT("2"),
		.context_count = machine->context_count,
		.has_tracestate = machine->has_tracestate,
		.has_baggage = machine->has_baggage,
		.has_others = machine->has_others,
		.cut = machine->path_cut || machine->authority_cut,
		.secure = request->secure,
		.as_fields = true,
	};
	struct at_text scheme = at_http2_field(machine, text, AT_HTTP2_SCHEME);

	if (scheme.len)
		head.secure = at_text_equal(scheme, AT_TEXT("https"));
	request->own_length = machine->length;
	request->left_out = sdk_leaves_out(head.method, head.target,
					   (struct at_text){ NULL, 0 }, false);
	prepare(request, &head, peer, insertion);
}

/* --- on its way --- */

/* Planned again after each EAGAIN, counted once. */
void request_sent(struct request *request)
{
	if (request->unsent_why != REQUEST_NOT_COUNTED)
		at_count(request->unsent_why, 1);
	if (!request->transfer)
		return;
	request->transfer_sent = true;
	transfer_sent(request->transfer);
}

void request_answer_begins(struct request *request)
{
	uint64_t us = (at_clock_now_ns() - request->start_ns) / 1000;

	request->answer_begun = true;
	if (request->sampled)
		at_span_set_double(&request->span,
				   AT_ATTR_AUTOTRACE_CURL_FIRST_BYTE_MS,
				   (double)us / 1000);
}

static void fill_status(struct request *request, uint16_t status,
			uint16_t first_error)
{
	char digits[8];
	struct at_writer writer = AT_WRITER(digits, sizeof(digits));

	request->status = status;
	if (!request->sampled)
		return;
	at_span_set_int(&request->span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE,
			status);
	if (status < first_error)
		return;
	at_write_u64(&writer, status);
	at_span_set_error(&request->span, at_writer_text(&writer));
}

/* HTTP-10, HTTP-11: 4xx, 5xx and codes nobody knows are a client's errors. */
void request_answered(struct request *request, uint16_t status)
{
	fill_status(request, status, 400);
	if (request->callee && request->sampled)
		sole_answered(request);
}

void request_served(struct request *request, uint16_t status)
{
	fill_status(request, status, 500);
}

/* How long it took is said by the span itself. */
static void note_slow(struct at_span *span)
{
	if (config->slow_ms && span->duration_ns / 1000000 >= config->slow_ms)
		at_span_set_int(span, AT_FIELD_SLOW_THRESHOLD_MS,
				(int64_t)config->slow_ms);
}

void request_end(struct request *request, const char *error)
{
	struct at_span *span = &request->span;

	atomic_store_explicit(&request->done, true, memory_order_release);
	sole_closes(request);
	if (!request->sampled || atomic_exchange(&request->ended, true))
		return;
	/* The SDK tells of it too, and nothing hangs below ours. */
	if (sdk_is_here() && !request->has_below) {
		at_count(AT_COUNT_SDK_SPANS, 1);
		return;
	}
	span->duration_ns =
		(request->end_ns ? request->end_ns : at_clock_now_ns()) -
		request->start_ns;
	if (error)
		at_span_set_error(span, at_text_from(error));
	note_slow(span);
	output_span(span);
}

void request_abandon(struct request *request)
{
	if (request->sampled)
		at_span_set_bool(&request->span, AT_ATTR_AUTOTRACE_INCOMPLETE,
				 true);
	request_end(request, NULL);
}

static bool is_tunnel(const struct request *request)
{
	return request->is_connect && request->status >= 200 &&
	       request->status < 300;
}

bool request_leaves_http(const struct request *request)
{
	return request->status == 101 || is_tunnel(request);
}

bool request_answer_has_no_body(const struct request *request)
{
	return request->is_head || is_tunnel(request);
}

bool request_error_ends(int error)
{
	return error == ECONNRESET || error == EPIPE || error == ETIMEDOUT;
}

const char *request_error_name(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "connection_refused";
	case ECONNRESET:
	case ECONNABORTED:
		return "connection_reset";
	case EPIPE:
		return "broken_pipe";
	case ETIMEDOUT:
		return "timeout";
	case EHOSTUNREACH:
	case EHOSTDOWN:
		return "host_unreachable";
	case ENETUNREACH:
	case ENETDOWN:
		return "network_unreachable";
	default:
		return "_OTHER";
	}
}
