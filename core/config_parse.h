// SPDX-License-Identifier: Apache-2.0
/*
 * From the text of one setting to its value; one function for each type of
 * core/config.def. Private to core/config.c and its tests.
 *
 * Pure, thread-safe, async-signal-safe; knows no locale.
 */
#ifndef AT_CORE_CONFIG_PARSE_H
#define AT_CORE_CONFIG_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

enum at_config_type {
	AT_CONFIG_BOOL,
	AT_CONFIG_COUNT,
	AT_CONFIG_LIMIT,
	AT_CONFIG_MILLIS,
	AT_CONFIG_TIMEOUT,
	AT_CONFIG_TEXT,
	AT_CONFIG_SAMPLER,
	AT_CONFIG_PROTOCOL,
	AT_CONFIG_COMPRESSION,
	AT_CONFIG_QUERY,
	AT_CONFIG_DEEPBIND,
	AT_CONFIG_SWITCH,
	AT_CONFIG_SCOPE,
	AT_CONFIG_STACKS,
	AT_CONFIG_INBOUND,
	AT_CONFIG_RULES,
	AT_CONFIG_SDK,
};

/* Which member is in use follows from the type. */
struct at_config_value {
	bool flag;        /* BOOL */
	uint64_t number;  /* COUNT, LIMIT, MILLIS, TIMEOUT */
	const char *name; /* of those with names: static */
};

/*
 * Parse a text of any type but TEXT (which needs storage: the caller's part).
 * 0; -EINVAL and *value untouched when it is not understood or out of range.
 */
int at_config_parse(enum at_config_type type, struct at_text given,
		    struct at_config_value *value);

/*
 * The names that a SAMPLER, a QUERY and the like may have, each ended by
 * NUL, an empty one at the end; NULL for the other types.
 */
const char *at_config_names(enum at_config_type type);

#endif
