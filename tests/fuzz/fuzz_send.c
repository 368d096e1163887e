// SPDX-License-Identifier: Apache-2.0
/*
 * The input decides everything: which requests an application sends, in what
 * pieces, by which calls and numbers, what the kernel takes of each call or
 * how it refuses, when answers come, and what else happens meanwhile. Whatever
 * it is, the kernel gets the application's bytes, but for the parent's id in a
 * traceparent of its own, and one header in each head that should have one; the
 * application hears only of its own bytes, and every request ends once.
 *
 * What is right is computed here from the stream as it was made, without a
 * parser.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#include "tests/fuzz/send_stream.h"

#define PIPELINE 32
#define NEVER ((size_t)-1)

static struct {
	size_t accepted;
	unsigned int answered;
	size_t in; /* verified */
	size_t out;
	size_t begun;      /* bytes of a header behind `out` */
	unsigned int next; /* first head not behind `in` */
	/* heads from here on are not followed; NEVER: all are */
	size_t lost;
	/* this one may or may not be; 0: none */
	unsigned int unsure;
	unsigned int spans;
	unsigned int more_spans; /* or not: of those we are not sure of */
	bool refused;            /* the kernel has said no in this call */
	bool blocking;
	/* of the call under way */
	bool disturbed; /* the connection is given up in the middle of it */
	unsigned int kernel_calls;
	int kernel_error; /* what the kernel says, whatever it is asked */
	size_t from;
	unsigned int answered_before;
} now;

static struct wire wire;
static int sockets[2]; /* what wire.fd may mean */
static unsigned int which;
static int number, twin; /* twin: another number for it */
static bool has_twin;

#define require(ok) ((ok) ? (void)0 : die(__LINE__, #ok))

static void die(int line, const char *what)
{
	fprintf(stderr,
		"line %d: %s\nstream of %zu: %.*s\nverified %zu, accepted %zu\n"
		"taken %zu, verified %zu and %zu of a header: %.*s\n",
		line, what, input.len, (int)input.len, input.stream, now.in,
		now.accepted, wire.out_len, now.out, now.begun,
		(int)wire.out_len, wire.out);
	abort();
}

static void lose(size_t from)
{
	if (from < now.lost)
		now.lost = from;
}

/* --- answers --- */

static unsigned int messages_sent(void)
{
	unsigned int count = now.answered;

	while (count < input.message_count &&
	       input.message[count].end <= now.accepted)
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

static void read_answer(const struct message *m)
{
	if (roll(6) == 1)
		read_pieces("HTTP/1.1 103 Early\r\n\r\n");
	if (m->leaves && roll(3) == 0) {
		read_pieces(m->wants_header ? "HTTP/1.1 101 Yes\r\n\r\n" :
					      "HTTP/1.1 200 OK\r\n\r\n");
		lose(now.accepted);
		return;
	}
	read_pieces("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\n");
	if (!m->is_head)
		read_pieces("hi");
}

static void read_answers(unsigned int most)
{
	unsigned int sent = messages_sent();

	while (now.answered < sent && most--)
		read_answer(&input.message[now.answered++]);
}

/* --- the kernel --- */

static ssize_t refuse(int error)
{
	now.refused = true;
	return -error;
}

/* Another writer, who has nothing to say. */
static ssize_t write_between(size_t len)
{
	now.disturbed = true;
	wire_write(&wire, "", 0);
	return (ssize_t)len;
}

/* A server that does not wait for the end of a head, and is not read on. */
static ssize_t answer_too_early(size_t len)
{
	if (now.kernel_calls > 1 || now.answered < now.next || now.begun)
		return (ssize_t)len;
	now.disturbed = true;
	now.more_spans++;
	read_pieces("HTTP/1.1 431 No\r\nContent-Length: 0\r\n\r\n");
	return refuse(EAGAIN);
}

static ssize_t answer(struct wire *w, size_t len)
{
	(void)w;
	if (now.kernel_error)
		return refuse(now.kernel_error);
	if (!len)
		return 0;
	now.kernel_calls++;
	switch (roll(14)) {
	case 1:
		return refuse(EAGAIN);
	case 2:
		return refuse(EINTR);
	case 3:
		return refuse(ENOBUFS);
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
	case 9:
		return refuse(EPIPE);
	case 10:
		return write_between(len);
	case 11:
		return answer_too_early(len);
	default:
		return (ssize_t)len;
	}
}

/* --- what must have happened --- */

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* A digit of a parent's id, which may be ours instead. */
static bool is_id(size_t at)
{
	unsigned int i;

	for (i = 0; i < input.message_count; i++) {
		size_t id = input.message[i].id;

		if (id && at >= id && at < id + ID_BYTES)
			return true;
	}
	return false;
}

/* The kernel has the application's bytes up to `to`, which holds no head. */
static void verify_bytes(size_t to)
{
	if (to == now.in)
		return;
	require(wire.out_len - now.out >= to - now.in);
	for (; now.in < to; now.in++, now.out++)
		require(wire.out[now.out] == input.stream[now.in] ||
			(is_id(now.in) && is_digit(wire.out[now.out])));
}

/*
 * This message began in the call under way, where it may have been one too
 * many, or behind one that may leave HTTP.
 */
static bool may_be_lost(unsigned int index)
{
	unsigned int i;

	if (now.disturbed || (now.unsure && now.unsure == index))
		return true;
	if (input.message[index].start < now.from)
		return false;
	if (index - now.answered_before >= PIPELINE)
		return true;
	for (i = now.answered_before; i < index; i++)
		if (input.message[i].leaves)
			return true;
	return false;
}

/* Surely so, even after the answers that came during the call. */
static bool must_be_lost(unsigned int index)
{
	unsigned int i;

	if (input.message[index].start < now.from)
		return false;
	if (index - now.answered >= PIPELINE)
		return true;
	for (i = now.answered; i < index; i++)
		if (input.message[i].leaves)
			return true;
	return false;
}

/* Where a header is missing, what follows is lost. False: nobody can tell. */
static bool verify_beginning(const struct message *m, unsigned int index,
			     bool wanted, size_t header)
{
	bool unsure = m->head < now.lost && !now.begun && may_be_lost(index);

	now.unsure = 0;
	if (!unsure)
		return true;
	if (must_be_lost(index) || (wanted && !header))
		lose(m->start);
	else if (!wanted)
		now.unsure = index + 1;
	return !now.unsure;
}

/*
 * At a head. `passed`: the application's byte behind it was taken in this
 * call. A header is in its place then, unless the call could not be edited
 * and it had not been begun before.
 */
static void verify_head(unsigned int index, bool passed, bool editable)
{
	const struct message *m = &input.message[index];
	size_t n = wire_header_at(&wire, now.out);
	bool wanted = m->wants_header && (editable || now.begun);
	bool sure = !passed || verify_beginning(m, index, wanted, n);

	if (m->head >= now.lost && !now.begun)
		wanted = false;
	require(n >= now.begun);
	require(!n || wanted);
	if (!passed) {
		now.begun = n;
		return;
	}
	require(n == (wanted ? WIRE_HEADER_BYTES : 0));
	if (!sure)
		now.more_spans++;
	else if (now.begun || m->head < now.lost)
		now.spans++;
	now.out += n;
	now.begun = 0;
	now.next++;
}

static void verify(bool editable)
{
	while (now.next < input.message_count &&
	       input.message[now.next].head <= now.accepted) {
		size_t head = input.message[now.next].head;
		bool passed = head < now.accepted;

		verify_bytes(head);
		verify_head(now.next, passed, editable);
		if (!passed)
			break;
	}
	if (!now.begun)
		verify_bytes(now.accepted);
	require(wire.out_len == now.out + now.begun);
}

/* A message that began in this call, and whose head is still to come. */
static void note_beginning(void)
{
	const struct message *m = &input.message[now.next];

	if (now.next < input.message_count && m->start < now.accepted &&
	    m->head < now.lost && !now.begun && may_be_lost(now.next))
		now.unsure = now.next;
}

/* --- the application --- */

static void call_begins(void)
{
	now.refused = false;
	now.disturbed = false;
	now.kernel_calls = 0;
	now.kernel_error = 0;
	now.from = now.accepted;
	now.answered_before = now.answered;
}

static void call_ends(size_t taken, bool editable)
{
	now.accepted += taken;
	verify(editable);
	note_beginning();
	if (now.disturbed)
		lose(now.accepted);
}

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

/* As one message; unusual: with control data, or flags that forbid edits. */
static ssize_t write_message(const char *bytes, size_t len, bool unusual)
{
	static char control[64], name[16];
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct msghdr message = { .msg_name = name,
				  .msg_namelen = sizeof(name),
				  .msg_iov = &iov,
				  .msg_iovlen = 1 };

	if (!unusual)
		return wire_sendmsg(&wire, &message, 0);
	switch (roll(3)) {
	case 0:
		return wire_send(&wire, bytes, len, MSG_OOB);
	case 1:
		return wire_send(&wire, bytes, len, 0x4000000);
	}
	message.msg_control = control;
	message.msg_controllen = sizeof(control);
	return wire_sendmsg(&wire, &message, 0);
}

/* How much of the rest this call offers. */
static size_t choose_len(void)
{
	size_t left = input.len - now.accepted, len = left;
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
		for (i = 0; i < input.message_count; i++)
			if (input.message[i].head > now.accepted)
				break;
		if (i < input.message_count)
			len = input.message[i].head - now.accepted + roll(5);
		break;
	}
	return len < left ? len : left;
}

static void write_some(void)
{
	const char *bytes = input.stream + now.accepted;
	size_t len = choose_len();
	unsigned int how = roll(9);
	unsigned int originals = wire.original_count;
	bool again = !now.blocking || how == 6;
	ssize_t n;

	call_begins();
	errno = 4242;
	if (how == 4 || how == 5) {
		n = write_scattered(bytes, len);
	} else if (how == 6) {
		n = wire_send(&wire, bytes, len, MSG_DONTWAIT);
	} else if (how == 7) {
		n = write_message(bytes, len, true);
		require(wire.original_count == originals + 1 || n < 0 ||
			now.disturbed);
	} else if (how == 8) {
		n = write_message(bytes, len, false);
	} else {
		n = wire_write(&wire, bytes, len);
	}
	require(n <= (ssize_t)len && n >= -1);
	require(n != 0 || len == 0);
	if (n < 0)
		require(now.refused || (again && errno == EAGAIN));
	else
		require(errno == 4242);
	call_ends(n > 0 ? (size_t)n : 0, how != 7);
}

#include "tests/fuzz/send_events.h"

static void run(void)
{
	while (now.accepted < input.len) {
		if (roll(10) == 1)
			something_happens();
		if (has_twin)
			wire.fd = roll(2) ? number : twin;
		if (now.accepted < input.len)
			write_some();
		read_answers(input.dice_left ? roll(4) : 0);
		/* Now and then the application gives up. */
		if (roll(100) == 99)
			break;
	}
}

static void start(void)
{
	static char hosts[] = "AUTOTRACE_PROPAGATE_TO=h,*.test";
	/* A small ring: a forked child makes its own anew. */
	static char queue[] = "OTEL_BSP_MAX_QUEUE_SIZE=512";
	char *settings[] = { hosts, queue, NULL };
	int pair[2];

	/* What a program was given it may hand on, and we rewrite. */
	setenv("TRACEPARENT", strchr(own_context, ' ') + 1, 1);
	wire_start(settings);
	wire_open(&wire, AF_UNIX);
	wire.answer = answer;
	number = wire.fd;
	sockets[0] = dup(number);
	twin = dup(number);
	require(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	sockets[1] = pair[0];
	require(twin >= 0);
}

static void set_blocking(bool blocking)
{
	static int done = -1;
	unsigned int i;

	now.blocking = blocking;
	for (i = 0; i < 2 && done != blocking; i++)
		require(!fcntl(sockets[i], F_SETFL, blocking ? 0 : O_NONBLOCK));
	done = blocking;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int spans;

	if (!wire.answer)
		start();
	memset(&now, 0, sizeof(now));
	now.lost = NEVER;
	memset(&input, 0, offsetof(__typeof__(input), stream));
	input.dice = data;
	input.dice_left = size;
	set_blocking(roll(2));
	make_stream();
	run();
	if (now.begun)
		now.spans++;
	lose_twin();
	wire_reset(&wire);
	spans = wire_drop_spans();
	require(spans >= now.spans && spans <= now.spans + now.more_spans);
	return 0;
}
