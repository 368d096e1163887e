// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <string.h>

#include "exporter/exporters.h"

/* Names of what is chosen, joined by a blank. */
static const char *chosen(const char *const environ[], bool with_origin,
			  uint64_t want_rejected)
{
	static char names[256];
	const struct at_exporter *list[EXPORTERS_MAX];
	struct at_config config;
	struct at_config_origin origin;
	uint64_t rejected_count = 0;
	int i, count;

	at_config_load(&config, (char **)(uintptr_t)environ, &origin);
	count = exporters_choose(&config, with_origin ? &origin : NULL, list,
				 &rejected_count);
	cr_assert_eq(rejected_count, want_rejected);
	names[0] = 0;
	for (i = 0; i < count; i++) {
		strcat(names, i ? " " : "");
		strcat(names, list[i]->name);
	}
	return names;
}

#define EXPORTER "OTEL_TRACES_EXPORTER="
#define FILE_SET "AUTOTRACE_FILE=/x"

static const struct {
	const char *environ[3];
	const char *want;
	uint64_t rejected_count;
} rows[] = {
	{ { NULL }, "otlp", 0 },
	{ { EXPORTER "none" }, "", 0 },
	{ { EXPORTER "NONE", FILE_SET }, "", 0 },
	{ { EXPORTER "console" }, "console", 0 },
	{ { EXPORTER "otlp,console" }, "console otlp", 0 },
	{ { EXPORTER " File , OTLP,file" }, "file otlp", 0 },
	{ { EXPORTER "otlp,none" }, "otlp", 0 },
	{ { EXPORTER "otlp,console,file" }, "console file otlp", 0 },
	{ { EXPORTER "kafka" }, "otlp", 1 },
	{ { EXPORTER "logging,console,x" }, "console", 2 },
	{ { EXPORTER "," }, "otlp", 0 },
	{ { FILE_SET }, "file", 0 },
	{ { FILE_SET, EXPORTER "kafka" }, "file", 1 },
	{ { FILE_SET, EXPORTER "console" }, "console file", 0 },
	{ { FILE_SET, "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:1" },
	  "file otlp",
	  0 },
	{ { FILE_SET, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:1" },
	  "file otlp",
	  0 },
	{ { EXPORTER "console", "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:1" },
	  "console",
	  0 },
};

Test(exporter_registry, settings_choose_local_exporters_first)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_str_eq(chosen(rows[i].environ, true,
					rows[i].rejected_count),
				 rows[i].want, "row %zu", i);
		cr_assert_str_eq(chosen(rows[i].environ, false,
					rows[i].rejected_count),
				 rows[i].want, "row %zu without origin", i);
	}
}

/* Only where the settings came from tells these from the defaults. */
Test(exporter_registry, defaults_that_were_given_count_as_given)
{
	static const char *const exporter[] = { FILE_SET, EXPORTER "otlp",
						NULL };
	static const char *const endpoint[] = {
		FILE_SET, "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318",
		NULL
	};

	cr_assert_str_eq(chosen(exporter, true, 0), "file otlp");
	cr_assert_str_eq(chosen(endpoint, true, 0), "file otlp");
}

Test(exporter_registry, every_exporter_is_whole)
{
	const struct at_exporter *const *at;

	for (at = at_exporters; *at; at++) {
		cr_assert_not_null((*at)->name);
		cr_assert_not_null((*at)->open);
		cr_assert_not_null((*at)->send);
		cr_assert_not_null((*at)->close);
		cr_assert_not_null((*at)->after_fork);
	}
}
