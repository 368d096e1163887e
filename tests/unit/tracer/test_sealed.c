// SPDX-License-Identifier: Apache-2.0
/* TLS without its plaintext: one honest span a connection, and no more. */
#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "core/clock.h"
#include "core/counters.h"
#include "tests/unit/tracer/sending.h"
#include "tracer/conn.h"
#include "tracer/sealed.h"

#define S UINT64_C(1000000000)

static uint64_t now_ns = 1000 * S;

static int test_clock(int clock, struct timespec *now)
{
	(void)clock;
	now->tv_sec = (time_t)(now_ns / S);
	now->tv_nsec = (long)(now_ns % S);
	return 0;
}

static void open_sealed(void)
{
	static char setting[] = "AUTOTRACE_TLS_SPANS=true";
	char *const settings[] = { setting, NULL };

	at_clock_use(test_clock);
	wire_start(settings);
	wire_open(&wire, AF_INET);
}

TestSuite(sealed, .init = open_sealed);

static struct at_span span;

#define HELLO                                              \
	"\x16\x03\x01\x00\x3e\x01\x00\x00\x3a\x03\x03"     \
	"0123456789abcdef0123456789abcdef"                 \
	"\x00\x00\x02\x13\x01\x01\x00\x00\x0f\x00\x00\x00" \
	"\x0b\x00\x09\x00\x00\x06"                         \
	"a.test"
#define CIPHER "\x14\x03\x03\x00\x01\x01"
#define FINISHED "\x17\x03\x03\x00\x24" FILL FILL FILL FILL
#define FILL "123456789"
#define DATA "\x17\x03\x03\x00\x09" FILL
/* Nineteen bytes where Finished should be. */
#define PROTECTED_ALERT "\x17\x03\x03\x00\x13" FILL FILL "x"

#define SAY(literal) say(literal, sizeof(literal) - 1)
#define HEAR(literal) wire_read(&wire, literal, sizeof(literal) - 1)

static void say(const char *bytes, size_t len)
{
	wire.out_len = 0;
	cr_assert_eq(wire_write(&wire, bytes, len), len);
	cr_assert_eq(wire.out_len, len, "nothing may be added");
	cr_assert_eq(memcmp(wire.out, bytes, len), 0);
}

static int64_t number(enum at_attr attr)
{
	return wire_number(&span, attr);
}

/* Of the handshake; -1: there is none. */
static double milliseconds(void)
{
	struct at_field field;

	return at_span_find(&span, AT_ATTR_AUTOTRACE_TLS_HANDSHAKE_MS, &field) ?
		       field.real :
		       -1;
}

static void expect_end(const char *error, int64_t sent, int64_t received)
{
	wire_close(&wire);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_FIELD_NAME), "TLS");
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_OPAQUE), 1);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE), error);
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_TLS_SENT_BYTES), sent);
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_TLS_RECEIVED_BYTES), received);
	cr_expect_not(wire_next_span(&span));
}

#define LEN(literal) ((int64_t)sizeof(literal) - 1)

Test(sealed, tls13)
{
	SAY(HELLO);
	HEAR("\x16\x03\x03\x00\x09" FILL CIPHER DATA);
	now_ns += 5250000;
	SAY(CIPHER FINISHED);
	now_ns += 3000000;
	SAY(DATA);
	HEAR(DATA);
	expect_end("", LEN(HELLO CIPHER FINISHED DATA),
		   14 + LEN(CIPHER DATA DATA));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_SERVER_ADDRESS), "a.test");
	cr_expect_eq(milliseconds(), 5.25);
	cr_expect_eq(span.duration_ns, 8250000);
	cr_expect_eq(span.kind, AT_KIND_CLIENT);
}

Test(sealed, tls12)
{
	SAY(HELLO);
	HEAR("\x16\x03\x03\x00\x09" FILL);
	SAY(CIPHER "\x16\x03\x03\x00\x09" FILL);
	now_ns += 7000000;
	HEAR(CIPHER "\x16\x03\x03\x00\x09" FILL);
	now_ns += 1000000;
	SAY(DATA);
	expect_end("", LEN(HELLO CIPHER DATA) + 14, 28 + LEN(CIPHER));
	cr_expect_eq(milliseconds(), 7);
}

Test(sealed, refused_by_the_server)
{
	SAY(HELLO);
	HEAR("\x15\x03\x03\x00\x02\x02\x46");
	expect_end("tls_protocol_version", LEN(HELLO), 7);
}

Test(sealed, refused_by_the_client)
{
	SAY(HELLO);
	HEAR("\x16\x03\x03\x00\x09" FILL);
	SAY("\x15\x03\x03\x00\x02\x02\x30");
	expect_end("tls_unknown_ca", LEN(HELLO) + 7, 14);
}

Test(sealed, refused_under_protection)
{
	SAY(HELLO);
	HEAR("\x16\x03\x03\x00\x09" FILL CIPHER DATA);
	SAY(CIPHER PROTECTED_ALERT);
	expect_end("tls_alert", LEN(HELLO CIPHER PROTECTED_ALERT),
		   14 + LEN(CIPHER DATA));
}

Test(sealed, left_in_the_middle)
{
	SAY(HELLO);
	wire_read(&wire, "", 0);
	expect_end("tls_handshake_incomplete", LEN(HELLO), 0);
}

Test(sealed, reset)
{
	SAY(HELLO);
	wire_read(&wire, "", -ECONNRESET);
	expect_end("connection_reset", LEN(HELLO), 0);
}

Test(sealed, silence_ends_it)
{
	SAY(HELLO);
	HEAR(CIPHER);
	SAY(CIPHER FINISHED);
	now_ns += 61 * S;
	SAY(DATA);
	cr_assert(wire_next_span(&span));
	cr_expect_eq(span.duration_ns, 0, "to the last byte, not the silence");
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_TLS_SENT_BYTES),
		     LEN(HELLO CIPHER FINISHED));
	now_ns += 2 * S;
	HEAR(DATA);
	expect_end("", LEN(DATA), LEN(DATA));
	cr_expect_eq(span.duration_ns, 2 * S);
	cr_expect_eq(milliseconds(), -1);
}

Test(sealed, bytes_moved_by_others)
{
	SAY(HELLO);
	HEAR(CIPHER);
	SAY(CIPHER FINISHED);
	at_moved_out(wire.fd, 1000);
	at_moved_in(wire.fd, 50);
	expect_end("", LEN(HELLO CIPHER FINISHED) + 1000, LEN(CIPHER) + 50);
}

static char kept;

static bool keep(const struct at_tls *session, uint64_t slot)
{
	(void)session;
	kept = (char)slot;
	return true;
}

static int take_all(const struct at_tls *session, const void *bytes, size_t len,
		    size_t *taken)
{
	(void)session;
	(void)bytes;
	*taken = len;
	return (int)len;
}

static void write_plaintext(int fd)
{
	struct at_tls session = { .fd = fd, .keep = keep, .write = take_all };
	size_t taken;

	at_tls_write(&session, "PING\r\n", 6, &taken);
	cr_assert_eq(taken, 6);
	cr_expect_eq(kept, AT_FD_IGNORED);
}

/* Then there is nothing that would have to be guessed. */
Test(sealed, not_where_plaintext_is_seen)
{
	SAY(HELLO);
	write_plaintext(wire.fd);
	SAY(CIPHER FINISHED);
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
}

Test(sealed, not_where_any_session_may_be_it)
{
	SAY(HELLO);
	SAY(CIPHER FINISHED);
	write_plaintext(-1);
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
}

Test(sealed, ended_by_exit)
{
	SAY(HELLO);
	SAY(CIPHER FINISHED);
	at_tracer_end_open();
	cr_assert(wire_next_span(&span));
	cr_expect_eq(number(AT_ATTR_AUTOTRACE_INCOMPLETE), -1);
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE), "");
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
}

Test(sealed, child_has_none)
{
	SAY(HELLO);
	at_tracer_after_fork_child();
	SAY(CIPHER FINISHED);
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
	cr_expect_eq(at_counter_value(AT_COUNT_FORK_INHERITED), 1);
}

/* Off: not even looked at. */
Test(sealed_off, nothing)
{
	wire_start(NULL);
	wire_open(&wire, AF_INET);
	SAY(HELLO);
	cr_expect_not(at_fd_followed(wire.fd));
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
}
