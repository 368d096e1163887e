// SPDX-License-Identifier: Apache-2.0
/* HTTP on numbers that are high, or change their meaning unseen. */
#include <fcntl.h>
#include <sys/syscall.h>

#include "tests/programs/awkward.h"

/* --- without the library's knowledge --- */

static long raw(long nr, long a, long b, long c)
{
#ifdef __x86_64__
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return result;
#else
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2)
			 : "memory");
	return x0;
#endif
}

/* The number is closed and means another connection at once. */
static void redial_unseen(void)
{
	int before = fd;

	raw(SYS_close, fd, 0, 0);
	fd = (int)raw(SYS_socket, AF_INET, SOCK_STREAM, 0);
	if (fd != before || raw(SYS_connect, fd, (long)&server, sizeof(server)))
		exit(2);
}

static void reused(void)
{
	dial();
	text(GET("1"));
	answers(1);
	redial_unseen();
	text(GET("2"));
	answers(1);
	redial_unseen();
	text("HELO this is no HTTP\n");
	text(GET("3"));
	close(fd);
}

static void reused_in_head(void)
{
	dial();
	text("GET /x1 HTTP/1.1\r\nHost: lo");
	redial_unseen();
	text("calhost\r\n\r\n\r\n");
	text(GET("2"));
	close(fd);
	dial();
	text("GET /x3 HTTP/1.1\r\nHost: lo");
	redial_unseen();
	text(GET("4"));
	answers(1);
	close(fd);
}

static void reused_in_body(void)
{
	dial();
	text(POST("1", "5"));
	text("12");
	redial_unseen();
	/* The rest of that body, and a head at its end: not here. */
	text("\1\2\3" GET("2"));
	close(fd);
}

static void unanswered_then_reused(void)
{
	dial();
	text(GET("1"));
	redial_unseen();
	text(GET("2"));
	answers(1);
	close(fd);
}

static void high(void)
{
	int number = 150000, low;

	dial();
	low = fd;
	fd = fcntl(low, F_DUPFD, number);
	check(fd, "F_DUPFD");
	close(low);
	text(GET("1"));
	answers(1);
	close(fd);
	/* A followed connection gets a number that is not. */
	dial();
	text(GET("2"));
	answers(1);
	low = fd;
	fd = fcntl(low, F_DUPFD, number);
	check(fd, "F_DUPFD");
	text(GET("3"));
	answers(1);
	close(fd);
	fd = low;
	text(GET("4"));
	answers(1);
	close(fd);
}

static const struct way ways[] = {
	{ "reused", reused },
	{ "reused-in-head", reused_in_head },
	{ "reused-in-body", reused_in_body },
	{ "unanswered-then-reused", unanswered_then_reused },
	{ "high", high },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	return go(argc, argv, ways);
}
