// SPDX-License-Identifier: Apache-2.0
/*
 * file: OTLP JSON lines, appended; many processes may share one file.
 *
 * A line goes out in one write(2), and an append is one step for the kernel,
 * so lines of different processes do not mix. Should a write end half way
 * (full disk), the half line is taken back.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

#include "core/sys.h"
#include "exporter/descriptor.h"
#include "exporter/exporters.h"
#include "exporter/heap.h"
#include "exporter/otlp_json.h"

/* A line ends with the span that takes it over this. */
#define LINE_BYTES (256u << 10)
#define MODE 0644
#define LOCK_TRIES 20

struct file {
	struct at_exporter_host *host;
	int fd;
	dev_t device;
	ino_t inode;
	bool torn; /* a half line is at the end of the file */
	struct buffer line;
};

static int open_path(struct file *file)
{
	struct stat status = { 0 };
	/* Without a reader, a FIFO must fail, not wait. */
	int fd = sys_open(file->host->config->file,
			  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
				  O_NONBLOCK,
			  MODE);

	if (fd < 0)
		return fd;
	file->fd = descriptor_raise(fd);
	file->torn = false;
	sys_fstat(file->fd, &status);
	file->device = status.st_dev;
	file->inode = status.st_ino;
	return 0;
}

/* Renamed or deleted (log rotation): go on in a new one. */
static void follow_path(struct file *file)
{
	struct stat status;
	int fd = file->fd;

	if (sys_call4(SYS_newfstatat, AT_FDCWD, file->host->config->file,
		      &status, 0) == 0 &&
	    status.st_dev == file->device && status.st_ino == file->inode)
		return;
	if (open_path(file) == 0)
		sys_close(fd);
}

static int file_open(struct at_exporter_host *host, void **self)
{
	struct file *file;
	int result;

	if (!host->config->file[0])
		return -EINVAL;
	file = heap_zalloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->host = host;
	pace_unlock(host);
	result = open_path(file);
	pace_lock(host);
	if (result)
		heap_free(file);
	else
		*self = file;
	return result;
}

static long write_some(int fd, const uint8_t *bytes, size_t len)
{
	long done;

	do
		done = sys_write(fd, bytes, len);
	while (done == -EINTR);
	return done;
}

/* Waits a little for whoever else repairs the file; never for ever. */
static bool lock_file(int fd)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int i;

	for (i = 0; i < LOCK_TRIES; i++) {
		if (sys_call2(SYS_flock, fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		sys_call2(SYS_nanosleep, &pause, NULL);
	}
	return false;
}

/* Does the file end where our last write did? */
static bool at_end(const struct file *file, long *end)
{
	struct stat status;

	*end = sys_call3(SYS_lseek, file->fd, 0, SEEK_CUR);
	return *end >= 0 && sys_fstat(file->fd, &status) == 0 &&
	       status.st_size == *end;
}

/*
 * `done` bytes of a line are in the file. If they are still the last, finish
 * the line or take them back; else it stays torn.
 */
static int mend(struct file *file, const uint8_t *bytes, size_t len,
		size_t done)
{
	long more, end;

	file->torn = true;
	if (!at_end(file, &end))
		return -ENOSPC;
	more = write_some(file->fd, bytes + done, len - done);
	if (more > 0)
		done += (size_t)more;
	if (done < len &&
	    (!at_end(file, &end) ||
	     sys_call2(SYS_ftruncate, file->fd, end - (long)done)))
		return -ENOSPC;
	file->torn = false;
	return done == len ? 0 : -ENOSPC;
}

static int write_line(struct file *file)
{
	size_t len = file->line.len;
	long done = write_some(file->fd, file->line.ptr, len);
	bool locked;
	int result;

	if (done == (long)len) {
		file->torn = false;
		return 0;
	}
	if (done <= 0)
		return done == -EAGAIN ? -EBUSY : done ? (int)done : -EIO;
	locked = lock_file(file->fd);
	result = mend(file, file->line.ptr, len, (size_t)done);
	if (locked)
		sys_call2(SYS_flock, file->fd, LOCK_UN);
	return result;
}

static int send_lines(struct file *file, struct delivery *delivery)
{
	size_t span_index = 0;
	int result = 0;

	while (!result) {
		file->line.len = 0;
		if (file->torn)
			buffer_add(&file->line, "\n", 1);
		if (!otlp_json(delivery->traces, &span_index, LINE_BYTES,
			       &file->line))
			break;
		buffer_add(&file->line, "\n", 1);
		if (file->line.failed)
			return -ENOMEM;
		pace_unlock(file->host);
		result = write_line(file);
		pace_lock(file->host);
		if (!result)
			delivery->done_count = span_index;
	}
	return result;
}

static int file_send(void *self, struct delivery *delivery)
{
	struct file *file = self;

	pace_unlock(file->host);
	follow_path(file);
	pace_lock(file->host);
	return send_lines(file, delivery);
}

static void file_close(void *self)
{
	struct file *file = self;

	sys_close(file->fd);
	buffer_free(&file->line);
	heap_free(file);
}

/* The number is not ours where the thread had a table of its own. */
static void file_after_fork(void *self)
{
	struct file *file = self;

	buffer_free(&file->line);
	heap_free(file);
}

static uint32_t file_check(const struct at_config *config)
{
	return config->file[0] == 0;
}

const struct at_exporter at_exporter_file = {
	.name = "file",
	.local = true,
	.needs_traces = true,
	.check = file_check,
	.open = file_open,
	.send = file_send,
	.close = file_close,
	.after_fork = file_after_fork,
};
