// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sampler/kinds.h"
#include "tests/support/guard_page.h"
#include "tests/support/vectors.h"

#define ALL (UINT64_C(1) << 63)
#define ROUNDS 40000

/* What Go computes: uint64(fraction * (1 << 63)). */
static uint64_t threshold_of(const char *text)
{
	return (uint64_t)(strtod(text, NULL) * 9223372036854775808.0);
}

static void expect_as_strtod(const char *text)
{
	uint64_t threshold = 1;

	cr_assert_eq(at_ratio_parse(text, &threshold), 0, "%s", text);
	cr_assert_eq(threshold, threshold_of(text), "%s", text);
}

static uint64_t random64(void)
{
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^
	       (uint64_t)random();
}

/* 0 <= x < 1, of every magnitude the threshold can tell apart and below. */
static double random_ratio(void)
{
	return ldexp((double)(random64() >> 11), -53 - (int)(random() % 70));
}

static void decide_vector(const cJSON *vector, bool parent_based)
{
	static const char *const names[] = { "traceidratio",
					     "parentbased_traceidratio" };
	uint8_t id[AT_TRACE_ID_BYTES];
	struct at_sample_request request = { NULL, id };
	struct at_sampler sampler;
	char arg[32];

	snprintf(arg, sizeof(arg), "%.17g",
		 cJSON_GetObjectItem(vector, "ratio")->valuedouble);
	cr_assert_eq(
		at_text_from_hex(at_text_from(vector_text(vector, "trace_id")),
				 id, sizeof(id)),
		0);
	cr_assert_eq(at_sampler_open(&sampler, names[parent_based], arg), 0);
	cr_expect_eq(at_sample(&sampler, &request) == AT_RECORD_AND_SAMPLE,
		     vector_true(vector, "go_rust"), "%s", vector_id(vector));
}

Test(sampler_ratio, decisions_are_those_of_go_and_rust)
{
	cJSON *all = vectors_load("traceidratio"), *vector;

	cJSON_ArrayForEach(vector, all) {
		decide_vector(vector, false);
		decide_vector(vector, true);
	}
	cJSON_Delete(all);
}

Test(sampler_ratio, ratios_that_people_write_are_read_as_by_strtod)
{
	static const char *const texts[] = {
		"0",      "1",       "0.5",    "0.1",       ".5",
		"1.",     "0.",      "1e-3",   "1E-3",      "10e-1",
		"0.01e1", "0.001e3", "1e-19",  "1e-20",     "5e-324",
		"1e-400", "0e99999", "+0.25",  "-0",        "-0.0",
		"100e-2", "00000.5", "0.5000", "000001e-0", "0.3333333333333",
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_as_strtod(texts[i]);
}

Test(sampler_ratio, blanks_around_a_ratio_are_ignored)
{
	uint64_t threshold;

	cr_expect_eq(at_ratio_parse(" \t0.5 ", &threshold), 0);
	cr_expect_eq(threshold, ALL / 2);
}

Test(sampler_ratio, doubles_printed_in_full_are_read_as_by_strtod)
{
	static const char *const formats[] = { "%.17g", "%.16g", "%.20f", "%e",
					       "%.6f",  "%.40f", "%.300f" };
	char text[400];
	int round;

	srandom(2);
	for (round = 0; round < ROUNDS; round++) {
		snprintf(text, sizeof(text), formats[round % 7],
			 random_ratio());
		expect_as_strtod(text);
	}
}

Test(sampler_ratio, random_digits_are_read_as_by_strtod)
{
	char text[200];
	int round;

	srandom(3);
	for (round = 0; round < ROUNDS; round++) {
		int digits = 1 + (int)(random() % 150), i, at = 0;

		text[at++] = '.';
		for (i = 0; i < digits; i++)
			text[at++] = (char)('0' + random() % 10);
		snprintf(text + at, sizeof(text) - (size_t)at, "e-%ld",
			 random() % 25);
		expect_as_strtod(text);
	}
}

/*
 * The hardest texts to round: exactly between two doubles, and so little
 * above that only the last of 200 digits tells.
 */
Test(sampler_ratio, ties_and_near_ties_are_read_as_by_strtod)
{
	char text[400];
	int round;

	srandom(4);
	for (round = 0; round < ROUNDS; round++) {
		double low = random_ratio();
		long double middle =
			((long double)low + (long double)nextafter(low, 1)) / 2;
		size_t len =
			(size_t)snprintf(text, sizeof(text), "%.200Lf", middle);

		expect_as_strtod(text);
		text[len - 1] = '1';
		expect_as_strtod(text);
	}
}

/* 2^-63 is the least ratio that keeps anything, and what rounds up to it. */
Test(sampler_ratio, the_least_ratio_that_counts_is_read_as_by_strtod)
{
	uint64_t threshold;

	cr_expect_eq(at_ratio_parse("1.0842021724855044340074528008699417114"
				    "2578125e-19",
				    &threshold),
		     0);
	cr_expect_eq(threshold, 1);
	expect_as_strtod("1.0842021724855044340074528008699417114257812e-19");
	expect_as_strtod("1.0842021724855042e-19");
	expect_as_strtod("1.08420217248550431369e-19");
	expect_as_strtod("1.08420217248550437389e-19");
}

Test(sampler_ratio, a_ratio_close_to_one_keeps_all)
{
	uint64_t threshold;

	cr_expect_eq(at_ratio_parse("0.99999999999999999999", &threshold), 0);
	cr_expect_eq(threshold, ALL);
	cr_expect_eq(at_ratio_parse("0.9999999999999999", &threshold), 0);
	cr_expect_lt(threshold, ALL);
}

Test(sampler_ratio, a_higher_ratio_keeps_at_least_as_much)
{
	char low[32], high[32];
	int round;

	srandom(5);
	for (round = 0; round < ROUNDS; round++) {
		uint64_t a, b;
		double x = random_ratio(), y = random_ratio();

		snprintf(low, sizeof(low), "%.17g", x < y ? x : y);
		snprintf(high, sizeof(high), "%.17g", x < y ? y : x);
		cr_assert_eq(at_ratio_parse(low, &a), 0);
		cr_assert_eq(at_ratio_parse(high, &b), 0);
		cr_assert_leq(a, b, "%s %s", low, high);
	}
}

Test(sampler_ratio, what_is_no_ratio_is_refused_and_changes_nothing)
{
	static const char *const texts[] = {
		"",
		"abc",
		"1.5",
		"-0.1",
		"nan",
		"inf",
		"0x1",
		"0,5",
		"1e",
		"e5",
		".",
		"+",
		"-",
		"1.0.0",
		"0.5 5",
		"--0",
		"1e+",
		"0.5e",
		"2",
		"10",
		"1e1",
		"-1",
		"1e999999",
		"0.5f",
		"1e-",
		".e1",
		" ",
		"5%",
		"1.0000001",
		"0.5\n",
		"1.0000000000000000000000000001",
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint64_t threshold = 77;

		cr_expect_eq(at_ratio_parse(texts[i], &threshold), -EINVAL,
			     "%s", texts[i]);
		cr_expect_eq(threshold, 77);
	}
}

Test(sampler_ratio, no_length_of_text_or_exponent_is_too_much)
{
	enum { LEN = 3000 };
	char text[LEN + 64];

	memset(text, '0', LEN);
	text[1] = '.';
	strcpy(text + LEN, "5e2998");
	expect_as_strtod(text);
	strcpy(text + LEN, "5e99999999999999999999999999999");
	cr_expect_eq(at_ratio_parse(text, &(uint64_t){ 0 }), -EINVAL);
	strcpy(text + LEN, "5e-99999999999999999999999999999");
	expect_as_strtod(text);
	text[0] = '5';
	memset(text + 1, '0', LEN - 1);
	strcpy(text + LEN, "e-3000");
	expect_as_strtod(text);
}

Test(sampler_ratio, no_text_is_read_beyond_its_end)
{
	static const char whole[] = " +0.2500e-0001 ";
	struct guard_page page;
	size_t len;

	guard_page_open(&page, sizeof(whole));
	for (len = 0; len < sizeof(whole); len++) {
		char cut[sizeof(whole)] = { 0 };
		uint64_t threshold = 77;

		memcpy(cut, whole, len);
		if (at_ratio_parse(guard_page_string(&page, cut), &threshold))
			cr_expect_eq(threshold, 77);
		else
			cr_expect_eq(threshold, threshold_of(cut), "%s", cut);
	}
	guard_page_close(&page);
}
