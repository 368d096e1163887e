// SPDX-License-Identifier: Apache-2.0
#include "cli/json.h"

#include <string.h>

void at_json_init(struct at_json *json, struct at_text text)
{
	memset(json, 0, sizeof(*json));
	json->begin = json->at = text.ptr;
	json->end = text.ptr + text.len;
	json->first = true;
}

void at_json_refuse(struct at_json *json, const char *expected)
{
	if (!json->error)
		json->error = expected;
}

static void skip_blanks(struct at_json *json)
{
	while (json->at < json->end && (*json->at == ' ' || *json->at == '\t' ||
					*json->at == '\n' || *json->at == '\r'))
		json->at++;
}

/* The next byte that is no blank; 0 at the end and after an error. */
static char next_byte(struct at_json *json)
{
	if (json->error)
		return 0;
	skip_blanks(json);
	return json->at < json->end ? *json->at : 0;
}

static bool word_follows(const struct at_json *json, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(json->end - json->at) >= len &&
	       !memcmp(json->at, word, len);
}

enum at_json_type at_json_peek(struct at_json *json)
{
	char c = next_byte(json);

	if (c == '{')
		return AT_JSON_OBJECT;
	if (c == '[')
		return AT_JSON_ARRAY;
	if (c == '"')
		return AT_JSON_STRING;
	if (c == '-' || (c >= '0' && c <= '9'))
		return AT_JSON_NUMBER;
	if (c == 't' && word_follows(json, "true"))
		return AT_JSON_TRUE;
	if (c == 'f' && word_follows(json, "false"))
		return AT_JSON_FALSE;
	if (c == 'n' && word_follows(json, "null"))
		return AT_JSON_NULL;
	at_json_refuse(json, "a value");
	return AT_JSON_NOTHING;
}

bool at_json_enter(struct at_json *json, enum at_json_type type)
{
	if (at_json_peek(json) != type) {
		at_json_refuse(json, type == AT_JSON_OBJECT ? "an object" :
							      "an array");
		return false;
	}
	if (json->depth == AT_JSON_DEPTH_MAX) {
		at_json_refuse(json, "fewer levels");
		return false;
	}
	json->at++;
	json->depth++;
	json->first = true;
	return true;
}

/* Past the comma or the closing bracket; false at the latter. */
static bool another(struct at_json *json, char close)
{
	char c = next_byte(json);

	if (c == close && c) {
		json->at++;
		json->depth--;
		json->first = false;
		return false;
	}
	if (!json->first) {
		if (c != ',') {
			at_json_refuse(json, close == '}' ? "',' or '}'" :
							    "',' or ']'");
			return false;
		}
		json->at++;
	}
	json->first = false;
	return !json->error;
}

static int hex4(const char *at, const char *end, uint32_t *value)
{
	int i;

	if (end - at < 4)
		return -1;
	for (*value = 0, i = 0; i < 4; i++) {
		char c = at_lower(at[i]);

		if (c >= '0' && c <= '9')
			*value = *value << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*value = *value << 4 | (uint32_t)(c - 'a' + 10);
		else
			return -1;
	}
	return 0;
}

/* A backslash and what belongs to it, at json->at; false: no such escape. */
static bool pass_escape(struct at_json *json)
{
	const char *at = json->at + 1;
	uint32_t c;

	if (at == json->end || !*at || !strchr("\"\\/bfnrtu", *at))
		return false;
	if (*at == 'u') {
		if (hex4(at + 1, json->end, &c))
			return false;
		at += 4;
	}
	json->at = at + 1;
	return true;
}

/* The raw text between the quotes; the position goes behind them. */
static bool raw_string(struct at_json *json, struct at_text *raw)
{
	if (next_byte(json) != '"') {
		at_json_refuse(json, "a string");
		return false;
	}
	raw->ptr = ++json->at;
	while (json->at < json->end && *json->at != '"') {
		if ((unsigned char)*json->at < 0x20)
			break;
		if (*json->at != '\\') {
			json->at++;
		} else if (!pass_escape(json)) {
			at_json_refuse(json, "another escape");
			return false;
		}
	}
	if (json->at >= json->end || *json->at != '"') {
		at_json_refuse(json, "the end of the string");
		return false;
	}
	raw->len = (size_t)(json->at++ - raw->ptr);
	return true;
}

bool at_json_key(struct at_json *json, struct at_text *key)
{
	if (!another(json, '}') || !raw_string(json, key))
		return false;
	if (next_byte(json) != ':') {
		at_json_refuse(json, "':'");
		return false;
	}
	json->at++;
	return true;
}

bool at_json_element(struct at_json *json)
{
	return another(json, ']');
}

/* Character of the \u escape whose digits begin at *at; past them. */
static uint32_t unicode_escape(const char **at, const char *end)
{
	uint32_t c, low;

	hex4(*at, end, &c);
	*at += 4;
	if (c >= 0xd800 && c < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' &&
	    (*at)[1] == 'u' && !hex4(*at + 2, end, &low) && low >= 0xdc00 &&
	    low < 0xe000) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		*at += 6;
	}
	return c >= 0xd800 && c < 0xe000 ? 0xfffd : c;
}

static size_t encode(uint32_t c, char bytes[4])
{
	if (c < 0x80) {
		bytes[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		bytes[0] = (char)(0xc0 | c >> 6);
		bytes[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		bytes[0] = (char)(0xe0 | c >> 12);
		bytes[1] = (char)(0x80 | (c >> 6 & 0x3f));
		bytes[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	bytes[0] = (char)(0xf0 | c >> 18);
	bytes[1] = (char)(0x80 | (c >> 12 & 0x3f));
	bytes[2] = (char)(0x80 | (c >> 6 & 0x3f));
	bytes[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Character behind a backslash; raw_string() has seen that it is one. */
static uint32_t escaped(const char **at, const char *end)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char letter = *(*at)++;

	if (letter == 'u')
		return unicode_escape(at, end);
	return (unsigned char)to[strchr(from, letter) - from];
}

/* Bytes of the UTF-8 character that begins with `lead`, at most what is there;
 * so that a cut text is cut between characters. */
static size_t character_bytes(const char *at, const char *end)
{
	unsigned char lead = (unsigned char)*at;
	size_t len = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	return len < (size_t)(end - at) ? len : (size_t)(end - at);
}

bool at_json_string(struct at_json *json, struct at_writer *writer)
{
	const char *at, *end;
	struct at_text raw;
	char bytes[4];
	size_t len;

	if (!raw_string(json, &raw))
		return false;
	for (at = raw.ptr, end = raw.ptr + raw.len; at < end;) {
		if (*at == '\\') {
			at++;
			len = encode(escaped(&at, end), bytes);
			at_write_bytes(writer, bytes, len);
		} else {
			len = character_bytes(at, end);
			at_write_bytes(writer, at, len);
			at += len;
		}
	}
	return true;
}

static size_t digits(struct at_json *json)
{
	const char *begin = json->at;

	while (json->at < json->end && *json->at >= '0' && *json->at <= '9')
		json->at++;
	return (size_t)(json->at - begin);
}

static bool skip_number(struct at_json *json)
{
	bool good;

	if (*json->at == '-')
		json->at++;
	good = json->at < json->end &&
	       (*json->at == '0' ? (json->at++, true) : digits(json) != 0);
	if (good && json->at < json->end && *json->at == '.') {
		json->at++;
		good = digits(json) != 0;
	}
	if (good && json->at < json->end && at_lower(*json->at) == 'e') {
		json->at++;
		if (json->at < json->end &&
		    (*json->at == '+' || *json->at == '-'))
			json->at++;
		good = digits(json) != 0;
	}
	if (!good)
		at_json_refuse(json, "a digit");
	return good;
}

static bool skip_scalar(struct at_json *json, enum at_json_type type)
{
	char text[1];
	struct at_writer nowhere = AT_WRITER(text, 0);

	switch (type) {
	case AT_JSON_STRING:
		return at_json_string(json, &nowhere);
	case AT_JSON_NUMBER:
		return skip_number(json);
	case AT_JSON_FALSE:
		json->at += 5;
		return true;
	case AT_JSON_TRUE:
	case AT_JSON_NULL:
		json->at += 4;
		return true;
	default:
		return false;
	}
}

bool at_json_scalar(struct at_json *json, struct at_writer *writer)
{
	enum at_json_type type = at_json_peek(json);
	struct at_text text = { json->at, 0 };

	if (type == AT_JSON_STRING)
		return at_json_string(json, writer);
	if (type == AT_JSON_OBJECT || type == AT_JSON_ARRAY ||
	    type == AT_JSON_NULL)
		at_json_refuse(json, "a string, number or boolean");
	if (json->error || !skip_scalar(json, type))
		return false;
	text.len = (size_t)(json->at - text.ptr);
	at_write_text(writer, text);
	return true;
}

bool at_json_u64(struct at_json *json, uint64_t *value)
{
	enum at_json_type type = at_json_peek(json);
	struct at_text text = { json->at, 0 };

	if (type == AT_JSON_STRING) {
		if (!raw_string(json, &text))
			return false;
	} else if (type == AT_JSON_NUMBER) {
		if (!skip_number(json))
			return false;
		text.len = (size_t)(json->at - text.ptr);
	}
	if (at_text_to_u64(text, value)) {
		at_json_refuse(json, "an unsigned number");
		return false;
	}
	return true;
}

void at_json_skip(struct at_json *json)
{
	unsigned int outside = json->depth;
	bool object[AT_JSON_DEPTH_MAX + 1];
	enum at_json_type type;
	struct at_text key;

	do {
		type = at_json_peek(json);
		if (type == AT_JSON_OBJECT || type == AT_JSON_ARRAY) {
			if (!at_json_enter(json, type))
				return;
			object[json->depth] = type == AT_JSON_OBJECT;
		} else if (!skip_scalar(json, type)) {
			return;
		}
		/* On to the next value, out of whatever ends here. */
		while (json->depth > outside &&
		       !(object[json->depth] ? at_json_key(json, &key) :
					       at_json_element(json)))
			if (json->error)
				return;
	} while (json->depth > outside);
}

bool at_json_finish(struct at_json *json)
{
	if (!json->error) {
		skip_blanks(json);
		if (json->at < json->end)
			at_json_refuse(json, "the end of the line");
	}
	return !json->error;
}

size_t at_json_column(const struct at_json *json)
{
	return (size_t)(json->at - json->begin) + 1;
}
