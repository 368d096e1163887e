// SPDX-License-Identifier: Apache-2.0
/*
 * W3C Baggage: what is valid goes on as it came, byte for byte. What comes in
 * with a request and whose calls it goes out with is the caller's to know.
 */
#include <stddef.h>

#include "propagator/formats.h"

/* RFC 9110 5.6.2 */
static bool is_token_char(char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";
	size_t i;

	if ((c >= '0' && c <= '9') ||
	    (at_lower(c) >= 'a' && at_lower(c) <= 'z'))
		return true;
	for (i = 0; i < sizeof(others) - 1; i++)
		if (others[i] == c)
			return true;
	return false;
}

static bool is_token(struct at_text text)
{
	size_t i;

	for (i = 0; i < text.len; i++)
		if (!is_token_char(text.ptr[i]))
			return false;
	return text.len;
}

/* baggage-octet; commas and semicolons cannot occur any more. */
static bool is_value(struct at_text text)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c <= ' ' || c > '~' || c == '"' || c == '\\')
			return false;
	}
	return true;
}

/* key=value, or of a property the key alone; blanks around both. */
static bool is_pair(struct at_text pair, bool may_be_key)
{
	struct at_text key = at_text_before(pair, "=");
	struct at_text value = { pair.ptr + key.len, pair.len - key.len };

	if (!is_token(at_text_trim(key)))
		return false;
	if (!value.len)
		return may_be_key;
	value.ptr++;
	value.len--;
	return is_value(at_text_trim(value));
}

static bool is_member(struct at_text member)
{
	struct at_text part;
	bool first = true;

	while (at_text_next(&member, ';', &part)) {
		if (!is_pair(part, !first))
			return false;
		first = false;
	}
	return !first;
}

bool at_baggage_add(struct at_text field, struct at_writer *writer,
		    unsigned int *count)
{
	struct at_text member;
	bool whole = true;

	while (at_text_next(&field, ',', &member)) {
		member = at_text_trim(member);
		if (!member.len)
			continue;
		if (*count == AT_BAGGAGE_MEMBERS ||
		    writer->len + member.len + (*count > 0) > writer->cap)
			return false;
		if (!is_member(member)) {
			whole = false;
			continue;
		}
		if ((*count)++)
			at_write_char(writer, ',');
		at_write_text(writer, member);
	}
	return whole;
}

/* It is no part of a span's context, and goes out by itself. */
static void inject(const struct at_context *context, struct at_writer *writer)
{
	(void)context;
	(void)writer;
}

const struct at_propagator at_propagator_baggage = { "baggage", inject, NULL,
						     "baggage\0" };
