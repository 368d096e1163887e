// SPDX-License-Identifier: Apache-2.0
/*
 * The constructor: read the settings, find the real functions, and be quiet.
 * No thread, no descriptor, no heap until there is something to trace.
 */
#include <elf.h>
#include <string.h>
#include <sys/auxv.h>

#include "core/clock.h"
#include "core/config.h"
#include "core/log.h"
#include "core/section.h"
#include "core/sys.h"
#include "hooks/hooks.h"
#include "preload/preload.h"
#include "tracer/tracer.h"

extern char **environ;

/* Without libc's start files, whose other symbols nobody needs here. */
#ifndef AT_UNIT_TEST
void *__dso_handle __attribute__((visibility("hidden"))) = &__dso_handle;
#endif

static struct at_config config;
static struct at_config_origin origin;

/* Weak: musl lacks the first, old ones the others. */
const char *gnu_get_libc_version(void) __attribute__((weak));
__typeof__(getauxval) getauxval __attribute__((weak));
extern char *program_invocation_short_name __attribute__((weak));

/* Set-user-id programs and the like: not ours to look into. */
static bool secure_mode(void)
{
	return getauxval && getauxval(AT_SECURE) != 0;
}

/*
 * The file is opened when the first span leaves, and by then a daemon has
 * changed its directory: the path means what it meant at the start.
 */
static void make_file_absolute(void)
{
	static char path[1024] AT_LARGE;
	size_t file_len = strlen(config.file);
	long len;

	if (!file_len || config.file[0] == '/')
		return;
	len = sys_getcwd(path, sizeof(path));
	if (len <= 1 || path[0] != '/' ||
	    (size_t)len + file_len >= sizeof(path))
		return;
	path[len - 1] = '/';
	memcpy(path + len, config.file, file_len + 1);
	config.file = path;
}

/* CFG-8: the user's own words, for those who asked to hear ours. */
static void log_rejected(void)
{
	char line[400];
	int i;

	for (i = 0; i < AT_SETTING_COUNT; i++) {
		struct at_writer writer = AT_WRITER(line, sizeof(line));

		if (origin.source[i] != AT_SOURCE_REJECTED)
			continue;
		at_write_string(&writer, at_setting_env((enum at_setting)i));
		at_write_string(&writer, ": not understood, not used: ");
		at_write_string(&writer,
				origin.given[i] ? origin.given[i] : "");
		at_log_line(at_writer_text(&writer));
	}
}

static void load_settings(void)
{
	at_config_load(&config, environ, &origin);
	make_file_absolute();
	at_log_to(config.log);
	if (at_log_wanted())
		log_rejected();
}

/* The command sends telemetry, and that is never traced. */
static bool is_our_command(void)
{
	return &program_invocation_short_name &&
	       program_invocation_short_name &&
	       !strcmp(program_invocation_short_name, "autotrace");
}

static bool wanted(void)
{
	if (is_our_command())
		return false;
	if (!gnu_get_libc_version)
		return false; /* musl: hooks pass straight through */
	if (secure_mode())
		return false;
	load_settings();
	return !config.sdk_disabled && program_is_wanted(&config, &origin);
}

/* glibc hands these to constructors; musl does not, and is left before. */
__attribute__((constructor(101))) static void preload_init(int argc,
							   char **argv)
{
	(void)argc;
	hook_resolve();
	if (hook_second_copy() || !wanted())
		return;
	at_clock_use(hook_find_in_libc("clock_gettime"));
	exporter_thread_setup(&config, &origin);
	life_setup(&config);
	at_tracer_set_starter(exporter_thread_start);
	at_tracer_start(&config);
	at_exec_start(hook_own_path(), environ);
	at_process_start(&config, argv);
	if (at_crash_is_wanted(&config))
		hook_watch_crashes();
}
