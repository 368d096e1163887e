// SPDX-License-Identifier: Apache-2.0
/*
 * The first byte chooses the treatment of queries, the rest is a URL, or with
 * its top bit set the arguments of a program. What is redacted once of a URL has
 * nothing left to redact.
 */
#include <stdlib.h>
#include <string.h>

#include "exporter/redact.h"

#define URL_MAX 2000
/* "&k=" becomes "&k=REDACTED", and a user name two of them. */
#define OUT_MAX (URL_MAX * 5 + 32)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char once[OUT_MAX], twice[OUT_MAX];
	static const struct at_config config = { .redact = "pin,-x",
						 .url_query = "keep" };
	struct redact_rules rules = redact_rules_from(&config);
	struct at_writer first = AT_WRITER(once, OUT_MAX);
	struct at_writer second = AT_WRITER(twice, OUT_MAX);
	__typeof__(redact_url) *redact;
	bool changed;

	if (size == 0 || size > URL_MAX)
		return 0;
	redact = data[0] & 0x80 ? redact_args : redact_url;
	rules.query = data[0] % 3;
	data++;
	size--;
	/* An argument ends with its NUL. */
	if (redact == redact_args && (!size || data[size - 1]))
		return 0;
	changed =
		redact(&rules, (struct at_text){ (char *)data, size }, &first);
	if (first.overflow)
		abort();
	if (!changed && (first.len != size || memcmp(once, data, size)))
		abort();
	if (redact == redact_args)
		return 0;
	redact(&rules, at_writer_text(&first), &second);
	if (second.len != first.len || memcmp(once, twice, first.len))
		abort();
	return 0;
}
