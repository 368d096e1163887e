// SPDX-License-Identifier: Apache-2.0
/* W3C Trace Context level 2: tracestate, other vendors' part of a context. */
#include <errno.h>
#include <string.h>

#include "propagator/formats.h"

#define MEMBER_MAX 32
#define PART_MAX_BYTES 256     /* of a key, and of a value */
#define LARGE_MEMBER_BYTES 128 /* the first to go when room is short */

struct member {
	struct at_text key;
	struct at_text whole; /* key=value */
};

struct members {
	struct member item[MEMBER_MAX];
	unsigned int count;
	size_t joined_bytes; /* with a comma behind each */
};

static bool is_key_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_key(struct at_text key)
{
	size_t i;

	if (!key.len || key.len > PART_MAX_BYTES || !is_key_start(key.ptr[0]))
		return false;
	for (i = 1; i < key.len; i++) {
		char c = key.ptr[i];

		if (!is_key_start(c) && c != '_' && c != '*' && c != '/' &&
		    c != '@' && c != '-')
			return false;
	}
	return true;
}

/* Commas cannot occur any more, blanks at the end were trimmed. */
static bool is_value(struct at_text value)
{
	size_t i;

	if (!value.len || value.len > PART_MAX_BYTES ||
	    value.ptr[value.len - 1] == ' ')
		return false;
	for (i = 0; i < value.len; i++)
		if (value.ptr[i] < 0x20 || value.ptr[i] > 0x7e ||
		    value.ptr[i] == '=')
			return false;
	return true;
}

static bool has_key(const struct members *members, struct at_text key)
{
	unsigned int i;

	for (i = 0; i < members->count; i++)
		if (at_text_equal(members->item[i].key, key))
			return true;
	return false;
}

static int add_member(struct members *members, struct at_text whole,
		      unsigned int *seen)
{
	struct at_text value = whole, key;

	at_text_next(&value, '=', &key);
	if (!value.ptr || !is_key(key) || !is_value(value))
		return -EBADMSG;
	if (++*seen > MEMBER_MAX)
		return -EBADMSG;
	if (has_key(members, key))
		return 0;
	members->item[members->count++] = (struct member){ key, whole };
	members->joined_bytes += whole.len + 1;
	return 0;
}

static void remove_member(struct members *members, unsigned int at)
{
	members->joined_bytes -= members->item[at].whole.len + 1;
	members->count--;
	memmove(&members->item[at], &members->item[at + 1],
		(members->count - at) * sizeof(members->item[0]));
}

/* Whole members only: the large ones first, then from the right. */
static void shrink_to(struct members *members, size_t cap)
{
	unsigned int i;

	for (i = members->count; i-- && members->joined_bytes > cap + 1;)
		if (members->item[i].whole.len > LARGE_MEMBER_BYTES)
			remove_member(members, i);
	while (members->joined_bytes > cap + 1)
		remove_member(members, members->count - 1);
}

int at_tracestate_parse(const struct at_text *fields, size_t field_count,
			struct at_context *context)
{
	struct at_writer writer =
		AT_WRITER(context->tracestate, sizeof(context->tracestate));
	struct members members = { .count = 0 };
	unsigned int seen = 0, m;
	size_t i;

	context->tracestate_len = 0;
	for (i = 0; i < field_count; i++) {
		struct at_text rest = fields[i], item;

		while (at_text_next(&rest, ',', &item)) {
			item = at_text_trim(item);
			if (item.len && add_member(&members, item, &seen))
				return -EBADMSG;
		}
	}
	shrink_to(&members, sizeof(context->tracestate));
	for (m = 0; m < members.count; m++) {
		if (m)
			at_write_char(&writer, ',');
		at_write_text(&writer, members.item[m].whole);
	}
	context->tracestate_len = (uint16_t)writer.len;
	return 0;
}
