// SPDX-License-Identifier: Apache-2.0
/* The environment as a carrier: names of fields as names of variables. */
#include "core/environ.h"
#include "propagator/propagator.h"

static bool is_kept(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void at_carrier_name_write(struct at_writer *writer, struct at_text field)
{
	bool first = true, outside = false;
	size_t i;

	for (i = 0; i < field.len; i++, first = false) {
		char c = field.ptr[i];

		/* A character of several bytes is one. */
		if (((unsigned char)c & 0xc0) == 0x80 && outside)
			continue;
		outside = (unsigned char)c >= 0x80;
		if (c >= 'a' && c <= 'z')
			c = (char)(c & ~0x20);
		if (first && c >= '0' && c <= '9')
			at_write_char(writer, '_');
		at_write_char(writer, is_kept(c) ? c : '_');
	}
	if (!field.len)
		at_write_char(writer, '_');
}

static struct at_text get(const struct at_carrier *carrier, const char *field)
{
	const struct at_environ_carrier *self =
		(const struct at_environ_carrier *)carrier;
	char name[AT_CARRIER_NAME_BYTES];
	struct at_writer writer = AT_WRITER(name, sizeof(name) - 1);

	at_carrier_name_write(&writer, at_text_from(field));
	name[writer.len] = 0;
	return at_environ_get(self->environ, name);
}

struct at_environ_carrier at_environ_carrier(char *const *environ)
{
	return (struct at_environ_carrier){ { get }, environ };
}

bool at_carrier_next_line(struct at_text *lines, struct at_writer *name,
			  struct at_text *value)
{
	struct at_text line, field;

	if (!lines->len || !at_text_next(lines, '\n', &line) || !line.len)
		return false;
	field = at_text_before(line, ":");
	name->len = 0;
	at_carrier_name_write(name, field);
	value->ptr = line.ptr + field.len + 2;
	value->len = line.len - field.len - 3; /* a blank, and CR behind */
	return true;
}
