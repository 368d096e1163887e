// SPDX-License-Identifier: Apache-2.0
#include "tracer/forwarded.h"

#include <string.h>

#include "protocol/protocol.h"

/* What lies before `separator`, but not inside quotes, cut off the front. */
static bool cut_item(struct at_text *rest, char separator, struct at_text *item)
{
	bool quoted = false;
	size_t i;

	if (!rest->len)
		return false;
	for (i = 0; i < rest->len; i++) {
		if (rest->ptr[i] == '"')
			quoted = !quoted;
		if (rest->ptr[i] == separator && !quoted)
			break;
	}
	*item = at_text_trim((struct at_text){ rest->ptr, i });
	i += i < rest->len;
	rest->ptr += i;
	rest->len -= i;
	return true;
}

static struct at_text unquoted(struct at_text value)
{
	if (value.len >= 2 && value.ptr[0] == '"' &&
	    value.ptr[value.len - 1] == '"') {
		value.ptr++;
		value.len -= 2;
	}
	return value;
}

/* 192.0.2.1:80, [2001:db8::1]:80, 2001:db8::1; not "unknown", not "_hidden". */
static struct at_text address_of(struct at_text node)
{
	struct at_text nothing = { "", 0 }, host;

	if (!node.len || node.ptr[0] == '_' ||
	    at_text_equal_nocase(node, AT_TEXT("unknown")))
		return nothing;
	if (node.ptr[0] == '[') {
		node.ptr++;
		node.len--;
		return at_text_before(node, "]");
	}
	/* One colon is a port's; more are an address's own. */
	host = at_text_before(node, ":");
	return memchr(host.ptr + host.len + (host.len < node.len), ':',
		      node.len - host.len - (host.len < node.len)) ?
		       node :
		       host;
}

static void read_standard(struct forwarded *forwarded, struct at_text value)
{
	struct at_text hop, pair;

	if (!cut_item(&value, ',', &hop))
		return;
	while (cut_item(&hop, ';', &pair)) {
		struct at_text name = at_text_before(pair, "=");
		struct at_text what = { pair.ptr + name.len,
					pair.len - name.len };

		if (!what.len)
			continue;
		what.ptr++;
		what.len--;
		what = unquoted(at_text_trim(what));
		name = at_text_trim(name);
		if (at_text_equal_nocase(name, AT_TEXT("for")))
			forwarded->client = address_of(what);
		else if (at_text_equal_nocase(name, AT_TEXT("host")))
			forwarded->host = what;
		else if (at_text_equal_nocase(name, AT_TEXT("proto")))
			forwarded->proto = what;
	}
}

static struct at_text first_of(struct at_text head, struct at_text name)
{
	struct at_text value = at_http1_find_field(head, name), first;

	return cut_item(&value, ',', &first) ? first : value;
}

void forwarded_read(struct forwarded *forwarded, struct at_text head)
{
	memset(forwarded, 0, sizeof(*forwarded));
	/* Most heads have none of them: one look tells. */
	if (!memmem(head.ptr, head.len, "orwarded", 8) &&
	    !memmem(head.ptr, head.len, "ORWARDED", 8))
		return;
	read_standard(forwarded,
		      at_http1_find_field(head, AT_TEXT("forwarded")));
	if (!forwarded->client.len)
		forwarded->client =
			address_of(first_of(head, AT_TEXT("x-forwarded-for")));
	if (!forwarded->host.len)
		forwarded->host = first_of(head, AT_TEXT("x-forwarded-host"));
	if (!forwarded->proto.len)
		forwarded->proto = first_of(head, AT_TEXT("x-forwarded-proto"));
}
