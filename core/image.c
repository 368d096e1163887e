// SPDX-License-Identifier: Apache-2.0
#include "core/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "core/sys.h"
#include "core/text.h"

/* ELF header, some twenty program headers, most often the loader's name. */
#define HEAD_BYTES 1280
#define DYNAMIC_COUNT 32
#define NAME_BYTES 24
/* The runtime is there among the first, if at all: it must come first. */
#define NEEDED_MAX 4
#define INTERPRETERS_MAX 5 /* as the kernel's */
#define INTERPRETER_BYTES 256

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#else
#define OWN_MACHINE EM_AARCH64
#endif

struct file {
	int fd;
	size_t len; /* of head */
	union {
		char bytes[HEAD_BYTES];
		Elf64_Ehdr elf;
	} head;
};

static const Elf64_Phdr *headers_of(const struct file *file, size_t *count)
{
	const Elf64_Ehdr *elf = &file->head.elf;

	*count = 0;
	if (elf->e_phentsize != sizeof(Elf64_Phdr) || elf->e_phoff % 8 ||
	    elf->e_phoff > file->len ||
	    elf->e_phnum > (file->len - elf->e_phoff) / sizeof(Elf64_Phdr))
		return NULL;
	*count = elf->e_phnum;
	return (const void *)(file->head.bytes + elf->e_phoff);
}

static const Elf64_Phdr *find_header(const struct file *file, uint32_t type)
{
	size_t count, i;
	const Elf64_Phdr *header = headers_of(file, &count);

	for (i = 0; i < count; i++)
		if (header[i].p_type == type)
			return &header[i];
	return NULL;
}

/* Where in the file an address lies; beyond its end: nowhere. */
static uint64_t offset_of(const struct file *file, uint64_t address)
{
	size_t count, i;
	const Elf64_Phdr *header = headers_of(file, &count);

	for (i = 0; i < count; i++)
		if (header[i].p_type == PT_LOAD &&
		    address >= header[i].p_vaddr &&
		    address - header[i].p_vaddr < header[i].p_filesz)
			return address - header[i].p_vaddr + header[i].p_offset;
	return UINT64_MAX;
}

static long read_at(const struct file *file, void *to, size_t len, uint64_t at)
{
	return at > INT64_MAX ? -EINVAL :
				sys_call4(SYS_pread64, file->fd, to, len, at);
}

static bool is_runtime(const struct file *file, uint64_t at)
{
	char name[NAME_BYTES] = "";

	if (read_at(file, name, sizeof(name), at) < 0)
		return false;
	return !memcmp(name, "libasan.so.", 11) ||
	       !memcmp(name, "libclang_rt.asan", 16);
}

static bool wants_asan_first(const struct file *file)
{
	const Elf64_Phdr *header = find_header(file, PT_DYNAMIC);
	Elf64_Dyn entries[DYNAMIC_COUNT];
	uint64_t needed[NEEDED_MAX], names = UINT64_MAX;
	uint64_t at = header ? header->p_offset : 0;
	uint64_t end = header ? at + header->p_filesz : 0;
	unsigned int needed_count = 0, i;

	for (; at < end && names == UINT64_MAX; at += sizeof(entries)) {
		long len = read_at(file, entries, sizeof(entries), at);

		if (len < (long)sizeof(*entries))
			break;
		for (i = 0; i < (size_t)len / sizeof(*entries); i++) {
			if (entries[i].d_tag == DT_NULL)
				end = 0;
			else if (entries[i].d_tag == DT_STRTAB)
				names = offset_of(file, entries[i].d_un.d_ptr);
			else if (entries[i].d_tag == DT_NEEDED &&
				 needed_count < NEEDED_MAX)
				needed[needed_count++] = entries[i].d_un.d_val;
		}
	}
	for (i = 0; i < needed_count && names != UINT64_MAX; i++)
		if (is_runtime(file, names + needed[i]))
			return true;
	return false;
}

static bool is_musl(const struct file *file, const Elf64_Phdr *interpreter)
{
	char name[NAME_BYTES] = "";
	const char *at = name;

	if (interpreter->p_offset + sizeof(name) <= file->len)
		at = file->head.bytes + interpreter->p_offset;
	else
		read_at(file, name, sizeof(name), interpreter->p_offset);
	return !memcmp(at, "/lib/ld-musl", 12);
}

static bool is_elf(const struct file *file)
{
	return file->len >= sizeof(Elf64_Ehdr) &&
	       !memcmp(file->head.bytes, ELFMAG, SELFMAG);
}

static void look_at_elf(const struct file *file, struct at_image *image)
{
	const Elf64_Ehdr *elf = &file->head.elf;
	const Elf64_Phdr *interpreter;

	if (elf->e_ident[EI_CLASS] != ELFCLASS64 ||
	    elf->e_machine != OWN_MACHINE) {
		image->kind = AT_IMAGE_ARCH;
		return;
	}
	interpreter = find_header(file, PT_INTERP);
	if (!interpreter) {
		size_t count;

		if (headers_of(file, &count))
			image->kind = AT_IMAGE_STATIC;
	} else if (is_musl(file, interpreter)) {
		image->kind = AT_IMAGE_LIBC;
	} else {
		image->wants_asan_first = wants_asan_first(file);
	}
}

/* As the kernel says in AT_SECURE, but for mounts that forbid it. */
static bool is_secure(int fd, const struct stat *status)
{
	char capabilities[64];

	if ((status->st_mode & S_ISUID) &&
	    status->st_uid != (uid_t)sys_call0(SYS_getuid))
		return true;
	if ((status->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
	    status->st_gid != (gid_t)sys_call0(SYS_getgid))
		return true;
	return sys_geteuid() != 0 &&
	       sys_call4(SYS_fgetxattr, fd, "security.capability", capabilities,
			 sizeof(capabilities)) > 0;
}

/* Behind "#!", without blanks; empty when it is none. */
static void read_interpreter(const struct file *file,
			     char path[INTERPRETER_BYTES])
{
	struct at_text line = { file->head.bytes + 2, 0 }, word;

	path[0] = 0;
	if (file->len < 3 || memcmp(file->head.bytes, "#!", 2) != 0)
		return;
	while (line.len + 2 < file->len && line.ptr[line.len] != '\n')
		line.len++;
	line = at_text_trim(line);
	if (!at_text_next(&line, ' ', &word) || word.len >= INTERPRETER_BYTES)
		return;
	memcpy(path, word.ptr, word.len);
	path[word.len] = 0;
}

/* A script's `next` is what has to be looked at instead. */
static int look_once(int dir, const char *path, struct at_image *image,
		     char next[INTERPRETER_BYTES])
{
	struct file file;
	struct stat status;
	long len;

	next[0] = 0;
	file.fd = (int)sys_call4(SYS_openat, dir, path,
				 O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
				 0);
	if (file.fd < 0)
		return file.fd;
	if (sys_fstat(file.fd, &status) || !S_ISREG(status.st_mode) ||
	    !(status.st_mode & 0111)) {
		sys_close(file.fd);
		return -ENOEXEC;
	}
	len = read_at(&file, &file.head, sizeof(file.head), 0);
	file.len = len > 0 ? (size_t)len : 0;
	if (!is_elf(&file)) {
		read_interpreter(&file, next);
	} else if (is_secure(file.fd, &status) &&
		   !sys_prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)) {
		image->kind = AT_IMAGE_SETUID;
	} else {
		look_at_elf(&file, image);
	}
	sys_close(file.fd);
	return 0;
}

int at_image_look(int dir, const char *path, struct at_image *image)
{
	char names[2][INTERPRETER_BYTES];
	int i, error;

	*image = (struct at_image){ AT_IMAGE_OPEN, false };
	error = look_once(dir, path, image, names[0]);
	for (i = 0; !error && i < INTERPRETERS_MAX && names[i % 2][0]; i++)
		error = look_once(AT_FDCWD, names[i % 2], image,
				  names[(i + 1) % 2]);
	return error;
}

int at_image_find(const char *name, const char *search, char *path,
		  size_t path_bytes, struct at_image *image)
{
	struct at_text rest = at_text_from(search ? search : "/bin:/usr/bin");
	struct at_text directory;
	int error, result = -ENOENT;

	while (at_text_next(&rest, ':', &directory)) {
		struct at_writer writer = AT_WRITER(path, path_bytes - 1);

		at_write_text(&writer, directory);
		at_write_string(&writer, directory.len ? "/" : "");
		at_write_string(&writer, name);
		if (writer.overflow)
			continue;
		path[writer.len] = 0;
		error = at_image_look(AT_FDCWD, path, image);
		if (!error)
			return 0;
		if (error == -EACCES)
			result = error;
	}
	return result;
}

const char *at_image_blind_spot(enum at_image_kind kind)
{
	switch (kind) {
	case AT_IMAGE_STATIC:
		return "static";
	case AT_IMAGE_SETUID:
		return "setuid";
	case AT_IMAGE_ARCH:
		return "arch";
	case AT_IMAGE_LIBC:
		return "libc";
	case AT_IMAGE_OPEN:
		break;
	}
	return NULL;
}
