// SPDX-License-Identifier: Apache-2.0
#include "cli/units.h"

#include <criterion/criterion.h>

static const struct {
	uint64_t ns;
	const char *text;
} durations[] = {
	{ 0, "0 ns" },
	{ 1, "1 ns" },
	{ 999, "999 ns" },
	{ 1000, "1.00 µs" },
	{ 1004, "1.00 µs" },
	{ 1005, "1.01 µs" },
	{ 9994, "9.99 µs" },
	{ 9996, "10.0 µs" },
	{ 99940, "99.9 µs" },
	{ 99960, "100 µs" },
	{ 999499, "999 µs" },
	{ 999500, "1.00 ms" },
	{ 1234567, "1.23 ms" },
	{ 12345678, "12.3 ms" },
	{ 999499999, "999 ms" },
	{ 999500000, "1.00 s" },
	{ UINT64_C(1240000000), "1.24 s" },
	{ UINT64_C(59900000000), "59.9 s" },
	{ UINT64_C(59994999999), "60.0 s" },
	{ UINT64_C(59995000000), "1m 00s" },
	{ UINT64_C(125000000000), "2m 05s" },
	{ UINT64_C(3599499999999), "59m 59s" },
	{ UINT64_C(3599500000000), "1h 00m" },
	{ UINT64_C(3780000000000), "1h 03m" },
	{ UINT64_C(86400000000000), "1d 00h" },
	{ UINT64_C(352800000000000), "4d 02h" },
	{ UINT64_MAX, "213503d 23h" },
};

Test(cli_units, durations_have_three_digits)
{
	char text[AT_UNITS_BYTES];
	size_t i;

	for (i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		at_units_duration(text, durations[i].ns, true);
		cr_expect_str_eq(text, durations[i].text);
	}
}

Test(cli_units, microseconds_are_us_without_utf8)
{
	char text[AT_UNITS_BYTES];

	at_units_duration(text, 12345, false);
	cr_expect_str_eq(text, "12.3 us");
}

Test(cli_units, thousands_are_set_apart)
{
	static const struct {
		uint64_t count;
		const char *text;
	} counts[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1,000" },
		{ 12345, "12,345" },
		{ 1234567, "1,234,567" },
		{ UINT64_MAX, "18,446,744,073,709,551,615" },
	};
	char text[AT_UNITS_BYTES];
	size_t i;

	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		at_units_count(text, counts[i].count);
		cr_expect_str_eq(text, counts[i].text);
	}
}

Test(cli_units, memory)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} all[] = {
		{ 0, "0 B" },
		{ 999, "999 B" },
		{ 1024, "1.00 KiB" },
		{ 412u << 20, "412 MiB" },
		{ 12345678, "11.8 MiB" },
		{ 1000u << 20, "0.98 GiB" },
		{ UINT64_C(3) << 40, "3.00 TiB" },
	};
	char text[AT_UNITS_BYTES];
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		at_units_bytes(text, all[i].bytes);
		cr_expect_str_eq(text, all[i].text);
	}
}
