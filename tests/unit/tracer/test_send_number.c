// SPDX-License-Identifier: Apache-2.0
/*
 * Descriptor numbers: several for one socket, another socket for a number,
 * bytes that pass without passing us.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/counters.h"
#include "tests/unit/tracer/sending.h"
#include "tracer/conn.h"
#include "tracer/fdtable.h"

TestSuite(send_number, .init = open_wire);

static struct at_span span;

/* --- one socket, several numbers --- */

Test(send_number, numbers_of_one_socket_share_a_connection)
{
	int one = wire.fd, other = dup(wire.fd);
	size_t cut;

	wire_write(&wire, GET, 20);
	at_fd_duplicated(one, other);
	for (cut = 20; cut < strlen(GET); cut++) {
		wire.fd = cut % 2 ? one : other;
		cr_assert_eq(wire_write(&wire, GET + cut, 1), 1);
	}
	expect_sent(GET, strlen(GET));
	wire.fd = other;
	wire_read_string(&wire, "HTTP/1.1 200 OK\r\nContent-Le");
	at_fd_closing(other);
	close(other);
	wire.fd = one;
	wire_read_string(&wire, "ngth: 0\r\n\r\n");
	cr_expect(wire_next_span(&span));
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
}

/* Duplicated before anybody spoke, as a server does with 0, 1 and 2. */
Test(send_number, twins_are_one_connection_whoever_speaks_first)
{
	int one = wire.fd, other = dup(wire.fd);

	at_fd_duplicated(one, other);
	wire.fd = other;
	wire_read(&wire, NULL, -EAGAIN);
	wire_write(&wire, GET, 20);
	wire.fd = one;
	wire_write(&wire, GET + 20, strlen(GET) - 20);
	expect_sent(GET, strlen(GET));
	cr_expect_eq(conn_in_use(), 1);
	at_fd_closing(other);
	close(other);
	wire_read_string(&wire, OK);
	cr_assert(wire_next_span(&span));
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE),
		     200);
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
}

Test(send_number, a_twin_may_only_read)
{
	int one = wire.fd, other = dup(wire.fd);

	at_fd_duplicated(one, other);
	wire_write(&wire, GET, strlen(GET));
	wire.fd = other;
	wire_read_string(&wire, OK);
	cr_expect(wire_next_span(&span));
	at_fd_closing(other);
	close(other);
	wire.fd = one;
	wire_close(&wire);
}

/* The first bytes through any of the numbers decide for all of them. */
Test(send_number, twins_of_a_bystander_are_bystanders)
{
	int other = dup(wire.fd), stranger = open("/dev/null", O_WRONLY);

	at_fd_duplicated(wire.fd, other);
	at_fd_duplicated(stranger, stranger + 1);
	wire_write(&wire, "EHLO", 4);
	cr_expect(at_fd_ignored(wire.fd));
	cr_expect(at_fd_ignored(other));
	cr_expect_not(at_fd_ignored(stranger));
	at_fd_closing(other);
	close(other);
	close(stranger);
	wire_close(&wire);
}

/* Whatever becomes of the number that spoke first. */
Test(send_number, twins_stay_one_connection)
{
	int one = wire.fd, other = dup(wire.fd);

	at_fd_duplicated(one, other);
	wire_write(&wire, POST, strlen(POST) - 5);
	at_fd_closing(one);
	wire.fd = other;
	/* A body that looks like a request. */
	wire.out_len = 0;
	wire_write(&wire, "GET /", 5);
	wire_write(&wire, GET, strlen(GET));
	expect_sent("GET /" GET, 5 + strlen(GET));
	at_fd_closing(other);
	close(other);
	wire.fd = one;
	wire_close(&wire);
}

Test(send_number, a_number_may_be_made_to_mean_a_followed_socket)
{
	int other = open("/dev/null", O_WRONLY);

	wire_write(&wire, GET, strlen(GET));
	fdtable_replace(other, AT_FD_UNKNOWN, AT_FD_IGNORED);
	dup2(wire.fd, other);
	at_fd_duplicated(wire.fd, other);
	cr_expect(at_fd_followed(other));
	at_fd_closing(wire.fd);
	cr_expect(at_fd_followed(other));
	cr_expect_eq(conn_in_use(), 1);
	at_fd_closing(other);
	cr_expect_eq(conn_in_use(), 0);
	close(other);
	wire_close(&wire);
}

Test(send_number, a_range_of_numbers_is_closed)
{
	wire_write(&wire, GET, strlen(GET));
	at_fd_range_closing(0, (unsigned int)wire.fd - 1);
	at_fd_range_closing((unsigned int)wire.fd + 1, ~0u);
	cr_expect(at_fd_followed(wire.fd));
	at_fd_range_closing(3, ~0u);
	cr_expect_not(at_fd_followed(wire.fd));
	cr_expect(wire_next_span(&span));
	wire_close(&wire);
}

Test(send_number, high_numbers_are_left_alone)
{
	int high = fcntl(wire.fd, F_DUPFD, 70000), low = wire.fd;

	if (high < 0) {
		struct rlimit limit = { 70001, 70001 };

		if (setrlimit(RLIMIT_NOFILE, &limit))
			cr_skip("not allowed so many descriptors");
		high = fcntl(wire.fd, F_DUPFD, 70000);
	}
	cr_assert_geq(high, 70000);
	wire.fd = high;
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), strlen(GET));
	wire_read_string(&wire, OK);
	expect_untouched(GET, strlen(GET));
	cr_expect_eq(at_counter_value(AT_COUNT_FD_TOO_HIGH), 1);
	/* A followed socket gets a number that cannot be followed. */
	wire.fd = low;
	wire.out_len = 0;
	wire_write(&wire, GET, strlen(GET));
	at_fd_duplicated(low, high);
	cr_expect_eq(at_counter_value(AT_COUNT_FD_TOO_HIGH), 2);
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire.edited_count, 1);
	close(high);
	wire_close(&wire);
}

/* --- one number, another socket --- */

/* Another socket takes over the number, and nobody says so. */
static void replace_unseen(void)
{
	int pair[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	dup2(pair[0], wire.fd);
	dup2(pair[1], wire.peer);
	close(pair[0]);
	close(pair[1]);
	wire_nonblocking(&wire, true);
	wire.out_len = 0;
}

Test(send_number, a_closed_number_starts_anew)
{
	wire_write(&wire, GET, 20);
	at_fd_closing(wire.fd);
	replace_unseen();
	at_fd_opened(wire.fd);
	wire_write(&wire, POST, strlen(POST));
	expect_sent(POST, strlen(POST));
	wire_close(&wire);
}

Test(send_number, a_number_reused_behind_our_back_starts_anew)
{
	wire_write(&wire, GET, strlen(GET));
	replace_unseen();
	cr_expect_eq(wire_write(&wire, POST, strlen(POST)), strlen(POST));
	expect_sent(POST, strlen(POST));
	cr_expect(wire_next_span(&span), "the first request has ended");
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_BYPASSED), 1);
	wire_read_string(&wire, OK);
	cr_expect(wire_next_span(&span));
	cr_expect_str_eq(wire_text(&span, AT_FIELD_NAME), "POST");
	wire_close(&wire);
}

Test(send_number, half_a_head_is_not_continued_on_another_socket)
{
	size_t cut;

	for (cut = 1; cut <= head_end(GET); cut++) {
		wire_write(&wire, GET, cut);
		replace_unseen();
		cr_expect_eq(wire_write(&wire, GET, strlen(GET)), strlen(GET));
		expect_sent(GET, strlen(GET));
		again();
	}
	wire_close(&wire);
}

/* Half a header is owed to the first socket, not to the second. */
Test(send_number, what_is_owed_is_not_paid_to_another_socket)
{
	ssize_t step = (ssize_t)head_end(GET) + 20;
	struct script script = { &step, 1, 0, 1000 };

	use_script(&script);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), head_end(GET));
	replace_unseen();
	cr_expect_eq(wire_write(&wire, "\r\n", 2), 2);
	expect_untouched("\r\n", 2);
	wire.out_len = 0;
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), strlen(GET));
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

Test(send_number, a_number_that_becomes_a_pipe_is_let_go)
{
	int pair[2];

	wire_write(&wire, GET, strlen(GET));
	cr_assert_eq(pipe(pair), 0);
	dup2(pair[1], wire.fd);
	wire.out_len = 0;
	wire_write(&wire, GET, strlen(GET));
	expect_untouched(GET, strlen(GET));
	cr_expect(at_fd_ignored(wire.fd));
	close(pair[0]);
	close(pair[1]);
	wire_close(&wire);
}

/* The rest of a body, and the next request behind it, in one call. */
Test(send_number, nor_is_the_rest_of_a_body_followed_by_a_header_there)
{
	static const char both[] = "\1\2\3\4\5" GET;

	wire_write(&wire, POST, strlen(POST) - 5);
	replace_unseen();
	cr_expect_eq(wire_write(&wire, both, strlen(both)), strlen(both));
	expect_untouched(both, strlen(both));
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_BYPASSED), 1);
	wire_close(&wire);
}

/* --- bytes that pass without passing us --- */

#define PUT "PUT /x HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\n"

Test(send_number, a_body_may_come_from_a_file)
{
	wire_write(&wire, PUT, strlen(PUT));
	at_moved_out(wire.fd, 60);
	at_moved_out(wire.fd, 0);
	at_moved_out(wire.fd, -1);
	at_moved_out(wire.fd, 40);
	wire.out_len = 0;
	wire_write(&wire, GET, strlen(GET));
	expect_sent(GET, strlen(GET));
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_BYPASSED), 0);
	wire_close(&wire);
}

Test(send_number, bytes_beyond_a_body_end_it)
{
	wire_write(&wire, PUT, strlen(PUT));
	at_moved_out(wire.fd, 101);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_BYPASSED), 1);
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire.edited_count, 1);
	/* What was asked before is still answered. */
	wire_read_string(&wire, OK);
	cr_assert(wire_next_span(&span));
	cr_expect_eq(wire_number(&span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE),
		     200);
	wire_close(&wire);
}

Test(send_number, bytes_in_the_middle_of_a_head_end_it)
{
	wire_write(&wire, PUT, 20);
	at_moved_out(wire.fd, 10);
	wire_write(&wire, PUT + 30, strlen(PUT) - 30);
	cr_expect_eq(wire.edited_count, 0);
	cr_expect(at_fd_ignored(wire.fd));
	wire_close(&wire);
	cr_expect_not(wire_next_span(&span));
}

Test(send_number, bytes_of_bystanders_are_not_our_concern)
{
	int null = open("/dev/null", O_RDWR);

	at_moved_out(null, 10);
	at_moved_in(null, 10);
	close(null);
	at_moved_out(wire.fd, 0);
	at_moved_out(-1, 10);
	at_moved_in(1 << 20, 10);
	wire_write(&wire, GET, strlen(GET));
	expect_sent(GET, strlen(GET));
	wire_close(&wire);
}

/* What comes behind bytes that nobody saw may be anything. */
Test(send_number, who_begins_unseen_is_a_bystander)
{
	int one = wire.fd, other = dup(wire.fd);

	wire_move(&wire, PUT, strlen(PUT));
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire.edited_count, 0);
	cr_expect(at_fd_ignored(wire.fd));
	again();
	at_fd_opened(wire.fd);
	at_moved_in(wire.fd, 10);
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire.edited_count, 0);
	again();
	at_fd_duplicated(one, other);
	wire_move(&wire, PUT, strlen(PUT));
	wire_write(&wire, GET, strlen(GET));
	cr_expect_eq(wire.edited_count, 0);
	at_fd_closing(other);
	close(other);
	wire_close(&wire);
}

Test(send_number, a_twin_may_move_a_body)
{
	int one = wire.fd, other = dup(wire.fd);

	at_fd_duplicated(one, other);
	wire_write(&wire, PUT, strlen(PUT));
	at_moved_out(other, 100);
	wire.out_len = 0;
	wire_write(&wire, GET, strlen(GET));
	expect_sent(GET, strlen(GET));
	at_fd_closing(other);
	close(other);
	wire_close(&wire);
}

/* A file must not come into the middle of our header. */
Test(send_number, what_is_owed_goes_before_bytes_that_pass_us)
{
	size_t head = head_end(GET);
	ssize_t steps[] = { (ssize_t)head + 30, -EAGAIN, 10, 100 };
	struct script script = { steps, 4, 0, 1000 };

	use_script(&script);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), head);
	cr_expect_not(wire_move(&wire, "\r\n", 2));
	cr_expect_eq(errno, EAGAIN);
	cr_expect_not(wire_move(&wire, "\r\n", 2));
	cr_expect_eq(errno, EAGAIN);
	cr_expect(wire_move(&wire, "\r\n", 2));
	expect_sent(GET, strlen(GET));
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_BYPASSED), 1);
	wire_close(&wire);
}

/* Unless the number means another socket by now. */
Test(send_number, but_not_to_another_socket)
{
	size_t head = head_end(GET);
	ssize_t steps[] = { (ssize_t)head + 30 };
	struct script script = { steps, 1, 0, 1000 };

	use_script(&script);
	cr_expect_eq(wire_write(&wire, GET, strlen(GET)), head);
	replace_unseen();
	cr_expect(wire_move(&wire, GET, strlen(GET)));
	expect_untouched(GET, strlen(GET));
	wire_close(&wire);
}
