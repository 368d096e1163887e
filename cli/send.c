// SPDX-License-Identifier: Apache-2.0
/* autotrace send: a saved trace, to whoever is configured. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/ship.h"
#include "cli/span_file.h"
#include "cli/units.h"

struct send {
	struct at_config config;
	struct at_config_origin origin;
	struct at_ship ship;
};

static int send_line(void *context, struct at_text line,
		     struct at_otlp_mistake *mistake)
{
	return at_ship_line(context, line, mistake);
}

static void print_count(const char *before, uint64_t count, const char *what)
{
	char text[AT_UNITS_BYTES];

	at_units_count(text, count);
	printf("%s%s %s", before, text, what);
}

static int print_result(const struct at_ship *ship,
			const struct at_span_file *file)
{
	struct at_shipped shipped = at_ship_result(ship);

	print_count("autotrace: ", ship->span_count,
		    ship->span_count == 1 ? "span: " : "spans: ");
	print_count("", shipped.accepted, "accepted");
	print_count(", ", shipped.rejected, "rejected");
	print_count(", ", shipped.lost, "lost");
	if (file->cut_off)
		printf("; the last line is cut off");
	putchar('\n');
	if (at_finish_stdout())
		return AT_EXIT_FAILED;
	return shipped.rejected || shipped.lost ? AT_EXIT_FAILED : AT_EXIT_OK;
}

/* Lines appended to what is read would come round for ever. */
static bool is_same_file(const struct at_span_file *file, const char *path)
{
	struct stat a, b;

	return path[0] && fstat(fileno(file->in), &a) == 0 &&
	       stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static int send_file(struct send *send, struct at_span_file *file)
{
	int error, status;

	if (is_same_file(file, send->config.file))
		return at_usage(&at_command_send,
				"%s is where AUTOTRACE_FILE "
				"would write it",
				file->name);
	error = at_ship_open(&send->ship, &send->config, &send->origin,
			     send->config.otlp_timeout_ms);
	if (error) {
		at_complain("%s", strerror(-error));
		return AT_EXIT_FAILED;
	}
	error = at_span_file_read(file, send_line, &send->ship);
	at_ship_close(&send->ship);
	status = print_result(&send->ship, file);
	return error || file->mistake_count ? AT_EXIT_FAILED : status;
}

/* The file exporter only where it is named: AUTOTRACE_FILE alone is where the
 * programs wrote what is sent now. */
static int load_settings(struct send *send)
{
	struct at_config *config = &send->config;

	at_config_load(config, environ, &send->origin);
	if (!at_config_list_has(config->exporters, "file"))
		config->file = "";
	if (config->sdk_disabled)
		return at_usage(&at_command_send, "OTEL_SDK_DISABLED is true");
	if (at_text_equal_nocase(at_text_from(config->exporters),
				 AT_TEXT("none")))
		return at_usage(&at_command_send,
				"OTEL_TRACES_EXPORTER is none");
	return 0;
}

enum { OPTION_HELP };

static const struct at_option send_options[] = {
	[OPTION_HELP] = { "help", 'h', NULL, "Print this." },
	{ NULL, 0, NULL, NULL },
};

static int send_main(int argc, char **argv)
{
	static struct send send;
	struct at_span_file file;
	struct at_options options;
	const char *value;
	int status;

	at_options_init(&options, send_options, argc, argv);
	if (at_options_next(&options, &value) == AT_OPTIONS_MISTAKE)
		return at_usage(&at_command_send, "%s", options.mistake);
	if (options.next >= argc)
		return at_usage(&at_command_send, "which file?");
	if (options.next + 1 < argc)
		return at_usage(&at_command_send, "one file, please");
	status = load_settings(&send);
	if (status)
		return status;
	if (at_span_file_open(&file, argv[options.next]))
		return AT_EXIT_FAILED;
	status = send_file(&send, &file);
	at_span_file_close(&file);
	return status;
}

const struct at_command at_command_send = {
	.name = "send",
	.arguments = "FILE",
	.help = "Send a saved file (OTLP JSON lines) to the collector; - is "
		"standard input.",
	.more = "The settings are those of the exporters: "
		"OTEL_EXPORTER_OTLP_ENDPOINT and so on.\nOne line tells how "
		"many spans were accepted, rejected and lost; the exit "
		"status\nis 0 when all were accepted, else 1.\n",
	.options = send_options,
	.run = send_main,
};
