// SPDX-License-Identifier: Apache-2.0
/*
 * What must not leave the house. In a URL: credentials, the values of query
 * keys known to hold secrets, the secret paths of web hooks. In the arguments
 * of programs: what redact_args() says. Pure.
 */
#ifndef AT_EXPORTER_REDACT_H
#define AT_EXPORTER_REDACT_H

#include <stdbool.h>

#include "core/config.h"
#include "core/span.h"
#include "core/text.h"

enum redact_query {
	REDACT_KNOWN,  /* values of known keys */
	REDACT_VALUES, /* all values */
	REDACT_DROP,   /* the query is left out */
};

struct redact_rules {
	/* Lists of keys end with one whose ptr is NULL. */
	const struct at_text *exact;
	const struct at_text *any_case; /* and with `-` like `_` */
	const char *more; /* AUTOTRACE_REDACT: as any_case, comma-separated */
	enum redact_query query;
};

/* Rules of the settings, with our own lists. Holds on to *config. */
struct redact_rules redact_rules_from(const struct at_config *config);

/*
 * Write `url` to `writer` with what is secret replaced by REDACTED.
 * True when that differs from url.
 */
bool redact_url(const struct redact_rules *rules, struct at_text url,
		struct at_writer *writer);

/* The same for a query alone, without its question mark. */
bool redact_query(const struct redact_rules *rules, struct at_text query,
		  struct at_writer *writer);

/*
 * The same for the arguments of a program, each with a NUL behind it: values of
 * options and assignments whose name says secret, headers, credentials, URLs,
 * and what begins as well-known tokens do. Quotes in scripts are understood as
 * far as they are simple.
 */
bool redact_args(const struct redact_rules *rules, struct at_text args,
		 struct at_writer *writer);

/* Without regard to case, and `-` like `_`. */
bool redact_equal_folded(struct at_text a, struct at_text b);

/* Redact the attributes of a checked span, in place. */
void redact_span(const struct redact_rules *rules, struct at_span *span);

#endif
