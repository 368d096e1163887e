// SPDX-License-Identifier: Apache-2.0
/* What a request's span says, and what is written into its head. */
#include "tracer/request.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "core/counters.h"
#include "tests/support/vectors.h"
#include "tests/support/wire.h"

static struct request *request;
static struct at_http1 machine;
static struct at_span span;

static void start(void)
{
	wire_start(NULL);
}

TestSuite(request, .init = start);

/* A request with this head, ready to be sent to the peer. */
static void prepare_to(const char *head, const struct address *peer,
		       enum request_insertion insertion)
{
	static const struct address unknown;
	size_t used;

	request = request_new();
	at_http1_init(&machine, false);
	cr_assert_eq(at_http1_feed(&machine, &request->text, head, strlen(head),
				   &used),
		     AT_HTTP1_HEAD, "%s", head);
	request_prepare(request, &machine, peer ? peer : &unknown, insertion,
			(struct at_text){ NULL, 0 });
}

static void prepare(const char *head)
{
	prepare_to(head, NULL, REQUEST_INSERT);
}

/* Ends it; the span is there to be looked at. */
static void end(const char *error)
{
	request_end(request, error);
	request_free(request);
	cr_assert(wire_next_span(&span));
	cr_assert_eq(request_in_use(), 0);
}

static const char *text(enum at_attr attr)
{
	return wire_text(&span, attr);
}

static int64_t number(enum at_attr attr)
{
	return wire_number(&span, attr);
}

/* "10.0.0.1:80" */
static struct address address_of(const char *ip_and_port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct address address;
	char ip[64];
	const char *port;

	if (!ip_and_port) {
		memset(&address, 0, sizeof(address));
		return address;
	}
	port = strrchr(ip_and_port, ':');
	snprintf(ip, sizeof(ip), "%.*s", (int)(port - ip_and_port),
		 ip_and_port);
	cr_assert_eq(inet_pton(AF_INET, ip, &in.sin_addr), 1);
	in.sin_port = htons((uint16_t)atoi(port + 1));
	address_from(&address, (struct sockaddr *)&in, sizeof(in));
	return address;
}

static const char *or_empty(const char *string)
{
	return string ? string : "";
}

Test(request, a_slow_one_says_so)
{
	char slow_ms[] = "AUTOTRACE_SLOW_MS=20";
	char *settings[] = { slow_ms, NULL };
	struct at_field field;

	wire_start(settings);
	prepare("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	request->start_ns = 1000;
	request->end_ns = 1000 + 19999999;
	end(NULL);
	cr_expect_not(at_span_find(&span, AT_FIELD_SLOW_THRESHOLD_MS, &field));
	prepare("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	request->start_ns = 1000;
	request->end_ns = 1000 + 20000000;
	end(NULL);
	cr_assert(at_span_find(&span, AT_FIELD_SLOW_THRESHOLD_MS, &field));
	cr_expect_eq(field.number, 20);
}

/* --- vectors --- */

static bool is_client(const cJSON *vector)
{
	return !strcmp(vector_text(vector, "kind"), "CLIENT");
}

Test(request, names_and_methods)
{
	cJSON *all = vectors_load("http-name"), *vector;

	cJSON_ArrayForEach(vector, all) {
		char head[200];
		char **env = vector_env(vector, "env");

		if (is_client(vector)) {
			wire_start(env);
			snprintf(head, sizeof(head),
				 "%s / HTTP/1.1\r\nHost: h\r\n\r\n",
				 vector_text(vector, "method"));
			prepare(head);
			end(NULL);
			cr_expect_str_eq(text(AT_FIELD_NAME),
					 vector_text(vector, "name"), "%s",
					 vector_id(vector));
			cr_expect_str_eq(text(AT_ATTR_HTTP_REQUEST_METHOD),
					 vector_text(vector,
						     "http.request.method"),
					 "%s", vector_id(vector));
			cr_expect_str_eq(
				text(AT_ATTR_HTTP_REQUEST_METHOD_ORIGINAL),
				or_empty(vector_text(
					vector,
					"http.request.method_original")),
				"%s", vector_id(vector));
			cr_expect_eq(span.kind, AT_KIND_CLIENT);
		}
		vector_env_free(env);
	}
	cJSON_Delete(all);
}

static void check_address(const cJSON *vector)
{
	struct address peer = address_of(vector_text(vector, "peer"));
	const char *address = vector_text(vector, "network.peer.address");
	char head[300];

	snprintf(head, sizeof(head), "%s\r\nHost: %s\r\n\r\n",
		 vector_text(vector, "request"), vector_text(vector, "host"));
	prepare_to(head, &peer, REQUEST_INSERT);
	end(NULL);
	cr_expect_str_eq(text(AT_ATTR_SERVER_ADDRESS),
			 vector_text(vector, "server.address"), "%s",
			 vector_id(vector));
	cr_expect_eq(number(AT_ATTR_SERVER_PORT),
		     vector_int(vector, "server.port", -1), "%s",
		     vector_id(vector));
	cr_expect_str_eq(text(AT_ATTR_URL_FULL),
			 or_empty(vector_text(vector, "url.full")), "%s",
			 vector_id(vector));
	if (!address)
		return;
	cr_expect_str_eq(text(AT_ATTR_NETWORK_PEER_ADDRESS), address);
	cr_expect_eq(number(AT_ATTR_NETWORK_PEER_PORT),
		     vector_int(vector, "network.peer.port", -1));
}

Test(request, addresses)
{
	cJSON *all = vectors_load("http-address"), *vector;
	int count = 0;

	cJSON_ArrayForEach(vector, all) {
		if (!is_client(vector) ||
		    strcmp(vector_text(vector, "scheme"), "http"))
			continue;
		check_address(vector);
		count++;
	}
	cr_expect_eq(count, 4);
	cJSON_Delete(all);
}

static const char *error_of(const char *what)
{
	if (!what || strstr(what, "on purpose"))
		return NULL;
	if (strstr(what, "ECONNREFUSED"))
		return request_error_name(ECONNREFUSED);
	if (strstr(what, "ECONNRESET"))
		return request_error_name(ECONNRESET);
	return request_error_name(ETIMEDOUT);
}

Test(request, statuses)
{
	cJSON *all = vectors_load("http-status"), *vector;

	cJSON_ArrayForEach(vector, all) {
		int64_t status = vector_int(vector, "status_code", -1);
		const char *how = vector_text(vector, "transport_error");
		bool error =
			!strcmp(vector_text(vector, "span_status"), "ERROR");

		if (!is_client(vector) || (how && strstr(how, "EAI_")))
			continue;
		prepare("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
		if (status > 0)
			request_answered(request, (uint16_t)status);
		end(error_of(how));
		cr_expect_eq(span.status,
			     error ? AT_STATUS_ERROR : AT_STATUS_UNSET, "%s",
			     vector_id(vector));
		cr_expect_str_eq(text(AT_ATTR_ERROR_TYPE),
				 or_empty(vector_text(vector, "error.type")),
				 "%s", vector_id(vector));
		cr_expect_eq(number(AT_ATTR_HTTP_RESPONSE_STATUS_CODE), status,
			     "%s", vector_id(vector));
	}
	cJSON_Delete(all);
}

/* --- where it goes --- */

static void expect_url(const char *head, const struct address *peer,
		       const char *url, const char *host, int port)
{
	prepare_to(head, peer, REQUEST_INSERT);
	end(NULL);
	cr_expect_str_eq(text(AT_ATTR_URL_FULL), url);
	cr_expect_str_eq(text(AT_ATTR_SERVER_ADDRESS), host);
	cr_expect_eq(number(AT_ATTR_SERVER_PORT), port);
}

Test(request, urls)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(8080) };
	struct sockaddr_un un = { .sun_family = AF_UNIX,
				  .sun_path = "/run/docker.sock" };
	struct address peer = address_of("10.1.2.3:8080");

	expect_url("GET /a?b#c HTTP/1.1\r\nHost: h:81\r\n\r\n", NULL,
		   "http://h:81/a?b#c", "h", 81);
	expect_url("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", NULL, "http://h",
		   "h", 80);
	expect_url("GET HTTP://u:p@h:82/x HTTP/1.1\r\nHost: other\r\n\r\n",
		   NULL, "HTTP://u:p@h:82/x", "h", 82);
	expect_url("GET http://h?q HTTP/1.1\r\n\r\n", NULL, "http://h?q", "h",
		   80);
	expect_url("GET / HTTP/1.0\r\n\r\n", &peer, "http://10.1.2.3:8080/",
		   "10.1.2.3", 8080);
	cr_expect_str_eq(text(AT_ATTR_NETWORK_PROTOCOL_VERSION), "1.0");
	inet_pton(AF_INET6, "2001:db8::5", &in6.sin6_addr);
	address_from(&peer, (struct sockaddr *)&in6, sizeof(in6));
	expect_url("GET / HTTP/1.1\r\n\r\n", &peer,
		   "http://[2001:db8::5]:8080/", "2001:db8::5", 8080);
	cr_expect_str_eq(text(AT_ATTR_NETWORK_PROTOCOL_VERSION), "1.1");
	address_from(&peer, (struct sockaddr *)&un, sizeof(un));
	expect_url("GET /info HTTP/1.1\r\nHost: docker\r\n\r\n", &peer,
		   "http://docker/info", "docker", 80);
	cr_expect_str_eq(text(AT_ATTR_NETWORK_PEER_ADDRESS),
			 "/run/docker.sock");
	cr_expect_eq(number(AT_ATTR_NETWORK_PEER_PORT), -1);
}

Test(request, a_long_url_is_cut_and_says_so)
{
	static char head[AT_HTTP1_LINE_BYTES + 200];
	char *at = stpcpy(head, "GET /");

	memset(at, 'a', AT_HTTP1_LINE_BYTES);
	strcpy(at + AT_HTTP1_LINE_BYTES, " HTTP/1.1\r\nHost: h\r\n\r\n");
	prepare(head);
	request_answered(request, 500);
	end(NULL);
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_TRUNCATED), 1);
	cr_expect_gt(strlen(text(AT_ATTR_URL_FULL)), 1000);
	cr_expect_eq(number(AT_ATTR_HTTP_RESPONSE_STATUS_CODE), 500);
	cr_expect_str_eq(text(AT_ATTR_ERROR_TYPE), "500");
}

/* --- the context --- */

#define PARENT "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"

static void hex(char *to, const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sprintf(to + 2 * i, "%02x", bytes[i]);
}

/* The header is that of the span: flags, ids, and nothing behind. */
static void expect_header(const char *flags)
{
	char expected[100], trace[33], id[17];

	hex(trace, request->span.trace_id, 16);
	hex(id, request->span.span_id, 8);
	snprintf(expected, sizeof(expected), "traceparent: 00-%s-%s-%s\r\n",
		 trace, id, flags);
	cr_expect_eq(request->header_len, strlen(expected));
	cr_expect_arr_eq(request->header, expected, strlen(expected));
}

static void expect_bare(const char *why)
{
	cr_expect_eq(request->header_len, 0);
	end(NULL);
	cr_expect_str_eq(text(AT_ATTR_AUTOTRACE_NOT_PROPAGATED), why);
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_PROPAGATED), *why ? 0 : -1);
}

Test(request, a_root_is_random_and_sampled)
{
	prepare("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	expect_header("03");
	end(NULL);
	cr_expect_eq(span.has_parent, 0);
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_PROPAGATED), -1);
}

Test(request, unsampled_it_carries_context_all_the_same)
{
	static char off[] = "OTEL_TRACES_SAMPLER=always_off";
	char *settings[] = { off, NULL };

	wire_start(settings);
	prepare("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	cr_expect_eq(request->header_len, WIRE_HEADER_BYTES);
	cr_expect_arr_eq(request->header + 65, "-02\r\n", 5);
	request_answered(request, 500);
	request_abandon(request);
	request_free(request);
	cr_expect_not(wire_next_span(&span));
}

Test(request, its_own_context_is_the_parent)
{
	char id[33];

	prepare("GET / HTTP/1.1\r\nHost: h\r\ntraceparent: " PARENT
		"01\r\n\r\n");
	expect_bare("own_context");
	hex(id, span.trace_id, 16);
	cr_expect_str_eq(id, TRACE_ID);
	hex(id, span.parent_id, 8);
	cr_expect_str_eq(id, "b7ad6b7169203331");
	cr_expect_eq(span.parent_remote, 1);
	cr_expect_str_eq(text(AT_ATTR_AUTOTRACE_PARENT), "header");
	/* Not sampled there, not sampled here. */
	prepare("GET / HTTP/1.1\r\nHost: h\r\ntraceparent: " PARENT
		"00\r\n\r\n");
	cr_expect_not(request->sampled);
	request_free(request);
}

Test(request, what_is_no_context_is_left_alone)
{
	prepare("GET / HTTP/1.1\r\nHost: h\r\ntraceparent: x\r\n\r\n");
	expect_bare("own_context");
	cr_expect_eq(span.has_parent, 0);
	prepare("GET / HTTP/1.1\r\nHost: h\r\ntracestate: a=b\r\n\r\n");
	expect_bare("own_context");
	prepare("GET / HTTP/1.1\r\nHost: h\r\ntraceparent: " PARENT
		"01\r\ntraceparent: " PARENT "01\r\n\r\n");
	expect_bare("own_context");
}

Test(request, the_reason_for_no_header_is_on_the_span)
{
	prepare("CONNECT h:443 HTTP/1.1\r\n\r\n");
	cr_expect(request->is_connect);
	expect_bare("connect");
	prepare("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");
	expect_bare("foreign_host");
	prepare_to("GET / HTTP/1.1\r\nHost: h\r\n\r\n", NULL, REQUEST_UNSAFE);
	request_sent(request);
	request_sent(request);
	expect_bare("unsafe_io");
	cr_expect_eq(at_counter_value(AT_COUNT_HEADER_UNSAFE), 2);
	cr_expect_eq(at_counter_value(AT_COUNT_HEADER_FOREIGN), 0);
}

Test(request, the_process_may_have_a_parent, .init = NULL)
{
	char id[33];

	setenv("TRACEPARENT", PARENT "01", 1);
	setenv("TRACESTATE", "a=1,b=2", 1);
	wire_start(NULL);
	prepare("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	cr_expect_arr_eq(request->header + WIRE_HEADER_BYTES,
			 "tracestate: a=1,b=2\r\n", 21);
	cr_expect_eq(request->header_len, WIRE_HEADER_BYTES + 21);
	end(NULL);
	hex(id, span.trace_id, 16);
	cr_expect_str_eq(id, TRACE_ID);
	hex(id, span.parent_id, 8);
	cr_expect_str_eq(id, "b7ad6b7169203331");
	cr_expect_str_eq(text(AT_ATTR_AUTOTRACE_PARENT), "process");
	cr_expect_str_eq(text(AT_FIELD_TRACESTATE), "a=1,b=2");
}

/* The longest that is taken in goes out whole. */
Test(request, a_full_tracestate_fits, .init = NULL)
{
	static char state[600];
	int len = sprintf(state, "a=%0250d,b=%0250d,c=3", 1, 2);

	cr_assert_eq(len, 509);
	setenv("TRACEPARENT", PARENT "01", 1);
	setenv("TRACESTATE", state, 1);
	wire_start(NULL);
	prepare("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	cr_expect_eq(request->header_len, WIRE_HEADER_BYTES + 14 + len);
	cr_expect_leq(request->header_len, REQUEST_HEADER_BYTES);
	cr_expect_arr_eq(request->header + request->header_len - 2, "\r\n", 2);
	end(NULL);
}

/* --- what the answer has to know --- */

Test(request, what_the_answer_has_to_know)
{
	prepare("HEAD / HTTP/1.1\r\nExpect: 100-continue\r\n"
		"Upgrade: x\r\n\r\n");
	cr_expect(request->is_head);
	cr_expect(request->expects_continue);
	cr_expect(request->is_upgrade);
	cr_expect_not(request->is_connect);
	request_free(request);
	prepare("GET / HTTP/1.1\r\n\r\n");
	cr_expect_not(request->is_head);
	cr_expect_not(request->expects_continue);
	cr_expect_not(request->is_upgrade);
	request_free(request);
}

Test(request, abandoned_it_says_so)
{
	prepare("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	request_abandon(request);
	request_free(request);
	cr_assert(wire_next_span(&span));
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_INCOMPLETE), 1);
	cr_expect_eq(span.status, AT_STATUS_UNSET);
}

Test(request, it_lives_while_somebody_holds_it)
{
	prepare("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	request_hold(request);
	request_free(request);
	cr_expect_eq(request_in_use(), 1);
	request_free(request);
	cr_expect_eq(request_in_use(), 0);
}

Test(request, when_there_is_no_room_it_is_counted)
{
	static struct request *all[POOL_CHUNKS * 32];
	size_t count = 0;

	while ((request = request_new()))
		all[count++] = request;
	cr_expect_eq(count, POOL_CHUNKS * 32);
	cr_expect_eq(at_counter_value(AT_COUNT_NO_MEMORY), 1);
	while (count)
		request_free(all[--count]);
	cr_expect_eq(request_in_use(), 0);
}
