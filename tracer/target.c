// SPDX-License-Identifier: Apache-2.0
#include "tracer/target.h"

#include <string.h>

static bool absolute_form(struct at_text target, struct at_text *authority)
{
	static const struct at_text scheme = AT_TEXT("http://");
	size_t i;

	if (target.len <= scheme.len ||
	    !at_text_equal_nocase((struct at_text){ target.ptr, scheme.len },
				  scheme))
		return false;
	authority->ptr = target.ptr + scheme.len;
	authority->len = target.len - scheme.len;
	*authority = at_text_before(*authority, "/?#");
	/* userinfo is no part of the host */
	for (i = 0; i < authority->len; i++)
		if (authority->ptr[i] == '@') {
			authority->ptr += i + 1;
			authority->len -= i + 1;
			i = 0;
		}
	return true;
}

void target_read(struct target *target, const struct head_view *head,
		 const struct address *peer)
{
	memset(target, 0, sizeof(*target));
	target->head = head;
	target->default_port = head->secure ? 443 : 80;
	target->authority = head->authority;
	target->connect = at_text_equal(head->method, AT_TEXT("CONNECT"));
	if (target->connect && head->target.len)
		target->authority = head->target;
	else if (!target->connect)
		target->absolute =
			absolute_form(head->target, &target->authority);
	if (!target->authority.len && peer->len && peer->port) {
		target->host = (struct at_text){ peer->text, peer->len };
		target->port = peer->port;
		return;
	}
	if (!address_split(target->authority, &target->host, &target->port))
		target->host = target->authority;
	if (!target->port)
		target->port = target->default_port;
}

/* Where neither Host nor :authority says where it goes. */
static void extend_by_peer(struct at_span *span, const struct target *target,
			   const struct address *peer)
{
	bool v6 = memchr(peer->text, ':', peer->len) != NULL;
	char port[8];
	struct at_writer writer = AT_WRITER(port, sizeof(port));

	if (v6)
		at_span_extend_text(span, AT_ATTR_URL_FULL, AT_TEXT("["));
	at_span_extend_text(span, AT_ATTR_URL_FULL, target->host);
	if (v6)
		at_span_extend_text(span, AT_ATTR_URL_FULL, AT_TEXT("]"));
	if (target->port && target->port != target->default_port) {
		at_write_char(&writer, ':');
		at_write_u64(&writer, target->port);
	}
	at_span_extend_text(span, AT_ATTR_URL_FULL, at_writer_text(&writer));
}

void target_fill_url(struct at_span *span, const struct target *target,
		     const struct address *peer)
{
	const struct head_view *head = target->head;

	if (target->connect)
		return;
	if (target->absolute) {
		at_span_set_text(span, AT_ATTR_URL_FULL, head->target);
		return;
	}
	at_span_set_text(span, AT_ATTR_URL_FULL,
			 head->secure ? AT_TEXT("https://") :
					AT_TEXT("http://"));
	if (target->authority.len)
		at_span_extend_text(span, AT_ATTR_URL_FULL, target->authority);
	else
		extend_by_peer(span, target, peer);
	/* RFC 9112 3.2.4: the URI of `OPTIONS *` has no path at all. */
	if (!at_text_equal(head->target, AT_TEXT("*")))
		at_span_extend_text(span, AT_ATTR_URL_FULL, head->target);
}
