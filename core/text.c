// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"

#include <errno.h>
#include <string.h>

struct at_text at_text_from(const char *string)
{
	return (struct at_text){ string, string ? strlen(string) : 0 };
}

struct at_text at_text_field(const char *field, size_t size)
{
	struct at_text text = { field, 0 };

	while (text.len < size && field[text.len])
		text.len++;
	return text;
}

static bool is_one_of(char byte, const char *set)
{
	while (*set && *set != byte)
		set++;
	return *set != 0;
}

struct at_text at_text_before(struct at_text text, const char *stops)
{
	size_t len = 0;

	while (len < text.len && !is_one_of(text.ptr[len], stops))
		len++;
	return (struct at_text){ text.ptr, len };
}

struct at_text at_base_name(struct at_text path)
{
	const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;
	size_t skip = slash ? (size_t)(slash + 1 - path.ptr) : 0;

	if (!skip)
		return path;
	return (struct at_text){ path.ptr + skip, path.len - skip };
}

const char *at_text_base_name(const char *path)
{
	return at_base_name(at_text_from(path ? path : "")).ptr;
}

bool at_text_equal(struct at_text a, struct at_text b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

bool at_text_equal_nocase(struct at_text a, struct at_text b)
{
	size_t i;

	if (a.len != b.len)
		return false;
	for (i = 0; i < a.len; i++)
		if (at_lower(a.ptr[i]) != at_lower(b.ptr[i]))
			return false;
	return true;
}

bool at_text_ends_with_nocase(struct at_text text, struct at_text suffix)
{
	if (text.len < suffix.len)
		return false;
	text.ptr += text.len - suffix.len;
	text.len = suffix.len;
	return at_text_equal_nocase(text, suffix);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct at_text at_text_trim(struct at_text text)
{
	while (text.len && is_blank(text.ptr[0])) {
		text.ptr++;
		text.len--;
	}
	while (text.len && is_blank(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

bool at_text_next(struct at_text *rest, char separator, struct at_text *item)
{
	const char *end;

	if (!rest->ptr)
		return false;
	end = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
	item->ptr = rest->ptr;
	if (!end) {
		item->len = rest->len;
		rest->ptr = NULL;
		rest->len = 0;
		return true;
	}
	item->len = (size_t)(end - rest->ptr);
	rest->len -= item->len + 1;
	rest->ptr = end + 1;
	return true;
}

int at_text_to_u64(struct at_text text, uint64_t *value)
{
	uint64_t sum = 0;
	size_t i;

	if (!text.len)
		return -EINVAL;
	for (i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return -EINVAL;
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, text.ptr[i] - '0', &sum))
			return -ERANGE;
	}
	*value = sum;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int at_text_from_hex(struct at_text text, uint8_t *bytes, size_t count)
{
	size_t i;

	if (text.len != 2 * count)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		int high = hex_digit(text.ptr[2 * i]);
		int low = hex_digit(text.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

/* Backtracks to the last star only: linear for the patterns people write. */
bool at_text_glob_nocase(struct at_text pattern, struct at_text text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, star_t = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			star_t = t;
		} else if (p < pattern.len && (pattern.ptr[p] == '?' ||
					       at_lower(pattern.ptr[p]) ==
						       at_lower(text.ptr[t]))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++star_t;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

void at_write_bytes(struct at_writer *writer, const void *bytes, size_t len)
{
	if (writer->overflow || len > writer->cap - writer->len) {
		writer->overflow = true;
		return;
	}
	if (len)
		memcpy(writer->ptr + writer->len, bytes, len);
	writer->len += len;
}

void at_write_text(struct at_writer *writer, struct at_text text)
{
	at_write_bytes(writer, text.ptr, text.len);
}

void at_write_string(struct at_writer *writer, const char *string)
{
	at_write_bytes(writer, string, strlen(string));
}

void at_write_char(struct at_writer *writer, char c)
{
	at_write_bytes(writer, &c, 1);
}

void at_write_u64(struct at_writer *writer, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	at_write_bytes(writer, digits + at, sizeof(digits) - at);
}

void at_write_hex(struct at_writer *writer, const uint8_t *bytes, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	char *to = writer->ptr + writer->len;
	size_t i;

	if (writer->overflow || 2 * len > writer->cap - writer->len) {
		writer->overflow = true;
		return;
	}
	for (i = 0; i < len; i++) {
		*to++ = hex[bytes[i] >> 4];
		*to++ = hex[bytes[i] & 15];
	}
	writer->len += 2 * len;
}

struct at_text at_writer_text(const struct at_writer *writer)
{
	return (struct at_text){ writer->ptr, writer->len };
}
