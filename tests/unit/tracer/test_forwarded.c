// SPDX-License-Identifier: Apache-2.0
/* Who the client is, as proxies say. */
#include "tracer/forwarded.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *lines;
	const char *client, *host, *proto;
} heads[] = {
	{ "Host: h", "", "", "" },
	{ "X-Forwarded-For: 192.0.2.1, 10.0.0.1\r\nX-Forwarded-Proto: https\r\n"
	  "X-Forwarded-Host: shop.test:8443, inner",
	  "192.0.2.1", "shop.test:8443", "https" },
	{ "X-FORWARDED-FOR: 192.0.2.1:4711", "192.0.2.1", "", "" },
	{ "x-forwarded-for: [2001:db8::1]:80", "2001:db8::1", "", "" },
	{ "x-forwarded-for: 2001:db8::1", "2001:db8::1", "", "" },
	{ "x-forwarded-for: unknown", "", "", "" },
	{ "x-forwarded-for:", "", "", "" },
	{ "x-forwarded-for: [", "", "", "" },
	{ "Forwarded: for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60",
	  "", "http" },
	{ "Forwarded: For=\"[2001:db8:cafe::17]:4711\" ; Host=\"a,b;c\", for=x",
	  "2001:db8:cafe::17", "a,b;c", "" },
	{ "Forwarded: for=_hidden\r\nX-Forwarded-For: 192.0.2.2", "192.0.2.2",
	  "", "" },
	{ "Forwarded: proto=https\r\nX-Forwarded-Proto: http\r\n"
	  "X-Forwarded-For: 192.0.2.2",
	  "192.0.2.2", "", "https" },
	{ "Forwarded: for\r\n", "", "", "" },
	{ "Forwarded: =;=,", "", "", "" },
	{ "Forwarded: for=\"", "\"", "", "" },
};

static void expect(const char *lines, struct at_text got, const char *wanted)
{
	cr_expect(at_text_equal(got, at_text_from(wanted)), "%s: %.*s", lines,
		  (int)got.len, got.ptr);
}

Test(forwarded, the_first_hop_counts)
{
	struct forwarded forwarded;
	char head[300];
	size_t i;

	for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		int len = snprintf(head, sizeof(head),
				   "GET / HTTP/1.1\r\n%s\r\n", heads[i].lines);

		forwarded_read(&forwarded,
			       (struct at_text){ head, (size_t)len });
		expect(heads[i].lines, forwarded.client, heads[i].client);
		expect(heads[i].lines, forwarded.host, heads[i].host);
		expect(heads[i].lines, forwarded.proto, heads[i].proto);
	}
}

Test(forwarded, a_head_that_is_not_there_says_nothing)
{
	struct forwarded forwarded;

	forwarded_read(&forwarded, (struct at_text){ "", 0 });
	cr_expect_eq(forwarded.client.len, 0);
}
