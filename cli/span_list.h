// SPDX-License-Identifier: Apache-2.0
/*
 * The spans of a tree to be drawn: only what drawing needs, kept in memory.
 *
 * Filled from the records of a run or from a saved file; one thread at a time.
 */
#ifndef AT_CLI_SPAN_LIST_H
#define AT_CLI_SPAN_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/span.h"

/* One span to draw. Texts are NUL-terminated, and in a list never NULL. */
struct at_shown {
	uint8_t trace_id[AT_TRACE_ID_BYTES];
	uint8_t span_id[AT_SPAN_ID_BYTES];
	uint8_t parent_id[AT_SPAN_ID_BYTES];
	bool has_parent;
	uint8_t kind;         /* enum at_span_kind, as read; 0 unknown */
	bool failed;          /* status error */
	bool process;         /* a program image, or the run itself */
	bool http;            /* a request made */
	bool unfinished;      /* still running when the trace was closed */
	uint16_t status_code; /* HTTP; 0 none */
	int16_t exit_code;    /* of a process; -1 unknown */
	uint32_t pid;         /* 0 unknown */
	uint64_t start_ns;    /* since 1970 */
	uint64_t duration_ns;
	uint64_t cpu_ms; /* user and system */
	uint64_t peak_memory_bytes;
	const char *label;
	const char *error_type; /* "" none */
	const char *program;    /* base name of the executable; "" unknown */
	const char *blind_spot; /* why we were not inside; "" we were */
	const char *stack;      /* where it crashed, in lines; "" unknown */
};

/* When it ended; never before its start. */
static inline uint64_t at_shown_end_ns(const struct at_shown *span)
{
	uint64_t end = span->start_ns + span->duration_ns;

	return end < span->start_ns ? UINT64_MAX : end;
}

struct at_span_list {
	struct at_shown *item;
	size_t count;
	size_t room;
	size_t max_count;      /* 0: no limit */
	size_t left_out_count; /* over the limit, or no memory for them */
	struct at_text_chunk *chunks;
};

/*
 * Add a copy of *shown, its texts included. 0; -ENOSPC over max_count,
 * -ENOMEM; the span is then counted in left_out_count.
 */
int at_span_list_add(struct at_span_list *list, const struct at_shown *shown);

void at_span_list_free(struct at_span_list *list);

/* What a span is called in the tree, from whatever of this is known. */
struct at_label {
	struct at_text name;
	struct at_text method; /* empty: not HTTP */
	struct at_text url;    /* url.full */
	struct at_text host;
	int64_t port; /* 0 unknown */
	struct at_text path;
};

#define AT_LABEL_BYTES 1024

/*
 * `GET shop:8080 /api/order` for HTTP, else the span's name and the host it is
 * about; NUL-terminated, cut to what fits. Neither credentials nor query
 * appear.
 */
void at_label_write(char text[AT_LABEL_BYTES], const struct at_label *label);

#define AT_OUTCOME_BYTES 64

/*
 * What went wrong: error.type as it is, but `exit 3` for the exit code of a
 * process (`exited`). NUL-terminated, cut to what fits.
 */
void at_outcome_write(char text[AT_OUTCOME_BYTES], struct at_text error_type,
		      bool exited);

/* A span's fields on their way to what is shown; zeroed to begin with. */
struct at_draft {
	struct at_shown shown; /* ids, kind, times and status: the caller's */
	struct at_label label;
	struct at_text error_type;
	struct at_text program;
	struct at_text blind_spot;
	struct at_text stack;
	bool exited;
};

/* Note one field; its text has to outlive the draft. */
void at_draft_note(struct at_draft *draft, const struct at_field *field);

/* Add what has been noted. As at_span_list_add(). */
int at_span_list_add_draft(struct at_span_list *list,
			   const struct at_draft *draft);

/* Add a checked record. As at_span_list_add(). */
int at_span_list_add_record(struct at_span_list *list,
			    const struct at_span *span);

#endif
