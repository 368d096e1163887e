// SPDX-License-Identifier: Apache-2.0
/*
 * Propagators: context to and from header fields.
 *
 * Door of the folder; pure functions, thread-safe and async-signal-safe. To
 * add one: its file, and one line in registry.c.
 */
#ifndef AT_PROPAGATOR_H
#define AT_PROPAGATOR_H

#include "core/span.h"
#include "core/text.h"

#define AT_TRACEPARENT_BYTES 55

/*
 * Read one traceparent value (Trace Context level 2; OWS around it allowed).
 * 0 and ids, flags and remote = true in *context with an empty tracestate;
 * -EBADMSG and *context untouched when it is not valid.
 */
int at_traceparent_parse(struct at_text value, struct at_context *context);

/* Write the 55 characters of a version 00 traceparent. */
void at_traceparent_write(struct at_writer *writer,
			  const struct at_context *context);

/*
 * Join the tracestate fields received, in order, into context->tracestate:
 * validated, duplicates removed, at most 32 members, whole members only when
 * cut to what fits (PRP-11..17). 0; -EBADMSG when the whole must be discarded
 * (context->tracestate is then empty).
 */
int at_tracestate_parse(const struct at_text *fields, size_t field_count,
			struct at_context *context);

struct at_propagator {
	const char *name; /* as in OTEL_PROPAGATORS */
	/* Append complete header lines, each ended by CRLF. */
	void (*inject)(const struct at_context *context,
		       struct at_writer *writer);
};

/* NULL-terminated. */
extern const struct at_propagator *const at_propagators[];

#define AT_PROPAGATOR_MAX 8

/* The propagators in force, in the order they were listed. */
struct at_propagator_set {
	const struct at_propagator *item[AT_PROPAGATOR_MAX];
	unsigned int count;
};

/*
 * From the text of OTEL_PROPAGATORS: blanks trimmed, duplicates and empty
 * items skipped, `none` and unknown names ignored. Number of items ignored
 * because unknown.
 */
int at_propagators_select(struct at_propagator_set *set, const char *list);

/* All header lines for `context`; nothing when it is not valid. */
void at_propagators_inject(const struct at_propagator_set *set,
			   const struct at_context *context,
			   struct at_writer *writer);

#endif
