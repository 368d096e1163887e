// SPDX-License-Identifier: Apache-2.0
#include "tracer/repeat.h"

#include <criterion/criterion.h>
#include <string.h>

#define S 1000000000ull

static const char refused[] = "connection_refused";
static const char unreachable[] = "host_unreachable";
static struct failure out;

static struct failure failure_of(const char *host, uint16_t port,
				 const char *type, uint64_t end_ns)
{
	struct failure failure = { .type = type,
				   .start_ns = end_ns - S,
				   .end_ns = end_ns,
				   .count = 1,
				   .port = port };

	failure.host_len = (uint8_t)strlen(host);
	memcpy(failure.host, host, failure.host_len);
	return failure;
}

static bool first(const char *host, uint16_t port, const char *type,
		  uint64_t end_ns)
{
	struct failure failure = failure_of(host, port, type, end_ns);

	return repeat_first(&failure);
}

Test(repeat, the_first_goes_out_and_the_rest_is_counted)
{
	int i;

	cr_assert(first("shop", 80, refused, 5 * S));
	for (i = 0; i < 49; i++)
		cr_assert_not(first("shop", 80, refused, 6 * S + (uint64_t)i));
	cr_assert_not(repeat_due(5 * S + REPEAT_WINDOW_NS - 1, &out));
	cr_assert(repeat_due(5 * S + REPEAT_WINDOW_NS, &out));
	cr_assert(out.repeated);
	cr_assert_eq(out.count, 49);
	cr_assert_eq(out.start_ns, 5 * S);
	cr_assert_eq(out.end_ns, 6 * S + 48);
	cr_assert_eq(out.port, 80);
	cr_assert_eq(repeat_open_count, 0);
	cr_assert(first("shop", 80, refused, 20 * S), "a new window");
}

Test(repeat, alone_it_leaves_nothing)
{
	cr_assert(first("shop", 80, refused, 5 * S));
	cr_assert_eq(repeat_open_count, 1);
	cr_assert_not(repeat_due(100 * S, &out));
	cr_assert_eq(repeat_open_count, 0);
}

Test(repeat, host_port_and_type_tell_them_apart)
{
	cr_assert(first("shop", 80, refused, 5 * S));
	cr_assert(first("shop", 81, refused, 5 * S));
	cr_assert(first("shop", 80, unreachable, 5 * S));
	cr_assert(first("shoq", 80, refused, 5 * S));
	cr_assert(first("shops", 80, refused, 5 * S));
	cr_assert_not(first("shop", 81, refused, 5 * S));
	cr_assert(repeat_due(UINT64_MAX, &out));
	cr_assert_eq(out.port, 81);
	cr_assert_eq(out.count, 1);
	cr_assert_not(repeat_due(UINT64_MAX, &out));
	cr_assert_eq(repeat_open_count, 0);
}

Test(repeat, several_at_once_are_one_and_the_rest)
{
	struct failure failure = failure_of("shop", 80, refused, 5 * S);

	failure.count = 7;
	failure.first_end_ns = 4500 * (S / 1000);
	cr_assert(repeat_first(&failure));
	cr_assert_eq(failure.count, 1);
	cr_assert_eq(failure.end_ns, 4500 * (S / 1000));
	cr_assert_not(failure.repeated);
	failure.count = 3;
	cr_assert_not(repeat_first(&failure));
	cr_assert(repeat_due(UINT64_MAX, &out));
	cr_assert_eq(out.count, 9);
}

Test(repeat, too_many_kinds_are_not_folded)
{
	uint16_t port;

	for (port = 1; port <= 20; port++)
		cr_assert(first("shop", port, refused, 5 * S));
	cr_assert_not(first("shop", 1, refused, 5 * S));
	cr_assert(first("shop", 20, refused, 5 * S));
	cr_assert(repeat_due(UINT64_MAX, &out));
	cr_assert_eq(out.port, 1);
	cr_assert_not(repeat_due(UINT64_MAX, &out));
}

Test(repeat, forgetting_all_forgets_all)
{
	cr_assert(first("shop", 80, refused, 5 * S));
	cr_assert_not(first("shop", 80, refused, 5 * S));
	repeat_forget_all();
	cr_assert_eq(repeat_open_count, 0);
	cr_assert_not(repeat_due(UINT64_MAX, &out));
	cr_assert(first("shop", 80, refused, 5 * S));
}
