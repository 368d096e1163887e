// SPDX-License-Identifier: Apache-2.0
/*
 * The first byte chooses JSON or protobuf, the rest is a collector's answer;
 * read as a Retry-After too, it never asks for more than a day.
 */
#include <stdlib.h>
#include <string.h>

#include "exporter/otlp_answer.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[40], value[64] = { 0 };
	struct at_writer message = AT_WRITER(text, sizeof(text));
	char *body;
	size_t i;

	if (size == 0)
		return 0;
	/* Exactly as large: one byte too many is seen. */
	body = malloc(size - 1 ? size - 1 : 1);
	memcpy(body, data + 1, size - 1);
	otlp_answer_rejected((struct at_text){ body, size - 1 }, data[0] & 1,
			     &message);
	free(body);
	if (message.overflow)
		abort();
	for (i = 0; i < message.len; i++)
		if ((uint8_t)text[i] < ' ')
			abort();
	memcpy(value, data + 1, size - 1 < 63 ? size - 1 : 63);
	if (otlp_answer_retry_after(value, 1700000000) > DAY_NS)
		abort();
	return 0;
}
