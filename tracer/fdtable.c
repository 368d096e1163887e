// SPDX-License-Identifier: Apache-2.0
/*
 * What each descriptor number means to us. Two levels; the first page is
 * static, the others are mapped when first needed and never given back.
 */
#include "tracer/fdtable.h"

#include <errno.h>

#include "core/section.h"
#include "core/sys.h"

static struct at_fd_page first_page AT_LARGE;

_Atomic(struct at_fd_page *) at_fd_pages[AT_FD_PAGES] = { &first_page };

static struct at_fd_page *page_of(int fd, bool make)
{
	_Atomic(struct at_fd_page *) *entry;
	struct at_fd_page *page, *none = NULL;

	if ((unsigned int)fd >= AT_FD_MAX)
		return NULL;
	entry = &at_fd_pages[fd >> AT_FD_PAGE_BITS];
	page = atomic_load(entry);
	if (page || !make)
		return page;
	page = sys_map(sizeof(*page));
	if (!page)
		return NULL;
	if (atomic_compare_exchange_strong(entry, &none, page))
		return page;
	sys_unmap(page, sizeof(*page));
	return none;
}

static _Atomic uint64_t *slot_of(int fd, bool make)
{
	struct at_fd_page *page = page_of(fd, make);

	return page ? &page->slot[fd & (AT_FD_PAGE_SLOTS - 1)] : NULL;
}

uint64_t fdtable_get(int fd)
{
	_Atomic uint64_t *slot = slot_of(fd, false);

	return slot ? atomic_load(slot) : AT_FD_UNKNOWN;
}

int fdtable_set(int fd, uint64_t value, uint64_t *old)
{
	_Atomic uint64_t *slot = slot_of(fd, value != AT_FD_UNKNOWN);

	*old = AT_FD_UNKNOWN;
	if (!slot)
		return value == AT_FD_UNKNOWN ? 0 : -ENOMEM;
	*old = atomic_exchange(slot, value);
	return 0;
}

int fdtable_replace(int fd, uint64_t expected, uint64_t value)
{
	_Atomic uint64_t *slot = slot_of(fd, true);

	if (!slot)
		return -ENOMEM;
	return atomic_compare_exchange_strong(slot, &expected, value) ? 0 :
									-EAGAIN;
}

int fdtable_next_page(int fd)
{
	return (fd | (AT_FD_PAGE_SLOTS - 1)) + 1;
}

bool fdtable_page_exists(int fd)
{
	return page_of(fd, false) != NULL;
}
