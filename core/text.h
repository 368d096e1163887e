// SPDX-License-Identifier: Apache-2.0
/*
 * Slices and a bounded writer: strings without allocation, locale or NUL.
 *
 * Everything here is pure, thread-safe and async-signal-safe.
 */
#ifndef AT_CORE_TEXT_H
#define AT_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A view of bytes that somebody else owns; not NUL-terminated. */
struct at_text {
	const char *ptr;
	size_t len;
};

#define AT_TEXT(literal) ((struct at_text){ (literal), sizeof(literal) - 1 })

/* View of a C string; a NULL pointer gives the empty text. */
struct at_text at_text_from(const char *string);

/* The same of a field of `size` bytes that ends with its first NUL, if any. */
struct at_text at_text_field(const char *field, size_t size);

/* What lies before the first of these bytes; all of it when there is none. */
struct at_text at_text_before(struct at_text text, const char *stops);

/* Behind a path's last slash, or the whole of it; a NULL pointer gives "". */
const char *at_text_base_name(const char *path);
struct at_text at_base_name(struct at_text path);

bool at_text_equal(struct at_text a, struct at_text b);

/* ASCII only: header names, enum values, host names. */
bool at_text_equal_nocase(struct at_text a, struct at_text b);
bool at_text_ends_with_nocase(struct at_text text, struct at_text suffix);

/* Without blanks and tabs at both ends (HTTP's OWS). */
struct at_text at_text_trim(struct at_text text);

/*
 * Cut the next item before `separator` off the front of *rest.
 * Returns false when nothing was left.
 */
bool at_text_next(struct at_text *rest, char separator, struct at_text *item);

/* Decimal digits only, no sign, no blanks. 0, -EINVAL, or -ERANGE. */
int at_text_to_u64(struct at_text text, uint64_t *value);

/* Lower-case hexadecimal of exactly 2 * count digits. 0 or -EINVAL. */
int at_text_from_hex(struct at_text text, uint8_t *bytes, size_t count);

/*
 * Shell-style pattern over the whole text: `*` any run, `?` any one byte,
 * ASCII case ignored.
 */
bool at_text_glob_nocase(struct at_text pattern, struct at_text text);

/*
 * Appends to a caller's buffer. Once something did not fit, `overflow` is set
 * and everything later is refused, so that a cut text is never taken whole.
 */
struct at_writer {
	char *ptr;
	size_t cap;
	size_t len;
	bool overflow;
};

#define AT_WRITER(buffer, size) ((struct at_writer){ (buffer), (size), 0, 0 })

void at_write_bytes(struct at_writer *writer, const void *bytes, size_t len);
void at_write_text(struct at_writer *writer, struct at_text text);
void at_write_string(struct at_writer *writer, const char *string);
void at_write_char(struct at_writer *writer, char c);
void at_write_u64(struct at_writer *writer, uint64_t value);
/* Lower-case hexadecimal, two digits a byte. */
void at_write_hex(struct at_writer *writer, const uint8_t *bytes, size_t len);
struct at_text at_writer_text(const struct at_writer *writer);

/* FNV-1a, byte by byte, from AT_HASH_BEGIN on. */
#define AT_HASH_BEGIN 2166136261u
static inline uint32_t at_hash_byte(uint32_t hash, uint8_t byte)
{
	return (hash ^ byte) * 16777619u;
}

static inline char at_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

#endif
