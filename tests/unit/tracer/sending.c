// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tracer/sending.h"

#include <string.h>

struct wire wire;

void open_wire(void)
{
	wire_start(NULL);
	wire_open(&wire, AF_UNIX);
	wire_nonblocking(&wire, true);
}

void again(void)
{
	wire_close(&wire);
	wire_drop_spans();
	wire_open(&wire, AF_UNIX);
	wire_nonblocking(&wire, true);
}

size_t head_end(const char *bytes)
{
	return (size_t)(strstr(bytes, "\r\n\r\n") - bytes) + 2;
}

void expect_sent(const char *in, size_t in_len)
{
	size_t at = head_end(in);

	cr_assert(wire_is_sent(&wire, in, in_len, &at, 1), "%zu of %s: %.*s",
		  in_len, in, (int)wire.out_len, wire.out);
}

void expect_untouched(const char *in, size_t in_len)
{
	cr_assert(wire_is_sent(&wire, in, in_len, NULL, 0), "%.*s",
		  (int)wire.out_len, wire.out);
}

static ssize_t follow_script(struct wire *w, size_t len)
{
	struct script *script = w->answer_data;

	(void)len;
	return script->at < script->count ? script->step[script->at++] :
					    script->otherwise;
}

void use_script(struct script *script)
{
	wire.answer = follow_script;
	wire.answer_data = script;
}
