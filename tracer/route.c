// SPDX-License-Identifier: Apache-2.0
#include "tracer/route.h"

#include <stdatomic.h>
#include <string.h>

#define NAME_BYTES 256
#define ID_TEXT "{id}"

/* Hashes of the names in use; 0: a free place. */
#define PLACES 256
static _Atomic uint32_t names[PLACES];
static _Atomic uint32_t name_count;
static const char *routes;
static bool automatic;

void route_start(const struct at_config *config)
{
	routes = config->routes;
	automatic = !strcmp(routes, "auto");
}

/* --- templates --- */

static bool is_placeholder(struct at_text segment)
{
	return segment.len >= 2 && segment.ptr[0] == '{' &&
	       segment.ptr[segment.len - 1] == '}';
}

/* Segment by segment; {anything} is one that is not empty. */
static bool fits(struct at_text template, struct at_text path)
{
	struct at_text want, have;

	for (;;) {
		bool more = at_text_next(&template, '/', &want);

		if (more != at_text_next(&path, '/', &have))
			return false;
		if (!more)
			return true;
		if (is_placeholder(want) ? !have.len :
					   !at_text_equal(want, have))
			return false;
	}
}

static struct at_text find(struct at_text path)
{
	struct at_text rest = at_text_from(routes), item;

	while (at_text_next(&rest, ',', &item)) {
		item = at_text_trim(item);
		if (item.len && fits(item, path))
			return item;
	}
	return (struct at_text){ NULL, 0 };
}

/* --- ids --- */

static bool is_hex(char c)
{
	c = at_lower(c);
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* A number; a UUID or hash: hexadecimal with a digit in it; a long token. */
static bool is_id(struct at_text segment)
{
	size_t digits = 0, hex = 0, dashes = 0, i;

	for (i = 0; i < segment.len; i++) {
		char c = segment.ptr[i];

		digits += c >= '0' && c <= '9';
		hex += is_hex(c);
		dashes += c == '-';
	}
	if (!digits)
		return false;
	return digits == segment.len ||
	       (segment.len >= 8 && hex + dashes == segment.len) ||
	       segment.len >= 24;
}

static void write_path(struct at_writer *writer, struct at_text path)
{
	struct at_text segment;
	bool first = true;

	while (at_text_next(&path, '/', &segment)) {
		if (!first)
			at_write_char(writer, '/');
		first = false;
		at_write_text(writer,
			      is_id(segment) ? AT_TEXT(ID_TEXT) : segment);
	}
}

static uint32_t hash_of(struct at_text name)
{
	uint32_t hash = AT_HASH_BEGIN;
	size_t i;

	for (i = 0; i < name.len; i++)
		hash = at_hash_byte(hash, (uint8_t)name.ptr[i]);
	return hash ? hash : 1;
}

/* One of the names of this process, or there is room for one more. */
static bool may_be_used(struct at_text name)
{
	uint32_t hash = hash_of(name), at = hash % PLACES, found;

	for (; (found = atomic_load_explicit(&names[at],
					     memory_order_relaxed)) != hash;
	     at = (at + 1) % PLACES) {
		if (found)
			continue;
		if (atomic_fetch_add(&name_count, 1) >= ROUTE_NAMES_MAX) {
			atomic_fetch_sub(&name_count, 1);
			return false;
		}
		if (atomic_compare_exchange_strong(&names[at], &found, hash))
			return true;
		atomic_fetch_sub(&name_count, 1);
		if (found == hash)
			return true;
	}
	return true;
}

/* --- the span --- */

void route_fill(struct at_span *span, struct at_text path)
{
	char text[NAME_BYTES];
	struct at_writer writer = AT_WRITER(text, sizeof(text));
	struct at_text route = { NULL, 0 };
	struct at_field method;

	if (!*routes || !at_span_find(span, AT_FIELD_NAME, &method))
		return;
	if (!automatic) {
		route = find(path);
		if (!route.len)
			return;
	}
	at_write_text(&writer, method.text);
	at_write_char(&writer, ' ');
	if (automatic)
		write_path(&writer, path);
	else
		at_write_text(&writer, route);
	if (!writer.overflow &&
	    (!automatic || may_be_used(at_writer_text(&writer))))
		at_span_set_name(span, at_writer_text(&writer));
	if (route.len)
		at_span_set_text(span, AT_ATTR_HTTP_ROUTE, route);
}
