// SPDX-License-Identifier: Apache-2.0
/* HTTP by calls that few programs make. */
#include <fcntl.h>
#include <limits.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <sys/uio.h>

#include "tests/programs/awkward.h"

/* Calls that cannot succeed are made on purpose. */
#pragma GCC diagnostic ignored "-Wnonnull"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"

/* --- writing --- */

static void wait_for_completion(void)
{
	struct pollfd poller = { fd, 0, 0 };
	char control[200];
	struct msghdr message = { .msg_control = control,
				  .msg_controllen = sizeof(control) };

	check(poll(&poller, 1, 20000) - 1, "poll");
	say("completion", recvmsg(fd, &message, MSG_ERRQUEUE));
}

static void zerocopy(void)
{
	static char body[20000];
	int one = 1;

	memset(body, 'b', sizeof(body));
	dial();
	check(setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)),
	      "SO_ZEROCOPY");
	text(POST("1", "20000"));
	say("body", send(fd, body, sizeof(body), MSG_ZEROCOPY));
	wait_for_completion();
	answers(1);
	say("head", send(fd, GET("2"), strlen(GET("2")), MSG_ZEROCOPY));
	wait_for_completion();
	answers(1);
	text(GET("3"));
	answers(1);
	close(fd);
}

static void many(void)
{
	static const char *const part[] = { GET("1"), GET("2"),
					    POST("3", "4") "body", GET("4") };
	struct mmsghdr messages[4] = { 0 };
	struct iovec iov[4], in[4];
	char bytes[4][17];
	int i, left = 160;

	for (i = 0; i < 4; i++) {
		iov[i].iov_base = (void *)(uintptr_t)part[i];
		iov[i].iov_len = strlen(part[i]);
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	dial();
	say("sendmmsg", sendmmsg(fd, messages, 4, 0));
	for (i = 0; i < 4; i++)
		say("length", messages[i].msg_len);
	while (left) {
		int n;

		for (i = 0; i < 4; i++) {
			in[i] = (struct iovec){ bytes[i], 17 };
			messages[i].msg_hdr.msg_iov = &in[i];
		}
		n = recvmmsg(fd, messages, 4, MSG_WAITFORONE, NULL);
		check(n - 1, "recvmmsg");
		for (i = 0; i < n; i++)
			left -= (int)messages[i].msg_len;
	}
	close(fd);
}

/* What does not fit into the socket's buffers is not passed over. */
static void many_cut_short(void)
{
	static char body[3000000];
	struct iovec iov[2] = { { body, sizeof(body) }, { body, 10 } };
	struct mmsghdr messages[2] = { 0 };
	int i;

	dial();
	text(POST("1", "6000000"));
	for (i = 0; i < 2; i++) {
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	i = 4096;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &i, sizeof(i));
	i = sendmmsg(fd, messages, 2, MSG_DONTWAIT);
	printf("%d, short: %d\n", i, messages[0].msg_len < sizeof(body));
	close(fd);
}

static void positioned(void)
{
	struct iovec out[2] = { { (void *)(uintptr_t)GET("1"), 10 },
				{ (void *)(uintptr_t)(&GET("1")[10]),
				  strlen(GET("1")) - 10 } };
	char bytes[40];
	struct iovec in = { bytes, 40 };

	dial();
	say("pwritev2", pwritev2(fd, out, 2, -1, 0));
	say("at 5", pwritev2(fd, out, 2, 5, 0));
	for (in.iov_len = 40; in.iov_len;) {
		ssize_t n = preadv2(fd, &in, 1, -1, 0);

		check(n - 1, "preadv2");
		in.iov_len -= (size_t)n;
	}
	/* With flags it may not be edited. */
	say("RWF_DSYNC", pwritev2(fd, out, 2, -1, RWF_DSYNC));
	answers(1);
	close(fd);
}

static void printed(void)
{
	dial();
	text(POST("1", "9"));
	say("dprintf", dprintf(fd, "body %d", 1234));
	answers(1);
	text(GET("2"));
	answers(1);
	say("dprintf", dprintf(fd, "%s", GET("3")));
	answers(1);
	text(GET("4"));
	answers(1);
	close(fd);
	dial();
	say("dprintf", dprintf(fd, "%s", GET("5")));
	text(GET("6"));
	answers(2);
	close(fd);
}

static void empty(void)
{
	struct iovec iov[3] = { { NULL, 0 }, { "", 0 }, { NULL, 0 } };
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = 3 };
	const char *at = GET("1");

	dial();
	for (; *at; at++) {
		long sum = write(fd, "", 0) | send(fd, NULL, 0, 0) |
			   writev(fd, iov, 3) | writev(fd, iov, 0) |
			   sendmsg(fd, &message, 0);

		check(write(fd, at, 1) - 1 + sum, "write");
	}
	say("sendmsg", sendmsg(fd, &message, 0));
	answers(1);
	close(fd);
}

static void wild(void)
{
	struct iovec iov[3] = { { (void *)(uintptr_t)GET("1"), 20 },
				{ (void *)8, 30 },
				{ (void *)(uintptr_t)GET("1"), 20 } };

	dial();
	say("list", writev(fd, NULL, 2));
	say("null", write(fd, NULL, 300));
	say("first", writev(fd, iov, 3));
	say("middle", writev(fd, iov + 1, 2));
	iov[1].iov_base = (void *)-4096;
	say("beyond", writev(fd, iov + 1, 2));
	text(GET("1"));
	answers(1);
	close(fd);
}

static void absurd(void)
{
	static const char get[] = GET("1");
	struct iovec iov[2] = { { (void *)(uintptr_t)get, sizeof(get) - 1 },
				{ (void *)(uintptr_t)get, SIZE_MAX - 20 } };

	dial();
	say("wraps", writev(fd, iov, 2));
	iov[1].iov_len = SSIZE_MAX;
	say("too much", writev(fd, iov, 2));
	say("whole", write(fd, get, SIZE_MAX));
	say("count", writev(fd, iov, -1));
	say("limit", writev(fd, iov, IOV_MAX + 1));
	text(get);
	answers(1);
	close(fd);
}

static void scattered(void)
{
	static const char get[] = GET("1");
	struct iovec iov[200];
	size_t i, at = 0;

	for (i = 0; i < 200; i++) {
		size_t n = i % 4 == 0 && at < sizeof(get) - 1;

		iov[i] = (struct iovec){ (void *)(uintptr_t)(get + at), n };
		at += n;
	}
	iov[199].iov_len = sizeof(get) - 1 - at;
	dial();
	say("writev", writev(fd, iov, 200));
	answers(1);
	close(fd);
}

static void toggled(void)
{
	const char *at = GET("1");
	int flags;

	dial();
	flags = fcntl(fd, F_GETFL);
	for (; *at; at++) {
		flags ^= O_NONBLOCK;
		fcntl(fd, F_SETFL, flags);
		check(write(fd, at, 1) - 1, "write");
	}
	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	answers(1);
	close(fd);
}

/* --- reading, ending --- */

static void ways_to_read(void)
{
	char bytes[64];

	dial();
	text(GET("1"));
	say("peek", recv(fd, bytes, 1, MSG_PEEK));
	say("wait", recv(fd, bytes, 40, MSG_WAITALL));
	text(GET("2"));
	say("wait", recv(fd, bytes, 38, MSG_WAITALL));
	say("discard", recv(fd, NULL, 2, MSG_TRUNC));
	text(GET("3"));
	answers(1);
	say("now", recv(fd, bytes, 40, MSG_DONTWAIT));
	/* Discarding a head is not to see it. */
	text(GET("4"));
	say("peek", recv(fd, bytes, 40, MSG_PEEK | MSG_WAITALL));
	say("discard", recv(fd, NULL, 40, MSG_TRUNC));
	close(fd);
}

static void ways_to_end(void)
{
	struct linger at_once = { 1, 0 };
	char bytes[64];

	dial();
	text(GET("1"));
	shutdown(fd, SHUT_WR);
	answers(1);
	say("end", recv(fd, bytes, 1, 0));
	say("after", send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
	dial();
	text(GET("2"));
	answers(1);
	text("GET /x3 HTTP/1.1\r\nHo");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* The script of the server resets, or half-closes. */
static void ended_by_server(void)
{
	char bytes[64];
	ssize_t n;

	dial();
	text(GET("1"));
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		;
	say("recv", n);
	n = send(fd, GET("2"), strlen(GET("2")), MSG_NOSIGNAL);
	printf("%d\n", n > 0 || errno == EPIPE || errno == ECONNRESET);
	close(fd);
}

/* The error is still there for the program's own next call. */
static void reset_in_head(void)
{
	struct pollfd poller;

	dial();
	text("GET /x1 HTTP/1.1\r\nHost: lo");
	poller = (struct pollfd){ fd, POLLIN, 0 };
	check(poll(&poller, 1, 20000) - 1, "poll");
	say("rest", send(fd, "calhost\r\n\r\n", 11, MSG_NOSIGNAL));
	say("again", send(fd, GET("2"), strlen(GET("2")), MSG_NOSIGNAL));
	close(fd);
}

static const struct way ways[] = {
	{ "reset-in-head", reset_in_head },
	{ "zerocopy", zerocopy },
	{ "many", many },
	{ "many-cut-short", many_cut_short },
	{ "positioned", positioned },
	{ "printed", printed },
	{ "empty", empty },
	{ "wild", wild },
	{ "absurd", absurd },
	{ "scattered", scattered },
	{ "toggled", toggled },
	{ "ways-to-read", ways_to_read },
	{ "ways-to-end", ways_to_end },
	{ "ended-by-server", ended_by_server },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return go(argc, argv, ways);
}
