// SPDX-License-Identifier: Apache-2.0
#include "core/log.h"

#include <fcntl.h>
#include <string.h>

#include "core/counters.h"
#include "core/sys.h"

#define LINE_BYTES 512

static const char *destination = "";

void at_log_to(const char *where)
{
	destination = where;
}

bool at_log_wanted(void)
{
	return destination[0] != 0;
}

void at_log_line(struct at_text line)
{
	char bytes[LINE_BYTES];
	struct at_writer writer = AT_WRITER(bytes, sizeof(bytes) - 1);
	int fd = 2;

	if (!at_log_wanted())
		return;
	at_write_string(&writer, "autotrace[");
	at_write_u64(&writer, (uint64_t)sys_getpid());
	at_write_string(&writer, "]: ");
	if (line.len > LINE_BYTES - 1 - writer.len)
		line.len = LINE_BYTES - 1 - writer.len;
	at_write_text(&writer, line);
	bytes[writer.len++] = '\n';
	if (strcmp(destination, "stderr"))
		fd = sys_open(destination,
			      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
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
