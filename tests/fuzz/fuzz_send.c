// SPDX-License-Identifier: Apache-2.0
/*
 * The input decides everything: which requests an application sends, in what
 * pieces and by which calls, what the kernel takes of each call or how it
 * refuses, and when answers come. Whatever it is, the kernel gets the
 * application's bytes and one header in each head that should have one, the
 * application hears only of its own bytes, and every request ends once.
 *
 * What is right is computed here from the stream as it was made, without a
 * parser.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/wire.h"

#define MESSAGES 40
#define STREAM_BYTES (64 * 1024)
#define WAITING_MAX 30 /* below the pipeline's limit */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct message {
	size_t start;
	size_t head; /* where the blank line begins */
	size_t body; /* of known length; else == end */
	size_t end;
	bool wants_header;
	bool is_head;
};

static struct {
	const uint8_t *dice;
	size_t dice_left;
	char stream[STREAM_BYTES];
	size_t len;
	struct message message[MESSAGES];
	unsigned int message_count;
	bool garbage; /* the stream ends in bytes that are not HTTP */
	/* progress */
	size_t accepted;
	unsigned int answered;
	size_t in; /* verified */
	size_t out;
	size_t begun;      /* bytes of a header behind `out` */
	unsigned int next; /* first head not behind `in` */
	bool refused;      /* the kernel has said no in this call */
	bool blocking;
} now;

static struct wire wire;

#define require(ok) ((ok) ? (void)0 : die(__LINE__, #ok))

static void die(int line, const char *what)
{
	fprintf(stderr,
		"line %d: %s\nstream of %zu: %.*s\nverified %zu, accepted %zu\n"
		"taken %zu, verified %zu and %zu of a header: %.*s\n",
		line, what, now.len, (int)now.len, now.stream, now.in,
		now.accepted, wire.out_len, now.out, now.begun,
		(int)wire.out_len, wire.out);
	abort();
}

/* 0 .. sides-1; always 0 once the input is used up. */
static unsigned int roll(unsigned int sides)
{
	unsigned int value = 0;

	if (now.dice_left) {
		value = *now.dice++;
		now.dice_left--;
	}
	return value % sides;
}

/* --- the stream --- */

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	now.len += (size_t)vsprintf(now.stream + now.len, format, args);
	va_end(args);
}

static void put_body(size_t len)
{
	static const char looks_like[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
	size_t i;

	for (i = 0; i < len; i++)
		now.stream[now.len++] = looks_like[i % 28];
}

static void put_chunks(const char *eol)
{
	unsigned int count = roll(4), i;

	for (i = 0; i < count; i++) {
		size_t len = 1 + roll(60);

		put("%zx%s%s", len, i % 2 ? ";a=b" : "", eol);
		put_body(len);
		put("%s", eol);
	}
	put("0%s%s%s", eol, count % 2 ? "X: y\r\n" : "", eol);
}

static char filler[2100];
static const char own_context[] =
	"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

static void put_fields(unsigned int kind, const char *eol)
{
	unsigned int i, more = roll(6);

	put("Host: %s%s", kind == 5 ? "example.com" : "h", eol);
	for (i = 0; i < more; i++)
		put("X-%u: %.*s%s", i, (int)roll(100), filler, eol);
	if (kind == 4)
		put("%s%s", own_context, eol);
}

/* One request; its kind decides form, body, and whether it gets a header. */
static void put_message(unsigned int kind)
{
	struct message *m = &now.message[now.message_count++];
	const char *eol = kind == 6 ? "\n" : "\r\n";
	size_t body = kind == 1 ? (size_t)roll(256) * (1 + roll(12)) : 0;

	m->start = now.len;
	m->is_head = kind == 3;
	m->wants_header = kind != 4 && kind != 5;
	if (kind == 7)
		put("\r\n");
	put("%s %s/%u%.*s HTTP/1.%d%s",
	    kind == 3              ? "HEAD" :
	    kind == 1 || kind == 2 ? "POST" :
				     "GET",
	    kind == 8 ? "http://a.test:81" : "", now.message_count,
	    kind == 0 ? (int)roll(256) * 8 : 0, filler, kind != 9, eol);
	put_fields(kind, eol);
	if (kind == 1)
		put("Content-Length: %zu%s", body, eol);
	if (kind == 2)
		put("Transfer-Encoding: chunked%s", eol);
	m->head = now.len;
	put("%s", eol);
	m->body = now.len;
	put_body(body);
	if (kind == 2)
		put_chunks(eol);
	m->end = now.len;
	if (kind != 1)
		m->body = m->end;
}

static void put_garbage(unsigned int kind)
{
	static const char *const bytes[] = {
		"\x16\x03\x01\x02",
		"GET /a b HTTP/1.1\r\n",
		"*1\r\n",
		"GET / HTTP/2.0\r\n",
		"GET / HTTP/1.1\r\nHost\r\n",
		"POST / HTTP/1.1\r\nContent-Length: x\r\n",
	};

	now.garbage = true;
	put("%s", bytes[kind]);
	put("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
}

static void make_stream(void)
{
	unsigned int count = roll(MESSAGES), kind;

	memset(filler, 'f', sizeof(filler) - 1);
	do {
		kind = roll(12);
		if (kind < 10)
			put_message(kind);
	} while (kind < 11 && count-- && now.len < STREAM_BYTES / 2 &&
		 now.message_count < MESSAGES);
	if (kind == 11)
		put_garbage(roll(6));
}

/* --- answers --- */

static unsigned int messages_sent(void)
{
	unsigned int count = now.answered;

	while (count < now.message_count &&
	       now.message[count].end <= now.accepted)
		count++;
	return count;
}

static void read_pieces(const char *bytes)
{
	size_t left = strlen(bytes);

	while (left) {
		size_t n = roll(3) ? 1 + roll(60) : left;

		if (n > left)
			n = left;
		if (roll(8) == 1)
			wire_read(&wire, NULL, -EAGAIN);
		wire_read(&wire, bytes, (ssize_t)n);
		bytes += n;
		left -= n;
	}
}

static void read_answers(unsigned int most)
{
	unsigned int sent = messages_sent();

	while (now.answered < sent && most--) {
		const struct message *m = &now.message[now.answered++];

		if (roll(6) == 1)
			read_pieces("HTTP/1.1 103 Early\r\n\r\n");
		read_pieces("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
		if (!m->is_head)
			read_pieces("hi");
	}
}

/* --- the kernel --- */

static ssize_t answer(struct wire *w, size_t len)
{
	(void)w;
	switch (roll(10)) {
	case 1:
		now.refused = true;
		return -EAGAIN;
	case 2:
		now.refused = true;
		return -EINTR;
	case 3:
		now.refused = true;
		return -ENOBUFS;
	case 4:
		return 1;
	case 5:
		return 1 + roll(30);
	case 6:
		return 1 + (ssize_t)(len * roll(256) / 256);
	case 7:
		/* Answers to what was sent before come in another thread. */
		read_answers(2);
		return (ssize_t)len;
	case 8:
		return len > 80 ? (ssize_t)len - roll(80) : (ssize_t)len;
	default:
		return (ssize_t)len;
	}
}

/* --- what must have happened --- */

/* The kernel has the application's bytes up to `to`, which holds no head. */
static void verify_bytes(size_t to)
{
	require(wire.out_len - now.out >= to - now.in);
	require(!memcmp(wire.out + now.out, now.stream + now.in, to - now.in));
	now.out += to - now.in;
	now.in = to;
}

/*
 * At a head. `passed`: the application's byte behind it was taken in this
 * call. A header is in its place then, unless the call could not be edited
 * and it had not been begun before.
 */
static void verify_head(const struct message *m, bool passed, bool editable)
{
	size_t n = wire_header_at(&wire, now.out);
	bool wanted = m->wants_header && (editable || now.begun);

	require(n >= now.begun);
	require(!n || wanted);
	if (!passed) {
		now.begun = n;
		return;
	}
	require(n == (wanted ? WIRE_HEADER_BYTES : 0));
	now.out += n;
	now.begun = 0;
	now.next++;
}

static void verify(bool editable)
{
	while (now.next < now.message_count &&
	       now.message[now.next].head <= now.accepted) {
		const struct message *m = &now.message[now.next];
		bool passed = m->head < now.accepted;

		verify_bytes(m->head);
		verify_head(m, passed, editable);
		if (!passed)
			break;
	}
	if (!now.begun)
		verify_bytes(now.accepted);
	require(wire.out_len == now.out + now.begun);
}

/* --- the application --- */

static ssize_t write_scattered(const char *bytes, size_t len)
{
	static struct iovec iov[200];
	size_t count = 0, piece = 1 + roll(40);

	while (len && count < 199) {
		size_t n = len < piece || count == 198 ? len : piece;

		iov[count++] = (struct iovec){ (void *)(uintptr_t)bytes, n };
		bytes += n;
		len -= n;
		if (n == 3)
			iov[count++] = (struct iovec){ NULL, 0 };
	}
	return wire_writev(&wire, iov, count);
}

static ssize_t write_unusual(const char *bytes, size_t len)
{
	static char control[64];
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };

	switch (roll(3)) {
	case 0:
		return wire_send(&wire, bytes, len, MSG_OOB);
	case 1:
		return wire_send(&wire, bytes, len, 0x4000000);
	default:
		return wire_sendmsg(&wire, &message, 0);
	}
}

/* How much of the rest this call offers. */
static size_t choose_len(void)
{
	size_t left = now.len - now.accepted, len = left;
	unsigned int i;

	switch (roll(6)) {
	case 1:
		len = 1;
		break;
	case 2:
		len = roll(80);
		break;
	case 3:
		len = (size_t)roll(256) * 8;
		break;
	case 4: /* around the end of a head */
		for (i = 0; i < now.message_count; i++)
			if (now.message[i].head > now.accepted)
				break;
		if (i < now.message_count)
			len = now.message[i].head - now.accepted + roll(5);
		break;
	}
	i = now.answered + WAITING_MAX;
	if (i < now.message_count && len > now.message[i].start - now.accepted)
		len = now.message[i].start - now.accepted;
	return len < left ? len : left;
}

/* Part of a body of known length may go by another way. */
static bool move_body(void)
{
	unsigned int i;

	for (i = 0; i < now.message_count; i++) {
		const struct message *m = &now.message[i];
		size_t n;

		if (now.accepted < m->body || now.accepted >= m->end)
			continue;
		n = 1 + roll(200);
		if (n > m->end - now.accepted)
			n = m->end - now.accepted;
		wire_move(&wire, now.stream + now.accepted, n);
		now.accepted += n;
		verify(true);
		return true;
	}
	return false;
}

static void write_some(void)
{
	const char *bytes = now.stream + now.accepted;
	size_t len = choose_len();
	unsigned int how = roll(8);
	unsigned int originals = wire.original_count;
	bool again = !now.blocking;
	ssize_t n;

	now.refused = false;
	errno = 4242;
	if (how == 4 || how == 5) {
		n = write_scattered(bytes, len);
	} else if (how == 6) {
		n = wire_send(&wire, bytes, len, MSG_DONTWAIT);
		again = true;
	} else if (how == 7) {
		n = write_unusual(bytes, len);
		require(wire.original_count == originals + 1 || n < 0);
	} else {
		n = wire_write(&wire, bytes, len);
	}
	require(n <= (ssize_t)len && n >= -1);
	require(n != 0 || len == 0);
	if (n < 0)
		require(now.refused || (again && errno == EAGAIN));
	else
		require(errno == 4242);
	now.accepted += n > 0 ? (size_t)n : 0;
	verify(how != 7);
}

static unsigned int heads_sent(void)
{
	return now.next + (now.begun > 0);
}

static void run(void)
{
	while (now.accepted < now.len) {
		if (roll(12) == 1 && move_body())
			continue;
		write_some();
		read_answers(now.answered + WAITING_MAX < now.message_count &&
					     now.dice_left == 0 ?
				     MESSAGES :
				     roll(4));
		/* Now and then the application gives up. */
		if (roll(100) == 99)
			break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char hosts[] = "AUTOTRACE_PROPAGATE_TO=h,*.test";
	char *settings[] = { hosts, NULL };
	unsigned int sent;

	if (!wire.answer) {
		wire_start(settings);
		wire_open(&wire, AF_UNIX);
		wire.answer = answer;
	}
	memset(&now, 0, offsetof(__typeof__(now), stream));
	memset(&now.len, 0, sizeof(now) - offsetof(__typeof__(now), len));
	now.dice = data;
	now.dice_left = size;
	now.blocking = roll(2);
	wire_nonblocking(&wire, !now.blocking);
	make_stream();
	run();
	sent = heads_sent();
	wire_reset(&wire);
	require(wire_drop_spans() == sent);
	return 0;
}
