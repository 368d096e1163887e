// SPDX-License-Identifier: Apache-2.0
#include "tracer/inbound.h"

#include <errno.h>
#include <string.h>

#include "propagator/propagator.h"

/* "traceparent: ", the value, CRLF */
#define INSERTED_BYTES (13 + AT_TRACEPARENT_BYTES + 2)
#define STATES_MAX 8

static bool may_rewrite;
static bool may_insert;

bool inbound_is_edge_proxy(void)
{
	return !strcmp(program_invocation_short_name, "nginx") ||
	       !strcmp(program_invocation_short_name, "haproxy");
}

/* Does a context leave this program at all, and as a traceparent? */
static bool hands_on(const struct at_config *config)
{
	struct at_propagator_set set;
	unsigned int i;

	if (!strcmp(config->propagate_to, "none"))
		return false;
	at_propagators_select(&set, config->propagators);
	for (i = 0; i < set.count; i++)
		if (!strcmp(set.item[i]->name, "tracecontext"))
			return true;
	return false;
}

void inbound_start(const struct at_config *config)
{
	char how = config->inbound[0];

	may_rewrite = how != 'o';
	may_insert = (how == 'i' || (how == 'a' && inbound_is_edge_proxy())) &&
		     hands_on(config);
}

/* --- what comes in --- */

static void read_tracestate(struct at_text head, struct at_context *parent)
{
	struct at_text fields[STATES_MAX];
	size_t count = 0;

	while (count < STATES_MAX &&
	       at_http1_next_field(&head, AT_TEXT("tracestate"),
				   &fields[count]))
		count++;
	if (count)
		at_tracestate_parse(fields, count, parent);
}

struct head_carrier {
	struct at_carrier carrier; /* first */
	struct at_text head;
};

static struct at_text get(const struct at_carrier *carrier, const char *name)
{
	const struct head_carrier *self = (const struct head_carrier *)carrier;

	return at_http1_find_field(self->head, at_text_from(name));
}

enum inbound inbound_read(const struct conn *conn,
			  const struct request *request, struct at_text head,
			  struct at_context *parent)
{
	const struct head_carrier carrier = { { get }, head };
	struct at_text value = at_http1_context(&conn->in, &request->text);
	enum inbound found = INBOUND_NONE;

	memset(parent, 0, offsetof(struct at_context, tracestate));
	if (conn->in.context_count == 1 &&
	    !at_traceparent_parse(value, parent)) {
		found = INBOUND_TRACEPARENT;
		if (conn->in.flags & AT_HTTP1_HAS_TRACESTATE)
			read_tracestate(head, parent);
	}
	if (context_read_others(parent, request_others(), &carrier.carrier))
		found = INBOUND_OTHER;
	return found;
}

/* --- what the application gets to see --- */

void inbound_rewrite(const struct conn *conn, struct request *request,
		     char *begin, char *end)
{
	size_t behind = conn->in.head_bytes - conn->in.context_at;
	struct at_writer writer;
	char *value = end - behind;

	if (!may_rewrite || conn->peeked || behind > (size_t)(end - begin))
		return;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	if (end - value < AT_TRACEPARENT_BYTES ||
	    at_traceparent_is_signed(
		    (struct at_text){ begin, (size_t)(end - begin) }))
		return;
	writer = AT_WRITER(value + AT_TRACEPARENT_PARENT_AT,
			   AT_TRACEPARENT_PARENT_BYTES);
	at_write_hex(&writer, request->context.span_id, AT_SPAN_ID_BYTES);
	request->has_below = true;
}

size_t inbound_insert(struct conn *conn, struct request *request,
		      struct at_text head, char *end, size_t behind)
{
	char line[INSERTED_BYTES];
	struct at_writer writer = AT_WRITER(line, sizeof(line));

	if (!may_insert || conn->in.context_count ||
	    conn->room < sizeof(line) ||
	    (conn->in.flags & AT_HTTP1_HAS_TRACESTATE) || conn->peeked ||
	    !head.len)
		return 0;
	at_write_string(&writer, "traceparent: ");
	at_traceparent_write(&writer, &request->context);
	at_write_string(&writer, "\r\n");
	memmove(end + sizeof(line), end, behind);
	memcpy(end, line, sizeof(line));
	conn->room -= sizeof(line);
	request->has_below = true;
	return sizeof(line);
}
