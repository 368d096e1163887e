// SPDX-License-Identifier: Apache-2.0
#include "cli/units.h"

#include <stdio.h>
#include <string.h>

static uint64_t rounded(uint64_t value, uint64_t by)
{
	return value / by + (value % by >= (by + 1) / 2);
}

/* Three digits of `value` in a unit of `unit_ns`; false when it takes four. */
static bool three_digits(char *text, uint64_t value, uint64_t unit_ns,
			 const char *unit)
{
	uint64_t hundredths = rounded(value, unit_ns / 100);
	uint64_t tenths = rounded(value, unit_ns / 10);
	uint64_t whole = rounded(value, unit_ns);

	if (hundredths < 1000)
		snprintf(text, AT_UNITS_BYTES, "%u.%02u %s",
			 (unsigned int)(hundredths / 100),
			 (unsigned int)(hundredths % 100), unit);
	else if (tenths < 1000)
		snprintf(text, AT_UNITS_BYTES, "%u.%u %s",
			 (unsigned int)(tenths / 10),
			 (unsigned int)(tenths % 10), unit);
	else if (whole < 1000)
		snprintf(text, AT_UNITS_BYTES, "%u %s", (unsigned int)whole,
			 unit);
	else
		return false;
	return true;
}

static void long_time(char *text, uint64_t seconds)
{
	uint64_t minutes = seconds / 60, hours = minutes / 60;

	if (minutes < 60)
		snprintf(text, AT_UNITS_BYTES, "%um %02us",
			 (unsigned int)minutes, (unsigned int)(seconds % 60));
	else if (hours < 24)
		snprintf(text, AT_UNITS_BYTES, "%uh %02um", (unsigned int)hours,
			 (unsigned int)(minutes % 60));
	else
		snprintf(text, AT_UNITS_BYTES, "%ud %02uh",
			 (unsigned int)(hours / 24),
			 (unsigned int)(hours % 24));
}

void at_units_duration(char text[AT_UNITS_BYTES], uint64_t duration_ns,
		       bool utf8)
{
	if (duration_ns < 1000)
		snprintf(text, AT_UNITS_BYTES, "%u ns",
			 (unsigned int)duration_ns);
	else if (duration_ns < 1000000 &&
		 three_digits(text, duration_ns, 1000, utf8 ? "\u00b5s" : "us"))
		return;
	else if (duration_ns < 1000000000 &&
		 three_digits(text, duration_ns, 1000000, "ms"))
		return;
	else if (rounded(duration_ns, 10000000) < 6000)
		three_digits(text, duration_ns, 1000000000, "s");
	else
		long_time(text, rounded(duration_ns, 1000000000));
}

void at_units_bytes(char text[AT_UNITS_BYTES], uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	uint64_t unit = 1024;
	size_t i;

	if (bytes < 1000) {
		snprintf(text, AT_UNITS_BYTES, "%u B", (unsigned int)bytes);
		return;
	}
	for (i = 0; i < 3; i++, unit *= 1024)
		if (bytes / unit < 1000)
			break;
	snprintf(text, AT_UNITS_BYTES, "%.*f %s",
		 bytes / unit >= 100 ? 0 :
		 bytes / unit >= 10  ? 1 :
				       2,
		 (double)bytes / (double)unit, units[i]);
}

void at_units_count(char text[AT_UNITS_BYTES], uint64_t count)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu",
			   (unsigned long long)count);
	int i, at = 0;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = 0;
}
