// SPDX-License-Identifier: Apache-2.0
#include "tracer/unseen.h"
#include "tracer/method.h"
#include "tracer/sdk.h"

/* Scheme, host and port of a URL; false: not of HTTP. */
static bool read_url(const struct at_transfer_facts *facts, bool *secure,
		     struct at_text *host, uint16_t *port)
{
	static const struct at_text http = AT_TEXT("http"),
				    https = AT_TEXT("https");
	struct at_text rest = at_text_from(facts->url);
	struct at_text scheme = at_text_before(rest, ":");
	size_t i;

	if (rest.len < scheme.len + 3 || rest.ptr[scheme.len + 1] != '/' ||
	    rest.ptr[scheme.len + 2] != '/')
		return false;
	*secure = at_text_equal_nocase(scheme, https);
	if (!*secure && !at_text_equal_nocase(scheme, http))
		return false;
	rest.ptr += scheme.len + 3;
	rest.len -= scheme.len + 3;
	rest = at_text_before(rest, "/?#");
	for (i = 0; i < rest.len; i++)
		if (rest.ptr[i] == '@') { /* whoever signs in */
			rest.ptr += i + 1;
			rest.len -= i + 1;
			i = (size_t)-1;
		}
	*host = rest;
	if (!address_split(rest, host, port))
		*port = 0;
	if (!*port)
		*port = *secure ? 443 : 80;
	return true;
}

static struct at_text version_text(long version)
{
	switch (version) {
	case 10:
		return AT_TEXT("1.0");
	case 11:
		return AT_TEXT("1.1");
	case 20:
		return AT_TEXT("2");
	case 30:
		return AT_TEXT("3");
	default:
		return (struct at_text){ NULL, 0 };
	}
}

static void fill(struct request *request, const struct transfer_hop *hop,
		 uint32_t hops, const struct at_transfer_facts *facts)
{
	struct at_span *span = &request->span;
	struct at_text version = version_text(facts->http_version);
	struct at_text host = { NULL, 0 };
	uint16_t port;
	bool secure;

	method_fill(span, at_text_from(facts->method));
	at_span_set_text(span, AT_ATTR_URL_FULL, at_text_from(facts->url));
	if (read_url(facts, &secure, &host, &port)) {
		at_span_set_text(span, AT_ATTR_SERVER_ADDRESS, host);
		at_span_set_int(span, AT_ATTR_SERVER_PORT, port);
	}
	if (facts->peer && *facts->peer)
		at_span_set_text(span, AT_ATTR_NETWORK_PEER_ADDRESS,
				 at_text_from(facts->peer));
	if (facts->status && version.len)
		at_span_set_text(span, AT_ATTR_NETWORK_PROTOCOL_VERSION,
				 version);
	transfer_fill(span, hop, host);
	if (hops) {
		at_span_set_bool(span, AT_ATTR_AUTOTRACE_PROPAGATED, false);
		at_span_set_text(span, AT_ATTR_AUTOTRACE_NOT_PROPAGATED,
				 AT_TEXT("unseen"));
	}
	if (facts->status && hops <= 1 && facts->first_byte_us > 0)
		at_span_set_double(span, AT_ATTR_AUTOTRACE_CURL_FIRST_BYTE_MS,
				   (double)facts->first_byte_us / 1000);
	if (facts->status)
		request_answered(request, (uint16_t)facts->status);
}

void unseen_report(const struct at_transfer *transfer,
		   const struct transfer_hop *hop, uint32_t hops,
		   const char *error)
{
	struct at_transfer_facts facts = { .status = 0 };
	struct at_context context;
	struct request *request; /* for the span: stacks may be small */
	enum context_rule rule;
	const struct at_context *parent = context_parent(&rule);
	struct at_text host;
	uint16_t port;
	bool secure;

	if (sdk_is_here())
		return;
	transfer->facts(transfer, &facts);
	if ((!error && !facts.status) ||
	    !read_url(&facts, &secure, &host, &port))
		return;
	request_identity(&context, parent);
	request = context.flags & AT_FLAG_SAMPLED ? request_new() : NULL;
	if (!request)
		return;
	request->sampled = true;
	request->start_ns = hop->start_ns;
	request_open_span(&request->span, &context, parent, rule,
			  request->start_ns);
	fill(request, hop, hops, &facts);
	request_end(request, error);
	request_free(request);
}
