// SPDX-License-Identifier: Apache-2.0
#include "core/program_name.h"

#include <string.h>

/* One text, so that there is nothing for ld.so to relocate. */
static const char rows[] =
#define PROGRAM(pattern, rule, values) pattern "\0" rule "\0" values "\0"
#include "core/programs.def"
	;

/* A name may be anything: cut, and blanks and controls made visible. */
#define PART_BYTES 64
#define SUBCOMMAND_BYTES 32

static void write_part(struct at_writer *writer, struct at_text part)
{
	size_t i;

	if (part.len > PART_BYTES)
		part.len = PART_BYTES;
	for (i = 0; i < part.len && writer->len < writer->cap; i++) {
		char c = part.ptr[i];

		at_write_char(writer, c > ' ' && c != 0x7f ? c :
				      (c & 0x80)           ? c :
							     '_');
	}
}

static void write_more(struct at_writer *writer, struct at_text part)
{
	if (!part.len || writer->cap - writer->len < 2)
		return;
	at_write_char(writer, ' ');
	write_part(writer, part);
}

/* Is `word` an item of a list in which each is ended by a blank or the end? */
static bool is_listed(struct at_text list, struct at_text word)
{
	struct at_text item;

	while (at_text_next(&list, ' ', &item))
		if (item.len && at_text_equal(item, word))
			return true;
	return false;
}

static bool is_option(struct at_text word)
{
	return word.len > 1 && (word.ptr[0] == '-' || word.ptr[0] == '+');
}

static bool is_assignment(struct at_text word)
{
	return word.len && memchr(word.ptr, '=', word.len);
}

/* Lower-case words with dashes: no path, no value, no URL. */
static bool is_subcommand(struct at_text word)
{
	size_t i;

	if (!word.len || word.len > SUBCOMMAND_BYTES || word.ptr[0] < 'a' ||
	    word.ptr[0] > 'z')
		return false;
	for (i = 1; i < word.len; i++) {
		char c = word.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '_' && c != ':')
			return false;
	}
	return true;
}

/* The option of a rule that `word` is or ends with; its colon is kept. */
static struct at_text ending_option(struct at_text rule, struct at_text word)
{
	struct at_text item;

	while (at_text_next(&rule, ' ', &item)) {
		struct at_text bare = item;

		if (item.len < 2 || item.ptr[0] != '-')
			continue;
		bare.len -= item.ptr[item.len - 1] == ':';
		if (at_text_equal(bare, word))
			return item;
		/* One letter among others, but not within a long option. */
		if (bare.len == 2 && item.len == 2 && word.len > 2 &&
		    word.ptr[0] == '-' && word.ptr[1] != '-' &&
		    word.ptr[word.len - 1] == bare.ptr[1])
			return item;
	}
	return (struct at_text){ NULL, 0 };
}

static void write_script(struct at_writer *writer, struct at_text rule,
			 struct at_text values, char *const *argv)
{
	for (; *argv; argv++) {
		struct at_text word = at_text_from(*argv), end;

		if (!is_option(word)) {
			write_more(writer, at_base_name(word));
			return;
		}
		end = ending_option(rule, word);
		if (end.ptr && end.ptr[end.len - 1] == ':') {
			end.len--;
			write_more(writer, end);
			write_more(writer, at_base_name(at_text_from(argv[1])));
			return;
		}
		if (end.ptr) {
			write_more(writer, end);
			return;
		}
		if (at_text_equal(word, AT_TEXT("--")))
			continue;
		if (is_listed(values, word) && argv[1])
			argv++;
	}
}

/* Numbers belong to options (`make -j 2`). */
static bool is_number(struct at_text word)
{
	return word.len && word.ptr[0] >= '0' && word.ptr[0] <= '9';
}

static void write_subcommand(struct at_writer *writer, char rule,
			     struct at_text values, char *const *argv)
{
	int left = rule == 'W' ? 2 : 1;

	for (; *argv && left; argv++) {
		struct at_text word = at_text_from(*argv);

		if (is_option(word)) {
			if (is_listed(values, word) && argv[1])
				argv++;
			continue;
		}
		if (is_assignment(word) || is_number(word))
			continue;
		if (!is_subcommand(word))
			return;
		write_more(writer, word);
		left--;
		if (rule == 'r' && (at_text_equal(word, AT_TEXT("run")) ||
				    at_text_equal(word, AT_TEXT("exec"))))
			left++;
	}
}

void at_program_name_write(struct at_writer *writer, char *const *argv)
{
	struct at_text name;
	const char *row = rows;

	if (!argv || !argv[0])
		return;
	name = at_base_name(at_text_from(argv[0]));
	if (name.len && name.ptr[0] == '-') { /* a login shell */
		name.ptr++;
		name.len--;
	}
	write_part(writer, name);
	while (*row) {
		struct at_text pattern = at_text_from(row);
		struct at_text rule = at_text_from(row + pattern.len + 1);
		struct at_text values = at_text_from(rule.ptr + rule.len + 1);

		if (pattern.ptr[0] == at_lower(name.len ? name.ptr[0] : 0) &&
		    at_text_glob_nocase(pattern, name)) {
			if (rule.ptr[0] == 's')
				write_script(writer, rule, values, argv + 1);
			else
				write_subcommand(writer, rule.ptr[0], values,
						 argv + 1);
			return;
		}
		row = values.ptr + values.len + 1;
	}
}
