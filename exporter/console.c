// SPDX-License-Identifier: Apache-2.0
/*
 * console: one line a span on the program's stderr, for people. The form is
 * free to change. Only when asked for by name.
 */
#include <errno.h>

#include "core/log.h"
#include "core/sys.h"
#include "exporter/descriptor.h"
#include "exporter/exporters.h"
#include "exporter/heap.h"
#include "exporter/otlp_json.h"
#include "exporter/utf8.h"

/* What a pipe takes in one piece. */
#define PIECE_BYTES 4096
#define DAY_S 86400

struct console {
	struct at_exporter_host *host;
	int fd;
};

static int console_open(struct at_exporter_host *host, void **self)
{
	struct console *console;
	int fd = descriptor_stderr();

	if (fd < 0)
		return fd;
	console = at_log_is_for_people(fd) ? heap_zalloc(1, sizeof(*console)) :
					     NULL;
	if (!console) {
		sys_close(fd);
		return -ENOTTY;
	}
	console->host = host;
	console->fd = fd;
	*self = console;
	return 0;
}

/* ---- one line ---- */

static void write_digits(struct at_writer *line, uint64_t value, int digits)
{
	uint64_t unit = 1;

	while (--digits > 0)
		unit *= 10;
	for (; unit; unit /= 10)
		at_write_char(line, (char)('0' + value / unit % 10));
}

/* UTC, HH:MM:SS.mmm */
static void write_time(struct at_writer *line, uint64_t unix_ns)
{
	uint64_t second = unix_ns / 1000000000u % DAY_S;

	write_digits(line, second / 3600, 2);
	at_write_char(line, ':');
	write_digits(line, second / 60 % 60, 2);
	at_write_char(line, ':');
	write_digits(line, second % 60, 2);
	at_write_char(line, '.');
	write_digits(line, unix_ns / 1000000u % 1000, 3);
}

static void write_duration(struct at_writer *line, uint64_t ns)
{
	at_write_u64(line, ns / 1000000u);
	at_write_char(line, '.');
	write_digits(line, ns / 1000u % 1000, 3);
	at_write_string(line, "ms");
}

static void write_value(struct at_writer *line, const struct at_field *field)
{
	char number[OTLP_JSON_NUMBER_BYTES];

	if (field->type == AT_TYPE_INT && field->number < 0) {
		at_write_char(line, '-');
		at_write_u64(line, -(uint64_t)field->number);
	} else if (field->type == AT_TYPE_INT) {
		at_write_u64(line, (uint64_t)field->number);
	} else if (field->type == AT_TYPE_BOOL) {
		at_write_string(line, field->number ? "true" : "false");
	} else if (field->type == AT_TYPE_DOUBLE) {
		otlp_json_number(number, field->real);
		at_write_string(line, number);
	} else {
		utf8_write_harmless(line, field->text);
	}
}

static const char *kind_name(uint8_t kind)
{
	switch (kind) {
	case AT_KIND_SERVER:
		return "SERVER";
	case AT_KIND_CLIENT:
		return "CLIENT";
	default:
		return "INTERNAL";
	}
}

static void write_attributes(struct at_writer *line, const struct at_span *span)
{
	struct at_field field;
	uint32_t offset = 0;

	while (at_span_next(span, &offset, &field)) {
		if (field.attr >= AT_ATTR_COUNT)
			continue;
		at_write_char(line, ' ');
		at_write_string(line, at_attr_table[field.attr].name);
		at_write_char(line, '=');
		write_value(line, &field);
	}
}

static void write_line(struct at_writer *line, const struct at_span *span)
{
	struct at_field name;

	at_write_string(line, "autotrace: ");
	write_time(line, span->start_unix_ns);
	at_write_char(line, ' ');
	at_write_string(line, kind_name(span->kind));
	at_write_char(line, ' ');
	if (at_span_find(span, AT_FIELD_NAME, &name))
		utf8_write_harmless(line, name.text);
	at_write_char(line, ' ');
	write_duration(line, span->duration_ns);
	if (span->status == AT_STATUS_ERROR)
		at_write_string(line, " ERROR");
	at_write_string(line, " trace=");
	at_write_hex(line, span->trace_id, AT_TRACE_ID_BYTES);
	at_write_string(line, " span=");
	at_write_hex(line, span->span_id, AT_SPAN_ID_BYTES);
	if (span->has_parent) {
		at_write_string(line, " parent=");
		at_write_hex(line, span->parent_id, AT_SPAN_ID_BYTES);
	}
	write_attributes(line, span);
}

/* ---- out ---- */

static int write_piece(struct console *console, struct pace *pace,
		       struct at_text piece)
{
	while (piece.len) {
		struct pollfd out = { console->fd, POLLOUT, 0 };
		long done;
		int why = 0;

		if (!pace_left_ns(pace, &why))
			return why == -EAGAIN ? -EBUSY : why;
		if (!pace_poll(pace, &out, 1, PACE_SLICE_NS))
			continue;
		pace_unlock(console->host);
		done = sys_write(console->fd, piece.ptr, piece.len);
		pace_lock(console->host);
		if (done < 0 && done != -EAGAIN && done != -EINTR)
			return (int)done;
		if (done > 0) {
			piece.ptr += done;
			piece.len -= (size_t)done;
		}
	}
	return 0;
}

static int console_send(void *self, struct delivery *delivery)
{
	struct console *console = self;
	const struct at_span *span;
	size_t offset = 0;
	int result = 0;

	while (!result && (span = batch_next(delivery->batch, &offset))) {
		char text[PIECE_BYTES];
		struct at_writer line = AT_WRITER(text, sizeof(text) - 1);

		write_line(&line, span);
		text[line.len] = '\n';
		result = write_piece(console, delivery->pace,
				     (struct at_text){ text, line.len + 1 });
		delivery->done_count += result == 0;
	}
	return result;
}

static void console_close(void *self)
{
	struct console *console = self;

	sys_close(console->fd);
	heap_free(console);
}

static void console_after_fork(void *self)
{
	heap_free(self);
}

const struct at_exporter at_exporter_console = {
	.name = "console",
	.local = true,
	.open = console_open,
	.send = console_send,
	.close = console_close,
	.after_fork = console_after_fork,
};
