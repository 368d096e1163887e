// SPDX-License-Identifier: Apache-2.0
#include "cli/config_text.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK(...) ((char *[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

static const char *value_of(char **environment, enum at_setting setting)
{
	static char text[512];
	struct at_writer writer = AT_WRITER(text, sizeof(text) - 1);
	struct at_config config;

	at_config_load(&config, environment, NULL);
	at_config_value_write(&writer, &config, setting);
	text[writer.len] = 0;
	return text;
}

Test(cli_config_text, every_default_is_shown_as_it_is_documented)
{
	int i;

	for (i = 0; i < AT_SETTING_COUNT; i++)
		cr_expect_str_eq(value_of(NULL, (enum at_setting)i),
				 at_setting_table[i].standard);
}

Test(cli_config_text, values_of_every_type_are_shown)
{
	cr_expect_str_eq(value_of(BLOCK((char *)"OTEL_SDK_DISABLED=TRUE"),
				  AT_SETTING_sdk_disabled),
			 "true");
	cr_expect_str_eq(value_of(BLOCK((char *)"OTEL_BSP_SCHEDULE_DELAY=7"),
				  AT_SETTING_bsp_schedule_delay_ms),
			 "7");
	cr_expect_str_eq(value_of(BLOCK((char *)"OTEL_BSP_EXPORT_TIMEOUT=0"),
				  AT_SETTING_bsp_export_timeout_ms),
			 "none");
	cr_expect_str_eq(value_of(BLOCK((char *)"OTEL_SERVICE_NAME=shop"),
				  AT_SETTING_service_name),
			 "shop");
	cr_expect_str_eq(value_of(BLOCK((char *)"OTEL_TRACES_SAMPLER="
						"Always_Off"),
				  AT_SETTING_sampler),
			 "always_off");
}

static const char *masked(enum at_setting setting, const char *given)
{
	static char text[128];
	struct at_writer writer = AT_WRITER(text, sizeof(text) - 1);

	at_config_masked_write(&writer, setting, at_text_from(given));
	text[writer.len] = 0;
	return text;
}

Test(cli_config_text, header_values_are_masked)
{
	cr_expect_str_eq(masked(AT_SETTING_otlp_headers,
				"api-key=secret, x=y=z"),
			 "api-key=***, x=***");
	cr_expect_str_eq(masked(AT_SETTING_otlp_headers, "secret"), "***");
	cr_expect_str_eq(masked(AT_SETTING_otlp_headers, "a=,b"), "a=***,***");
}

Test(cli_config_text, credentials_in_urls_are_masked)
{
	cr_expect_str_eq(masked(AT_SETTING_otlp_endpoint,
				"https://me:pw@host:4318/x?a=@b"),
			 "https://***@host:4318/x?a=@b");
	cr_expect_str_eq(masked(AT_SETTING_otlp_endpoint, "http://a@b@c"),
			 "http://***@c");
	cr_expect_str_eq(masked(AT_SETTING_otlp_endpoint, "http://host/a@b"),
			 "http://host/a@b");
	cr_expect_str_eq(masked(AT_SETTING_otlp_endpoint, "http://"),
			 "http://");
	cr_expect_str_eq(masked(AT_SETTING_service_name, "me@home"), "me@home");
}

Test(cli_config_text, a_long_value_is_cut)
{
	char given[1000];

	memset(given, 'x', sizeof(given) - 1);
	given[sizeof(given) - 1] = 0;
	cr_expect_eq(strlen(masked(AT_SETTING_service_name, given)), 127);
}

Test(cli_config_text, the_variable_that_counts_is_named)
{
	char **environment =
		BLOCK((char *)"OTEL_SERVICE_NAME=x",
		      (char *)"OTEL_EXPORTER_OTLP_COMPRESSION=gzip",
		      (char *)"OTEL_EXPORTER_OTLP_TIMEOUT=soon",
		      (char *)"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=smoke");
	struct at_config_origin origin;
	struct at_config config;

	at_config_load(&config, environment, &origin);
	cr_expect_str_eq(at_config_variable(&origin, AT_SETTING_service_name,
					    environment),
			 "OTEL_SERVICE_NAME");
	cr_expect_str_eq(at_config_variable(&origin,
					    AT_SETTING_otlp_compression,
					    environment),
			 "OTEL_EXPORTER_OTLP_COMPRESSION");
	cr_expect_str_eq(at_config_variable(&origin, AT_SETTING_otlp_timeout_ms,
					    environment),
			 "OTEL_EXPORTER_OTLP_TIMEOUT");
	cr_expect_str_eq(at_config_variable(&origin, AT_SETTING_otlp_protocol,
					    environment),
			 "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL");
	cr_expect_null(
		at_config_variable(&origin, AT_SETTING_sampler, environment));
}

Test(cli_config_text, the_reason_fits_the_type)
{
	cr_expect_str_eq(at_config_reason(AT_SETTING_sdk_disabled, "1"),
			 "neither true nor false");
	cr_expect_str_eq(at_config_reason(AT_SETTING_bsp_queue_count, "many"),
			 "not a number");
	cr_expect_str_eq(at_config_reason(AT_SETTING_bsp_queue_count, "0"),
			 "out of range");
	cr_expect_str_eq(at_config_reason(AT_SETTING_sampler, "dice"),
			 "not a known name");
}

Test(cli_config_text, milliseconds_have_a_unit)
{
	cr_expect_str_eq(at_config_unit(AT_SETTING_exit_timeout_ms), " ms");
	cr_expect_str_eq(at_config_unit(AT_SETTING_otlp_timeout_ms), " ms");
	cr_expect_str_eq(at_config_unit(AT_SETTING_bsp_queue_count), "");
}
