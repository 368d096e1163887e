// SPDX-License-Identifier: Apache-2.0
#include "cli/json.h"

#include "cli/cells.h"

static void print_ascii(FILE *out, unsigned char c)
{
	if (c == '"' || c == '\\')
		fprintf(out, "\\%c", c);
	else if (c < 0x20 || c == 0x7f)
		fprintf(out, "\\u%04x", c);
	else
		fputc(c, out);
}

void at_json_print(FILE *out, struct at_text text)
{
	uint32_t c;
	size_t len;

	fputc('"', out);
	while (text.len) {
		len = at_utf8_decode(text, &c);
		if (!len)
			fputs("\xef\xbf\xbd", out);
		else if (len == 1)
			print_ascii(out, (unsigned char)c);
		else
			fwrite(text.ptr, 1, len, out);
		len += !len;
		text.ptr += len;
		text.len -= len;
	}
	fputc('"', out);
}
