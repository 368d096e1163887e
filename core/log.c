// SPDX-License-Identifier: Apache-2.0
#include "core/log.h"

#include <fcntl.h>
#include <string.h>

#include "core/counters.h"
#include "core/sys.h"

#define LINE_BYTES 512

static const char *destination = "";
static int (*open_stderr)(void);

void at_log_to(const char *where)
{
	destination = where;
}

bool at_log_wanted(void)
{
	return destination[0] != 0;
}

void at_log_stderr_from(int (*open)(void))
{
	open_stderr = open;
}

bool at_log_is_for_people(int fd)
{
	struct stat status;

	if (sys_fstat(fd, &status) || S_ISSOCK(status.st_mode))
		return false;
	return S_ISCHR(status.st_mode) ||
	       (sys_fcntl(fd, F_GETFL, 0) & O_ACCMODE) == O_WRONLY;
}

static int open_destination(void)
{
	if (strcmp(destination, "stderr"))
		return sys_open(destination,
				O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
				0644);
	return open_stderr ? open_stderr() : 2;
}

void at_log_line(struct at_text line)
{
	char bytes[LINE_BYTES];
	struct at_writer writer = AT_WRITER(bytes, sizeof(bytes) - 1);
	int fd;

	if (!at_log_wanted())
		return;
	at_write_string(&writer, "autotrace[");
	at_write_u64(&writer, (uint64_t)sys_getpid());
	at_write_string(&writer, "]: ");
	if (line.len > LINE_BYTES - 1 - writer.len)
		line.len = LINE_BYTES - 1 - writer.len;
	at_write_text(&writer, line);
	bytes[writer.len++] = '\n';
	fd = open_destination();
	if (fd < 0)
		return;
	if (at_log_is_for_people(fd))
		sys_write(fd, bytes, writer.len);
	if (fd != 2)
		sys_close(fd);
}

void at_log_counters(void)
{
	char bytes[256];
	int i;

	if (!at_log_wanted())
		return;
	for (i = 0; i < AT_COUNTER_COUNT; i++) {
		const struct at_counter_info *info = &at_counter_table[i];
		uint64_t value = at_counter_value((enum at_counter)i);
		struct at_writer writer = AT_WRITER(bytes, sizeof(bytes));

		if (!value || info->class == AT_COUNTER_NOTE)
			continue;
		at_write_u64(&writer, value);
		at_write_char(&writer, ' ');
		at_write_string(&writer, info->phrase);
		at_log_line(at_writer_text(&writer));
	}
}
