// SPDX-License-Identifier: Apache-2.0
#include "core/config_parse.h"

#include <errno.h>
#include <string.h>

#include "core/config.h"

/* Larger numbers are refused, so that no arithmetic on one can wrap. */
#define NUMBER_MAX INT32_MAX

/*
 * Names by type, each ended by NUL, an empty one at the end. One text instead
 * of an array of pointers: no relocation in every process that starts.
 */
static const char sampler_names[] = "always_on\0"
				    "always_off\0"
				    "traceidratio\0"
				    "parentbased_always_on\0"
				    "parentbased_always_off\0"
				    "parentbased_traceidratio\0";
static const char protocol_names[] = "http/protobuf\0"
				     "http/json\0";
static const char compression_names[] = "none\0"
					"gzip\0";
static const char query_names[] = "keep\0"
				  "redact-values\0"
				  "drop\0";
static const char deepbind_names[] = "strip\0"
				     "keep\0";
static const char switch_names[] = "auto\0"
				   "true\0"
				   "false\0";
static const char rules_names[] = "inferred\0"
				  "certain\0";
static const char inbound_names[] = "auto\0"
				    "rewrite\0"
				    "insert\0"
				    "off\0";
static const char sdk_names[] = "defer\0both\0";
static const char stacks_names[] = "none\0"
				   "crashes\0";
static const char scope_names[] = "local\0"
				  "all\0"
				  "none\0";

static int parse_bool(struct at_text given, bool *value)
{
	if (at_text_equal_nocase(given, AT_TEXT("true")))
		*value = true;
	else if (at_text_equal_nocase(given, AT_TEXT("false")))
		*value = false;
	else
		return -EINVAL;
	return 0;
}

static int parse_number(struct at_text given, uint64_t min, uint64_t *value)
{
	uint64_t number;

	if (at_text_to_u64(given, &number) || number < min ||
	    number > NUMBER_MAX)
		return -EINVAL;
	*value = number;
	return 0;
}

static int parse_timeout(struct at_text given, uint64_t *value)
{
	int error = parse_number(given, 0, value);

	if (!error && *value == 0)
		*value = AT_NO_LIMIT;
	return error;
}

/* The canonical spelling of `given`, so that others may compare bytes. */
static int parse_name(struct at_text given, const char *names,
		      const char **value)
{
	size_t len;

	for (; (len = strlen(names)) != 0; names += len + 1) {
		struct at_text name = { names, len };

		if (at_text_equal_nocase(given, name)) {
			*value = names;
			return 0;
		}
	}
	return -EINVAL;
}

const char *at_config_names(enum at_config_type type)
{
	switch (type) {
	case AT_CONFIG_SAMPLER:
		return sampler_names;
	case AT_CONFIG_PROTOCOL:
		return protocol_names;
	case AT_CONFIG_COMPRESSION:
		return compression_names;
	case AT_CONFIG_QUERY:
		return query_names;
	case AT_CONFIG_DEEPBIND:
		return deepbind_names;
	case AT_CONFIG_SWITCH:
		return switch_names;
	case AT_CONFIG_SCOPE:
		return scope_names;
	case AT_CONFIG_STACKS:
		return stacks_names;
	case AT_CONFIG_RULES:
		return rules_names;
	case AT_CONFIG_INBOUND:
		return inbound_names;
	case AT_CONFIG_SDK:
		return sdk_names;
	default:
		return NULL;
	}
}

int at_config_parse(enum at_config_type type, struct at_text given,
		    struct at_config_value *value)
{
	const char *names = at_config_names(type);

	if (names)
		return parse_name(given, names, &value->name);
	switch (type) {
	case AT_CONFIG_BOOL:
		return parse_bool(given, &value->flag);
	case AT_CONFIG_COUNT:
		return parse_number(given, 1, &value->number);
	case AT_CONFIG_LIMIT:
	case AT_CONFIG_MILLIS:
		return parse_number(given, 0, &value->number);
	case AT_CONFIG_TIMEOUT:
		return parse_timeout(given, &value->number);
	default:
		return -EINVAL;
	}
}
