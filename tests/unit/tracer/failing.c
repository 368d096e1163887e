// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tracer/failing.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/ring.h"
#include "tracer/tracer.h"

static struct at_config config;
_Atomic uint64_t now_ns = 1000 * S;
struct at_span span;
static bool reader_open;
static struct at_ring_reader reader;

static int test_clock(int clock, struct timespec *now)
{
	uint64_t at = now_ns + (clock == CLOCK_REALTIME ? 5000 * S : 0);

	now->tv_sec = (time_t)(at / S);
	now->tv_nsec = (long)(at % S);
	return 0;
}

void start_with(char *first, char *second)
{
	char *environment[] = { first, second, NULL };

	at_clock_use(test_clock);
	at_config_load(&config, environment, NULL);
	at_tracer_start(&config);
}

void start(void)
{
	start_with(NULL, NULL);
}

/* The next span, or false. */
bool next_span(void)
{
	int len;

	if (!at_tracer_ring())
		return false;
	if (!reader_open)
		at_ring_reader_init(&reader, at_tracer_ring());
	reader_open = true;
	len = at_ring_pop(&reader, &span, sizeof(span), now_ns);
	if (len <= 0)
		return false;
	cr_assert_eq(at_span_check(&span, (uint32_t)len), 0);
	return true;
}

void expect_text(enum at_attr attr, const char *expected)
{
	struct at_field field;
	bool found = at_span_find(&span, attr, &field);

	if (!expected) {
		cr_assert_not(found, "%d", attr);
		return;
	}
	cr_assert(found, "no %s", expected);
	cr_assert(at_text_equal(field.text, at_text_from(expected)),
		  "%.*s, expected %s", (int)field.text.len, field.text.ptr,
		  expected);
}

/* -1: absent */
void expect_int(enum at_attr attr, int64_t expected)
{
	struct at_field field;
	bool found = at_span_find(&span, attr, &field);

	cr_assert_eq(found, expected >= 0, "%s", at_attr_table[attr].name);
	if (found)
		cr_assert_eq(field.number, expected, "%s is %lld",
			     at_attr_table[attr].name, (long long)field.number);
}

void expect_span(const char *host, int port, const char *peer, const char *type,
		 int64_t repeated)
{
	cr_assert(next_span(), "no span for %s", host);
	cr_assert_eq(span.kind, AT_KIND_CLIENT);
	cr_assert_eq(span.status, AT_STATUS_ERROR);
	expect_text(AT_FIELD_NAME, "connect");
	expect_text(AT_ATTR_SERVER_ADDRESS, host);
	expect_int(AT_ATTR_SERVER_PORT, port);
	expect_text(AT_ATTR_NETWORK_PEER_ADDRESS, peer);
	expect_int(AT_ATTR_NETWORK_PEER_PORT, peer ? port : -1);
	expect_text(AT_ATTR_ERROR_TYPE, type);
	expect_int(AT_ATTR_AUTOTRACE_REPEATED, repeated);
	expect_int(AT_ATTR_HTTP_RESPONSE_STATUS_CODE, -1);
}

void expect_none(void)
{
	cr_assert_not(next_span());
}

/* --- sockets --- */

/* A free port of an address; `fd` gets the bound socket. */
struct end bound(const char *address, int *fd)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	struct end end = { .port = 0 };

	cr_assert_eq(getaddrinfo(address, "0", &hints, &list), 0);
	*fd = socket(list->ai_family, SOCK_STREAM, 0);
	cr_assert_eq(bind(*fd, list->ai_addr, list->ai_addrlen), 0);
	freeaddrinfo(list);
	end.len = sizeof(end.name);
	getsockname(*fd, (struct sockaddr *)&end.name, &end.len);
	end.port = ntohs(((struct sockaddr_in *)&end.name)->sin_port);
	return end;
}

/* Bound and not listening refuses, and nobody else can take the port. */
struct end refusing(void)
{
	int fd;

	return bound(HERE, &fd);
}

struct end listening(void)
{
	int fd;
	struct end end = bound(HERE, &fd);

	cr_assert_eq(listen(fd, 16), 0);
	return end;
}

int connect_as_hook(int fd, const struct end *end)
{
	int error;

	at_connect_begins();
	error = connect(fd, (const struct sockaddr *)&end->name, end->len) ?
			errno :
			0;
	now_ns += 5 * MS;
	errno = EXDEV;
	at_fd_connected(fd, (const struct sockaddr *)&end->name, end->len,
			error);
	cr_assert_eq(errno, EXDEV);
	return error;
}

int new_socket(int flags)
{
	int fd = socket(AF_INET, SOCK_STREAM | flags, 0);

	cr_assert_geq(fd, 0);
	at_fd_opened(fd);
	return fd;
}

void close_as_hook(int fd)
{
	at_fd_closing(fd);
	close(fd);
}

void try_once(const struct end *end)
{
	int fd = new_socket(0);

	connect_as_hook(fd, end);
	close_as_hook(fd);
}

/* `host` has these addresses. */
void resolves(const char *host, const struct end *ends, size_t count)
{
	struct addrinfo list[4] = { { 0 } };
	size_t i;

	for (i = 0; i < count; i++) {
		list[i].ai_addr = (struct sockaddr *)&ends[i].name;
		list[i].ai_addrlen = ends[i].len;
		list[i].ai_next = i + 1 < count ? &list[i + 1] : NULL;
	}
	at_resolved(host, list);
}

/* 127.0.0.<last> with end's port. */
struct end on(unsigned int last, const struct end *end)
{
	struct end other = *end;
	struct sockaddr_in in;

	memcpy(&in, &other.name, sizeof(in));
	in.sin_addr.s_addr = htonl(0x7f000000 | last);
	memcpy(&other.name, &in, sizeof(in));
	return other;
}
