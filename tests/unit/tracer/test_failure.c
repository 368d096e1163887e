// SPDX-License-Identifier: Apache-2.0
#include "tracer/failure.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tracer/failing.h"
#include "tracer/fdtable.h"
#include "tracer/tracer.h"

Test(failure, a_refused_connect_is_a_span)
{
	struct end end = refusing();

	start();
	try_once(&end);
	expect_span(HERE, end.port, HERE, "connection_refused", -1);
	cr_assert_eq(span.has_parent, 0);
	cr_assert_eq(span.start_unix_ns, 6000 * S);
	cr_assert_eq(span.duration_ns, 5 * MS);
	cr_assert_eq(span.flags & AT_FLAG_SAMPLED, AT_FLAG_SAMPLED);
	expect_none();
}

Test(failure, a_successful_connect_is_none)
{
	struct end end = listening();

	start();
	try_once(&end);
	failure_flush();
	expect_none();
	cr_assert_not(failure_watching);
}

Test(failure, it_is_a_child_of_the_process)
{
	static char parent[] =
		"TRACEPARENT=00-4bf92f3577b34da6a3ce929d0e0e4736-"
		"00f067aa0ba902b7-01";
	static char *list[] = { parent, NULL };
	struct end end = refusing();

	environ = list;
	start();
	try_once(&end);
	expect_span(HERE, end.port, HERE, "connection_refused", -1);
	cr_assert_eq(span.has_parent, 1);
	cr_assert_eq(span.trace_id[0], 0x4b);
	cr_assert_eq(span.parent_id[1], 0xf0);
	expect_text(AT_ATTR_AUTOTRACE_PARENT, "process");
}

Test(failure, unsampled_is_nothing)
{
	static char sampler[] = "OTEL_TRACES_SAMPLER=always_off";
	struct end end = refusing();

	start_with(sampler, NULL);
	try_once(&end);
	failure_flush();
	expect_none();
}

Test(failure, nothing_happens_before_the_start)
{
	struct end end = refusing();

	try_once(&end);
	at_resolve_failed("nowhere.invalid", "80", NULL, EAI_NONAME);
	resolves("shop", &end, 1);
	failure_flush();
	start();
	try_once(&end);
	expect_span(HERE, end.port, HERE, "connection_refused", -1);
	expect_none();
}

Test(failure, the_name_is_the_one_that_was_resolved)
{
	struct end end = refusing();

	start();
	resolves("shop.example", &end, 1);
	try_once(&end);
	expect_span("shop.example", end.port, HERE, "connection_refused", -1);
}

Test(failure, v4_in_v6_is_v4)
{
	struct end end = refusing();
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct end mapped = { .len = sizeof(in6) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	start();
	resolves("shop", &end, 1);
	in6.sin6_port = htons((uint16_t)end.port);
	inet_pton(AF_INET6, "::ffff:127.0.0.9", &in6.sin6_addr);
	memcpy(&mapped.name, &in6, sizeof(in6));
	cr_assert_eq(connect_as_hook(fd, &mapped), ECONNREFUSED);
	expect_span("shop", end.port, HERE, "connection_refused", -1);
}

Test(failure, v6)
{
	int fd, bound_fd;
	struct end end = bound("::1", &bound_fd);

	start();
	resolves("shop", &end, 1);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	cr_assert_eq(connect_as_hook(fd, &end), ECONNREFUSED);
	expect_span("shop", end.port, "::1", "connection_refused", -1);
}

Test(failure, all_addresses_must_fail)
{
	struct end end = refusing();
	struct end ends[3] = { on(9, &end), on(2, &end), on(3, &end) };

	start();
	resolves("shop", ends, 3);
	try_once(&ends[0]);
	try_once(&ends[1]);
	expect_none();
	try_once(&ends[2]);
	expect_span("shop", end.port, "127.0.0.3", "connection_refused", -1);
	cr_assert_eq(span.duration_ns, 15 * MS);
	expect_none();
}

Test(failure, one_that_answers_is_enough)
{
	struct end end = listening();
	struct end ends[2] = { on(2, &end), on(9, &end) };

	start();
	resolves("shop", ends, 2);
	try_once(&ends[0]);
	try_once(&ends[1]);
	failure_flush();
	expect_none();
}

Test(failure, a_client_that_tries_only_the_first_is_reported_at_the_end)
{
	struct end end = listening();
	struct end ends[2] = { on(2, &end), on(9, &end) };

	start();
	resolves("shop", ends, 2);
	try_once(&ends[0]);
	expect_none();
	now_ns += 3 * S;
	failure_flush();
	expect_span("shop", end.port, "127.0.0.2", "connection_refused", -1);
	cr_assert_eq(span.duration_ns, 5 * MS);
}

Test(failure, or_when_its_time_is_over)
{
	struct end end = listening(), other = listening();
	struct end ends[2] = { on(2, &end), on(9, &end) };

	start();
	resolves("shop", ends, 2);
	try_once(&ends[0]);
	try_once(&other);
	expect_none();
	now_ns += 10 * S;
	try_once(&other);
	expect_span("shop", end.port, "127.0.0.2", "connection_refused", -1);
}

Test(failure, any_close_notices_that)
{
	struct end end = refusing();

	start();
	try_once(&end);
	try_once(&end);
	expect_span(HERE, end.port, HERE, "connection_refused", -1);
	now_ns += 10 * S;
	close_as_hook(open("/dev/null", O_RDONLY));
	expect_span(HERE, end.port, HERE, "connection_refused", 1);
	cr_assert_not(failure_watching);
}

Test(failure, the_same_again_and_again_is_folded)
{
	struct end end = refusing(), other = refusing();
	int i;

	start();
	for (i = 0; i < 50; i++)
		try_once(&end);
	try_once(&other);
	expect_span(HERE, end.port, HERE, "connection_refused", -1);
	expect_span(HERE, other.port, HERE, "connection_refused", -1);
	expect_none();
	failure_flush();
	expect_span(HERE, end.port, HERE, "connection_refused", 49);
	cr_assert_eq(span.start_unix_ns, 6000 * S + 5 * MS);
	cr_assert_eq(span.duration_ns, 49 * 5 * MS);
	expect_none();
}

Test(failure, a_window_ends_after_ten_seconds)
{
	struct end end = refusing();

	start();
	try_once(&end);
	try_once(&end);
	try_once(&end);
	now_ns += 10 * S;
	try_once(&end);
	expect_span(HERE, end.port, HERE, "connection_refused", -1);
	expect_span(HERE, end.port, HERE, "connection_refused", 2);
	expect_span(HERE, end.port, HERE, "connection_refused", -1);
	failure_flush();
	expect_none();
}

Test(failure, udp_is_left_alone)
{
	struct end end = refusing();
	struct end nowhere = { .len = sizeof(struct sockaddr_in) };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_BROADCAST),
				  .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	start();
	memcpy(&nowhere.name, &in, sizeof(in));
	cr_assert_eq(connect_as_hook(fd, &nowhere), EACCES);
	cr_assert_eq(connect_as_hook(fd, &end), 0);
	failure_flush();
	expect_none();
}

Test(failure, a_udp_connect_is_no_success)
{
	struct end end = refusing();
	struct end ends[2] = { on(9, &end), on(2, &end) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	start();
	resolves("shop", ends, 2);
	try_once(&ends[0]);
	cr_assert_eq(connect_as_hook(fd, &ends[1]), 0);
	try_once(&ends[1]);
	expect_span("shop", end.port, "127.0.0.2", "connection_refused", -1);
}

Test(failure, other_families_and_nonsense_are_left_alone)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX,
				  .sun_path = "/nonexistent/socket" };
	struct end path = { .len = sizeof(un) };
	struct end end = refusing();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	start();
	memcpy(&path.name, &un, sizeof(un));
	cr_assert_eq(connect_as_hook(fd, &path), ENOENT);
	connect_as_hook(-1, &end);
	cr_assert_eq(connect_as_hook(0x7fffffff, &end), EBADF);
	at_fd_connected(fd, NULL, 16, EFAULT);
	at_fd_connected(fd, (struct sockaddr *)8, 16, EFAULT);
	at_fd_connected(fd, (struct sockaddr *)8, 16, EBADF);
	at_fd_connected(fd, (struct sockaddr *)8, 16, ENOTSOCK);
	at_fd_connected(fd, (struct sockaddr *)8, 0, EINVAL);
	at_fd_connected(fd, (struct sockaddr *)8, 1u << 31, EINVAL);
	at_fd_connected(fd, NULL, 0, 0);
	failure_flush();
	expect_none();
}

Test(failure, a_name_that_is_unknown_is_a_span)
{
	start();
	at_connect_begins();
	now_ns += 20 * MS;
	errno = EXDEV;
	at_resolve_failed("nowhere.invalid", "8080", NULL, EAI_NONAME);
	cr_assert_eq(errno, EXDEV);
	expect_span("nowhere.invalid", 8080, NULL, "name_resolution_error", -1);
	cr_assert_eq(span.duration_ns, 20 * MS);
	at_resolve_failed("nowhere.invalid", "8080", NULL, EAI_AGAIN);
	at_resolve_failed("elsewhere.invalid", "http", NULL, EAI_FAIL);
	at_resolve_failed("hidden.invalid", NULL, NULL, EAI_AGAIN);
	expect_span("elsewhere.invalid", -1, NULL, "name_resolution_error", -1);
	expect_span("hidden.invalid", -1, NULL, "name_resolution_error", -1);
	expect_none();
	failure_flush();
	expect_span("nowhere.invalid", 8080, NULL, "name_resolution_error", 1);
}

Test(failure, questions_that_are_not_about_names_are_none)
{
	struct addrinfo numeric = { .ai_flags = AI_NUMERICHOST };
	struct addrinfo plain = { .ai_flags = AI_ADDRCONFIG };

	start();
	at_resolve_failed("no.number", "80", &numeric, EAI_NONAME);
	at_resolve_failed("shop", "80", &plain, EAI_BADFLAGS);
	at_resolve_failed("shop", "80", &plain, EAI_FAMILY);
	at_resolve_failed("shop", "80", &plain, EAI_SOCKTYPE);
	failure_flush();
	expect_none();
	at_resolve_failed("shop", "80", &plain, EAI_NONAME);
	expect_span("shop", 80, NULL, "name_resolution_error", -1);
}

Test(failure, asking_for_one_family_after_the_other)
{
	struct addrinfo v6 = { .ai_family = AF_INET6 };
	struct addrinfo v4 = { .ai_family = AF_INET };
	struct end end = listening();

	start();
	at_resolve_failed("shop", "80", &v6, EAI_NONAME);
	resolves("shop", &end, 1);
	failure_flush();
	expect_none();
	at_resolve_failed("nowhere", "80", &v6, EAI_NONAME);
	expect_none();
	at_resolve_failed("nowhere", "80", &v4, EAI_NONAME);
	expect_span("nowhere", 80, NULL, "name_resolution_error", -1);
	at_resolve_failed("only-six", "80", &v6, EAI_NONAME);
	failure_flush();
	expect_span("only-six", 80, NULL, "name_resolution_error", -1);
}

static bool ignored_after(int fd, const struct end *end, int expected)
{
	uint64_t old;

	fdtable_set(fd, AT_FD_IGNORED, &old);
	cr_assert_eq(connect_as_hook(fd, end), expected);
	return at_fd_ignored(fd);
}

Test(failure, a_number_that_was_ignored_is_looked_at_anew)
{
	struct end good = listening(), bad = refusing();

	start();
	cr_assert_not(ignored_after(new_socket(0), &good, 0));
	cr_assert_not(
		ignored_after(new_socket(SOCK_NONBLOCK), &good, EINPROGRESS));
	cr_assert(ignored_after(new_socket(0), &bad, ECONNREFUSED));
}

Test(failure, a_child_reports_only_its_own)
{
	struct end end = refusing();
	struct end ends[2] = { on(9, &end), on(2, &end) };
	int status;
	pid_t child;

	start();
	resolves("shop", ends, 2);
	try_once(&ends[0]);
	try_once(&end);
	child = fork();
	if (!child) {
		at_tracer_after_fork_child();
		failure_flush();
		_exit(next_span());
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	failure_flush();
	cr_assert(next_span());
}
