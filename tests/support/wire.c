// SPDX-License-Identifier: Apache-2.0
#include "tests/support/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/config.h"
#include "core/counters.h"
#include "core/ring.h"
#include "tracer/conn.h"
#include "tracer/fdtable.h"
#include "tracer/turn.h"

static struct wire *current;
static struct at_config config;
static struct at_ring_reader reader;
static bool reader_open;

static void require(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "wire: %s\n", what);
	abort();
}

/* --- set-up --- */

void wire_start(char *const *settings)
{
	at_config_load(&config, (char **)(uintptr_t)settings, NULL);
	at_tracer_start(&config);
}

static int listener(struct sockaddr_in *where)
{
	socklen_t len = sizeof(*where);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(where, 0, sizeof(*where));
	where->sin_family = AF_INET;
	where->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	require(fd >= 0 && !bind(fd, (struct sockaddr *)where, len) &&
			!listen(fd, 1) &&
			!getsockname(fd, (struct sockaddr *)where, &len),
		"no listener");
	return fd;
}

static void connect_pair(int pair[2])
{
	struct sockaddr_in where;
	int fd = listener(&where);

	pair[0] = socket(AF_INET, SOCK_STREAM, 0);
	require(pair[0] >= 0 && !connect(pair[0], (struct sockaddr *)&where,
					 sizeof(where)),
		"no connection");
	pair[1] = accept(fd, NULL, NULL);
	require(pair[1] >= 0, "not accepted");
	close(fd);
}

void wire_open(struct wire *wire, int domain)
{
	int pair[2];

	memset(wire, 0, sizeof(*wire));
	if (domain == AF_INET)
		connect_pair(pair);
	else
		require(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "no pair");
	wire->fd = pair[0];
	wire->peer = pair[1];
	at_fd_opened(wire->fd);
	at_fd_opened(wire->peer);
	current = wire;
}

void wire_reset(struct wire *wire)
{
	at_fd_closing(wire->fd);
	wire->out_len = 0;
	/* A thread lets go of what it was busy with when it looks again. */
	turn_context();
	require(conn_in_use() == 0, "a connection was left over");
	require(request_in_use() == 0, "a request was left over");
}

void wire_close(struct wire *wire)
{
	wire_reset(wire);
	close(wire->fd);
	close(wire->peer);
	free(wire->out);
	wire->out = NULL;
	wire->out_cap = 0;
}

void wire_nonblocking(struct wire *wire, bool on)
{
	int flags = fcntl(wire->fd, F_GETFL);

	require(!fcntl(wire->fd, F_SETFL,
		       on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK),
		"fcntl");
}

/* --- the kernel --- */

static void take(struct wire *wire, const struct iovec *iov, size_t count,
		 size_t len)
{
	size_t i;

	if (wire->out_len + len > wire->out_cap) {
		wire->out_cap = (wire->out_len + len) * 2;
		wire->out = realloc(wire->out, wire->out_cap);
		require(wire->out, "no memory");
	}
	for (i = 0; i < count && len; i++) {
		size_t n = iov[i].iov_len < len ? iov[i].iov_len : len;

		if (n)
			memcpy(wire->out + wire->out_len, iov[i].iov_base, n);
		wire->out_len += n;
		len -= n;
	}
	require(!len, "more taken than offered");
}

static ssize_t answer(struct wire *wire, const struct iovec *iov, size_t count,
		      int flags)
{
	size_t offered = 0, i;
	ssize_t result;

	for (i = 0; i < count; i++)
		offered += iov[i].iov_len;
	wire->flags = flags;
	wire->iov_count = count;
	result = wire->answer ? wire->answer(wire, offered) : (ssize_t)offered;
	if (result < 0) {
		errno = (int)-result;
		return -1;
	}
	if ((size_t)result > offered)
		result = (ssize_t)offered;
	take(wire, iov, count, (size_t)result);
	return result;
}

static ssize_t original(const struct at_send *send)
{
	struct wire *wire = current;

	wire->original_count++;
	wire->had_name = send->to || (send->message && send->message->msg_name);
	if (send->message && send->message->msg_controllen)
		wire->had_control = true;
	return answer(wire, send->iov, send->iov_count, send->flags);
}

static ssize_t edited(int fd, const struct msghdr *message, int flags)
{
	struct wire *wire = current;

	require(fd == wire->fd || fcntl(fd, F_GETFD) >= 0, "which socket?");
	wire->edited_count++;
	wire->had_name = message->msg_name;
	if (message->msg_controllen)
		wire->had_control = true;
	return answer(wire, message->msg_iov, message->msg_iovlen, flags);
}

/* --- the application --- */

static ssize_t call(struct wire *wire, struct at_send *send)
{
	current = wire;
	send->fd = wire->fd;
	send->original = original;
	send->sendmsg = edited;
	return at_send(send);
}

ssize_t wire_send(struct wire *wire, const void *bytes, size_t len, int flags)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, len };
	struct at_send send = { .flags = flags, .iov = &iov, .iov_count = 1 };

	return call(wire, &send);
}

ssize_t wire_write(struct wire *wire, const void *bytes, size_t len)
{
	return wire_send(wire, bytes, len, 0);
}

ssize_t wire_writev(struct wire *wire, const struct iovec *iov, size_t count)
{
	struct at_send send = { .iov = iov, .iov_count = count };

	return call(wire, &send);
}

ssize_t wire_sendmsg(struct wire *wire, const struct msghdr *message, int flags)
{
	struct at_send send = { .flags = flags,
				.iov = message->msg_iov,
				.iov_count = message->msg_iovlen,
				.message = message };

	return call(wire, &send);
}

bool wire_move(struct wire *wire, const void *bytes, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)bytes, len };

	current = wire;
	if (!at_moving_out(wire->fd, edited))
		return false;
	take(wire, &iov, 1, len);
	at_moved_out(wire->fd, (ssize_t)len);
	return true;
}

bool wire_write_all(struct wire *wire, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len) {
		ssize_t n = wire_write(wire, at, len);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (n < 0)
			continue;
		require(n > 0 && (size_t)n <= len, "an impossible count");
		at += n;
		len -= (size_t)n;
	}
	return true;
}

void wire_read_flags(struct wire *wire, const void *bytes, ssize_t len,
		     int flags)
{
	struct at_receive receive;
	struct iovec iov = { (void *)(uintptr_t)bytes,
			     len > 0 ? (size_t)len : 1 };

	if (at_receive_begin(&receive, wire->fd))
		at_receive_end(&receive, &iov, 1, len < 0 ? -1 : len,
			       len < 0 ? (int)-len : 0, flags);
}

void wire_read(struct wire *wire, const void *bytes, ssize_t len)
{
	wire_read_flags(wire, bytes, len, 0);
}

void wire_read_string(struct wire *wire, const char *string)
{
	wire_read(wire, string, (ssize_t)strlen(string));
}

/* --- what was sent --- */

/* The form of byte number `at` of a header: itself, or 'x' for hexadecimal. */
static bool fits(size_t at, char c)
{
	static const char form[] =
		"traceparent: 00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-"
		"xxxxxxxxxxxxxxxx-xx\r\n";

	_Static_assert(sizeof(form) - 1 == WIRE_HEADER_BYTES, "form");
	if (form[at] == 'x')
		return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
	return form[at] == c;
}

size_t wire_header_at(const struct wire *wire, size_t at)
{
	size_t n = 0;

	while (n < WIRE_HEADER_BYTES && at + n < wire->out_len &&
	       fits(n, wire->out[at + n]))
		n++;
	return n;
}

bool wire_is_sent(const struct wire *wire, const char *in, size_t in_len,
		  const size_t *at, size_t at_count)
{
	size_t from = 0, out = 0, i, n;

	for (i = 0; i <= at_count; i++) {
		size_t to = i < at_count && at[i] < in_len ? at[i] : in_len;

		if (wire->out_len - out < to - from)
			return false;
		if (to > from && memcmp(wire->out + out, in + from, to - from))
			return false;
		out += to - from;
		from = to;
		if (i == at_count || at[i] > in_len)
			break;
		n = wire_header_at(wire, out);
		out += n;
		if (n < WIRE_HEADER_BYTES)
			break;
	}
	return from == in_len && out == wire->out_len;
}

void wire_span_id(const struct wire *wire, unsigned int index, char hex[17])
{
	size_t at = 0;

	for (;; at++) {
		require(at < wire->out_len, "no such header");
		if (wire_header_at(wire, at) == WIRE_HEADER_BYTES && !index--)
			break;
	}
	memcpy(hex, wire->out + at + 49, 16);
	hex[16] = 0;
}

/* --- spans --- */

bool wire_next_span(struct at_span *span)
{
	int len;

	if (!at_tracer_ring())
		return false;
	if (!reader_open)
		at_ring_reader_init(&reader, at_tracer_ring());
	reader_open = true;
	len = at_ring_pop(&reader, span, sizeof(*span), 0);
	if (len <= 0)
		return false;
	require(!at_span_check(span, (uint32_t)len), "a broken span");
	return true;
}

void wire_fork(void)
{
	at_tracer_after_fork_child();
	reader_open = false; /* a child's ring is a new one */
}

unsigned int wire_drop_spans(void)
{
	struct at_span span;
	unsigned int count = 0;

	while (wire_next_span(&span))
		count++;
	return count;
}

const char *wire_text(const struct at_span *span, enum at_attr attr)
{
	static char text[4][2048];
	static unsigned int next;
	struct at_field field;
	char *to = text[next++ % 4];

	to[0] = 0;
	if (at_span_find(span, attr, &field)) {
		memcpy(to, field.text.ptr, field.text.len);
		to[field.text.len] = 0;
	}
	return to;
}

int64_t wire_number(const struct at_span *span, enum at_attr attr)
{
	struct at_field field;

	return at_span_find(span, attr, &field) ? field.number : -1;
}
