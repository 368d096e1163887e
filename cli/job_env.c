// SPDX-License-Identifier: Apache-2.0
#include "cli/job_env.h"

#include <string.h>

#include "core/ids.h"

/* In single quotes nothing means anything but a quote. */
static void print_quoted(FILE *out, const char *value)
{
	fputc('\'', out);
	for (; *value; value++) {
		if (*value == '\'')
			fputs("'\\''", out);
		else
			fputc(*value, out);
	}
	fputc('\'', out);
}

/* Several lines stand between two of a word that is in none of them. */
static void print_lines(FILE *out, const char *name, const char *value)
{
	char word[40];

	do
		snprintf(word, sizeof(word), "autotrace_%016llx",
			 (unsigned long long)at_ids_random());
	while (strstr(value, word));
	fprintf(out, "%s<<%s\n%s\n%s\n", name, word, value, word);
}

void at_env_print(FILE *out, enum at_env_form form, const char *name,
		  const char *value)
{
	if (form == AT_ENV_FILE && value && strpbrk(value, "\r\n")) {
		print_lines(out, name, value);
	} else if (form == AT_ENV_FILE) {
		fprintf(out, "%s=%s\n", name, value ? value : "");
	} else if (value) {
		fprintf(out, "export %s=", name);
		print_quoted(out, value);
		fputc('\n', out);
	} else {
		fprintf(out, "unset %s\n", name);
	}
}

bool at_env_is_passed_on(enum at_setting setting)
{
	switch (setting) {
	case AT_SETTING_hub:
	case AT_SETTING_file:
	case AT_SETTING_trace_url:
		return false;
	case AT_SETTING_sampler:
	case AT_SETTING_sampler_arg:
	case AT_SETTING_propagators:
	case AT_SETTING_known_methods:
	case AT_SETTING_sdk_disabled:
		return true;
	default:
		return !strncmp(at_setting_table[setting].env, "AUTOTRACE_",
				10);
	}
}
