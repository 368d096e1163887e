// SPDX-License-Identifier: Apache-2.0
/* TLS from outside: whole, at every split, and up to the last readable byte. */
#include <criterion/criterion.h>
#include <string.h>

#include "protocol/protocol.h"
#include "tests/support/guard_page.h"

#define RANDOM "0123456789abcdef0123456789abcdef"

/* Two extensions, the second of which names a.test. */
static const char hello[] =
	"\x16\x03\x01\x00\x43\x01\x00\x00\x3f\x03\x03" RANDOM
	"\x00\x00\x02\x13\x01\x01\x00\x00\x14\x00\x2b\x00\x01\x00"
	"\x00\x00\x00\x0b\x00\x09\x00\x00\x06"
	"a.test";
#define HELLO_BYTES (sizeof(hello) - 1)

static struct guard_page page;

static void open_page(void)
{
	guard_page_open(&page, 4096);
}

TestSuite(tls_record, .init = open_page);

Test(tls_record, names_the_server)
{
	struct at_text name = at_tls_server_name(
		guard_page_put(&page, hello, HELLO_BYTES), HELLO_BYTES);

	cr_expect(at_text_equal(name, AT_TEXT("a.test")), "%.*s", (int)name.len,
		  name.ptr);
}

/* Cut anywhere, or with any byte of another value: never too far. */
Test(tls_record, never_reads_on)
{
	char bytes[HELLO_BYTES];
	size_t len, at;
	unsigned int value;

	for (len = 0; len < HELLO_BYTES; len++) {
		const char *cut = guard_page_put(&page, hello, len);
		struct at_text name = at_tls_server_name(cut, len);

		cr_expect_eq(name.len, 0, "of %zu bytes", len);
		cr_expect_eq(at_tls_hello(cut, len), len > 5);
	}
	for (at = 0; at < HELLO_BYTES; at++)
		for (value = 0; value < 256; value += 5) {
			memcpy(bytes, hello, HELLO_BYTES);
			bytes[at] = (char)value;
			at_tls_server_name(guard_page_put(&page, bytes,
							  HELLO_BYTES),
					   HELLO_BYTES);
		}
}

Test(tls_record, others_do_not_begin_it)
{
	static const char *const others[] = {
		"GET / HTTP/1.1\r\n",
		"\x16\x03\x01\x00\x05\x02", /* server's */
		"\x17\x03\x03\x00\x05\x01",
		"\x16\x04\x01\x00\x05\x01",
		"\x16\x03\x05\x00\x05\x01",
		"\x16\x03\x01\xff\xff\x01",
	};
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect_not(at_tls_hello(others[i], 6), "%zu", i);
}

struct flow {
	const char *bytes;
	size_t len;
	unsigned int seen;
	unsigned int alert;
	unsigned int first_bytes;
};

#define FLOW(literal, ...)                                  \
	{                                                   \
		(literal), sizeof(literal) - 1, __VA_ARGS__ \
	}

static const struct flow flows[] = {
	FLOW("\x16\x03\x03\x00\x02hi", 0, 0, 0),
	FLOW("\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x02hi",
	     AT_TLS_SEEN_CIPHER, 0, 0),
	FLOW("\x17\x03\x03\x00\x03"
	     "abc\x17\x03\x03\x00\x01z",
	     AT_TLS_SEEN_DATA, 0, 3),
	FLOW("\x15\x03\x03\x00\x02\x02\x30", AT_TLS_SEEN_ALERT, 48, 0),
	/* a warning, an empty record, and one under protection */
	FLOW("\x15\x03\x03\x00\x02\x01\x00", 0, 0, 0),
	FLOW("\x16\x03\x03\x00\x00\x15\x03\x03\x00\x02\x02\x28",
	     AT_TLS_SEEN_ALERT, 40, 0),
	FLOW("\x14\x03\x03\x00\x01\x01\x15\x03\x03\x00\x02\x02\x28",
	     AT_TLS_SEEN_CIPHER, 0, 0),
	FLOW("hello, world", AT_TLS_SEEN_OTHER, 0, 0),
	FLOW("\x16\x03\x03\x00\x01zGET / HTTP/1.1", AT_TLS_SEEN_OTHER, 0, 0),
};

Test(tls_record, same_at_every_split)
{
	size_t i, split;

	for (i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
		const struct flow *flow = &flows[i];

		for (split = 0; split <= flow->len; split++) {
			struct at_tls_records records = { 0 };

			at_tls_feed(&records,
				    guard_page_put(&page, flow->bytes, split),
				    split);
			at_tls_feed(&records,
				    guard_page_put(&page, flow->bytes + split,
						   flow->len - split),
				    flow->len - split);
			cr_expect_eq(records.seen, flow->seen, "%zu at %zu", i,
				     split);
			cr_expect_eq(records.first_bytes, flow->first_bytes);
			if (flow->alert)
				cr_expect_eq(records.alert[1], flow->alert);
		}
	}
}

Test(tls_record, every_alert_has_a_name)
{
	unsigned int alert;

	for (alert = 0; alert < 256; alert++)
		cr_expect_eq(strncmp(at_tls_alert_name((uint8_t)alert), "tls_",
				     4),
			     0);
	cr_expect_str_eq(at_tls_alert_name(48), "tls_unknown_ca");
}
