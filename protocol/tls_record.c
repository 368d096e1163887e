// SPDX-License-Identifier: Apache-2.0
/* TLS from outside: record headers, and what a ClientHello says in the clear. */
#include <string.h>

#include "protocol/protocol.h"

#define RECORD_HEAD_BYTES 5
#define RECORD_MAX_BYTES (16384 + 2048)
#define HELLO_HEAD_BYTES 4 /* type and length of a handshake message */

enum record {
	RECORD_CIPHER = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_DATA = 23,
};

static bool is_record(const char *head)
{
	const unsigned char *at = (const unsigned char *)head;

	return at[0] >= RECORD_CIPHER && at[0] <= RECORD_DATA && at[1] == 3 &&
	       at[2] <= 4 && (at[3] << 8 | at[4]) <= RECORD_MAX_BYTES;
}

bool at_tls_hello(const char *bytes, size_t len)
{
	return len > RECORD_HEAD_BYTES && is_record(bytes) &&
	       bytes[0] == RECORD_HANDSHAKE && bytes[RECORD_HEAD_BYTES] == 1;
}

/* --- ClientHello (RFC 8446 section 4.1.2) --- */

struct reader {
	const unsigned char *at;
	size_t left;
};

static bool skip(struct reader *reader, size_t len)
{
	if (reader->left < len) {
		reader->left = 0;
		return false;
	}
	reader->at += len;
	reader->left -= len;
	return true;
}

/* A number of `size` bytes, 0 where there are none. */
static size_t number(struct reader *reader, unsigned int size)
{
	const unsigned char *at = reader->at;
	size_t value = 0;

	if (!skip(reader, size))
		return 0;
	while (size--)
		value = value << 8 | *at++;
	return value;
}

static bool skip_vector(struct reader *reader, unsigned int size)
{
	return skip(reader, number(reader, size));
}

/* server_name_list: the one kind of name there is. */
static struct at_text host_name(struct reader reader)
{
	struct at_text name = { NULL, 0 };

	number(&reader, 2);
	if (number(&reader, 1) != 0)
		return name;
	name.len = number(&reader, 2);
	name.ptr = (const char *)reader.at;
	if (name.len > reader.left)
		name.len = 0;
	return name;
}

struct at_text at_tls_server_name(const char *bytes, size_t len)
{
	struct reader reader = { (const unsigned char *)bytes, len };

	if (!at_tls_hello(bytes, len))
		return (struct at_text){ NULL, 0 };
	skip(&reader, RECORD_HEAD_BYTES + HELLO_HEAD_BYTES);
	skip(&reader, 2 + 32);   /* version, random */
	skip_vector(&reader, 1); /* session */
	skip_vector(&reader, 2); /* cipher suites */
	skip_vector(&reader, 1); /* compression */
	number(&reader, 2);
	while (reader.left) {
		size_t type = number(&reader, 2), size = number(&reader, 2);
		struct reader extension = { reader.at, size };

		if (!skip(&reader, size))
			break;
		if (type == 0)
			return host_name(extension);
	}
	return (struct at_text){ NULL, 0 };
}

/* --- records --- */

static void begin_record(struct at_tls_records *records)
{
	const uint8_t *head = records->head;

	records->head_len = 0;
	if (!is_record((const char *)head)) {
		records->seen |= AT_TLS_SEEN_OTHER;
		return;
	}
	records->left = (uint32_t)head[3] << 8 | head[4];
	records->alert_len = 0;
	if (head[0] == RECORD_CIPHER)
		records->seen |= AT_TLS_SEEN_CIPHER;
	if (head[0] != RECORD_DATA || (records->seen & AT_TLS_SEEN_DATA))
		return;
	records->seen |= AT_TLS_SEEN_DATA;
	records->first_bytes = (uint16_t)records->left;
}

/* Level and description; behind a change of cipher they are encrypted. */
static void note_alert(struct at_tls_records *records, const char *bytes,
		       size_t len)
{
	if (records->seen & AT_TLS_SEEN_CIPHER)
		return;
	while (len-- && records->alert_len < sizeof(records->alert))
		records->alert[records->alert_len++] = (uint8_t)*bytes++;
	if (records->alert_len == sizeof(records->alert) &&
	    records->alert[0] == 2)
		records->seen |= AT_TLS_SEEN_ALERT;
}

void at_tls_feed(struct at_tls_records *records, const char *bytes, size_t len)
{
	while (len && !(records->seen & AT_TLS_SEEN_OTHER)) {
		size_t part = len;

		if (!records->left) {
			records->head[records->head_len++] = (uint8_t)*bytes;
			part = 1;
			if (records->head_len == RECORD_HEAD_BYTES)
				begin_record(records);
		} else {
			if (part > records->left)
				part = records->left;
			if (records->head[0] == RECORD_ALERT)
				note_alert(records, bytes, part);
			records->left -= (uint32_t)part;
		}
		bytes += part;
		len -= part;
	}
}

/* RFC 8446 section 6: those that a client meets. */
const char *at_tls_alert_name(uint8_t description)
{
	switch (description) {
	case 40:
		return "tls_handshake_failure";
	case 42:
		return "tls_bad_certificate";
	case 43:
		return "tls_unsupported_certificate";
	case 44:
		return "tls_certificate_revoked";
	case 45:
		return "tls_certificate_expired";
	case 46:
		return "tls_certificate_unknown";
	case 48:
		return "tls_unknown_ca";
	case 49:
		return "tls_access_denied";
	case 51:
		return "tls_decrypt_error";
	case 70:
		return "tls_protocol_version";
	case 71:
		return "tls_insufficient_security";
	case 80:
		return "tls_internal_error";
	case 112:
		return "tls_unrecognized_name";
	case 116:
		return "tls_certificate_required";
	case 120:
		return "tls_no_application_protocol";
	default:
		return "tls_alert";
	}
}
