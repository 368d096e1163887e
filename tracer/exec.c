// SPDX-License-Identifier: Apache-2.0
/*
 * Programs that are started: what is written into their environment, and those
 * of which nobody would hear otherwise.
 *
 * Much of this runs in vfork children, in their parent's memory: nothing is
 * written but the stack and the hub.
 */
#include <fcntl.h>
#include <string.h>

#include "core/clock.h"
#include "core/environ.h"
#include "core/program_name.h"
#include "core/sys.h"
#include "propagator/propagator.h"
#include "tracer/context.h"
#include "tracer/output.h"
#include "tracer/process.h"
#include "tracer/request.h"
#include "tracer/tracer.h"

/* An environment of more, and longer values to be rewritten, stay as is. */
#define ENTRIES_MAX 1024
#define TEXT_MAX 4096

#define ASAN_OPTION "verify_asan_link_order=0"

static const char *library = "";
static bool by_environment; /* LD_PRELOAD is what brought us here */

static bool is_entry_of(const char *entry, struct at_text name)
{
	return !strncmp(entry, name.ptr, name.len) && entry[name.len] == '=';
}

/* --- the library's place in LD_PRELOAD --- */

/* ld.so takes colons and blanks for separators. */
static bool next_item(struct at_text *rest, struct at_text *item)
{
	size_t len = 0;

	if (!rest->len)
		return false;
	while (len < rest->len && rest->ptr[len] != ':' &&
	       rest->ptr[len] != ' ')
		len++;
	*item = (struct at_text){ rest->ptr, len };
	len += len < rest->len;
	rest->ptr += len;
	rest->len -= len;
	return true;
}

static bool is_library(struct at_text item)
{
	return at_text_equal(at_base_name(item),
			     at_base_name(at_text_from(library)));
}

static bool has_library(struct at_text list)
{
	struct at_text item;

	/* All there is to it, most often. */
	if (list.len && at_text_equal(list, at_text_from(library)))
		return true;
	while (next_item(&list, &item))
		if (is_library(item))
			return true;
	return false;
}

static void write_without_library(struct at_text list, struct at_writer *writer)
{
	struct at_text item;
	bool first = true;

	while (next_item(&list, &item)) {
		if (!item.len || is_library(item))
			continue;
		at_write_string(writer, first ? "" : ":");
		at_write_text(writer, item);
		first = false;
	}
}

void at_exec_start(const char *own_path, char *const *environment)
{
	library = own_path ? own_path : "";
	by_environment = has_library(at_environ_get(environment, "LD_PRELOAD"));
}

/* --- looking --- */

/* Another root, or another mount of it: ld.so would complain aloud. */
static bool library_is_there(void)
{
	return library[0] != '/' ||
	       !sys_call3(SYS_faccessat, AT_FDCWD, library, 4 /* R_OK */);
}

static int look(struct at_exec *exec)
{
	const char *path = exec->path;

	if (exec->fd_only) {
		struct at_writer writer =
			AT_WRITER(exec->found, sizeof(exec->found) - 1);

		at_write_string(&writer, "/proc/self/fd/");
		at_write_u64(&writer, (uint64_t)exec->dir);
		exec->found[writer.len] = 0;
		return at_image_look(AT_FDCWD, exec->found, &exec->image);
	}
	if (exec->search && !strchr(path, '/'))
		return at_image_find(path, exec->search_path, exec->found,
				     sizeof(exec->found), &exec->image);
	return at_image_look(exec->dir, path, &exec->image);
}

static void judge(struct at_exec *exec)
{
	struct at_text preload = at_environ_get(exec->envp, "LD_PRELOAD");

	exec->blind_spot = at_image_blind_spot(exec->image.kind);
	exec->has_library = has_library(preload);
	exec->drop_library =
		exec->has_library &&
		(exec->image.kind == AT_IMAGE_ARCH || !library_is_there());
	if (!exec->blind_spot && by_environment &&
	    (!exec->has_library || exec->drop_library))
		exec->blind_spot = "preload_lost";
	if (!exec->blind_spot && process_is_apart())
		exec->blind_spot = "namespace";
}

/* --- the environment block --- */

/* What an environment carries of ours, and ours to change. */
enum { CARRIED_PARENT, CARRIED_STATE, PRELOAD, ASAN, CHANGES };

static const struct at_text names[CHANGES] = {
	[CARRIED_PARENT] = { "TRACEPARENT", 11 },
	[CARRIED_STATE] = { "TRACESTATE", 10 },
	[PRELOAD] = { "LD_PRELOAD", 10 },
	[ASAN] = { "ASAN_OPTIONS", 12 },
};

/* What the other propagators in force write, as header lines: 540 for all. */
#define LINES_BYTES 600

struct block {
	struct at_exec *exec;
	char **slot;
	struct at_writer text;
	bool change[CHANGES];
	struct at_writer lines;
	char line_bytes[LINES_BYTES];
};

/*
 * Ours to replace is what this program was given itself, and passes on; any
 * other context is somebody's own.
 */
static bool is_stale(const struct at_exec *exec)
{
	struct at_text value = at_environ_get(exec->envp, "TRACEPARENT");
	const struct at_context *given = context_given();
	struct at_context found;

	if (!value.ptr || at_traceparent_parse(value, &found))
		/* A clean environment that was asked for stays clean. */
		return exec->has_library || value.ptr;
	return !memcmp(found.trace_id, given->trace_id, AT_TRACE_ID_BYTES) &&
	       !memcmp(found.span_id, given->span_id, AT_SPAN_ID_BYTES);
}

static void begin(struct block *block, struct at_exec *exec)
{
	memset(block->change, 0, sizeof(block->change));
	block->exec = exec;
}

static void choose_changes(struct block *block)
{
	const struct at_exec *exec = block->exec;
	const struct at_context *context = process_context();

	block->lines = AT_WRITER(block->line_bytes, LINES_BYTES);
	if (context && is_stale(exec)) {
		block->change[CARRIED_PARENT] = true;
		block->change[CARRIED_STATE] = true;
		at_propagators_inject(request_others(), context, &block->lines);
		if (block->lines.overflow)
			block->lines.len = 0;
	}
	block->change[PRELOAD] = exec->drop_library;
	block->change[ASAN] = exec->image.wants_asan_first && exec->has_library;
}

static void write_value(struct block *block, int change, struct at_text old)
{
	const struct at_context *context = process_context();
	struct at_writer *text = &block->text;

	switch (change) {
	case CARRIED_PARENT:
		at_traceparent_write(text, context);
		break;
	case CARRIED_STATE:
		at_write_bytes(text, context->tracestate,
			       context->tracestate_len);
		break;
	case PRELOAD:
		write_without_library(old, text);
		break;
	case ASAN:
		/* Last, it wins over an earlier one. */
		at_write_text(text, old);
		at_write_string(text, old.len ? ":" ASAN_OPTION : ASAN_OPTION);
		break;
	}
}

/* An empty value is left out. */
static void add_changed(struct block *block, int change)
{
	struct at_text old =
		at_environ_get(block->exec->envp, names[change].ptr);
	char *entry = block->text.ptr + block->text.len;
	size_t empty;

	at_write_text(&block->text, names[change]);
	at_write_char(&block->text, '=');
	empty = block->text.len;
	write_value(block, change, old);
	if (block->text.len == empty) {
		block->text.len = (size_t)(entry - block->text.ptr);
		return;
	}
	at_write_char(&block->text, 0);
	*block->slot++ = entry;
}

/* --- and what the other propagators carry --- */

static void add_lines(struct block *block)
{
	struct at_text lines = at_writer_text(&block->lines), value;
	char room[AT_CARRIER_NAME_BYTES];
	struct at_writer name = AT_WRITER(room, sizeof(room));

	while (at_carrier_next_line(&lines, &name, &value)) {
		*block->slot++ = block->text.ptr + block->text.len;
		at_write_text(&block->text, at_writer_text(&name));
		at_write_char(&block->text, '=');
		at_write_text(&block->text, value);
		at_write_char(&block->text, 0);
	}
}

static unsigned int count_lines(const struct block *block)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < block->lines.len; i++)
		count += block->lines.ptr[i] == '\n';
	return count;
}

/* Any field of theirs, written this time or not. */
static bool is_theirs(const struct block *block, const char *entry)
{
	const struct at_propagator_set *others = request_others();
	char room[AT_CARRIER_NAME_BYTES];
	unsigned int i;

	for (i = 0; block->change[CARRIED_PARENT] && i < others->count; i++) {
		const char *field = others->item[i]->fields;

		for (; *field; field += strlen(field) + 1) {
			struct at_writer name = AT_WRITER(room, sizeof(room));

			at_carrier_name_write(&name, at_text_from(field));
			if (is_entry_of(entry, at_writer_text(&name)))
				return true;
		}
	}
	return false;
}

static bool is_changed(const struct block *block, const char *entry)
{
	int i;

	for (i = 0; i < CHANGES; i++)
		if (block->change[i] && is_entry_of(entry, names[i]))
			return true;
	return is_theirs(block, entry);
}

static size_t count_entries(char *const *envp)
{
	size_t count = 0;

	while (envp[count])
		if (++count > ENTRIES_MAX)
			break;
	return count;
}

/* Of the entry: name, '=', value, NUL. */
static size_t changed_bytes(const struct at_exec *exec, int change)
{
	size_t old = at_environ_get(exec->envp, names[change].ptr).len;
	size_t ours = 0;

	if (change == CARRIED_PARENT)
		ours = AT_TRACEPARENT_BYTES;
	else if (change == CARRIED_STATE)
		ours = process_context()->tracestate_len;
	else if (change == ASAN)
		ours = old + sizeof(ASAN_OPTION);
	else
		ours = old;
	return names[change].len + ours + 2;
}

size_t at_exec_room(struct at_exec *exec)
{
	struct block block;
	size_t bytes = 0, count;
	int i;

	/* Outside of a trace there is nothing to hand on. */
	if (!at_tracer_active() || !process_context())
		return 0;
	exec->error = look(exec);
	/* NULL and what is no address: the kernel's to refuse. */
	if (exec->error || (intptr_t)exec->envp < 4096)
		return 0;
	judge(exec);
	begin(&block, exec);
	choose_changes(&block);
	/* A line is longer than its entry: a digit's `_` is made up for. */
	bytes += block.lines.len;
	for (i = 0; i < CHANGES; i++)
		if (block.change[i])
			bytes += changed_bytes(exec, i);
	count = count_entries(exec->envp);
	if (!bytes || bytes > TEXT_MAX || count > ENTRIES_MAX)
		return 0;
	return (count + CHANGES + count_lines(&block) + 1) * sizeof(char *) +
	       bytes;
}

char *const *at_exec_block(struct at_exec *exec, void *room, size_t size)
{
	struct block block;
	char *const *entry;
	size_t slots;
	int i;

	begin(&block, exec);
	choose_changes(&block);
	slots = (count_entries(exec->envp) + CHANGES + count_lines(&block) +
		 1) *
		sizeof(char *);
	block.slot = room;
	block.text = AT_WRITER((char *)room + slots, size - slots);
	for (entry = exec->envp; *entry; entry++)
		if (!is_changed(&block, *entry))
			*block.slot++ = *entry;
	for (i = 0; i < CHANGES; i++)
		if (block.change[i])
			add_changed(&block, i);
	add_lines(&block);
	*block.slot = NULL;
	return block.text.overflow ? exec->envp : room;
}

/* --- those of which nobody would hear --- */

static const char *place_of(const struct at_exec *exec)
{
	return exec->found[0] ? exec->found : exec->path;
}

static void fill_outside(struct at_exec *exec, uint32_t pid, uint32_t parent,
			 struct at_span *span)
{
	const struct at_context *own = process_context();
	struct at_context context = *own;
	struct at_text path = at_text_from(place_of(exec));
	char name[AT_PROGRAM_NAME_BYTES];
	struct at_writer writer = AT_WRITER(name, sizeof(name));

	memcpy(context.span_id, exec->span_id, AT_SPAN_ID_BYTES);
	request_open_span(span, &context, own, CONTEXT_PROCESS,
			  at_clock_now_ns());
	span->kind = AT_KIND_INTERNAL;
	span->pid = pid;
	span->tid = pid;
	at_program_name_write(&writer, exec->argv);
	at_span_set_name(span, writer.len ? at_writer_text(&writer) :
					    at_base_name(path));
	at_span_set_int(span, AT_ATTR_PROCESS_PID, pid);
	at_span_set_int(span, AT_ATTR_PROCESS_PARENT_PID, parent);
	at_span_set_text(span, AT_ATTR_PROCESS_EXECUTABLE_NAME,
			 at_base_name(path));
	at_span_set_text(span, AT_ATTR_PROCESS_EXECUTABLE_PATH, path);
	at_span_set_text(span, AT_ATTR_AUTOTRACE_BLIND_SPOT,
			 at_text_from(exec->blind_spot));
}

static void tell(struct at_span *span, enum at_record what)
{
	span->record = (uint16_t)what;
	at_ring_push(at_hub_ring(process_hub()), span->pid, span,
		     span->size_bytes);
}

static bool is_to_be_told(const struct at_exec *exec)
{
	const struct at_context *own = process_context();

	return exec->blind_spot && process_hub() && own &&
	       (own->flags & AT_FLAG_SAMPLED);
}

/* The kernel's: our own generator is the parent's in a vfork child. */
static void announce(struct at_exec *exec, uint32_t pid, uint32_t parent)
{
	struct at_span span;

	if (!is_to_be_told(exec) ||
	    sys_getrandom(exec->span_id, AT_SPAN_ID_BYTES) != AT_SPAN_ID_BYTES)
		return;
	exec->told = true;
	fill_outside(exec, pid, parent, &span);
	tell(&span, AT_RECORD_BEGAN);
}

void at_exec_begins(struct at_exec *exec)
{
	process_execs(at_clock_now_ns());
	announce(exec, (uint32_t)sys_getpid(), (uint32_t)sys_getppid());
}

void at_exec_failed(struct at_exec *exec)
{
	struct at_span span;

	process_execs(0);
	if (!exec->told)
		return;
	at_span_init(&span, AT_KIND_INTERNAL);
	span.pid = (uint32_t)sys_getpid();
	memcpy(span.span_id, exec->span_id, AT_SPAN_ID_BYTES);
	tell(&span, AT_RECORD_NOT_BEGUN);
	exec->told = false;
}

void at_exec_spawned(struct at_exec *exec, pid_t pid)
{
	/* The child has executed it when posix_spawn returns. */
	process_spawned((uint32_t)pid, at_clock_now_ns());
	announce(exec, (uint32_t)pid, (uint32_t)sys_getpid());
}
