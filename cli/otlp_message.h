// SPDX-License-Identifier: Apache-2.0
/*
 * One line of OTLP JSON as the message it is, to be sent on unchanged: foreign
 * resources, scopes and attributes included. Span events are not: the count of
 * those left out is told.
 *
 * What a line may look like is as in cli/otlp_read.h.
 */
#ifndef AT_CLI_OTLP_MESSAGE_H
#define AT_CLI_OTLP_MESSAGE_H

#include "cli/otlp_read.h"
#include "otlp.pb-c.h"

struct at_otlp_message {
	Otlp__TracesData *traces; /* any number of resources and scopes */
	struct at_otlp_chunk *memory;
};

/*
 * Read a line (without its newline); the message is zeroed at first,
 * and what was read before is gone. 0; -EBADMSG
 * and *mistake: nothing of it is to be used. Ends the program when there is no
 * memory.
 */
int at_otlp_message_read(struct at_otlp_message *message, struct at_text line,
			 struct at_otlp_mistake *mistake);

/* Give its memory back. */
void at_otlp_message_free(struct at_otlp_message *message);

#endif
