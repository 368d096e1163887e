// SPDX-License-Identifier: Apache-2.0
#include "cli/cells.h"

#include <string.h>

struct range {
	uint32_t first;
	uint32_t last;
};

static const struct range zero_ranges[] = {
#define ZERO(first, last) { first, last },
#include "cli/columns.def"
#undef ZERO
};

static const struct range wide_ranges[] = {
#define WIDE(first, last) { first, last },
#include "cli/columns.def"
#undef WIDE
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool in_ranges(const struct range *ranges, size_t count, uint32_t c)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (c > ranges[middle].last)
			low = middle + 1;
		else if (c < ranges[middle].first)
			high = middle;
		else
			return true;
	}
	return false;
}

/* C1 controls, line separators and everything that reorders the line. */
static bool steers(uint32_t c)
{
	return (c >= 0x80 && c <= 0x9f) || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	       c == 0x061c;
}

size_t at_utf8_decode(struct at_text text, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const uint8_t *at = (const uint8_t *)text.ptr;
	size_t len, i;

	if (at[0] < 0x80)
		len = 1;
	else if (at[0] >= 0xc2 && at[0] < 0xe0)
		len = 2;
	else if (at[0] >= 0xe0 && at[0] < 0xf0)
		len = 3;
	else if (at[0] >= 0xf0 && at[0] < 0xf5)
		len = 4;
	else
		return 0;
	if (len > text.len)
		return 0;
	*c = len == 1 ? at[0] : at[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (at[i] & 0x3f);
	}
	if (*c < least[len] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
		return 0;
	return len;
}

static void escape(struct at_cell *cell, const char *format, uint32_t c)
{
	int len = snprintf(cell->bytes, sizeof(cell->bytes), format, c);

	cell->len = (uint8_t)len;
	cell->columns = (uint8_t)len;
}

static uint8_t columns_of(uint32_t c)
{
	if (c < 0x300)
		return 1;
	if (in_ranges(zero_ranges, COUNT_OF(zero_ranges), c))
		return 0;
	return in_ranges(wide_ranges, COUNT_OF(wide_ranges), c) ? 2 : 1;
}

bool at_cell_next(struct at_text *rest, bool utf8, struct at_cell *cell)
{
	uint32_t c = 0;
	size_t len;

	if (!rest->len)
		return false;
	len = at_utf8_decode(*rest, &c);
	if (!len) {
		len = 1;
		escape(cell, "\\x%02x", (uint8_t)rest->ptr[0]);
	} else if (c < 0x20 || c == 0x7f) {
		escape(cell, "\\x%02x", c);
	} else if (c >= 0x80 && (!utf8 || steers(c))) {
		escape(cell, c > 0xffff ? "\\U%08x" : "\\u%04x", c);
	} else {
		memcpy(cell->bytes, rest->ptr, len);
		cell->len = (uint8_t)len;
		cell->columns = columns_of(c);
	}
	rest->ptr += len;
	rest->len -= len;
	return true;
}

size_t at_cells_columns(struct at_text text, bool utf8)
{
	struct at_cell cell;
	size_t columns = 0;

	while (at_cell_next(&text, utf8, &cell))
		columns += cell.columns;
	return columns;
}

/* Print cells from the front up to `max_columns`. Columns printed. */
static size_t print_front(FILE *out, struct at_text *rest, size_t max_columns,
			  bool utf8)
{
	struct at_text next = *rest;
	struct at_cell cell;
	size_t columns = 0;

	while (at_cell_next(&next, utf8, &cell) &&
	       columns + cell.columns <= max_columns) {
		fwrite(cell.bytes, 1, cell.len, out);
		columns += cell.columns;
		*rest = next;
	}
	return columns;
}

/* Drop cells until at most `max_columns` remain, beginning with a character
 * that stands by itself. */
static void keep_back(struct at_text *rest, size_t columns, size_t max_columns,
		      bool utf8)
{
	struct at_text next = *rest;
	struct at_cell cell;

	while (at_cell_next(&next, utf8, &cell) &&
	       (columns > max_columns || cell.columns == 0)) {
		columns -= cell.columns;
		*rest = next;
	}
}

size_t at_cells_print(FILE *out, struct at_text text, size_t max_columns,
		      bool utf8)
{
	const char *mark = utf8 ? "\u2026" : "..";
	size_t mark_columns = utf8 ? 1 : 2;
	size_t columns = at_cells_columns(text, utf8);
	size_t front;

	if (columns <= max_columns || max_columns <= mark_columns)
		return print_front(out, &text, max_columns, utf8);
	front = print_front(out, &text, (max_columns - mark_columns + 1) / 2,
			    utf8);
	fputs(mark, out);
	keep_back(&text, columns - front, max_columns - front - mark_columns,
		  utf8);
	return front + mark_columns +
	       print_front(out, &text, max_columns - front - mark_columns,
			   utf8);
}
