// SPDX-License-Identifier: Apache-2.0
#include "cli/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/ship.h"
#include "cli/span_file.h"
#include "core/environ.h"

static int open_nameless(void)
{
	struct at_text folder = at_environ_get(environ, "TMPDIR");
	int fd = open(folder.len ? folder.ptr : "/tmp",
		      O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? memfd_create("autotrace-spool", MFD_CLOEXEC) : fd;
}

int at_spool_open(struct at_spool *spool, const char **path)
{
	spool->fd = open_nameless();
	spool->sent_bytes = 0;
	if (spool->fd < 0)
		return -errno;
	snprintf(spool->path, sizeof(spool->path), "/proc/self/fd/%d",
		 spool->fd);
	*path = spool->path;
	return 0;
}

void at_spool_close(struct at_spool *spool)
{
	if (spool->fd >= 0)
		close(spool->fd);
	spool->fd = -1;
}

/* Into the spool the spans were counted as exported: that was not it. */
static void take_over(struct at_counters *counters, const struct at_ship *ship)
{
	static const enum at_counter taken[] = { AT_COUNT_SPANS_EXPORTED,
						 AT_COUNT_EXPORT_FAILED,
						 AT_COUNT_EXPORT_REJECTED,
						 AT_COUNT_EXIT_TIMEOUT };
	size_t i;

	atomic_store(&counters->value[AT_COUNT_SPANS_EXPORTED], 0);
	for (i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		atomic_fetch_add(&counters->value[taken[i]],
				 atomic_load(&ship->counters.value[taken[i]]));
}

static int ship_line(void *ship, struct at_text line,
		     struct at_otlp_mistake *mistake)
{
	return at_ship_line(ship, line, mistake);
}

static int open_rest(const struct at_spool *spool, struct at_span_file *file)
{
	int fd = open(spool->path, O_RDONLY | O_CLOEXEC);

	memset(file, 0, sizeof(*file));
	file->name = "held back";
	file->in = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file->in)
		return -errno;
	return fseek(file->in, spool->sent_bytes, SEEK_SET) ? -errno : 0;
}

void at_spool_ship(struct at_spool *spool, const struct at_config *config,
		   uint64_t patience_ms, struct at_counters *counters)
{
	static struct at_ship ship;
	struct at_span_file file;
	int error;

	if (spool->fd < 0)
		return;
	error = open_rest(spool, &file);
	if (!error)
		error = at_ship_open(&ship, config, NULL, patience_ms);
	if (error) {
		at_complain("the trace cannot be sent: %s", strerror(-error));
		return;
	}
	at_span_file_read(&file, ship_line, &ship);
	spool->sent_bytes = ftell(file.in);
	at_ship_close(&ship);
	at_span_file_close(&file);
	take_over(counters, &ship);
}
