// SPDX-License-Identifier: Apache-2.0
#include "cli/sanitizer.h"

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPTION "verify_asan_link_order=0"

/* A file in memory; nobody has checked it. */
struct image {
	const char *bytes;
	size_t size;
};

/* NULL unless all of it lies in the file, and is aligned. */
static const void *part(const struct image *image, uint64_t at, uint64_t count,
			size_t each)
{
	if (at > image->size || at % 8 || count > (image->size - at) / each)
		return NULL;
	return image->bytes + at;
}

static const Elf64_Phdr *headers_of(const struct image *image, size_t *count)
{
	const Elf64_Ehdr *head = part(image, 0, 1, sizeof(*head));

	if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) ||
	    head->e_ident[EI_CLASS] != ELFCLASS64 ||
	    head->e_phentsize != sizeof(Elf64_Phdr))
		return NULL;
	*count = head->e_phnum;
	return part(image, head->e_phoff, head->e_phnum, sizeof(Elf64_Phdr));
}

/* Where in the file an address lies; beyond its end: nowhere. */
static uint64_t offset_of(const Elf64_Phdr *headers, size_t count,
			  uint64_t address)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (headers[i].p_type == PT_LOAD &&
		    address >= headers[i].p_vaddr &&
		    address - headers[i].p_vaddr < headers[i].p_filesz)
			return address - headers[i].p_vaddr +
			       headers[i].p_offset;
	return UINT64_MAX;
}

static bool is_runtime(const struct image *image, uint64_t at)
{
	static const char *const names[] = { "libasan.so.",
					     "libclang_rt.asan" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (at < image->size && image->size - at > strlen(names[i]) &&
		    !memcmp(image->bytes + at, names[i], strlen(names[i])))
			return true;
	return false;
}

static bool needs_runtime(const struct image *image)
{
	const Elf64_Phdr *headers;
	const Elf64_Dyn *entries = NULL;
	size_t count = 0, entry_count = 0, i;
	uint64_t names = UINT64_MAX;

	headers = headers_of(image, &count);
	for (i = 0; headers && i < count; i++)
		if (headers[i].p_type == PT_DYNAMIC) {
			entry_count = headers[i].p_filesz / sizeof(*entries);
			entries = part(image, headers[i].p_offset, entry_count,
				       sizeof(*entries));
		}
	for (i = 0; entries && i < entry_count; i++)
		if (entries[i].d_tag == DT_STRTAB)
			names = offset_of(headers, count,
					  entries[i].d_un.d_ptr);
	if (names >= image->size)
		return false;
	for (i = 0; entries && i < entry_count; i++)
		if (entries[i].d_tag == DT_NEEDED &&
		    entries[i].d_un.d_val < image->size &&
		    is_runtime(image, names + entries[i].d_un.d_val))
			return true;
	return false;
}

static bool file_needs_runtime(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct image image = { MAP_FAILED, 0 };
	struct stat status;
	bool found = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    status.st_size > 0) {
		image.size = (size_t)status.st_size;
		image.bytes =
			mmap(NULL, image.size, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	close(fd);
	if (image.bytes == MAP_FAILED)
		return false;
	found = needs_runtime(&image);
	munmap((void *)(uintptr_t)image.bytes, image.size);
	return found;
}

bool at_wants_asan_first(const char *command, const char *path)
{
	if (strchr(command, '/'))
		return file_needs_runtime(command);
	while (path && *path) {
		int len = (int)strcspn(path, ":");
		char *candidate;
		bool there, found;

		if (asprintf(&candidate, "%.*s%s%s", len, path, len ? "/" : "",
			     command) < 0)
			return false;
		there = access(candidate, X_OK) == 0;
		found = there && file_needs_runtime(candidate);
		free(candidate);
		if (there)
			return found;
		path += len + (path[len] == ':');
	}
	return false;
}

/* Last, it wins over an earlier one. */
char *at_asan_options(const char *existing)
{
	char *value;

	if (asprintf(&value, "%s%s" OPTION, existing ? existing : "",
		     existing && *existing ? ":" : "") < 0)
		return NULL;
	return value;
}
