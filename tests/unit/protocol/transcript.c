// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/protocol/transcript.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/guard_page.h"

#define PAIRS_UP_TO 150
#define CAP 4096

struct session {
	struct at_http1 machine;
	struct at_http1_text text;
	bool no_body;
	bool ended; /* opaque */
	size_t at;
	char said[CAP];
	struct at_writer writer;
};

static struct guard_page page;

static void say_flag(struct session *s, uint16_t flag, const char *word)
{
	if (s->machine.flags & flag)
		at_write_string(&s->writer, word);
}

static void say_number(struct session *s, const char *before, uint64_t number,
		       const char *after)
{
	at_write_string(&s->writer, before);
	at_write_u64(&s->writer, number);
	at_write_string(&s->writer, after);
}

static void say_request(struct session *s)
{
	const struct at_http1 *m = &s->machine;

	at_write_text(&s->writer, at_http1_method(m, &s->text));
	at_write_string(&s->writer, " ");
	at_write_text(&s->writer, at_http1_target(m, &s->text));
	say_number(s, " 1.", m->minor, "");
	if (m->host_count) {
		at_write_string(&s->writer, " ");
		at_write_text(&s->writer, at_http1_host(m, &s->text));
	}
	if (m->context_count) {
		at_write_string(&s->writer, " ");
		at_write_text(&s->writer, at_http1_context(m, &s->text));
	}
}

static void say_head(struct session *s)
{
	const struct at_http1 *m = &s->machine;

	if (m->response) {
		say_number(s, "1.", m->minor, " ");
		at_write_u64(&s->writer, m->status);
	} else {
		say_request(s);
	}
	if (m->flags & AT_HTTP1_HAS_LENGTH)
		say_number(s, " L=", m->content_length, "");
	say_flag(s, AT_HTTP1_CHUNKED, " C");
	say_flag(s, AT_HTTP1_OTHER_CODING, " T");
	say_flag(s, AT_HTTP1_EXPECT_CONTINUE, " E");
	say_flag(s, AT_HTTP1_UPGRADE, " U");
	say_flag(s, AT_HTTP1_HAS_TRACESTATE, " S");
	say_flag(s, AT_HTTP1_HAS_BAGGAGE, " B");
	say_flag(s, AT_HTTP1_HAS_OTHERS, " O");
	say_flag(s, AT_HTTP1_LF_ONLY, " F");
	if (!m->response)
		say_flag(s, AT_HTTP1_LINE_CUT, " X");
	say_flag(s, AT_HTTP1_HOST_CUT, " Y");
	if (m->host_count > 1)
		say_number(s, " ", m->host_count, "H");
	if (m->context_count > 1)
		say_number(s, " ", m->context_count, "T");
	at_write_string(&s->writer, " ");
}

static void say(struct session *s, enum at_http1_event event)
{
	static const char *const names[] = { [AT_HTTP1_HEAD] = "HEAD@",
					     [AT_HTTP1_END] = "END@",
					     [AT_HTTP1_INTERIM] = "INTERIM@" };

	if (event == AT_HTTP1_MORE)
		return;
	if (event == AT_HTTP1_OPAQUE) {
		at_write_string(&s->writer, "opaque");
		s->ended = true;
		return;
	}
	say_number(s, names[event], s->at, " ");
	if (event != AT_HTTP1_HEAD)
		return;
	say_head(s);
	if (s->no_body)
		s->machine.flags |= AT_HTTP1_NO_BODY;
}

static void feed(struct session *s, const char *bytes, size_t len)
{
	const char *at = guard_page_put(&page, bytes, len);

	while (len && !s->ended) {
		size_t used = len + 1;
		enum at_http1_event event =
			at_http1_feed(&s->machine, &s->text, at, len, &used);

		cr_assert_leq(used, len);
		if (event == AT_HTTP1_MORE || event == AT_HTTP1_OPAQUE)
			cr_assert_eq(used, len);
		at += used;
		len -= used;
		s->at += used;
		say(s, event);
	}
}

static void open_session(struct session *s, const struct conversation *c)
{
	memset(&s->text, 0x5a, sizeof(s->text));
	at_http1_init(&s->machine, c->response);
	s->no_body = c->no_body;
	s->ended = false;
	s->at = 0;
	s->writer = AT_WRITER(s->said, sizeof(s->said));
}

static void close_session(struct session *s, const struct conversation *c,
			  size_t first, size_t second)
{
	if (!s->ended)
		at_write_string(&s->writer,
				at_http1_idle(&s->machine)    ? "idle" :
				at_http1_in_head(&s->machine) ? "head" :
								"open");
	cr_assert_not(s->writer.overflow);
	cr_assert(at_text_equal(at_writer_text(&s->writer),
				at_text_from(c->expected)),
		  "%s, split at %zu and %zu: \"%.*s\" is not \"%s\"", c->what,
		  first, second, (int)s->writer.len, s->said, c->expected);
}

static void feed_split(struct session *s, const struct conversation *c,
		       size_t len, size_t first, size_t second)
{
	open_session(s, c);
	feed(s, c->bytes, first);
	feed(s, c->bytes + first, second - first);
	feed(s, c->bytes + second, len - second);
	close_session(s, c, first, second);
}

void expect_transcript(const struct conversation *c)
{
	static struct session session;
	size_t len = c->len ? c->len : strlen(c->bytes);
	size_t i, j;

	if (!page.map)
		guard_page_open(&page, 300 * 1024);
	for (i = 0; i <= len; i++)
		feed_split(&session, c, len, i, len);
	for (i = 0; len <= PAIRS_UP_TO && i <= len; i++)
		for (j = i; j <= len; j++)
			feed_split(&session, c, len, i, j);
	open_session(&session, c);
	for (i = 0; i < len; i++)
		feed(&session, c->bytes + i, 1);
	close_session(&session, c, 1, 1);
}
