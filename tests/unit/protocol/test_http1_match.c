// SPDX-License-Identifier: Apache-2.0
/* The first look: whom it lets in, whom it turns away. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/protocol.h"
#include "tests/support/guard_page.h"

static struct guard_page page;

static enum at_match match(const char *bytes, size_t len)
{
	if (!page.map)
		guard_page_open(&page, 4096);
	return at_http1_match(guard_page_put(&page, bytes, len), len);
}

struct first_bytes {
	const char *what;
	const char *bytes;
	size_t len;
};

#define FIRST(what, literal)                           \
	{                                              \
		(what), (literal), sizeof(literal) - 1 \
	}

static const struct first_bytes http[] = {
	FIRST("get", "GET / HTTP/1.1\r\n"),
	FIRST("shortest", "A / HTTP/1.0\n"),
	FIRST("whole head", "POST /x HTTP/1.1\r\nHost: a\r\n\r\nbody"),
	FIRST("empty lines before", "\r\n\nPUT / HTTP/1.1\r\n"),
	FIRST("unknown method", "BREW /pot HTTP/1.1\r\n"),
	FIRST("lower case", "get / HTTP/1.1\r\n"),
	FIRST("connect", "CONNECT a:443 HTTP/1.1\r\n"),
	FIRST("longest method",
	      "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n"),
	FIRST("h2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	FIRST("h2 preface, its first line", "PRI * HTTP/2.0\r\n"),
};

static const struct first_bytes others[] = {
	FIRST("redis", "*1\r\n$4\r\nPING\r\n"),
	FIRST("redis inline", "PING\r\n"),
	FIRST("redis inline get", "GET key\r\n"),
	FIRST("redis inline, half", "SET key"),
	FIRST("memcached", "get key\r\n"),
	FIRST("memcached set", "set key 0 900 5\r\nhello\r\n"),
	FIRST("memcached, half", "get k"),
	FIRST("memcached binary", "\x80\x00\x00\x03key"),
	FIRST("smtp", "EHLO client.example.com\r\n"),
	FIRST("smtp mail", "MAIL FROM:<a@b>\r\n"),
	FIRST("ftp", "USER anonymous\r\n"),
	FIRST("ftp, half", "USER anon"),
	FIRST("imap", "a001 LOGIN user pass\r\n"),
	FIRST("pop3", "STAT\r\n"),
	FIRST("tls", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
	FIRST("ssh", "SSH-2.0-OpenSSH_9.2p1\r\n"),
	FIRST("postgres", "\x00\x00\x00\x08\x04\xd2\x16\x2f"),
	FIRST("postgres start",
	      "\x00\x00\x00\x29\x00\x03\x00\x00user\x00x\x00"),
	FIRST("mysql", "\x52\x00\x00\x00\x0a"),
	FIRST("h2 preface, wrong", "PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n"),
	FIRST("http answer", "HTTP/1.1 200 OK\r\n\r\n"),
	FIRST("http/0.9", "GET /\r\n"),
	FIRST("http/1.2", "GET / HTTP/1.2\r\n"),
	FIRST("rtsp", "OPTIONS rtsp://a/b RTSP/1.0\r\n"),
	FIRST("sip", "INVITE sip:a@b SIP/2.0\r\n"),
	FIRST("socks", "\x05\x01\x00"),
	FIRST("proxy protocol", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"),
	FIRST("amqp", "AMQP\x00\x00\x09\x01"),
	FIRST("mqtt", "\x10\x0c\x00\x04MQTT"),
	FIRST("nats", "CONNECT {\"verbose\":false}\r\n"),
	FIRST("a line of text", "Reading package lists... Done\n"),
	FIRST("half a line of text", "Getting started"),
	FIRST("json", "{\"a\": 1}"),
	FIRST("no target", "GET HTTP/1.1\r\n"),
	FIRST("no method", " / HTTP/1.1\r\n"),
	FIRST("nothing but the version", "HTTP/1.1\r\n"),
	FIRST("method too long",
	      "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n"),
	FIRST("NUL", "\0GET / HTTP/1.1\r\n"),
};

Test(http1_match, requests_are_let_in)
{
	size_t i;

	for (i = 0; i < sizeof(http) / sizeof(http[0]); i++)
		cr_expect_eq(match(http[i].bytes, http[i].len), AT_MATCH_YES,
			     "%s", http[i].what);
}

Test(http1_match, everybody_else_is_turned_away)
{
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect_eq(match(others[i].bytes, others[i].len), AT_MATCH_NO,
			     "%s", others[i].what);
}

Test(http1_match, too_little_of_a_known_method_may_become_a_request)
{
	static const char *const lines[] = {
		"GET /x HTTP/1.1\r",     "VERSION-CONTROL / HTTP/1.1\r",
		"UNLINK /a HTTP/1.1\r",  "\r\nHEAD / HTTP/1.1\r",
		"M-SEARCH * HTTP/1.1\r", "PRI * HTTP/2.0\r",
	};
	size_t i, len;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		for (len = 0; len <= strlen(lines[i]); len++)
			cr_expect_eq(match(lines[i], len), AT_MATCH_MAYBE,
				     "%zu of %s", len, lines[i]);
	cr_expect_eq(match("GETS", 4), AT_MATCH_NO);
	cr_expect_eq(match("GEX", 3), AT_MATCH_NO);
}

/* Whoever is let in is understood by the machine, and the other way round. */
Test(http1_match, the_look_and_the_machine_agree_on_lines)
{
	static const char alphabet[] = "GET / HTTP/1.1x\r\0\xff";
	struct at_http1_text text;
	struct at_http1 m;
	char line[] = "GET / HTTP/1.1\r\n";
	size_t len = sizeof(line) - 1, used, i;
	int round, understood = 0;

	srandom(1);
	for (round = 0; round < 300000; round++) {
		enum at_http1_event event;

		memcpy(line, "GET / HTTP/1.1\r\n", len);
		for (i = 0; i < 1 + (size_t)round % 3; i++)
			line[1 + (size_t)random() % 14] =
				alphabet[(size_t)random() % sizeof(alphabet)];
		at_http1_init(&m, false);
		event = at_http1_feed(&m, &text, line, len, &used);
		cr_assert_eq(match(line, len) == AT_MATCH_YES,
			     event == AT_HTTP1_MORE, "%.16s", line);
		understood += event == AT_HTTP1_MORE;
	}
	cr_expect_gt(understood, 1000);
}
