// SPDX-License-Identifier: Apache-2.0
/*
 * Header compression (RFC 7541): the fields of a header block, byte by byte.
 *
 * Values that do not matter are not decoded; what goes into the table is
 * counted, for the table throws out by size.
 */
#include <string.h>

#include "protocol/http2_machine.h"

#define STATIC_COUNT 61
#define ENTRY_OVERHEAD 32
#define DEFAULT_TABLE_BYTES 4096
#define SHIFT_MAX 21    /* numbers up to 2^28 */
#define DECODE_BYTES 32 /* at a time */

enum {
	STATE_FIELD,
	STATE_INDEX,
	STATE_LENGTH,
	STATE_LENGTH_MORE,
	STATE_STRING
};

/* What a field's first byte says. */
enum { KIND_INDEXED, KIND_REMEMBERED, KIND_LITERAL, KIND_TABLE_SIZE };

/* In state LENGTH and STRING: is it the name's? Else the value's. */
#define OF_NAME 0x80

/* Names by length: what is not here does not matter. */
static const struct {
	char name[18];
	uint8_t len;
	uint8_t field;
} fields[] = {
	{ ":method", 7, AT_HTTP2_METHOD },
	{ ":scheme", 7, AT_HTTP2_SCHEME },
	{ ":authority", 10, AT_HTTP2_AUTHORITY },
	{ ":path", 5, AT_HTTP2_PATH },
	{ ":status", 7, AT_HTTP2_STATUS },
	{ "traceparent", 11, AT_HTTP2_TRACEPARENT },
	{ "tracestate", 10, AT_HTTP2_TRACESTATE },
	{ "baggage", 7, AT_HTTP2_BAGGAGE },
	{ "b3", 2, AT_HTTP2_OTHERS },
	{ "x-b3-traceid", 12, AT_HTTP2_OTHERS },
	{ "x-b3-sampled", 12, AT_HTTP2_OTHERS },
	{ "x-b3-flags", 10, AT_HTTP2_OTHERS },
	{ "uber-trace-id", 13, AT_HTTP2_OTHERS },
	{ "x-amzn-trace-id", 15, AT_HTTP2_OTHERS },
	{ "x-datadog-trace-id", 18, AT_HTTP2_OTHERS },
};

/* Entries 1 to 14 are those of pseudo-headers, in this order. */
static const char static_values[15][12] = {
	"",    "",    "GET", "POST", "/",   "/index.html", "http", "https",
	"200", "204", "206", "304",  "400", "404",         "500",
};

static const uint8_t static_fields[15] = {
	0,
	AT_HTTP2_AUTHORITY,
	AT_HTTP2_METHOD,
	AT_HTTP2_METHOD,
	AT_HTTP2_PATH,
	AT_HTTP2_PATH,
	AT_HTTP2_SCHEME,
	AT_HTTP2_SCHEME,
	[8 ... 14] = AT_HTTP2_STATUS,
};

/* clang-format off */
static const uint8_t static_name_lens[STATIC_COUNT + 1] = {
	0, 10, 7, 7, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 14,
	15, 15, 13, 6, 27, 3, 5, 13, 13, 19, 16, 16, 14, 16, 13, 12,
	6, 4, 4, 6, 7, 4, 4, 8, 17, 13, 8, 19, 13, 4, 8, 12,
	18, 19, 5, 7, 7, 11, 6, 10, 25, 17, 10, 4, 3, 16,
};
/* clang-format on */

/* --- what becomes of a value --- */

struct capture {
	uint16_t cap;
	uint16_t at; /* in struct at_http2_text */
};

#define CAPTURE(member)                                        \
	{                                                      \
		sizeof(((struct at_http2_text *)0)->member),   \
			offsetof(struct at_http2_text, member) \
	}

static const struct capture captures[AT_HTTP2_FIELDS] = {
	[AT_HTTP2_METHOD] = CAPTURE(method),
	[AT_HTTP2_SCHEME] = CAPTURE(scheme),
	[AT_HTTP2_AUTHORITY] = CAPTURE(authority),
	[AT_HTTP2_PATH] = CAPTURE(path),
	[AT_HTTP2_TRACEPARENT] = CAPTURE(context),
};

static void keep(struct at_http2 *m, struct at_http2_text *text, uint8_t field,
		 const char *bytes, size_t len)
{
	const struct capture *capture = &captures[field];
	size_t room = (size_t)capture->cap - m->len[field];

	if (len > room) {
		len = room;
		if (field == AT_HTTP2_PATH)
			m->path_cut = true;
		else if (field == AT_HTTP2_AUTHORITY)
			m->authority_cut = true;
	}
	if (text)
		memcpy((char *)text + capture->at + m->len[field], bytes, len);
	m->len[field] = (uint16_t)(m->len[field] + len);
}

static void keep_digits(struct at_hpack *h, const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		h->number = bytes[i] >= '0' && bytes[i] <= '9' &&
					    h->number < 1000 ?
				    h->number * 10 + (uint32_t)bytes[i] - '0' :
				    1000;
}

/* Does the field's text go anywhere? */
static bool matters(const struct at_http2 *m)
{
	return m->hpack.name != AT_HTTP2_OTHER;
}

/* False: the past would have to be overwritten. */
static bool table_text(struct at_hpack *h, struct at_http2_table *table,
		       const char *bytes, size_t len)
{
	uint32_t at = h->text_end + h->value_len;
	size_t i;

	if (h->value_len + len > AT_HTTP2_TABLE_BYTES)
		return true; /* no entry will come of it */
	if (at + len - h->kept_text > AT_HTTP2_TABLE_TEXT)
		return false;
	for (i = 0; i < len; i++)
		table->text[(at + i) % AT_HTTP2_TABLE_TEXT] = bytes[i];
	return true;
}

/* The next decoded bytes of the value at hand. */
static bool value_bytes(struct at_http2 *m, const struct http2_store *store,
			const char *bytes, size_t len)
{
	struct at_hpack *h = &m->hpack;

	if (h->name == AT_HTTP2_STATUS)
		keep_digits(h, bytes, len);
	else if (matters(m)) {
		keep(m, store->text, h->name, bytes, len);
		if (h->kind == KIND_REMEMBERED &&
		    !table_text(h, store->table, bytes, len))
			return false;
	}
	h->value_len += (uint32_t)len;
	return true;
}

/*
 * A value is about to come; of a name that comes twice the last one counts.
 * What only the other side sends is nothing here.
 */
static void value_begins(struct at_http2 *m, uint8_t field)
{
	struct at_hpack *h = &m->hpack;

	h->name = m->response == (field == AT_HTTP2_STATUS) ? field :
							      AT_HTTP2_OTHER;
	h->value_len = 0;
	h->number = 0;
	m->len[h->name] = 0;
	if (h->name == AT_HTTP2_TRACEPARENT && m->context_count < 2)
		m->context_count++;
	else if (h->name == AT_HTTP2_TRACESTATE)
		m->has_tracestate = true;
	else if (h->name == AT_HTTP2_BAGGAGE)
		m->has_baggage = true;
	else if (h->name == AT_HTTP2_OTHERS)
		m->has_others = true;
}

/* --- the dynamic table --- */

static struct at_http2_entry *entry_at(struct at_http2_table *table,
				       uint32_t number)
{
	return &table->entry[number % AT_HTTP2_TABLE_ENTRIES];
}

static void shrink(struct at_hpack *h, struct at_http2_table *table,
		   uint32_t upto)
{
	while (h->size > upto) {
		const struct at_http2_entry *entry =
			entry_at(table, h->first++);

		h->size -= entry->name_len + entry->value_len + ENTRY_OVERHEAD;
	}
}

static bool remember(struct at_http2 *m, struct at_http2_table *table)
{
	struct at_hpack *h = &m->hpack;
	uint64_t need = (uint64_t)h->name_len + h->value_len + ENTRY_OVERHEAD;
	struct at_http2_entry *entry;

	if (need > h->max) {
		shrink(h, table, 0);
		return true;
	}
	shrink(h, table, h->max - (uint32_t)need);
	if (h->added - h->kept_first == AT_HTTP2_TABLE_ENTRIES)
		return false;
	entry = entry_at(table, h->added++);
	entry->name = h->name;
	entry->name_len = (uint16_t)h->name_len;
	entry->value_len = (uint16_t)h->value_len;
	entry->value = m->response ? h->number : h->text_end;
	if (!m->response && matters(m))
		h->text_end += h->value_len;
	h->size += (uint32_t)need;
	return true;
}

/* Entry 62 is the youngest. */
static const struct at_http2_entry *dynamic(const struct at_hpack *h,
					    struct at_http2_table *table,
					    uint32_t index)
{
	uint32_t back = index - STATIC_COUNT;

	return back <= h->added - h->first ? entry_at(table, h->added - back) :
					     NULL;
}

/* --- fields --- */

static bool field_done(struct at_http2 *m, const struct http2_store *store)
{
	struct at_hpack *h = &m->hpack;

	h->state = STATE_FIELD;
	h->any = true;
	if (h->name == AT_HTTP2_STATUS) {
		if (h->number < 100 || h->number > 999)
			return false;
		m->status = (uint16_t)h->number;
	}
	return h->kind != KIND_REMEMBERED || remember(m, store->table);
}

static bool static_field(struct at_http2 *m, const struct http2_store *store,
			 uint32_t index)
{
	const char *value;

	if (index >= sizeof(static_fields))
		return true;
	value_begins(m, static_fields[index]);
	value = static_values[index];
	return value_bytes(m, store, value, strlen(value));
}

static bool dynamic_field(struct at_http2 *m, const struct http2_store *store,
			  uint32_t index)
{
	const struct at_http2_entry *entry =
		dynamic(&m->hpack, store->table, index);
	uint32_t at, end;

	if (!entry)
		return false;
	value_begins(m, entry->name);
	if (m->response) {
		m->hpack.number = entry->value;
		return true;
	}
	if (!matters(m))
		return true;
	end = entry->value + entry->value_len;
	for (at = entry->value; at != end;) {
		uint32_t from = at % AT_HTTP2_TABLE_TEXT;
		uint32_t len = end - at;

		if (len > AT_HTTP2_TABLE_TEXT - from)
			len = AT_HTTP2_TABLE_TEXT - from;
		keep(m, store->text, entry->name, store->table->text + from,
		     len);
		at += len;
	}
	return true;
}

/* A field that stands in a table with its value. */
static bool indexed(struct at_http2 *m, const struct http2_store *store)
{
	uint32_t index = m->hpack.integer;

	m->hpack.name = AT_HTTP2_OTHER;
	if (!index)
		return false;
	return (index <= STATIC_COUNT ? static_field(m, store, index) :
					dynamic_field(m, store, index)) &&
	       field_done(m, store);
}

/* A literal whose name stands in a table. */
static bool named(struct at_http2 *m, const struct http2_store *store)
{
	struct at_hpack *h = &m->hpack;
	const struct at_http2_entry *entry;

	h->state = STATE_LENGTH;
	if (h->integer <= STATIC_COUNT) {
		h->name_len = static_name_lens[h->integer];
		value_begins(m, h->integer < sizeof(static_fields) ?
					static_fields[h->integer] :
					AT_HTTP2_OTHER);
		return true;
	}
	entry = dynamic(h, store->table, h->integer);
	if (!entry)
		return false;
	h->name_len = entry->name_len;
	value_begins(m, entry->name);
	return true;
}

/* Only at the start of a block (RFC 7541 4.2). */
static bool table_size(struct at_http2 *m, const struct http2_store *store)
{
	struct at_hpack *h = &m->hpack;

	if (h->any || h->integer > AT_HTTP2_TABLE_BYTES)
		return false;
	h->max = h->integer;
	shrink(h, store->table, h->max);
	h->state = STATE_FIELD;
	return true;
}

/* The number behind a field's first bits is known. */
static bool index_done(struct at_http2 *m, const struct http2_store *store)
{
	struct at_hpack *h = &m->hpack;

	switch (h->kind) {
	case KIND_INDEXED:
		return indexed(m, store);
	case KIND_TABLE_SIZE:
		return table_size(m, store);
	default:
		if (h->integer)
			return named(m, store);
		h->state = STATE_LENGTH | OF_NAME;
		h->name_len = 0;
		return true;
	}
}

static bool step_field(struct at_http2 *m, const struct http2_store *store,
		       uint8_t byte)
{
	struct at_hpack *h = &m->hpack;
	uint8_t mask;

	if (byte & 0x80) {
		h->kind = KIND_INDEXED;
		mask = 0x7f;
	} else if (byte & 0x40) {
		h->kind = KIND_REMEMBERED;
		mask = 0x3f;
	} else if (byte & 0x20) {
		h->kind = KIND_TABLE_SIZE;
		mask = 0x1f;
	} else {
		h->kind = KIND_LITERAL;
		mask = 0x0f;
	}
	h->integer = byte & mask;
	h->shift = 0;
	h->state = STATE_INDEX;
	return h->integer == mask || index_done(m, store);
}

/* One more byte of a number; 1: the last, 0: not, -1: too large. */
static int more_of_number(struct at_hpack *h, uint8_t byte)
{
	if (h->shift > SHIFT_MAX)
		return -1;
	h->integer += (uint32_t)(byte & 0x7f) << h->shift;
	h->shift = (uint8_t)(h->shift + 7);
	return !(byte & 0x80);
}

/* --- strings --- */

static void name_bytes(struct at_hpack *h, const char *bytes, size_t len)
{
	if (h->name_len + len <= sizeof(h->letters))
		memcpy(h->letters + h->name_len, bytes, len);
	h->name_len += (uint32_t)len;
}

static void name_done(struct at_http2 *m)
{
	struct at_hpack *h = &m->hpack;
	uint8_t field = AT_HTTP2_OTHER;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].len == h->name_len &&
		    !memcmp(fields[i].name, h->letters, h->name_len))
			field = fields[i].field;
	h->state = STATE_LENGTH;
	value_begins(m, field);
}

static bool string_done(struct at_http2 *m, const struct http2_store *store)
{
	struct at_hpack *h = &m->hpack;

	if (h->huffman && !huffman_is_padding(h->bits, h->bit_count))
		return false;
	if (!(h->state & OF_NAME))
		return field_done(m, store);
	name_done(m);
	return true;
}

/* Is there any use in the decoded value? */
static bool is_skipped(const struct at_http2 *m)
{
	return !(m->hpack.state & OF_NAME) && !matters(m) &&
	       m->hpack.kind != KIND_REMEMBERED;
}

static bool string_begins(struct at_http2 *m, const struct http2_store *store)
{
	struct at_hpack *h = &m->hpack;

	h->state = (h->state & OF_NAME) | STATE_STRING;
	h->left = h->integer;
	h->bits = 0;
	h->bit_count = 0;
	if (is_skipped(m))
		h->huffman = false;
	return h->left || string_done(m, store);
}

static bool decoded(struct at_http2 *m, const struct http2_store *store,
		    const char *bytes, size_t len)
{
	if (m->hpack.state & OF_NAME) {
		name_bytes(&m->hpack, bytes, len);
		return true;
	}
	return value_bytes(m, store, bytes, len);
}

static bool decode(struct at_http2 *m, const struct http2_store *store,
		   const char *bytes, size_t len)
{
	struct at_hpack *h = &m->hpack;
	char out[HUFFMAN_OUT(DECODE_BYTES)];

	while (len) {
		size_t n = len < DECODE_BYTES ? len : DECODE_BYTES;
		int count =
			huffman_decode(&h->bits, &h->bit_count, bytes, n, out);

		if (count < 0 || !decoded(m, store, out, (size_t)count))
			return false;
		bytes += n;
		len -= n;
	}
	return true;
}

/* How many bytes of the string there were; 0: not understood. */
static size_t step_string(struct at_http2 *m, const struct http2_store *store,
			  const char *bytes, size_t len)
{
	struct at_hpack *h = &m->hpack;
	bool right;

	if (len > h->left)
		len = h->left;
	if (h->huffman)
		right = decode(m, store, bytes, len);
	else
		right = decoded(m, store, bytes, len);
	h->left -= (uint32_t)len;
	if (right && !h->left)
		right = string_done(m, store);
	return right ? len : 0;
}

/* --- the block --- */

static bool step_byte(struct at_http2 *m, const struct http2_store *store,
		      uint8_t byte)
{
	struct at_hpack *h = &m->hpack;
	int ended;

	switch (h->state & ~OF_NAME) {
	case STATE_FIELD:
		return step_field(m, store, byte);
	case STATE_LENGTH:
		h->huffman = byte & 0x80;
		h->integer = byte & 0x7f;
		h->shift = 0;
		if (h->integer != 0x7f)
			return string_begins(m, store);
		h->state = (h->state & OF_NAME) | STATE_LENGTH_MORE;
		return true;
	default:
		ended = more_of_number(h, byte);
		if (ended <= 0)
			return !ended;
		return (h->state & ~OF_NAME) == STATE_INDEX ?
			       index_done(m, store) :
			       string_begins(m, store);
	}
}

void hpack_begin(struct at_http2 *m)
{
	m->hpack.any = false;
	m->hpack.state = STATE_FIELD;
	m->status = 0;
	m->context_count = 0;
	m->has_tracestate = false;
	m->has_baggage = false;
	m->has_others = false;
	m->path_cut = false;
	m->authority_cut = false;
	memset(m->len, 0, sizeof(m->len));
}

bool hpack_end(const struct at_http2 *m)
{
	return m->hpack.state == STATE_FIELD;
}

bool hpack_feed(struct at_http2 *m, const struct http2_store *store,
		const char *bytes, size_t len)
{
	size_t used = 0;

	while (used < len) {
		size_t n = 1;

		if ((m->hpack.state & ~OF_NAME) == STATE_STRING)
			n = step_string(m, store, bytes + used, len - used);
		else if (!step_byte(m, store, (uint8_t)bytes[used]))
			n = 0;
		if (!n)
			return false;
		used += n;
	}
	return true;
}

void at_http2_commit(struct at_http2 *m, const struct at_http2_table *table)
{
	struct at_hpack *h = &m->hpack;

	h->kept_first = h->first;
	h->kept_text = h->text_end;
	if (!m->response && h->first != h->added)
		h->kept_text =
			table->entry[h->first % AT_HTTP2_TABLE_ENTRIES].value;
}
