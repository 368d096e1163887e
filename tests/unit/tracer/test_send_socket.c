// SPDX-License-Identifier: Apache-2.0
/*
 * Real sockets, real calls: an application writes requests in pieces of every
 * size by several calls, a slow server reads them and answers. The server
 * must get the application's bytes with one header in each head, and every
 * answer must end one request.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/counters.h"
#include "tests/unit/tracer/sending.h"

#define BODY_BYTES (3u << 20)

/* --- calls as hooks make them --- */

static ssize_t call_write(const struct at_send *send)
{
	return write(send->fd, send->iov->iov_base, send->iov->iov_len);
}

static ssize_t call_writev(const struct at_send *send)
{
	return writev(send->fd, send->iov, (int)send->iov_count);
}

static ssize_t call_send(const struct at_send *s)
{
	return send(s->fd, s->iov->iov_base, s->iov->iov_len, s->flags);
}

static ssize_t call_sendto(const struct at_send *s)
{
	return sendto(s->fd, s->iov->iov_base, s->iov->iov_len, s->flags, s->to,
		      s->to_len);
}

static ssize_t send_bytes(int fd, const char *bytes, size_t len,
			  unsigned int seed)
{
	struct iovec iov[8];
	struct at_send call = { .fd = fd, .iov = iov, .sendmsg = sendmsg };
	size_t i;

	if (seed % 3 == 0) {
		call.iov_count = 8;
		for (i = 0; i < 8; i++) {
			size_t n = i < 7 ? len / 8 : len - 7 * (len / 8);

			iov[i] = (struct iovec){ (void *)(uintptr_t)bytes, n };
			bytes += n;
		}
		call.original = call_writev;
		return at_send(&call);
	}
	iov[0] = (struct iovec){ (void *)(uintptr_t)bytes, len };
	call.iov_count = 1;
	call.original = seed % 3 == 1 ? call_write : call_send;
	call.flags = seed % 3 == 1 ? 0 : MSG_NOSIGNAL;
	return at_send(&call);
}

static ssize_t receive_bytes(int fd, char *bytes, size_t len)
{
	struct at_receive receive;
	struct iovec iov = { bytes, len };
	bool ours = at_receive_begin(&receive, fd);
	ssize_t result = recv(fd, bytes, len, 0);

	if (ours)
		at_receive_end(&receive, &iov, 1, result, errno, 0);
	return result;
}

/* --- requests --- */

static char bytes[BODY_BYTES + 4096];
static size_t bytes_len;
static size_t bytes_head;

static void make_request(unsigned int number, size_t body)
{
	size_t i;

	if (body == 0)
		bytes_len = (size_t)sprintf(
			bytes, "GET /%u HTTP/1.1\r\n" HOST "\r\n", number);
	else if (number % 2)
		bytes_len = (size_t)sprintf(bytes,
					    "POST /%u HTTP/1.1\r\n" HOST
					    "Content-Length: %zu\r\n\r\n",
					    number, body);
	else
		bytes_len = (size_t)sprintf(
			bytes,
			"POST /%u HTTP/1.1\r\n" HOST
			"Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
			number, body);
	bytes_head = head_end(bytes);
	for (i = 0; i < body; i++)
		bytes[bytes_len++] = (char)('a' + i % 23);
	if (body && number % 2 == 0)
		bytes_len +=
			(size_t)sprintf(bytes + bytes_len, "\r\n0\r\n\r\n");
}

/* --- the server --- */

struct server {
	int fd;
	size_t read_bytes; /* at once */
	unsigned int count;
	pthread_barrier_t barrier; /* the next request is known */
	struct wire got;
};

static void read_request(struct server *server)
{
	size_t left = bytes_len + WIRE_HEADER_BYTES;

	while (left) {
		char *to = server->got.out + server->got.out_len;
		size_t n = left < server->read_bytes ? left :
						       server->read_bytes;
		ssize_t got = read(server->fd, to, n);

		if (got <= 0)
			return;
		server->got.out_len += (size_t)got;
		left -= (size_t)got;
	}
}

static void *serve(void *data)
{
	struct server *server = data;
	unsigned int i;

	for (i = 0; i < server->count; i++) {
		pthread_barrier_wait(&server->barrier);
		server->got.out_len = 0;
		read_request(server);
		if (write(server->fd, OK, strlen(OK)) < 0)
			break;
	}
	return NULL;
}

/* --- the application --- */

static void wait_for(int fd, short what)
{
	struct pollfd poll_fd = { .fd = fd, .events = what };

	poll(&poll_fd, 1, 10000);
}

static void write_request(int fd, size_t piece, unsigned int seed)
{
	size_t done = 0;

	while (done < bytes_len) {
		size_t n = bytes_len - done < piece ? bytes_len - done : piece;
		ssize_t sent = send_bytes(fd, bytes + done, n, seed++);

		if (sent < 0) {
			cr_assert_eq(errno, EAGAIN);
			wait_for(fd, POLLOUT);
			continue;
		}
		cr_assert(sent > 0 && (size_t)sent <= n);
		done += (size_t)sent;
	}
}

static void read_answer(int fd)
{
	char answer[256];
	size_t have = 0;

	while (have < strlen(OK)) {
		ssize_t n =
			receive_bytes(fd, answer + have, sizeof(answer) - have);

		if (n < 0) {
			cr_assert_eq(errno, EAGAIN);
			wait_for(fd, POLLIN);
			continue;
		}
		cr_assert_gt(n, 0);
		have += (size_t)n;
	}
	cr_assert_eq(have, strlen(OK));
}

/* TCP waits for its timers when a window is smaller than a segment. */
static void small_buffers(struct wire *w, int domain)
{
	int size = domain == AF_INET ? 1 << 17 : 4096;

	setsockopt(w->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(w->peer, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

struct plan {
	int domain;
	bool nonblocking;
	size_t piece;      /* of the application's writes */
	size_t read_bytes; /* of the server */
	size_t body;
	unsigned int count;
};

static void run(const struct plan *plan)
{
	struct server server = { .read_bytes = plan->read_bytes,
				 .count = plan->count };
	pthread_t thread;
	unsigned int i;

	wire_open(&wire, plan->domain);
	small_buffers(&wire, plan->domain);
	wire_nonblocking(&wire, plan->nonblocking);
	server.fd = wire.peer;
	server.got.out = malloc(sizeof(bytes) + WIRE_HEADER_BYTES);
	pthread_barrier_init(&server.barrier, NULL, 2);
	cr_assert_eq(pthread_create(&thread, NULL, serve, &server), 0);
	for (i = 0; i < plan->count; i++) {
		make_request(i, i % 3 ? plan->body : 0);
		pthread_barrier_wait(&server.barrier);
		write_request(wire.fd, plan->piece, i);
		read_answer(wire.fd);
		cr_assert(wire_is_sent(&server.got, bytes, bytes_len,
				       &bytes_head, 1),
			  "request %u", i);
	}
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&server.barrier);
	free(server.got.out);
	wire_close(&wire);
	cr_assert_eq(wire_drop_spans(), plan->count);
}

static void start(void)
{
	wire_start(NULL);
}

TestSuite(send_socket, .init = start);

static const struct plan plans[] = {
	{ AF_UNIX, false, 1, 1, 100, 6 },
	{ AF_UNIX, true, 7, 1000, 5000, 30 },
	{ AF_UNIX, false, 1000, 7, 5000, 6 },
	{ AF_INET, false, 50, 3000, 5000, 30 },
	{ AF_INET, true, 3000, 50, 20000, 6 },
	{ AF_INET, true, 1 << 20, 1 << 16, 300000, 30 },
	{ AF_INET, false, 1 << 20, 1 << 16, 300000, 30 },
};

Test(send_socket, a_slow_server_gets_every_byte)
{
	size_t i;

	for (i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		run(&plans[i]);
}

Test(send_socket, three_megabytes_in_one_call)
{
	static const struct plan large[] = {
		{ AF_UNIX, false, 4 << 20, 1 << 16, BODY_BYTES, 3 },
		{ AF_UNIX, true, 4 << 20, 1 << 16, BODY_BYTES, 3 },
		{ AF_INET, false, 4 << 20, 1 << 16, BODY_BYTES, 3 },
		{ AF_INET, true, 4 << 20, 1 << 16, BODY_BYTES, 3 },
	};
	size_t i;

	for (i = 0; i < sizeof(large) / sizeof(large[0]); i++)
		run(&large[i]);
}

/* --- a connection that its first bytes open --- */

static int fast_open_listener(struct sockaddr_in *where)
{
	socklen_t len = sizeof(*where);
	int fd = socket(AF_INET, SOCK_STREAM, 0), queue = 5;

	memset(where, 0, sizeof(*where));
	where->sin_family = AF_INET;
	where->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)where, len), 0);
	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof(queue));
	cr_assert_eq(listen(fd, 5), 0);
	getsockname(fd, (struct sockaddr *)where, &len);
	return fd;
}

/* With a cookie the bytes leave at once, without one when it is open. */
Test(send_socket, a_connection_without_connect)
{
	struct sockaddr_in where;
	int listener = fast_open_listener(&where), round;

	for (round = 0; round < 3; round++) {
		struct iovec iov = { (void *)(uintptr_t)GET, strlen(GET) };
		struct at_send send = { .flags = MSG_FASTOPEN,
					.iov = &iov,
					.iov_count = 1,
					.to = (struct sockaddr *)&where,
					.to_len = sizeof(where),
					.original = call_sendto,
					.sendmsg = sendmsg };
		struct wire got = { 0 };
		char buffer[512];
		struct at_span span;
		size_t at = head_end(GET);
		int fd;

		send.fd = socket(AF_INET, SOCK_STREAM, 0);
		at_fd_opened(send.fd);
		cr_assert_eq(at_send(&send), strlen(GET));
		fd = accept(listener, NULL, NULL);
		got.out = buffer;
		got.out_len = strlen(GET) + WIRE_HEADER_BYTES;
		cr_assert_eq(recv(fd, buffer, got.out_len, MSG_WAITALL),
			     got.out_len);
		cr_expect(wire_is_sent(&got, GET, strlen(GET), &at, 1));
		cr_assert_eq(write(fd, OK, strlen(OK)), strlen(OK));
		cr_assert_eq(receive_bytes(send.fd, buffer, sizeof(buffer)),
			     strlen(OK));
		cr_assert(wire_next_span(&span));
		cr_expect_str_eq(wire_text(&span, AT_ATTR_NETWORK_PEER_ADDRESS),
				 "127.0.0.1");
		at_fd_closing(send.fd);
		close(send.fd);
		close(fd);
	}
	close(listener);
}

/* Its first write came too early; the second one knows the peer. */
Test(send_socket, a_connection_that_is_being_made)
{
	struct sockaddr_in where;
	int listener = fast_open_listener(&where), fd;
	struct at_span span;

	wire_open(&wire, AF_UNIX);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	dup2(fd, wire.fd);
	cr_expect_eq(send_bytes(wire.fd, GET, strlen(GET), 2), -1);
	cr_assert_eq(connect(fd, (struct sockaddr *)&where, sizeof(where)) <
				     0 &&
			     errno != EINPROGRESS,
		     false);
	wait_for(fd, POLLOUT);
	cr_expect_eq(send_bytes(wire.fd, GET, strlen(GET), 2), strlen(GET));
	close(fd);
	close(listener);
	wire_close(&wire);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_NETWORK_PEER_ADDRESS),
			 "127.0.0.1");
}

/* --- a peer that is gone --- */

Test(send_socket, a_reset_connection_fails_as_it_would)
{
	struct linger now = { 1, 0 };
	struct at_span span;
	char buffer[16];

	wire_open(&wire, AF_INET);
	make_request(1, 100000);
	wire_nonblocking(&wire, true);
	cr_assert_gt(send_bytes(wire.fd, bytes, 5000, 2), 0);
	setsockopt(wire.peer, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(wire.peer);
	wire.peer = open("/dev/null", O_RDONLY);
	cr_expect_eq(receive_bytes(wire.fd, buffer, sizeof(buffer)), -1);
	cr_expect_eq(errno, ECONNRESET);
	cr_expect_eq(send_bytes(wire.fd, bytes + 5000, 5000, 2), -1);
	cr_expect_eq(errno, EPIPE);
	cr_assert(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_ATTR_ERROR_TYPE),
			 "connection_reset");
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
}
