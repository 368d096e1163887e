// SPDX-License-Identifier: Apache-2.0
#include "cli/unwind.h"

#include <libunwind-ptrace.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <ucontext.h>

/* Looked at, not printed: somebody waits. */
#define FRAMES_MAX 2048
#define LINE_BYTES 512
#define PATH_BYTES 512

static const char more[] = "...\n";

/* libunwind hands out its own argument only. */
static struct {
	pid_t pid;
	ucontext_t context;
} target;

static bool read_memory(uint64_t address, void *into, size_t size)
{
	struct iovec local = { into, size };
	struct iovec remote = { (void *)(uintptr_t)address, size };

	return process_vm_readv(target.pid, &local, 1, &remote, 1, 0) ==
	       (ssize_t)size;
}

/* --- what libunwind asks of the other process --- */

#if defined(__x86_64__)
static const int register_of[] = {
	[UNW_X86_64_RAX] = REG_RAX, [UNW_X86_64_RDX] = REG_RDX,
	[UNW_X86_64_RCX] = REG_RCX, [UNW_X86_64_RBX] = REG_RBX,
	[UNW_X86_64_RSI] = REG_RSI, [UNW_X86_64_RDI] = REG_RDI,
	[UNW_X86_64_RBP] = REG_RBP, [UNW_X86_64_RSP] = REG_RSP,
	[UNW_X86_64_R8] = REG_R8,   [UNW_X86_64_R9] = REG_R9,
	[UNW_X86_64_R10] = REG_R10, [UNW_X86_64_R11] = REG_R11,
	[UNW_X86_64_R12] = REG_R12, [UNW_X86_64_R13] = REG_R13,
	[UNW_X86_64_R14] = REG_R14, [UNW_X86_64_R15] = REG_R15,
	[UNW_X86_64_RIP] = REG_RIP,
};

static bool read_register(unw_regnum_t number, unw_word_t *value)
{
	if (number < 0 ||
	    number >= (int)(sizeof(register_of) / sizeof(register_of[0])))
		return false;
	*value = (unw_word_t)
			 target.context.uc_mcontext.gregs[register_of[number]];
	return true;
}
#elif defined(__aarch64__)
static bool read_register(unw_regnum_t number, unw_word_t *value)
{
	if (number >= UNW_AARCH64_X0 && number <= UNW_AARCH64_X30)
		*value =
			target.context.uc_mcontext.regs[number - UNW_AARCH64_X0];
	else if (number == UNW_AARCH64_SP)
		*value = target.context.uc_mcontext.sp;
	else if (number == UNW_AARCH64_PC)
		*value = target.context.uc_mcontext.pc;
	else
		return false;
	return true;
}
#else
static bool read_register(unw_regnum_t number, unw_word_t *value)
{
	(void)number;
	(void)value;
	return false;
}
#endif

static int access_memory(unw_addr_space_t space, unw_word_t address,
			 unw_word_t *value, int write, void *upt)
{
	(void)space;
	(void)upt;
	return !write && read_memory(address, value, sizeof(*value)) ?
		       0 :
		       -UNW_EINVAL;
}

static int access_register(unw_addr_space_t space, unw_regnum_t number,
			   unw_word_t *value, int write, void *upt)
{
	(void)space;
	(void)upt;
	return !write && read_register(number, value) ? 0 : -UNW_EBADREG;
}

static int access_float(unw_addr_space_t space, unw_regnum_t number,
			unw_fpreg_t *value, int write, void *upt)
{
	(void)space;
	(void)number;
	(void)value;
	(void)write;
	(void)upt;
	return -UNW_EBADREG;
}

static int refuse_resume(unw_addr_space_t space, unw_cursor_t *cursor,
			 void *upt)
{
	(void)space;
	(void)cursor;
	(void)upt;
	return -UNW_EINVAL;
}

static unw_accessors_t accessors = {
	.find_proc_info = _UPT_find_proc_info,
	.put_unwind_info = _UPT_put_unwind_info,
	.get_dyn_info_list_addr = _UPT_get_dyn_info_list_addr,
	.access_mem = access_memory,
	.access_reg = access_register,
	.access_fpreg = access_float,
	.resume = refuse_resume,
	.get_proc_name = _UPT_get_proc_name,
};

/* --- a line --- */

/* The file mapped at `ip`, and where in it. */
static bool find_module(FILE *maps, uint64_t ip, char name[PATH_BYTES],
			uint64_t *offset)
{
	char line[PATH_BYTES + 128], path[PATH_BYTES], first[PATH_BYTES] = "";
	unsigned long begin, end, at, base = 0;

	rewind(maps);
	while (fgets(line, sizeof(line), maps)) {
		path[0] = 0;
		if (sscanf(line, "%lx-%lx %*s %lx %*s %*s %511[^\n]", &begin,
			   &end, &at, path) < 3)
			continue;
		/* Where its first mapping lies, its addresses begin. */
		if (strcmp(path, first) != 0) {
			memcpy(first, path, sizeof(path));
			base = begin - at;
		}
		if (ip < begin || ip >= end || !path[0])
			continue;
		memcpy(name, path, sizeof(path));
		*offset = ip - base;
		return true;
	}
	return false;
}

static void write_hex(struct at_writer *writer, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "+0x%llx", (unsigned long long)value);
	at_write_string(writer, text);
}

/*
 * Without a full symbol table the nearest name before is another function's:
 * it is believed where the unwind table has a function begin there, too.
 */
static bool find_name(unw_cursor_t *cursor, uint64_t ip, char *name,
		      size_t size, uint64_t *into)
{
	unw_proc_info_t info;
	unw_word_t offset;

	if (unw_get_proc_name(cursor, name, size, &offset) ||
	    unw_get_proc_info(cursor, &info) || info.start_ip != ip - offset)
		return false;
	*into = offset;
	return true;
}

static void write_frame(struct at_writer *line, unw_cursor_t *cursor,
			FILE *maps)
{
	char name[256], path[PATH_BYTES];
	unw_word_t ip = 0;
	uint64_t offset;

	unw_get_reg(cursor, UNW_REG_IP, &ip);
	if (find_name(cursor, ip, name, sizeof(name), &offset)) {
		at_write_string(line, name);
		write_hex(line, offset);
	} else {
		at_write_string(line, "??");
	}
	at_write_string(line, " (");
	if (maps && find_module(maps, ip, path, &offset)) {
		at_write_string(line, at_text_base_name(path));
		write_hex(line, offset);
	} else {
		at_write_string(line, "no file");
		write_hex(line, ip);
	}
	at_write_char(line, ')');
}

/* The line that comes next, once it is known how often. */
struct pending {
	char text[LINE_BYTES];
	struct at_writer line;
	uint64_t number, count;
};

/* False: there is no room for another one. */
static bool flush(struct at_writer *writer, const struct pending *pending)
{
	char text[LINE_BYTES + 64];
	struct at_writer line = AT_WRITER(text, sizeof(text));

	if (!pending->count)
		return true;
	at_write_char(&line, '#');
	at_write_u64(&line, pending->number);
	at_write_char(&line, ' ');
	at_write_text(&line, at_writer_text(&pending->line));
	if (pending->count > 1) {
		at_write_string(&line, ", and again: ");
		at_write_u64(&line, pending->count - 1);
	}
	at_write_char(&line, '\n');
	if (line.len + sizeof(more) > writer->cap - writer->len)
		return false;
	at_write_text(writer, at_writer_text(&line));
	return true;
}

/* One frame more; functions that call themselves are one line. */
static bool add_frame(struct at_writer *writer, struct pending *pending,
		      unw_cursor_t *cursor, FILE *maps)
{
	char text[LINE_BYTES];
	struct at_writer line = AT_WRITER(text, sizeof(text));

	write_frame(&line, cursor, maps);
	if (pending->count && at_text_equal(at_writer_text(&line),
					    at_writer_text(&pending->line))) {
		pending->count++;
		return true;
	}
	if (!flush(writer, pending))
		return false;
	pending->number += pending->count;
	pending->count = 1;
	pending->line = AT_WRITER(pending->text, sizeof(pending->text));
	at_write_text(&pending->line, at_writer_text(&line));
	return true;
}

static void walk(unw_cursor_t *cursor, FILE *maps, struct at_writer *writer)
{
	struct pending pending = { .count = 0 };
	int frames = 0;

	do {
		if (!add_frame(writer, &pending, cursor, maps)) {
			at_write_string(writer, more);
			return;
		}
	} while (++frames < FRAMES_MAX && unw_step(cursor) > 0);
	if (!flush(writer, &pending) || frames == FRAMES_MAX)
		at_write_string(writer, more);
}

static FILE *open_maps(void)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)target.pid);
	return fopen(path, "re");
}

void at_unwind(pid_t pid, uint64_t context, struct at_writer *writer)
{
	unw_addr_space_t space;
	unw_cursor_t cursor;
	FILE *maps;
	void *upt;

	target.pid = pid;
	if (!read_memory(context, &target.context, sizeof(target.context)))
		return;
	space = unw_create_addr_space(&accessors, 0);
	upt = _UPT_create(pid);
	maps = open_maps();
	if (space && upt && !unw_init_remote(&cursor, space, upt))
		walk(&cursor, maps, writer);
	if (maps)
		fclose(maps);
	_UPT_destroy(upt);
	unw_destroy_addr_space(space);
}
