// SPDX-License-Identifier: Apache-2.0
#include "tracer/served_span.h"

#include "tracer/capture.h"
#include "tracer/forwarded.h"
#include "tracer/method.h"
#include "tracer/route.h"

static void fill_target(struct at_span *span, const struct conn *conn,
			const struct request *request, struct at_text proto)
{
	struct at_text target = at_http1_target(&conn->in, &request->text);
	struct at_text path = at_text_before(target, "?");

	route_fill(span, path);
	at_span_set_text(span, AT_ATTR_URL_SCHEME,
			 proto.len ? proto : AT_TEXT("http"));
	at_span_set_text(span, AT_ATTR_URL_PATH, path);
	if (path.len < target.len)
		at_span_set_text(span, AT_ATTR_URL_QUERY,
				 (struct at_text){ path.ptr + path.len + 1,
						   target.len - path.len - 1 });
}

/* HTTP-21, HTTP-22: the port only where somebody names it. */
static void fill_host(struct at_span *span, struct at_text authority)
{
	struct at_text host;
	uint16_t port;

	if (!authority.len)
		return;
	if (!address_split(authority, &host, &port)) {
		host = authority;
		port = 0;
	}
	at_span_set_text(span, AT_ATTR_SERVER_ADDRESS, host);
	if (port)
		at_span_set_int(span, AT_ATTR_SERVER_PORT, port);
}

/* HTTP-23: who asked first, where a proxy says it; else the other end. */
static void fill_client(struct at_span *span, const struct address *peer,
			struct at_text client)
{
	if (!client.len)
		client = (struct at_text){ peer->text, peer->len };
	if (client.len)
		at_span_set_text(span, AT_ATTR_CLIENT_ADDRESS, client);
}

static void fill_fields(struct at_span *span, struct at_text head)
{
	struct at_text agent = at_http1_find_field(head, AT_TEXT("user-agent"));

	if (capture_is_on(CAPTURE_SERVER_REQUEST))
		capture_fill(span, CAPTURE_SERVER_REQUEST, head);
	if (agent.len)
		at_span_set_text(span, AT_ATTR_USER_AGENT_ORIGINAL, agent);
}

void served_fill_span(const struct conn *conn, struct request *request,
		      struct at_text head)
{
	struct at_span *span = &request->span;
	const struct address *peer = &conn->peer;
	struct forwarded forwarded;

	forwarded_read(&forwarded, head);
	method_fill(span, at_http1_method(&conn->in, &request->text));
	fill_target(span, conn, request, forwarded.proto);
	fill_host(span, forwarded.host.len ?
				forwarded.host :
				at_http1_host(&conn->in, &request->text));
	fill_client(span, peer, forwarded.client);
	request_fill_peer(span, peer);
	fill_fields(span, head);
	at_span_set_text(span, AT_ATTR_NETWORK_PROTOCOL_VERSION,
			 conn->in.minor ? AT_TEXT("1.1") : AT_TEXT("1.0"));
	if (conn->in.flags & (AT_HTTP1_LINE_CUT | AT_HTTP1_HOST_CUT))
		span->truncated = 1;
}
