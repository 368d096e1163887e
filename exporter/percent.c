// SPDX-License-Identifier: Apache-2.0
#include "exporter/percent.h"

#include <errno.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = at_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int percent_decode(struct at_text text, struct at_writer *writer)
{
	size_t i;

	for (i = 0; i < text.len; i++) {
		int high, low;

		if (text.ptr[i] != '%') {
			at_write_char(writer, text.ptr[i]);
			continue;
		}
		if (text.len - i < 3)
			return -EINVAL;
		high = hex_digit(text.ptr[i + 1]);
		low = hex_digit(text.ptr[i + 2]);
		if (high < 0 || low < 0)
			return -EINVAL;
		at_write_char(writer, (char)(high << 4 | low));
		i += 2;
	}
	return 0;
}

static bool split_pair(struct at_text item, struct at_text *key,
		       struct at_text *value)
{
	struct at_text rest = item;

	if (!at_text_next(&rest, '=', key) || key->len == item.len)
		return false;
	*value = at_text_trim(rest);
	*key = at_text_trim(*key);
	return key->len != 0;
}

int percent_next_pair(struct at_text *rest, struct at_text *key,
		      struct at_text *value)
{
	struct at_text item;

	while (at_text_next(rest, ',', &item)) {
		item = at_text_trim(item);
		if (item.len)
			return split_pair(item, key, value) ? 1 : -EINVAL;
	}
	return 0;
}
