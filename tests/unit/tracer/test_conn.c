// SPDX-License-Identifier: Apache-2.0
/* Who becomes a connection, how long it lives, who may work on it. */
#include "tracer/conn.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/counters.h"
#include "tests/unit/tracer/sending.h"
#include "tracer/fdtable.h"

TestSuite(conn, .init = open_wire);

/* --- adoption --- */

Test(conn, a_stream_socket_is_adopted)
{
	struct conn *conn = conn_adopt(wire.fd, NULL, 0);

	cr_assert_not_null(conn);
	cr_expect_eq(fdtable_get(wire.fd), conn_slot(conn));
	cr_expect(at_http1_idle(&conn->out));
	cr_expect_not(conn->out.response);
	cr_expect(conn->in.response);
	cr_expect_eq(conn->refs, 2);
	cr_expect(conn_still(conn, wire.fd));
	cr_expect_not(conn_still(conn, wire.peer));
	cr_expect_not(conn_still(conn, -1));
	cr_expect(conn_possible(wire.fd));
	conn_release(conn);
	wire_close(&wire);
}

Test(conn, its_peer_is_known)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(81),
				  .sin_addr = { htonl(0x0a000001) } };
	struct conn *conn;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	conn = conn_adopt(fd, (struct sockaddr *)&to, sizeof(to));
	cr_assert_not_null(conn);
	cr_expect_eq(conn->peer.port, 81);
	cr_expect_arr_eq(conn->peer.text, "10.0.0.1", 8);
	at_fd_closing(fd);
	conn_release(conn);
	close(fd);
	wire_close(&wire);
	wire_open(&wire, AF_INET);
	conn = conn_adopt(wire.fd, NULL, 0);
	cr_expect_arr_eq(conn->peer.text, "127.0.0.1", 9);
	cr_expect(conn->peer.internal);
	conn_release(conn);
	wire_close(&wire);
}

Test(conn, nothing_else_is)
{
	int pair[2], i;
	int fds[] = { socket(AF_INET, SOCK_DGRAM, 0),
		      socket(AF_UNIX, SOCK_SEQPACKET, 0),
		      open("/dev/null", O_RDWR), -1, -1 };

	cr_assert_eq(pipe(pair), 0);
	fds[3] = pair[0];
	fds[4] = pair[1];
	for (i = 0; i < 5; i++) {
		cr_assert_geq(fds[i], 0);
		cr_expect_not(conn_possible(fds[i]));
		cr_expect_null(conn_adopt(fds[i], NULL, 0));
		cr_expect(at_fd_ignored(fds[i]));
		close(fds[i]);
	}
	cr_expect_null(conn_adopt(-1, NULL, 0));
	cr_expect_not(conn_possible(-1));
	cr_expect_eq(conn_in_use(), 0);
	wire_close(&wire);
}

Test(conn, of_two_that_adopt_one_wins)
{
	struct conn *conn = conn_adopt(wire.fd, NULL, 0);

	cr_expect_null(conn_adopt(wire.fd, NULL, 0));
	cr_expect_eq(fdtable_get(wire.fd), conn_slot(conn));
	cr_expect_eq(conn_in_use(), 1);
	conn_release(conn);
	wire_close(&wire);
}

Test(conn, when_there_is_no_room_the_socket_is_left_alone)
{
	uint64_t old;
	int i;

	for (i = 0; i < 64 * POOL_CHUNKS; i++) {
		cr_assert_not_null(conn_adopt(wire.fd, NULL, 0));
		fdtable_set(wire.fd, AT_FD_UNKNOWN, &old);
	}
	cr_expect_null(conn_adopt(wire.fd, NULL, 0));
	cr_expect(at_fd_ignored(wire.fd));
	cr_expect_eq(at_counter_value(AT_COUNT_CONNECTIONS_FULL), 1);
}

/* --- references --- */

Test(conn, a_slot_names_a_connection_while_it_lives)
{
	struct conn *conn = conn_adopt(wire.fd, NULL, 0), *next;
	uint64_t slot = conn_slot(conn);

	cr_expect_eq(conn_hold(slot), conn);
	conn_release(conn);
	at_fd_closing(wire.fd);
	cr_expect_eq(conn_hold(slot), conn, "somebody still works on it");
	conn_release(conn);
	conn_release(conn);
	cr_expect_null(conn_hold(slot));
	/* The next one has the same memory and another name. */
	next = conn_adopt(wire.fd, NULL, 0);
	cr_expect_eq(next, conn);
	cr_expect_neq(conn_slot(next), slot);
	cr_expect_null(conn_hold(slot));
	cr_expect_null(conn_hold(AT_FD_UNKNOWN));
	cr_expect_null(conn_hold(AT_FD_IGNORED));
	cr_expect_null(conn_hold(AT_FD_CONN + 1000));
	cr_expect_null(conn_hold(UINT64_MAX));
	cr_expect_eq(next->refs, 2);
	conn_release(next);
	wire_close(&wire);
}

Test(conn, a_number_is_detached_from_its_own_connection_only)
{
	struct conn *conn = conn_adopt(wire.fd, NULL, 0);
	uint64_t slot = conn_slot(conn), old;

	fdtable_set(wire.fd, AT_FD_IGNORED, &old);
	conn_detach(conn, wire.fd, AT_FD_UNKNOWN);
	cr_expect_eq(conn->refs, 2);
	cr_expect(at_fd_ignored(wire.fd));
	fdtable_set(wire.fd, slot, &old);
	conn_detach(conn, wire.fd, AT_FD_UNKNOWN);
	cr_expect_eq(conn->refs, 1);
	cr_expect_eq(fdtable_get(wire.fd), AT_FD_UNKNOWN);
	conn_release(conn);
	wire_close(&wire);
}

static int visited;

static void visit(struct conn *conn)
{
	cr_expect_gt(conn->refs, 0);
	visited++;
}

Test(conn, the_living_are_visited)
{
	struct conn *conn = conn_adopt(wire.fd, NULL, 0);
	struct conn *other = conn_adopt(wire.peer, NULL, 0);

	conn_each(visit);
	cr_expect_eq(visited, 2);
	at_fd_closing(wire.fd);
	conn_release(conn);
	conn_each(visit);
	cr_expect_eq(visited, 3);
	cr_expect_eq(other->refs, 2);
	at_fd_closing(wire.peer);
	conn_release(other);
	wire_close(&wire);
}

/* --- the lock --- */

static long times_slept(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

/* As in a signal handler on top of the holder: it must come back at once. */
Test(conn, a_lock_that_we_hold_ourselves_ends_it)
{
	struct conn *conn = conn_adopt(wire.fd, NULL, 0);
	long before;

	cr_assert(conn_lock(conn));
	before = times_slept();
	cr_expect_not(conn_lock(conn));
	cr_expect_lt(times_slept() - before, 10);
	cr_expect(conn->opaque);
	conn_mark_opaque(conn, AT_COUNT_OPAQUE_SHARED);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_SHARED), 1);
	conn_unlock(conn);
	cr_assert(conn_lock(conn));
	conn_unlock(conn);
	conn_release(conn);
	wire_close(&wire);
}

Test(conn, there_is_one_writer)
{
	struct conn *conn = conn_adopt(wire.fd, NULL, 0);

	cr_assert(conn_enter(&conn->writer));
	cr_expect_not(conn_enter(&conn->writer));
	conn_leave(&conn->writer);
	cr_assert(conn_enter(&conn->writer));
	conn_leave(&conn->writer);
	conn_release(conn);
	wire_close(&wire);
}

static void *try_lock(void *data)
{
	struct conn *conn = data;

	return conn_lock(conn) ? data : NULL;
}

static void *try_writer(void *data)
{
	struct conn *conn = data;

	return conn_enter(&conn->writer) ? data : NULL;
}

/* Its holder may have died, in a child made by _Fork. */
Test(conn, nobody_waits_for_ever)
{
	struct conn *conn = conn_adopt(wire.fd, NULL, 0);
	pthread_t thread;
	void *got = conn;

	cr_assert(conn_enter(&conn->writer));
	pthread_create(&thread, NULL, try_writer, conn);
	pthread_join(thread, &got);
	cr_expect_null(got);
	cr_expect_not(conn->opaque);
	cr_assert(conn_lock(conn));
	pthread_create(&thread, NULL, try_lock, conn);
	pthread_join(thread, &got);
	cr_expect_null(got);
	cr_expect(conn->opaque);
	conn_unlock(conn);
	conn_leave(&conn->writer);
	conn_release(conn);
	wire_close(&wire);
}

/* --- the queue --- */

static struct request *queue_one(struct conn *conn)
{
	struct request *request = request_new();

	conn_add_request(conn, request);
	request_free(request);
	return request;
}

Test(conn, requests_are_answered_in_order)
{
	struct conn *conn = conn_adopt(wire.fd, NULL, 0);
	struct request *request[100];
	int i, next = 0;

	cr_expect_null(conn_oldest(conn));
	for (i = 0; i < 100; i++) {
		request[i] = queue_one(conn);
		conn->sent++;
		if (i % 5 > 1) {
			cr_expect_eq(conn_oldest(conn), request[next++]);
			conn_drop_oldest(conn);
		}
		if (conn_waiting(conn) == CONN_PIPELINE) {
			cr_expect_eq(conn_oldest(conn), request[next++]);
			conn_drop_oldest(conn);
		}
		cr_expect_eq(conn_waiting(conn), i + 1 - next);
	}
	while (conn_oldest(conn)) {
		cr_expect_eq(conn_oldest(conn), request[next++]);
		conn_drop_oldest(conn);
	}
	cr_expect_eq(next, 100);
	cr_expect_eq(request_in_use(), 0);
	conn_release(conn);
	wire_close(&wire);
}

/* Those that may not have left are for the call that sends them to end. */
Test(conn, only_what_was_sent_ends_early)
{
	struct conn *conn = conn_adopt(wire.fd, NULL, 0);

	queue_one(conn);
	queue_one(conn);
	conn->sent = 1;
	conn_end_requests(conn, "x");
	cr_expect_eq(conn_waiting(conn), 1);
	conn_give_up(conn, AT_COUNT_OPAQUE_BYPASSED);
	conn_give_up(conn, AT_COUNT_OPAQUE_BYPASSED);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_BYPASSED), 1);
	cr_expect_eq(conn_waiting(conn), 1);
	conn_release(conn);
	wire_close(&wire);
}

Test(conn, a_lost_way_out_leaves_the_way_in_open)
{
	struct conn *conn = conn_adopt(wire.fd, NULL, 0);

	queue_one(conn);
	conn_lose(conn, AT_COUNT_OPAQUE_REQUEST);
	cr_expect(conn->out_lost);
	cr_expect_not(conn->opaque);
	conn_drop_oldest(conn);
	conn_lose(conn, AT_COUNT_OPAQUE_REQUEST);
	cr_expect(conn->opaque);
	cr_expect_eq(at_counter_value(AT_COUNT_OPAQUE_REQUEST), 1);
	conn_release(conn);
	wire_close(&wire);
}
