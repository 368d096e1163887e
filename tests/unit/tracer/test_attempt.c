// SPDX-License-Identifier: Apache-2.0
#include "tracer/attempt.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "core/counters.h"

#define S 1000000000ull

static const char refused[] = "connection_refused";
static const char unreachable[] = "host_unreachable";
static const char thread_a, thread_b;
static struct failure out;

static struct endpoint v4(unsigned int last, uint16_t port)
{
	struct endpoint endpoint = { .port = port };

	endpoint.ip[10] = endpoint.ip[11] = 0xff;
	endpoint.ip[12] = 10;
	endpoint.ip[15] = (uint8_t)last;
	return endpoint;
}

/* host has the addresses 10.0.0.first .. 10.0.0.last */
static void resolved(const char *host, unsigned int first, unsigned int last,
		     const void *thread)
{
	struct endpoint list[32];
	unsigned int count = 0;

	for (; first <= last; first++)
		list[count++] = v4(first, 0);
	attempt_resolved(at_text_from(host), list, count, thread);
}

static bool fails_at(unsigned int last, uint16_t port, const char *type,
		     uint64_t start_ns, uint64_t end_ns)
{
	struct tried tried = { v4(last, port), type,   false,
			       start_ns,       end_ns, &thread_a };

	memset(&out, 0x55, sizeof(out));
	return attempt_failed(&tried, &out);
}

static bool fails(unsigned int last)
{
	return fails_at(last, 80, refused, 5 * S, 6 * S);
}

static bool given_up(unsigned int last)
{
	return fails_at(last, 80, NULL, 5 * S, 6 * S);
}

static void succeeds(unsigned int last, uint16_t port)
{
	struct endpoint to = v4(last, port);

	attempt_succeeded(&to);
}

static void waits(int fd, unsigned int last, uint64_t start_ns)
{
	struct pending pending = { fd, v4(last, 80), start_ns };

	attempt_pending(&pending);
}

static void expect_host(const char *host)
{
	cr_assert_eq(out.host_len, strlen(host));
	cr_assert_arr_eq(out.host, host, strlen(host));
}

Test(attempt, an_address_nobody_resolved_is_an_attempt_of_its_own)
{
	cr_assert(fails_at(7, 8080, refused, 2 * S, 3 * S));
	expect_host("10.0.0.7");
	cr_assert_eq(out.port, 8080);
	cr_assert(out.has_peer);
	cr_assert_arr_eq(out.peer.ip, v4(7, 0).ip, 16);
	cr_assert_eq(out.type, refused);
	cr_assert_eq(out.start_ns, 2 * S);
	cr_assert_eq(out.end_ns, 3 * S);
	cr_assert_eq(out.count, 1);
	cr_assert_not(out.repeated);
	cr_assert_eq(attempt_held_count, 0);
}

Test(attempt, a_host_with_one_address_fails_with_it)
{
	resolved("shop", 7, 7, &thread_a);
	cr_assert(fails(7));
	expect_host("shop");
	cr_assert_eq(attempt_held_count, 0);
}

Test(attempt, a_host_with_three_fails_with_the_last_and_began_with_the_first)
{
	resolved("shop", 1, 3, &thread_a);
	cr_assert_not(fails_at(1, 80, refused, 1 * S, 2 * S));
	cr_assert_not(fails_at(3, 80, refused, 2 * S, 3 * S));
	cr_assert_eq(attempt_held_count, 1);
	cr_assert(fails_at(2, 80, unreachable, 3 * S, 4 * S));
	expect_host("shop");
	cr_assert_eq(out.start_ns, 1 * S);
	cr_assert_eq(out.end_ns, 4 * S);
	cr_assert_eq(out.type, unreachable);
	cr_assert_arr_eq(out.peer.ip, v4(2, 0).ip, 16);
	cr_assert_eq(attempt_held_count, 0);
}

Test(attempt, what_another_address_said_counts_more_than_no_way)
{
	struct tried tried = { .type = unreachable,
			       .no_way = true,
			       .start_ns = 7 * S,
			       .end_ns = 8 * S,
			       .thread = &thread_a };

	resolved("shop", 1, 2, &thread_a);
	cr_assert_not(fails(1));
	tried.to = v4(2, 80);
	cr_assert(attempt_failed(&tried, &out));
	cr_assert_eq(out.type, refused);
	cr_assert_arr_eq(out.peer.ip, v4(1, 0).ip, 16);
	cr_assert_eq(out.end_ns, 8 * S);
	cr_assert_not(attempt_failed(&tried, &out));
	cr_assert(fails(1));
	cr_assert_eq(out.type, refused);
	cr_assert_not(attempt_failed(&tried, &out));
	tried.to = v4(1, 80);
	cr_assert(attempt_failed(&tried, &out));
	cr_assert_eq(out.type, unreachable);
}

Test(attempt, an_address_that_is_listed_twice_counts_once)
{
	struct endpoint list[] = { v4(1, 0), v4(2, 0), v4(1, 0), v4(2, 0) };

	attempt_resolved(AT_TEXT("shop"), list, 4, &thread_a);
	cr_assert_not(fails(1));
	cr_assert(fails(2));
}

Test(attempt, a_success_drops_what_was_held)
{
	resolved("shop", 1, 2, &thread_a);
	cr_assert_not(fails(1));
	succeeds(2, 80);
	cr_assert_eq(attempt_held_count, 0);
	cr_assert_not(attempt_due(UINT64_MAX, &out));
	cr_assert_not(fails(2), "a new attempt");
	cr_assert(fails(1));
}

Test(attempt, a_success_on_another_port_or_host_drops_nothing)
{
	resolved("shop", 1, 2, &thread_a);
	cr_assert_not(fails(1));
	succeeds(2, 81);
	succeeds(3, 80);
	cr_assert(fails(2));
}

Test(attempt, ports_are_attempts_of_their_own)
{
	resolved("shop", 1, 2, &thread_a);
	cr_assert_not(fails_at(1, 80, refused, S, S));
	cr_assert_not(fails_at(2, 81, refused, S, S));
	cr_assert(fails_at(1, 81, refused, S, S));
	cr_assert_eq(out.port, 81);
	cr_assert(fails_at(2, 80, refused, S, S));
	cr_assert_eq(out.port, 80);
}

Test(attempt, two_at_the_same_time_are_two)
{
	resolved("shop", 1, 2, &thread_a);
	cr_assert_not(fails(1));
	cr_assert_not(fails(1));
	cr_assert(fails_at(2, 80, refused, 8 * S, 9 * S));
	cr_assert_eq(out.count, 1);
	cr_assert(fails_at(2, 80, refused, 8 * S, 9 * S));
	cr_assert_eq(out.count, 1);
	cr_assert_eq(out.start_ns, 8 * S);
	cr_assert_eq(attempt_held_count, 0);
}

Test(attempt, many_at_the_same_time_that_succeed_are_none)
{
	int i;

	resolved("shop", 1, 2, &thread_a);
	for (i = 0; i < 300; i++)
		cr_assert_not(fails(1));
	for (i = 0; i < 300; i++)
		succeeds(2, 80);
	cr_assert_not(attempt_due(UINT64_MAX, &out));
}

Test(attempt, incomplete_ones_fall_due)
{
	resolved("shop", 1, 2, &thread_a);
	cr_assert_not(fails_at(1, 80, refused, 1 * S, 2 * S));
	cr_assert_not(fails_at(1, 80, refused, 3 * S, 4 * S));
	cr_assert_not(attempt_due(2 * S + ATTEMPT_HOLD_NS - 1, &out));
	cr_assert(attempt_due(2 * S + ATTEMPT_HOLD_NS, &out));
	expect_host("shop");
	cr_assert_eq(out.count, 2);
	cr_assert_eq(out.start_ns, 1 * S);
	cr_assert_eq(out.end_ns, 4 * S, "not when it was noticed");
	cr_assert_not(attempt_due(UINT64_MAX, &out));
	cr_assert_eq(attempt_held_count, 0);
}

Test(attempt, not_while_another_address_may_still_answer)
{
	struct pending pending;

	resolved("shop", 1, 2, &thread_a);
	waits(5, 2, 1 * S);
	cr_assert_not(fails_at(1, 80, refused, 1 * S, 2 * S));
	cr_assert_not(attempt_due(100 * S, &out));
	cr_assert(attempt_take_pending(5, 5, &pending));
	cr_assert(attempt_due(100 * S, &out));
}

Test(attempt, given_up_alone_says_nothing)
{
	cr_assert_not(given_up(9));
	resolved("one", 1, 1, &thread_a);
	cr_assert_not(given_up(1));
	cr_assert_eq(attempt_held_count, 0);
	resolved("two", 2, 3, &thread_a);
	cr_assert_not(given_up(2));
	cr_assert_not(given_up(3));
	cr_assert_eq(attempt_held_count, 0);
	cr_assert_not(given_up(2));
	cr_assert_not(attempt_due(UINT64_MAX, &out));
	cr_assert_eq(attempt_held_count, 0);
}

Test(attempt, given_up_completes_a_failure)
{
	resolved("shop", 1, 2, &thread_a);
	cr_assert_not(given_up(1));
	cr_assert(fails_at(2, 80, refused, 7 * S, 8 * S));
	cr_assert_eq(out.start_ns, 5 * S);
	cr_assert_arr_eq(out.peer.ip, v4(2, 0).ip, 16);
	cr_assert_not(fails(1));
	cr_assert(given_up(2));
	cr_assert_arr_eq(out.peer.ip, v4(1, 0).ip, 16);
}

Test(attempt, the_host_is_the_one_this_thread_asked_for)
{
	resolved("mine", 1, 1, &thread_a);
	resolved("theirs", 1, 1, &thread_b);
	cr_assert(fails(1));
	expect_host("mine");
}

Test(attempt, else_the_newest)
{
	resolved("old", 1, 1, &thread_b);
	resolved("new", 1, 1, &thread_b);
	cr_assert(fails(1));
	expect_host("new");
	resolved("old", 1, 1, &thread_b);
	cr_assert(fails(1));
	expect_host("old");
}

Test(attempt, a_new_answer_replaces_the_old)
{
	resolved("shop", 1, 2, &thread_a);
	resolved("shop", 3, 3, &thread_a);
	cr_assert(fails(1));
	expect_host("10.0.0.1");
	cr_assert(fails(3));
	expect_host("shop");
}

Test(attempt, only_so_many_names_are_remembered)
{
	char host[8] = "host-a";
	unsigned int i;

	for (i = 0; i < 17; i++, host[5]++)
		resolved(host, i, i, &thread_a);
	cr_assert(fails(0));
	expect_host("10.0.0.0");
	cr_assert(fails(1));
	expect_host("host-b");
	cr_assert(fails(16));
	expect_host("host-q");
}

Test(attempt, only_so_many_addresses_are_remembered)
{
	unsigned int i;

	resolved("shop", 1, 9, &thread_a);
	cr_assert(fails(9));
	expect_host("10.0.0.9");
	for (i = 1; i < ATTEMPT_ADDRESSES; i++)
		cr_assert_not(fails(i));
	cr_assert(fails(ATTEMPT_ADDRESSES));
}

Test(attempt, too_many_at_once_are_counted)
{
	char host[8] = "host-a";
	unsigned int i;

	for (i = 0; i < 16; i++, host[5]++)
		resolved(host, 2 * i, 2 * i + 1, &thread_a);
	for (i = 0; i < 16; i++)
		cr_assert_not(fails(2 * i));
	cr_assert_eq(at_counter_value(AT_COUNT_FAILURES_SKIPPED), 0);
	cr_assert_not(fails_at(0, 81, refused, S, S));
	cr_assert_eq(at_counter_value(AT_COUNT_FAILURES_SKIPPED), 1);
	for (i = 0; i < 16; i++)
		cr_assert(fails(2 * i + 1));
	cr_assert_eq(attempt_held_count, 0);
}

Test(attempt, hosts_that_are_too_long_are_left_out)
{
	char host[ATTEMPT_HOST_BYTES + 1];
	struct endpoint list[] = { v4(1, 0) };

	memset(host, 'a', sizeof(host));
	attempt_resolved((struct at_text){ host, sizeof(host) }, list, 1,
			 &thread_a);
	cr_assert(fails(1));
	expect_host("10.0.0.1");
	attempt_resolved((struct at_text){ host, ATTEMPT_HOST_BYTES }, list, 1,
			 &thread_a);
	cr_assert(fails(1));
	cr_assert_eq(out.host_len, ATTEMPT_HOST_BYTES);
}

Test(attempt, pending_ones_are_found_by_their_number)
{
	struct pending pending;

	cr_assert_not(attempt_pending_bits);
	waits(5, 1, 1 * S);
	waits(5 + ATTEMPT_PENDING, 2, 2 * S);
	cr_assert(attempt_take_pending(5 + ATTEMPT_PENDING, 5 + ATTEMPT_PENDING,
				       &pending));
	cr_assert_arr_eq(pending.to.ip, v4(2, 0).ip, 16);
	cr_assert_eq(pending.start_ns, 2 * S);
	cr_assert_not(attempt_take_pending(5 + ATTEMPT_PENDING,
					   5 + ATTEMPT_PENDING, &pending));
	cr_assert_not(attempt_take_pending(6, 6, &pending));
	cr_assert(attempt_take_pending(5, 5, &pending));
	cr_assert_not(attempt_pending_bits);
}

Test(attempt, pending_ones_are_found_by_range)
{
	struct pending pending;
	unsigned int sum = 0;

	waits(3, 1, S);
	waits(10, 1, S);
	waits(11, 1, S);
	waits(70000, 1, S);
	while (attempt_take_pending(10, 1000, &pending))
		sum += (unsigned int)pending.fd;
	cr_assert_eq(sum, 21);
	while (attempt_take_pending(0, UINT32_MAX, &pending))
		sum += (unsigned int)pending.fd;
	cr_assert_eq(sum, 70024);
	cr_assert_not(attempt_pending_bits);
}

Test(attempt, a_number_waits_once)
{
	struct pending pending;

	waits(5, 1, 1 * S);
	waits(5, 2, 2 * S);
	cr_assert(attempt_take_pending(5, 5, &pending));
	cr_assert_arr_eq(pending.to.ip, v4(2, 0).ip, 16);
	cr_assert_not(attempt_take_pending(5, 5, &pending));
}

Test(attempt, too_many_pending_forget_the_oldest)
{
	struct pending pending;
	int i, found = 0;

	for (i = 0; i < 5; i++)
		waits(7 + i * ATTEMPT_PENDING, 1, (uint64_t)(10 - i) * S);
	for (i = 0; i < 4; i++)
		found += attempt_take_pending((unsigned int)(7 + i * 64),
					      (unsigned int)(7 + i * 64),
					      &pending);
	cr_assert_eq(found, 3, "the one with the earliest start is gone");
	cr_assert(attempt_take_pending(7 + 4 * 64, 7 + 4 * 64, &pending));
}

Test(attempt, the_losers_of_a_race_say_nothing)
{
	struct pending pending;

	resolved("shop", 1, 2, &thread_a);
	waits(5, 1, S);
	waits(6, 3, S);
	succeeds(2, 80);
	cr_assert_not(attempt_take_pending(5, 5, &pending));
	cr_assert(attempt_take_pending(6, 6, &pending), "another host's");
}

static bool name_fails(const char *host, int family)
{
	struct failure failure = {
		.type = refused, .start_ns = S, .end_ns = 2 * S, .port = 80
	};

	failure.host_len = (uint8_t)strlen(host);
	memcpy(failure.host, host, failure.host_len);
	return attempt_name_failed(&failure, family, &out);
}

Test(attempt, a_name_fails_at_once_when_any_family_was_asked_for)
{
	cr_assert(name_fails("nowhere", AF_UNSPEC));
	expect_host("nowhere");
	cr_assert_eq(out.count, 1);
	cr_assert_not(out.has_peer);
}

Test(attempt, a_name_fails_when_both_families_do)
{
	cr_assert_not(name_fails("nowhere", AF_INET6));
	cr_assert_not(name_fails("elsewhere", AF_INET));
	cr_assert(name_fails("nowhere", AF_INET));
	expect_host("nowhere");
	cr_assert(attempt_due(UINT64_MAX, &out));
	expect_host("elsewhere");
	cr_assert_eq(attempt_held_count, 0);
}

Test(attempt, a_name_that_has_the_other_family_did_not_fail)
{
	cr_assert_not(name_fails("shop", AF_INET6));
	resolved("shop", 1, 1, &thread_a);
	cr_assert_not(attempt_due(UINT64_MAX, &out));
	cr_assert_eq(attempt_held_count, 0);
}

static bool fails_on_loopback(const char *text)
{
	struct tried tried = { { { 0 }, 80 }, refused,  false, S,
			       2 * S,         &thread_a };

	cr_assert_eq(inet_pton(AF_INET6, text, tried.to.ip), 1);
	return attempt_failed(&tried, &out);
}

Test(attempt, localhost_is_known_without_asking)
{
	cr_assert_not(fails_on_loopback("::1"));
	cr_assert(fails_on_loopback("::ffff:127.0.0.1"));
	expect_host("localhost");
	cr_assert_not(fails_on_loopback("::ffff:127.0.0.1"));
	cr_assert(fails_on_loopback("::1"));
	expect_host("localhost");
	cr_assert_not(fails_on_loopback("::1"));
	cr_assert(attempt_due(UINT64_MAX, &out));
	expect_host("::1");
	cr_assert_not(fails_on_loopback("::ffff:127.0.0.1"));
	cr_assert(attempt_due(UINT64_MAX, &out));
	expect_host("127.0.0.1");
	cr_assert(fails_on_loopback("::ffff:127.0.0.2"));
	expect_host("127.0.0.2");
}

Test(attempt, localhost_without_v6_is_no_failure)
{
	struct endpoint v4_end = { .port = 80 };

	cr_assert_eq(inet_pton(AF_INET6, "::ffff:127.0.0.1", v4_end.ip), 1);
	cr_assert_not(fails_on_loopback("::1"));
	attempt_succeeded(&v4_end);
	cr_assert_not(attempt_due(UINT64_MAX, &out));
}

Test(attempt, forgetting_all_forgets_all)
{
	resolved("shop", 1, 2, &thread_a);
	cr_assert_not(fails(1));
	waits(5, 2, S);
	attempt_forget_all();
	cr_assert_not(attempt_pending_bits);
	cr_assert_eq(attempt_held_count, 0);
	cr_assert(fails(2));
	expect_host("10.0.0.2");
}
