// SPDX-License-Identifier: Apache-2.0
/*
 * Input that ends exactly where readable memory ends: a parser that reads one
 * byte too many dies at once, whatever it was compiled with.
 */
#ifndef AT_TESTS_GUARD_PAGE_H
#define AT_TESTS_GUARD_PAGE_H

#include <stddef.h>

#include "core/text.h"

struct guard_page {
	char *map;
	char *end; /* the first byte that must not be touched */
	size_t map_bytes;
};

/* Room for texts of up to `cap` bytes; aborts where there is none. */
void guard_page_open(struct guard_page *page, size_t cap);
void guard_page_close(struct guard_page *page);

/*
 * A copy of the bytes, the last one right before the guard page; valid until
 * the next call. What lies before the copy is 0xa5.
 */
char *guard_page_put(struct guard_page *page, const void *bytes, size_t len);

/* The same of a text, and of a C string with its NUL. */
struct at_text guard_page_text(struct guard_page *page, struct at_text text);
char *guard_page_string(struct guard_page *page, const char *string);

#endif
