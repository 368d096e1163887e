// SPDX-License-Identifier: Apache-2.0
#include "tracer/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

/* RFC 1918, 3927, 6598 is shared with strangers and therefore left out. */
static bool v4_internal(const uint8_t ip[4])
{
	return ip[0] == 127 || ip[0] == 10 ||
	       (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
	       (ip[0] == 192 && ip[1] == 168) || (ip[0] == 169 && ip[1] == 254);
}

static bool v4_mapped(const uint8_t ip[16])
{
	static const uint8_t prefix[12] = { 0, 0, 0, 0, 0,    0,
					    0, 0, 0, 0, 0xff, 0xff };

	return !memcmp(ip, prefix, sizeof(prefix));
}

static bool v6_internal(const uint8_t ip[16])
{
	static const uint8_t loopback[16] = { [15] = 1 };

	if (v4_mapped(ip))
		return v4_internal(ip + 12);
	return !memcmp(ip, loopback, 16) ||
	       (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) ||
	       (ip[0] & 0xfe) == 0xfc;
}

static void write_v4(struct at_writer *writer, const uint8_t ip[4])
{
	int i;

	for (i = 0; i < 4; i++) {
		if (i)
			at_write_char(writer, '.');
		at_write_u64(writer, ip[i]);
	}
}

static void write_group(struct at_writer *writer, unsigned int group)
{
	static const char hex[] = "0123456789abcdef";
	int shift = 12;

	while (shift && !(group >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		at_write_char(writer, hex[group >> shift & 15]);
}

/* RFC 5952: the longest run of zero groups (two at least) becomes "::". */
static void write_v6(struct at_writer *writer, const uint8_t ip[16])
{
	unsigned int group[8];
	int i, run, at = -1, longest = 1;

	for (i = 0; i < 8; i++)
		group[i] = (unsigned int)ip[2 * i] << 8 | ip[2 * i + 1];
	for (i = 0; i < 8; i++) {
		for (run = 0; i + run < 8 && !group[i + run]; run++)
			;
		if (run > longest) {
			longest = run;
			at = i;
		}
	}
	for (i = 0; i < 8; i++) {
		if (i == at) {
			at_write_string(writer, "::");
			i += longest - 1;
			continue;
		}
		if (i && i != at + longest)
			at_write_char(writer, ':');
		else if (i && at < 0)
			at_write_char(writer, ':');
		write_group(writer, group[i]);
	}
}

static void from_v4(struct address *address, const struct sockaddr *from)
{
	struct sockaddr_in in;
	struct at_writer writer = AT_WRITER(address->text, ADDRESS_BYTES);

	memcpy(&in, from, sizeof(in));
	write_v4(&writer, (const uint8_t *)&in.sin_addr);
	address->len = (uint8_t)writer.len;
	address->port = ntohs(in.sin_port);
	address->internal = v4_internal((const uint8_t *)&in.sin_addr);
}

static void from_v6(struct address *address, const struct sockaddr *from)
{
	struct sockaddr_in6 in;
	struct at_writer writer = AT_WRITER(address->text, ADDRESS_BYTES);
	const uint8_t *ip = in.sin6_addr.s6_addr;

	memcpy(&in, from, sizeof(in));
	if (v4_mapped(ip))
		write_v4(&writer, ip + 12);
	else
		write_v6(&writer, ip);
	address->len = (uint8_t)writer.len;
	address->port = ntohs(in.sin6_port);
	address->internal = v6_internal(ip);
}

static void from_unix(struct address *address, const struct sockaddr *from,
		      socklen_t len)
{
	size_t at = offsetof(struct sockaddr_un, sun_path);
	size_t size = len > at ? len - at : 0;
	const char *path = (const char *)from + at;

	if (size > ADDRESS_BYTES)
		size = ADDRESS_BYTES;
	/* An abstract name begins with NUL and is written with '@'. */
	memcpy(address->text, path, size);
	if (size && !path[0])
		address->text[0] = '@';
	else
		size = at_text_field(address->text, size).len;
	address->len = (uint8_t)size;
	address->internal = true;
}

void address_from(struct address *address, const struct sockaddr *from,
		  socklen_t len)
{
	address->len = 0;
	address->port = 0;
	address->internal = false;
	if (len < sizeof(from->sa_family))
		return;
	if (from->sa_family == AF_INET && len >= sizeof(struct sockaddr_in))
		from_v4(address, from);
	else if (from->sa_family == AF_INET6 &&
		 len >= sizeof(struct sockaddr_in6))
		from_v6(address, from);
	else if (from->sa_family == AF_UNIX)
		from_unix(address, from, len);
}

static bool parse_v4(struct at_text text, uint8_t ip[4])
{
	unsigned int value = 0, digits = 0, at = 0;
	size_t i;

	for (i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c >= '0' && c <= '9' && ++digits <= 3) {
			value = value * 10 + (unsigned int)(c - '0');
			continue;
		}
		if (c != '.' || !digits || value > 255 || at == 3)
			return false;
		ip[at++] = (uint8_t)value;
		value = digits = 0;
	}
	ip[3] = (uint8_t)value;
	return at == 3 && digits && value <= 255;
}

bool address_literal(struct at_text host, bool *internal)
{
	uint8_t ip[16];
	char copy[INET6_ADDRSTRLEN];
	size_t zone;

	if (parse_v4(host, ip)) {
		*internal = v4_internal(ip);
		return true;
	}
	for (zone = 0; zone < host.len && host.ptr[zone] != '%'; zone++)
		;
	if (zone == 0 || zone >= sizeof(copy) || !memchr(host.ptr, ':', zone))
		return false;
	memcpy(copy, host.ptr, zone);
	copy[zone] = 0;
	/* Pure and locale-free in every libc. */
	if (inet_pton(AF_INET6, copy, ip) != 1)
		return false;
	*internal = v6_internal(ip);
	return true;
}

static bool parse_port(struct at_text text, uint16_t *port)
{
	uint64_t value;

	if (!text.len) /* "host:" is allowed (RFC 3986 3.2.3) */
		return true;
	if (at_text_to_u64(text, &value) || value > 65535)
		return false;
	*port = (uint16_t)value;
	return true;
}

bool address_split(struct at_text authority, struct at_text *host,
		   uint16_t *port)
{
	const char *end;
	struct at_text rest = { NULL, 0 };

	*port = 0;
	if (authority.len && authority.ptr[0] == '[') {
		end = memchr(authority.ptr, ']', authority.len);
		if (!end)
			return false;
		host->ptr = authority.ptr + 1;
		host->len = (size_t)(end - host->ptr);
		rest.ptr = end + 1;
	} else {
		end = authority.len ?
			      memchr(authority.ptr, ':', authority.len) :
			      NULL;
		host->ptr = authority.ptr;
		host->len = end ? (size_t)(end - authority.ptr) : authority.len;
		rest.ptr = end ? end : authority.ptr + authority.len;
	}
	rest.len = authority.len - (size_t)(rest.ptr - authority.ptr);
	if (!rest.len)
		return host->len > 0;
	if (rest.ptr[0] != ':')
		return false;
	rest.ptr++;
	rest.len--;
	return host->len > 0 && parse_port(rest, port);
}
