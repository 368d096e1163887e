// SPDX-License-Identifier: Apache-2.0
/* What is telemetry, and by what a program shows that it has an SDK. */
#include <criterion/criterion.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tracer/sdk.h"

static struct at_config config = {
	.with_sdk = "defer",
	.server_spans = "true",
	.hub = "",
	.inbound = "auto",
};

static void start(void)
{
	sdk_start(&config);
}

TestSuite(sdk, .init = start);

static bool leaves_out(const char *method, const char *target,
		       const char *lines, bool served)
{
	return sdk_leaves_out(at_text_from(method), at_text_from(target),
			      at_text_from(lines), served);
}

#define HEAD(type) "POST / HTTP/1.1\r\nContent-Type: " type "\r\n\r\n"

Test(sdk, telemetry_is_left_out)
{
	static const struct {
		const char *method, *target, *lines;
		bool out, found;
	} cases[] = {
		{ "GET", "/v1/traces", "", false, false },
		{ "POST", "/v1/tracesx", "", false, false },
		{ "POST", "/v1/traces", HEAD("text/plain"), false, false },
		{ "POST", "/api/traces", HEAD("application/json"), false,
		  false },
		{ "POST", "/api/traces", HEAD("application/x-thrift"), true,
		  false },
		{ "POST", "/api/v2/spans?x=y", "", true, false },
		{ "PUT", "/v0.4/traces", "", true, false },
		{ "POST", "/v1/metrics", HEAD("application/json"), true,
		  false },
		{ "POST", "/x/v1/traces",
		  HEAD("application/x-protobuf; charset=x"), true, true },
		{ "POST", "http://proxied/v1/traces", HEAD("application/json"),
		  true, true },
		{ "POST", "/v1/traces", "", true, true },
		{ "POST",
		  "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
		  "", true, true },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start();
		/* Who receives spans has no SDK for that. */
		cr_expect_eq(leaves_out(cases[i].method, cases[i].target,
					cases[i].lines, true),
			     cases[i].out, "%zu", i);
		cr_expect(!sdk_is_here(), "%zu", i);
		cr_expect_eq(leaves_out(cases[i].method, cases[i].target,
					cases[i].lines, false),
			     cases[i].out, "%zu", i);
		cr_expect_eq(sdk_is_here(), cases[i].found, "%zu", i);
		cr_expect_eq(leaves_out("GET", "/", "", false), cases[i].found,
			     "%zu", i);
	}
}

Test(sdk, both_is_both)
{
	config.with_sdk = "both";
	start();
	cr_expect(leaves_out("POST", "/v1/traces", "", false));
	cr_expect(!leaves_out("GET", "/", "", false));
}

static struct at_context context_of(uint8_t trace, uint8_t span)
{
	struct at_context context = { .flags = AT_FLAG_SAMPLED };

	memset(context.trace_id, trace, sizeof(context.trace_id));
	memset(context.span_id, span, sizeof(context.span_id));
	return context;
}

Test(sdk, a_span_below_a_served_request_is_an_sdks)
{
	struct at_context came = context_of(1, 1), below = context_of(1, 2);

	context_came_in(&came);
	context_trace_comes_in(&came);
	cr_expect(!sdk_sends(&came), "handed on");
	cr_expect(sdk_sends(&below));
	cr_expect(sdk_is_here());
}

Test(sdk, one_header_by_hand_shows_nothing_and_two_do)
{
	struct at_context one = context_of(1, 1), two = context_of(2, 2);

	cr_expect(!sdk_sends(&one));
	cr_expect(!sdk_sends(&one));
	cr_expect(sdk_sends(&two));
}

/* Whoever reads requests elsewhere hands on what we have not seen. */
Test(sdk, ids_show_nothing_where_not_all_is_seen)
{
	static const char *const reads[] = { "\x16\x03\x01\x02", "PRI * ",
					     "\x01\x01\x00\x01" };
	struct at_context one = context_of(1, 1), two = context_of(2, 2);
	int ends[2];
	size_t i;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	for (i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
		start();
		sdk_reads(ends[0], reads[i], 4);
		cr_expect(!sdk_sends(&one) && !sdk_sends(&two), "%zu", i);
	}
	close(ends[0]);
	close(ends[1]);
	config.server_spans = "false";
	start();
	sdk_accepts();
	cr_expect(!sdk_sends(&one) && !sdk_sends(&two));
}

Test(sdk, ids_show_nothing_once_some_are_forgotten)
{
	struct at_context one = context_of(1, 1), two = context_of(2, 2);
	unsigned int i;

	for (i = 0; i < 9; i++)
		context_came_in(&one);
	cr_expect(context_is_forgetful());
	cr_expect(!sdk_sends(&two) && !sdk_sends(&two));
}
