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
/* Where in it the parent's id begins: 00-{trace id}-{parent id}-{flags} */
#define AT_TRACEPARENT_PARENT_AT 36
#define AT_TRACEPARENT_PARENT_BYTES 16

/*
 * Read one traceparent value (Trace Context level 2; OWS around it allowed).
 * 0 and ids, flags and remote = true in *context with an empty tracestate;
 * -EBADMSG and *context untouched when it is not valid.
 */
int at_traceparent_parse(struct at_text value, struct at_context *context);

/*
 * Do these lines of a head speak of traceparent other than as a field's name?
 * Then it may be signed (SigV4's SignedHeaders, RFC 9421's Signature-Input),
 * and whoever alters it breaks the signature.
 */
bool at_traceparent_is_signed(struct at_text lines);

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

#define AT_BAGGAGE_MEMBERS 64
#define AT_BAGGAGE_BYTES 8192

/*
 * Add the valid members of one baggage field, as they are, to those that are
 * written already (*count): AT_BAGGAGE_MEMBERS at most, and what has room.
 * False: not all of them.
 */
bool at_baggage_add(struct at_text field, struct at_writer *writer,
		    unsigned int *count);

/* Where a context may be found. */
struct at_carrier {
	/* The value of a field, by its name in lower case; ptr NULL: not there. */
	struct at_text (*get)(const struct at_carrier *carrier,
			      const char *name);
};

/*
 * The variable that stands for a field in an environment (specification:
 * environment variables as carriers, key normalization): X_B3_TRACEID.
 */
void at_carrier_name_write(struct at_writer *writer, struct at_text field);

#define AT_CARRIER_NAME_BYTES 40

/* An environment block as a carrier; views point into it. */
struct at_environ_carrier {
	struct at_carrier carrier; /* first */
	char *const *environ;
};

struct at_environ_carrier at_environ_carrier(char *const *environ);

/*
 * The next of the header lines that at_propagators_inject() wrote, as a
 * variable: *name is written anew. False at the end.
 */
bool at_carrier_next_line(struct at_text *lines, struct at_writer *name,
			  struct at_text *value);

struct at_propagator {
	const char *name; /* as in OTEL_PROPAGATORS */
	/* Append complete header lines, each ended by CRLF. */
	void (*inject)(const struct at_context *context,
		       struct at_writer *writer);
	/*
	 * 0 and the context; -ENOENT there is none, -EBADMSG it is not valid:
	 * *context is untouched then. With all ids 0 only a decision was found.
	 * NULL: nothing to be found.
	 */
	int (*extract)(const struct at_carrier *carrier,
		       struct at_context *context);
	/* Its fields, each ended by NUL, an empty one at the end. */
	const char *fields;
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

/* Those of `all` but tracecontext and baggage, which go their own ways. */
void at_propagators_others(struct at_propagator_set *set,
			   const struct at_propagator_set *all);

/*
 * The context that a carrier brings: the last in the list that finds one wins
 * (PRP-20), and what is not valid never replaces what is. 0, or -ENOENT:
 * *context is untouched.
 */
int at_propagators_extract(const struct at_propagator_set *set,
			   const struct at_carrier *carrier,
			   struct at_context *context);

/* All header lines for `context`; nothing when it is not valid. */
void at_propagators_inject(const struct at_propagator_set *set,
			   const struct at_context *context,
			   struct at_writer *writer);

#endif
