// SPDX-License-Identifier: Apache-2.0
#include "tracer/propagate.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include "core/section.h"
#include "core/sys.h"

static const char *hosts; /* of LIST_OTHER */

/* Most lists are one word; it is looked at once. */
static enum { LIST_INTERNAL, LIST_ALL, LIST_NONE, LIST_OTHER } hosts_kind;

/* Lines "search" and "domain" of resolv.conf, read once when first needed. */
static char resolv_conf[4096] AT_LARGE;
static _Atomic int resolv_state; /* 0 not read, 1 being read, 2 ready */

void propagate_start(const char *list)
{
	struct at_text word = at_text_trim(at_text_from(list));

	hosts = list;
	hosts_kind = at_text_equal_nocase(word, AT_TEXT("internal")) ?
			     LIST_INTERNAL :
		     at_text_equal_nocase(word, AT_TEXT("all"))  ? LIST_ALL :
		     at_text_equal_nocase(word, AT_TEXT("none")) ? LIST_NONE :
								   LIST_OTHER;
}

static void read_resolv_conf(void)
{
	int none = 0;
	int fd;
	long len;

	if (!atomic_compare_exchange_strong(&resolv_state, &none, 1))
		return;
	fd = sys_open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0) {
		len = sys_read(fd, resolv_conf, sizeof(resolv_conf) - 1);
		resolv_conf[len > 0 ? len : 0] = 0;
		sys_close(fd);
	}
	atomic_store(&resolv_state, 2);
}

static bool under_domain(struct at_text host, struct at_text domain)
{
	if (domain.len && domain.ptr[0] == '.') {
		domain.ptr++;
		domain.len--;
	}
	if (domain.len && domain.ptr[domain.len - 1] == '.')
		domain.len--;
	if (!domain.len || !at_text_ends_with_nocase(host, domain))
		return false;
	return host.len == domain.len ||
	       host.ptr[host.len - domain.len - 1] == '.';
}

static bool in_line(struct at_text host, struct at_text line)
{
	struct at_text word;

	if (!at_text_next(&line, ' ', &word))
		return false;
	if (!at_text_equal(word, AT_TEXT("search")) &&
	    !at_text_equal(word, AT_TEXT("domain")))
		return false;
	while (at_text_next(&line, ' ', &word))
		if (under_domain(host, at_text_trim(word)))
			return true;
	return false;
}

static bool in_search_domain(struct at_text host)
{
	struct at_text rest, line;

	read_resolv_conf();
	if (atomic_load(&resolv_state) != 2)
		return false; /* another thread is reading: say no, once */
	rest = at_text_from(resolv_conf);
	while (at_text_next(&rest, '\n', &line))
		if (in_line(host, line))
			return true;
	return false;
}

static bool internal_name(struct at_text host)
{
	static const struct at_text suffixes[] = {
		AT_TEXT(".local"),     AT_TEXT(".internal"),
		AT_TEXT(".localhost"), AT_TEXT(".test"),
		AT_TEXT(".svc"),       AT_TEXT(".cluster.local"),
	};
	size_t i;

	if (host.len && host.ptr[host.len - 1] == '.')
		host.len--;
	if (!memchr(host.ptr, '.', host.len))
		return true;
	for (i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		if (at_text_ends_with_nocase(host, suffixes[i]))
			return true;
	return in_search_domain(host);
}

static bool internal(struct at_text host, const struct address *peer)
{
	bool inside;

	/* A literal is mostly the very address we are connected to. */
	if (peer && peer->len && host.len == peer->len &&
	    !memcmp(host.ptr, peer->text, host.len))
		return peer->internal;
	if (address_literal(host, &inside))
		return inside;
	return (peer && peer->len && peer->internal) ||
	       (host.len && internal_name(host));
}

static bool in_list(struct at_text host, const struct address *peer)
{
	struct at_text rest = at_text_from(hosts);
	struct at_text item;

	while (at_text_next(&rest, ',', &item)) {
		item = at_text_trim(item);
		if (at_text_equal_nocase(item, AT_TEXT("none")))
			return false;
		if (at_text_equal_nocase(item, AT_TEXT("all")))
			return true;
		if (at_text_equal_nocase(item, AT_TEXT("internal"))) {
			if (internal(host, peer))
				return true;
		} else if (item.len && host.len &&
			   at_text_glob_nocase(item, host)) {
			return true;
		}
	}
	return false;
}

bool propagate_to(struct at_text host, const struct address *peer)
{
	if (hosts_kind == LIST_INTERNAL)
		return internal(host, peer);
	return hosts_kind == LIST_OTHER ? in_list(host, peer) :
					  hosts_kind == LIST_ALL;
}
