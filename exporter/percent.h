// SPDX-License-Identifier: Apache-2.0
/*
 * Lists of key=value pairs with percent-encoding, as the OTEL_* variables
 * write them. Pure.
 */
#ifndef AT_EXPORTER_PERCENT_H
#define AT_EXPORTER_PERCENT_H

#include "core/text.h"

/* RFC 3986: %41 is A, + is +. 0, or -EINVAL on a bad escape. */
int percent_decode(struct at_text text, struct at_writer *writer);

/*
 * Cut the next pair off the front of *rest and split it at its first `=`,
 * blanks trimmed, nothing decoded. Empty items are skipped.
 * 1; 0 at the end; -EINVAL for an item without `=` or without a key.
 */
int percent_next_pair(struct at_text *rest, struct at_text *key,
		      struct at_text *value);

#endif
