// SPDX-License-Identifier: Apache-2.0
/*
 * What an application sends, as the fuzzer's input has it: requests, and where
 * their heads and bodies lie. Part of fuzz_send.c.
 */
#define MESSAGES 40
#define STREAM_BYTES (64 * 1024)

struct message {
	size_t start;
	size_t head; /* where the blank line begins */
	size_t body; /* of known length; else == end */
	size_t end;
	size_t id; /* the parent's, in a context of its own; 0: none */
	bool wants_header;
	bool is_head;
	bool leaves; /* an Upgrade, a CONNECT */
};

static struct {
	const uint8_t *dice;
	size_t dice_left;
	size_t len;
	struct message message[MESSAGES];
	unsigned int message_count;
	char stream[STREAM_BYTES];
} input;

/* 0 .. sides-1; always 0 once the input is used up. */
static unsigned int roll(unsigned int sides)
{
	unsigned int value = 0;

	if (input.dice_left) {
		value = *input.dice++;
		input.dice_left--;
	}
	return value % sides;
}

/* --- the stream --- */

static void put(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	input.len += (size_t)vsprintf(input.stream + input.len, format, args);
	va_end(args);
}

static void put_body(size_t len)
{
	static const char looks_like[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
	size_t i;

	for (i = 0; i < len; i++)
		input.stream[input.len++] = looks_like[i % 28];
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

#define ID_BYTES 16

static void put_fields(struct message *m, unsigned int kind, const char *eol)
{
	unsigned int i, more = roll(6);

	put("Host: %s%s", kind == 5 ? "example.com" : "h", eol);
	for (i = 0; i < more; i++)
		put("X-%u: %.*s%s", i, (int)roll(100), filler, eol);
	if (kind == 4) {
		m->id = input.len + sizeof(own_context) - 1 - ID_BYTES - 3;
		put("%s%s", own_context, eol);
	}
}

/* One request; its kind decides form, body, and whether it gets a header. */
static void put_message(unsigned int kind)
{
	struct message *m = &input.message[input.message_count++];
	const char *eol = kind == 6 ? "\n" : "\r\n";
	size_t body = kind == 1 ? (size_t)roll(256) * (1 + roll(12)) : 0;

	m->start = input.len;
	m->is_head = kind == 3;
	m->wants_header = kind != 4 && kind != 5 && kind != 11;
	m->leaves = kind >= 10;
	if (kind == 7)
		put("\r\n");
	if (kind == 11)
		put("CONNECT h:80 HTTP/1.1\r\n");
	else
		put("%s %s/%u%.*s HTTP/1.%d%s",
		    kind == 3              ? "HEAD" :
		    kind == 1 || kind == 2 ? "POST" :
					     "GET",
		    kind == 8 ? "http://a.test:81" : "", input.message_count,
		    kind == 0 ? (int)roll(256) * 8 : 0, filler, kind != 9, eol);
	put_fields(m, kind, eol);
	if (kind == 1)
		put("Content-Length: %zu%s", body, eol);
	if (kind == 2)
		put("Transfer-Encoding: chunked%s", eol);
	if (kind == 10)
		put("Upgrade: x%s", eol);
	m->head = input.len;
	put("%s", eol);
	m->body = input.len;
	put_body(body);
	if (kind == 2)
		put_chunks(eol);
	m->end = input.len;
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

	put("%s", bytes[kind]);
	put("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
}

static void make_stream(void)
{
	unsigned int count = roll(MESSAGES), kind;

	memset(filler, 'f', sizeof(filler) - 1);
	do {
		kind = roll(14);
		if (kind < 12)
			put_message(kind);
	} while (kind < 12 && count-- && input.len < STREAM_BYTES / 2 &&
		 input.message_count < MESSAGES);
	if (kind == 12)
		put_garbage(roll(6));
}
