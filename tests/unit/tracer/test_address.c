// SPDX-License-Identifier: Apache-2.0
#include "tracer/address.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "tests/support/guard_page.h"

static struct address address;

static void from_v4(const char *text, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	cr_assert_eq(inet_pton(AF_INET, text, &in.sin_addr), 1);
	in.sin_port = htons(port);
	address_from(&address, (struct sockaddr *)&in, sizeof(in));
}

static void from_v6(const char *text, uint16_t port)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6 };

	cr_assert_eq(inet_pton(AF_INET6, text, &in.sin6_addr), 1, "%s", text);
	in.sin6_port = htons(port);
	address_from(&address, (struct sockaddr *)&in, sizeof(in));
}

static void from_unix(const char *path, size_t len)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	memcpy(un.sun_path, path, len);
	address_from(&address, (struct sockaddr *)&un,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

static void expect(const char *text, uint16_t port, bool internal)
{
	cr_assert_eq(address.len, strlen(text), "%.*s, expected %s",
		     address.len, address.text, text);
	cr_assert_arr_eq(address.text, text, strlen(text), "%.*s, expected %s",
			 address.len, address.text, text);
	cr_assert_eq(address.port, port);
	cr_assert_eq(address.internal, internal, "%s", text);
}

/* Addresses, in canonical text, and whether they are ours. */
static const struct {
	const char *text;
	bool internal;
} known[] = {
	{ "127.0.0.1", true },
	{ "127.255.255.255", true },
	{ "126.255.255.255", false },
	{ "128.0.0.0", false },
	{ "0.0.0.0", false },
	{ "10.0.0.0", true },
	{ "10.255.255.255", true },
	{ "9.255.255.255", false },
	{ "11.0.0.0", false },
	{ "172.15.255.255", false },
	{ "172.16.0.0", true },
	{ "172.31.255.255", true },
	{ "172.32.0.0", false },
	{ "192.168.0.0", true },
	{ "192.168.255.255", true },
	{ "192.167.255.255", false },
	{ "192.169.0.0", false },
	{ "169.254.169.254", true },
	{ "169.253.0.1", false },
	{ "100.64.0.1", false },
	{ "8.8.8.8", false },
	{ "255.255.255.255", false },
	{ "::", false },
	{ "::1", true },
	{ "::2", false },
	{ "fe80::1", true },
	{ "febf:ffff::1", true },
	{ "fec0::1", false },
	{ "fc00::1", true },
	{ "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true },
	{ "fbff::1", false },
	{ "fe00::1", false },
	{ "2001:db8::1", false },
	{ "2001:db8:0:1:1:1:1:1", false },
	{ "2001:0:0:1::1", false },
	{ "2001:db8::1:0:0:1", false },
	{ "1::", false },
	{ "1:2:3:4:5:6:7:0", false },
	{ "0:2:3:4:5:6:7:8", false },
	{ "ff02::1:2", false },
};

Test(address, text_and_range_of_known_ones)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const char *text = known[i].text;
		bool internal = !known[i].internal;

		if (strchr(text, ':'))
			from_v6(text, 8080);
		else
			from_v4(text, 8080);
		expect(text, 8080, known[i].internal);
		cr_assert(address_literal(at_text_from(text), &internal));
		cr_assert_eq(internal, known[i].internal, "%s", text);
	}
}

Test(address, v4_in_v6_is_shown_as_v4)
{
	bool internal;

	from_v6("::ffff:127.0.0.1", 80);
	expect("127.0.0.1", 80, true);
	from_v6("::ffff:8.8.8.8", 80);
	expect("8.8.8.8", 80, false);
	cr_assert(address_literal(AT_TEXT("::ffff:10.1.2.3"), &internal));
	cr_assert(internal);
	cr_assert(address_literal(AT_TEXT("::ffff:8.8.8.8"), &internal));
	cr_assert_not(internal);
}

/* Against libc's own text, for whatever bits. */
Test(address, v6_text_is_that_of_libc)
{
	char expected[INET6_ADDRSTRLEN];
	uint32_t seed = 1;
	int i, k;

	for (k = 0; k < 20000; k++) {
		struct sockaddr_in6 in = { .sin6_family = AF_INET6 };

		for (i = 0; i < 16; i++) {
			seed = seed * 1664525 + 1013904223;
			in.sin6_addr.s6_addr[i] =
				seed >> 30 ? 0 : (uint8_t)(seed >> 20);
		}
		inet_ntop(AF_INET6, &in.sin6_addr, expected, sizeof(expected));
		if (strchr(expected, '.'))
			continue; /* v4-compatible, long gone (RFC 4291) */
		address_from(&address, (struct sockaddr *)&in, sizeof(in));
		cr_assert_eq(address.len, strlen(expected), "%s", expected);
		cr_assert_arr_eq(address.text, expected, address.len, "%s",
				 expected);
	}
}

Test(address, the_longest_fits)
{
	from_v6("1111:2222:3333:4444:5555:6666:7777:8888", 65535);
	expect("1111:2222:3333:4444:5555:6666:7777:8888", 65535, false);
}

Test(address, unix_sockets_have_a_path_and_no_port)
{
	char longest[sizeof(((struct sockaddr_un *)0)->sun_path) + 1] = "";

	from_unix("/run/shop.sock", sizeof("/run/shop.sock"));
	expect("/run/shop.sock", 0, true);
	from_unix("/run/shop.sock", strlen("/run/shop.sock"));
	expect("/run/shop.sock", 0, true);
	from_unix("\0shop", 5);
	expect("@shop", 0, true);
	from_unix("", 0);
	expect("", 0, true);
	memset(longest, 'x', sizeof(longest) - 1);
	from_unix(longest, sizeof(longest) - 1);
	expect(longest, 0, true);
}

Test(address, what_is_too_short_or_strange_is_unknown)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6 };
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr other = { .sa_family = AF_APPLETALK };

	address_from(&address, (struct sockaddr *)&in, sizeof(in) - 1);
	expect("", 0, false);
	address_from(&address, (struct sockaddr *)&in4, sizeof(in4) - 1);
	expect("", 0, false);
	address_from(&address, &other, sizeof(other));
	expect("", 0, false);
	address_from(&address, &other, 1);
	expect("", 0, false);
	address_from(&address, &other, 0);
	expect("", 0, false);
}

static const char *const not_literals[] = {
	"",
	"localhost",
	"1.2.3",
	"1.2.3.4.5",
	"256.1.1.1",
	"1.2.3.",
	".1.2.3",
	"1..2.3",
	"a.b.c.d",
	"1.2.3.4x",
	"0001.2.3.4",
	"-1.2.3.4",
	":::",
	"1:2",
	"[::1]",
	"::1]",
	"1:2:3:4:5:6:7:8:9",
	"12345::",
	"g::1",
	"%eth0",
	"127.0.0.1:80",
	"fe80::1::2",
	"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
};

Test(address, names_are_no_literals)
{
	size_t i;
	bool internal;

	for (i = 0; i < sizeof(not_literals) / sizeof(*not_literals); i++)
		cr_assert_not(address_literal(at_text_from(not_literals[i]),
					      &internal),
			      "%s", not_literals[i]);
}

Test(address, a_zone_does_not_matter)
{
	bool internal = false;

	cr_assert(address_literal(AT_TEXT("fe80::1%eth0"), &internal));
	cr_assert(internal);
}

struct split {
	const char *authority;
	const char *host; /* NULL: no authority */
	uint16_t port;
};

static const struct split splits[] = {
	{ "shop", "shop", 0 },
	{ "shop:80", "shop", 80 },
	{ "shop:65535", "shop", 65535 },
	{ "shop:", "shop", 0 },
	{ "shop:0080", "shop", 80 },
	{ "10.0.0.1:8080", "10.0.0.1", 8080 },
	{ "[::1]", "::1", 0 },
	{ "[::1]:443", "::1", 443 },
	{ "[::1]:", "::1", 0 },
	{ "[fe80::1%25eth0]:1", "fe80::1%25eth0", 1 },
	{ "", NULL, 0 },
	{ ":80", NULL, 0 },
	{ "[]", NULL, 0 },
	{ "[]:80", NULL, 0 },
	{ "[::1", NULL, 0 },
	{ "[::1]x", NULL, 0 },
	{ "[::1]80", NULL, 0 },
	{ "shop:65536", NULL, 0 },
	{ "shop:-1", NULL, 0 },
	{ "shop:http", NULL, 0 },
	{ "shop:80:80", NULL, 0 },
	{ "shop:99999999999999999999", NULL, 0 },
	{ "::1", NULL, 0 },
};

Test(address, authorities_are_split_without_reading_on)
{
	struct guard_page page;
	size_t i;

	guard_page_open(&page, 256);
	for (i = 0; i < sizeof(splits) / sizeof(*splits); i++) {
		const struct split *row = &splits[i];
		struct at_text host;
		uint16_t port;
		bool good = address_split(
			guard_page_text(&page, at_text_from(row->authority)),
			&host, &port);

		cr_assert_eq(good, row->host != NULL, "%s", row->authority);
		if (!good)
			continue;
		cr_assert(at_text_equal(host, at_text_from(row->host)), "%s",
			  row->authority);
		cr_assert_eq(port, row->port, "%s", row->authority);
	}
	guard_page_close(&page);
}
