// SPDX-License-Identifier: Apache-2.0
/* Numbers as people read them. Pure. */
#ifndef AT_CLI_UNITS_H
#define AT_CLI_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#define AT_UNITS_BYTES 32

/*
 * A duration in three digits: `850 ns`, `12.3 ms`, `1.24 s`, `2m 05s`,
 * `1h 03m`, `4d 02h`. At most 9 columns (five digits of days), NUL-terminated.
 */
void at_units_duration(char text[AT_UNITS_BYTES], uint64_t duration_ns,
		       bool utf8);

/* Memory in three digits: `850 B`, `12.3 MiB`; NUL-terminated. */
void at_units_bytes(char text[AT_UNITS_BYTES], uint64_t bytes);

/* A count with its thousands apart: `1,234,567`; NUL-terminated. */
void at_units_count(char text[AT_UNITS_BYTES], uint64_t count);

#endif
