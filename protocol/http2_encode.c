// SPDX-License-Identifier: Apache-2.0
/* Our own field, as a piece of a header block. */
#include "protocol/protocol.h"

/* A string as it is, its length in 7 bits and more. */
static void write_string(struct at_writer *writer, struct at_text text)
{
	size_t rest = text.len;

	if (rest < 0x7f) {
		at_write_char(writer, (char)rest);
	} else {
		at_write_char(writer, 0x7f);
		for (rest -= 0x7f; rest > 0x7f; rest >>= 7)
			at_write_char(writer, (char)(rest | 0x80));
		at_write_char(writer, (char)rest);
	}
	at_write_text(writer, text);
}

void at_http2_encode(struct at_text lines, struct at_writer *writer)
{
	struct at_text line, name;

	while (at_text_next(&lines, '\n', &line)) {
		line = at_text_trim(line);
		if (line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (!at_text_next(&line, ':', &name) || !name.len)
			continue;
		at_write_char(writer, 0);
		write_string(writer, name);
		write_string(writer, at_text_trim(line));
	}
}
