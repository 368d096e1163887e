// SPDX-License-Identifier: Apache-2.0
/*
 * The span as it is filled, handed over and read: one flat record.
 *
 * A span is filled in place inside its connection, then copied as it is into
 * a ring, and read from a copy by the exporter or by another process. It holds
 * no pointers. Whoever reads one that came through shared memory runs
 * at_span_check() first.
 *
 * Setters are pure, allocation-free and async-signal-safe; one thread at a
 * time owns a span.
 */
#ifndef AT_CORE_SPAN_H
#define AT_CORE_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

#define AT_TRACE_ID_BYTES 16
#define AT_SPAN_ID_BYTES 8

/* W3C trace flags (Trace Context level 2). */
#define AT_FLAG_SAMPLED 0x01
#define AT_FLAG_RANDOM 0x02

/* OTLP Span.SpanKind. */
enum at_span_kind {
	AT_KIND_INTERNAL = 1,
	AT_KIND_SERVER = 2,
	AT_KIND_CLIENT = 3,
};

/* OTLP Status.StatusCode. */
enum at_span_status {
	AT_STATUS_UNSET = 0,
	AT_STATUS_OK = 1,
	AT_STATUS_ERROR = 2,
};

/*
 * What a record says. Only in a hub is there anything but spans: its reader
 * keeps the books of who lives (cli/processes.c).
 */
enum at_record {
	AT_RECORD_SPAN,
	/* A program has begun: its span as far as it is known. */
	AT_RECORD_BEGAN,
	/* It has ended by itself: the whole span. */
	AT_RECORD_ENDED,
	/* It is about to be replaced by one that nobody will hear of. */
	AT_RECORD_NOT_BEGUN,
	/* A process has been waited for: no ids, but pid, exit and usage. */
	AT_RECORD_REAPED,
	/* Nobody is listened to any more. */
	AT_RECORD_CLOSED,
	/* A process is about to die of a signal: pid, and what was seen of it. */
	AT_RECORD_CRASHED,
};

enum at_attr {
#define ATTR(id, name, type, help) AT_ATTR_##id,
#include "core/attributes.def"
#undef ATTR
	AT_ATTR_COUNT,
	/* Fields that are not attributes but travel the same way. */
	AT_FIELD_NAME = 0xf8,
	AT_FIELD_TRACESTATE,
	/* When the event `exception` was, INT: nanoseconds since 1970. */
	AT_FIELD_EXCEPTION_UNIX_NS,
	/* The event `autotrace.slow`, INT: AUTOTRACE_SLOW_MS. */
	AT_FIELD_SLOW_THRESHOLD_MS,
	AT_FIELD_END,
};

/* Of the one event that a span can have, not of the span. */
static inline bool at_attr_is_of_exception(enum at_attr attr)
{
	return attr >= AT_ATTR_EXCEPTION_TYPE &&
	       attr <= AT_ATTR_EXCEPTION_STACKTRACE;
}

enum at_attr_type {
	AT_TYPE_TEXT,
	AT_TYPE_INT,
	AT_TYPE_BOOL,
	AT_TYPE_TEXTS,
	AT_TYPE_DOUBLE,
};

struct at_attr_info {
	const char *name;
	enum at_attr_type type;
	const char *help;
};

extern const struct at_attr_info at_attr_table[AT_ATTR_COUNT];

/* What a request carries: who is the parent, and is the trace kept. */
struct at_context {
	uint8_t trace_id[AT_TRACE_ID_BYTES];
	uint8_t span_id[AT_SPAN_ID_BYTES];
	uint8_t flags;
	bool remote;
	bool debug;     /* B3, Jaeger: to be kept whatever happens */
	bool undecided; /* whoever sent it leaves sampling to us */
	uint16_t tracestate_len;
	char tracestate[512];
};

/* True when both ids are non-zero. */
bool at_context_valid(const struct at_context *context);

/* All of it but the rest of the room for its tracestate. */
void at_context_copy(struct at_context *to, const struct at_context *from);

#define AT_SPAN_FIELDS_BYTES 1896

struct at_span {
	uint32_t size_bytes; /* header plus used fields */
	uint8_t kind;
	uint8_t status;
	uint8_t flags;         /* W3C trace flags of this span */
	uint8_t parent_remote; /* parent came from another process */
	uint8_t has_parent;
	uint8_t truncated;
	uint16_t attr_count;
	uint16_t dropped_attr_count;
	uint16_t record; /* enum at_record */
	uint32_t pid;
	uint32_t tid;
	uint8_t trace_id[AT_TRACE_ID_BYTES];
	uint8_t span_id[AT_SPAN_ID_BYTES];
	uint8_t parent_id[AT_SPAN_ID_BYTES];
	uint64_t start_unix_ns;
	uint64_t duration_ns;
	uint64_t present; /* for the setters: bit (attr & 63) may be in fields */
	/* {u8 attr, u8 type, u16 len, bytes}* ; INT and DOUBLE are 8 bytes, BOOL 1 */
	uint8_t fields[AT_SPAN_FIELDS_BYTES];
};

/* An empty span; nothing else needs to be set before the setters. */
void at_span_init(struct at_span *span, enum at_span_kind kind);

/*
 * Setters. A key already present is replaced when the new value has the same
 * length, otherwise removed and appended. What does not fit is cut (texts,
 * `truncated` is set) or dropped and counted in dropped_attr_count.
 */
void at_span_set_text(struct at_span *span, enum at_attr attr,
		      struct at_text value);
/* More of the text that was set last, if it found room. */
void at_span_extend_text(struct at_span *span, enum at_attr attr,
			 struct at_text value);
/* Items, each with a NUL behind it; left out when they do not all fit. */
void at_span_set_texts(struct at_span *span, enum at_attr attr,
		       struct at_text items);
void at_span_set_int(struct at_span *span, enum at_attr attr, int64_t value);
void at_span_set_double(struct at_span *span, enum at_attr attr, double value);
void at_span_set_bool(struct at_span *span, enum at_attr attr, bool value);
void at_span_set_name(struct at_span *span, struct at_text name);
void at_span_set_tracestate(struct at_span *span, struct at_text value);

/* Error status and error.type in one; a second call changes nothing. */
void at_span_set_error(struct at_span *span, struct at_text type);

/* One field as read; text points into the span. */
struct at_field {
	enum at_attr attr;
	enum at_attr_type type;
	struct at_text text;
	int64_t number; /* INT and BOOL */
	double real;    /* DOUBLE */
};

/*
 * Walk the fields: start with *offset = 0. Returns false at the end. The span
 * must have been checked.
 */
bool at_span_next(const struct at_span *span, uint32_t *offset,
		  struct at_field *field);

/* The field `attr`, or false. AT_FIELD_NAME and _TRACESTATE work too. */
bool at_span_find(const struct at_span *span, enum at_attr attr,
		  struct at_field *field);

/*
 * Is this record, `size_bytes` long as received, whole and in bounds?
 * 0 or -EBADMSG. Never reads beyond size_bytes.
 */
int at_span_check(const struct at_span *span, uint32_t size_bytes);

#endif
