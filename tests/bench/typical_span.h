// SPDX-License-Identifier: Apache-2.0
/* The span of an everyday request, as request_prepare() fills it. */
#ifndef BENCH_TYPICAL_SPAN_H
#define BENCH_TYPICAL_SPAN_H

#include <string.h>

#include "core/ids.h"
#include "core/span.h"

/* `number` makes it differ from its neighbours as real ones do. */
static inline void typical_span(struct at_span *span, uint32_t number)
{
	char url[96];
	struct at_writer writer = AT_WRITER(url, sizeof(url));

	at_span_init(span, AT_KIND_CLIENT);
	at_ids_trace(span->trace_id);
	at_ids_span(span->span_id);
	at_ids_span(span->parent_id);
	span->flags = AT_FLAG_SAMPLED | AT_FLAG_RANDOM;
	span->has_parent = 1;
	span->start_unix_ns = UINT64_C(1795428000000000000) + number * 8123u;
	span->duration_ns = 900000 + number * 37u % 400000;
	span->pid = 4242;
	span->tid = 4242;
	at_write_string(&writer, "http://inventory.svc:8080/api/order/");
	at_write_u64(&writer, 100000 + number * 7919u % 900000);
	at_span_set_text(span, AT_ATTR_AUTOTRACE_PARENT, AT_TEXT("process"));
	at_span_set_name(span, AT_TEXT("GET"));
	at_span_set_text(span, AT_ATTR_HTTP_REQUEST_METHOD, AT_TEXT("GET"));
	at_span_set_text(span, AT_ATTR_SERVER_ADDRESS,
			 AT_TEXT("inventory.svc"));
	at_span_set_int(span, AT_ATTR_SERVER_PORT, 8080);
	at_span_set_text(span, AT_ATTR_NETWORK_PEER_ADDRESS,
			 AT_TEXT("10.0.12.34"));
	at_span_set_int(span, AT_ATTR_NETWORK_PEER_PORT, 8080);
	at_span_set_text(span, AT_ATTR_NETWORK_PROTOCOL_VERSION,
			 AT_TEXT("1.1"));
	at_span_set_text(span, AT_ATTR_URL_FULL, at_writer_text(&writer));
	at_span_set_int(span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE, 200);
}

#endif
