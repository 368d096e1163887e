// SPDX-License-Identifier: Apache-2.0
/* A saved file of OTLP JSON lines, read line by line. */
#ifndef AT_CLI_SPAN_FILE_H
#define AT_CLI_SPAN_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/otlp_read.h"

struct at_span_file {
	FILE *in;
	const char *name; /* for messages */
	size_t line;
	size_t mistake_count;
	bool cut_off; /* the last line had no end and could not be read */
};

/* `-` is standard input. 0, or negative errno after a complaint. */
int at_span_file_open(struct at_span_file *file, const char *name);
void at_span_file_close(struct at_span_file *file);

/*
 * Hand every line that is not blank to `read` (0, or -EBADMSG and *mistake),
 * complain of the first mistakes. Half a last line, as a crash leaves it, is
 * none. 0, or negative errno after a complaint.
 */
int at_span_file_read(struct at_span_file *file,
		      int (*read)(void *context, struct at_text line,
				  struct at_otlp_mistake *mistake),
		      void *context);

#endif
