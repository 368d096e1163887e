// SPDX-License-Identifier: Apache-2.0
#include "tests/support/guard_page.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void guard_page_open(struct guard_page *page, size_t cap)
{
	size_t one = (size_t)sysconf(_SC_PAGESIZE);
	size_t room = (cap + one - 1) / one * one;

	page->map_bytes = room + one;
	page->map = mmap(NULL, page->map_bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page->map == MAP_FAILED)
		abort();
	page->end = page->map + room;
	if (mprotect(page->end, one, PROT_NONE))
		abort();
}

void guard_page_close(struct guard_page *page)
{
	munmap(page->map, page->map_bytes);
}

char *guard_page_put(struct guard_page *page, const void *bytes, size_t len)
{
	char *copy = page->end - len;

	if (len > (size_t)(page->end - page->map))
		abort();
	memset(page->map, 0xa5, (size_t)(copy - page->map));
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

struct at_text guard_page_text(struct guard_page *page, struct at_text text)
{
	return (struct at_text){ guard_page_put(page, text.ptr, text.len),
				 text.len };
}

char *guard_page_string(struct guard_page *page, const char *string)
{
	return guard_page_put(page, string, strlen(string) + 1);
}
