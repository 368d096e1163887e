// SPDX-License-Identifier: Apache-2.0
/*
 * Preloaded beside libautotrace.so: counts the main thread's calls of malloc
 * and its kin, and how many of them libautotrace.so made itself. At the end
 * "ALL OURS" goes to the file that COST_MALLOC names.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static __thread int main_thread;
static __thread int counting; /* dladdr may allocate */
static unsigned long all_count, ours_count;

__attribute__((constructor)) static void start(void)
{
	main_thread = 1;
}

static void count(const void *caller)
{
	Dl_info info;

	if (!main_thread || counting)
		return;
	counting = 1;
	all_count++;
	if (dladdr(caller, &info) && info.dli_fname &&
	    strstr(info.dli_fname, "libautotrace.so"))
		ours_count++;
	counting = 0;
}

__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("COST_MALLOC");
	char line[64];
	int len,
		fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;

	if (fd < 0)
		return;
	len = snprintf(line, sizeof(line), "%lu %lu\n", all_count, ours_count);
	if (write(fd, line, (size_t)len) != len)
		abort();
	close(fd);
}

void *malloc(size_t size)
{
	count(__builtin_return_address(0));
	return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
	count(__builtin_return_address(0));
	return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
	count(__builtin_return_address(0));
	return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size)
{
	count(__builtin_return_address(0));
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	count(__builtin_return_address(0));
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	count(__builtin_return_address(0));
	*memory = __libc_memalign(alignment, size);
	return *memory ? 0 : 12 /* ENOMEM */;
}
