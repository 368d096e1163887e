// SPDX-License-Identifier: Apache-2.0
/*
 * Spans out of OTLP JSON lines, as the file exporter writes them.
 *
 * One line is one TracesData object; lines that hold other signals have no
 * spans. Also read, since other writers do so: enums by name, 64-bit integers
 * as numbers, ids in capitals.
 */
#ifndef AT_CLI_OTLP_READ_H
#define AT_CLI_OTLP_READ_H

#include "cli/span_list.h"
#include "core/text.h"

struct at_otlp_mistake {
	const char *expected; /* static */
	size_t column;        /* 1: the line's first byte */
};

/*
 * Add the spans of one line (without its newline) to the list. 0; -EBADMSG
 * and *mistake when the line is not what it should be: the spans before the
 * mistake have been added. Spans there was no memory for are counted in the
 * list.
 */
int at_otlp_read_line(struct at_span_list *list, struct at_text line,
		      struct at_otlp_mistake *mistake);

#endif
