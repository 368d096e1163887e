// SPDX-License-Identifier: Apache-2.0
#include "core/hub.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/sys.h"
#include "core/text.h"

#define HUB_MAGIC 0x61746836u /* "ath6": change with any layout change */
#define PAGE_BYTES 4096u
#define RING_OFFSET_BYTES \
	((uint32_t)((sizeof(struct at_hub) + PAGE_BYTES - 1) & -PAGE_BYTES))

#define MFD_CLOEXEC_ 0x0001u
#define MFD_ALLOW_SEALING_ 0x0002u
#define F_ADD_SEALS_ 1033
#define F_GET_SEALS_ 1034
#define SEAL_SHRINK_GROW_SEAL (0x0001 | 0x0002 | 0x0004)

/* Field 22 follows the last ')' of the command name, which may hold blanks. */
static uint64_t start_ticks_from(struct at_text stat)
{
	struct at_text item;
	uint64_t ticks;
	int field = 2;

	while (stat.len && stat.ptr[stat.len - 1] != ')')
		stat.len--;
	item = stat;
	stat.ptr += stat.len;
	if (!item.len)
		return 0;
	stat = at_text_field(stat.ptr, 512);
	while (at_text_next(&stat, ' ', &item))
		if (++field == 23 && at_text_to_u64(item, &ticks) == 0)
			return ticks;
	return 0;
}

uint64_t at_process_start_ticks(uint32_t pid)
{
	char path[32];
	char stat[640]; /* the time is the 22nd of its fields */
	struct at_writer writer = AT_WRITER(path, sizeof(path) - 1);
	long len;
	int fd;

	at_write_string(&writer, "/proc/");
	at_write_u64(&writer, pid);
	at_write_string(&writer, "/stat");
	path[writer.len] = 0;
	fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	len = sys_read(fd, stat, sizeof(stat) - 1);
	sys_close(fd);
	if (len <= 0)
		return 0;
	stat[len] = 0;
	return start_ticks_from((struct at_text){ stat, (size_t)len });
}

/*
 * Do the numbers in /proc, where the hub is found, mean to others what ours
 * means to us? In another namespace of process ids they do not.
 */
static bool numbers_are_ours(void)
{
	char text[24];
	struct at_text number = { text, 0 };
	long len = sys_readlink("/proc/self", text, sizeof(text));
	uint64_t pid;

	number.len = len > 0 ? (size_t)len : 0;
	return !at_text_to_u64(number, &pid) && pid == (uint64_t)sys_getpid();
}

static void write_address(char address[AT_HUB_ADDRESS_BYTES], int fd,
			  uint64_t start_ticks)
{
	struct at_writer writer = AT_WRITER(address, AT_HUB_ADDRESS_BYTES - 1);
	uint32_t pid = (uint32_t)sys_getpid();

	at_write_u64(&writer, pid);
	at_write_char(&writer, ':');
	at_write_u64(&writer, (uint64_t)fd);
	at_write_char(&writer, ':');
	at_write_u64(&writer, start_ticks);
	address[writer.len] = 0;
}

int at_hub_create(uint32_t record_max, struct at_hub **hub, int *fd,
		  char address[AT_HUB_ADDRESS_BYTES])
{
	size_t size = RING_OFFSET_BYTES + at_ring_bytes(record_max);
	struct at_hub *made;
	long error;

	*fd = (int)sys_call2(SYS_memfd_create, "autotrace-hub",
			     MFD_CLOEXEC_ | MFD_ALLOW_SEALING_);
	if (*fd < 0)
		return *fd;
	error = sys_call4(SYS_fallocate, *fd, 0, 0, size);
	if (error == 0)
		error = sys_fcntl(*fd, F_ADD_SEALS_, SEAL_SHRINK_GROW_SEAL);
	made = error == 0 ? sys_map_fd(*fd, size) : NULL;
	if (!made) {
		sys_close(*fd);
		return error ? (int)error : -ENOMEM;
	}
	made->ring_offset_bytes = RING_OFFSET_BYTES;
	made->size_bytes = size;
	at_ring_init(at_hub_ring(made), record_max);
	made->start_ticks = at_process_start_ticks((uint32_t)sys_getpid());
	made->magic = HUB_MAGIC;
	write_address(address, *fd, made->start_ticks);
	*hub = made;
	return 0;
}

static int parse_address(const char *address, uint64_t *pid, uint64_t *fd,
			 uint64_t *start)
{
	struct at_text rest = at_text_from(address);
	struct at_text item[3];
	int i;

	for (i = 0; i < 3; i++)
		if (!at_text_next(&rest, ':', &item[i]))
			return -EINVAL;
	if (rest.ptr || at_text_to_u64(item[0], pid) ||
	    at_text_to_u64(item[1], fd) || at_text_to_u64(item[2], start))
		return -EINVAL;
	return 0;
}

static int open_hub_fd(uint64_t pid, uint64_t fd)
{
	char path[64];
	struct at_writer writer = AT_WRITER(path, sizeof(path) - 1);

	at_write_string(&writer, "/proc/");
	at_write_u64(&writer, pid);
	at_write_string(&writer, "/fd/");
	at_write_u64(&writer, fd);
	path[writer.len] = 0;
	return sys_open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
}

/*
 * Only a sealed memfd is mapped: nobody can shrink it under us. Whether it is
 * the one that was meant, and not that of a process with the same number, it
 * says itself: a look into /proc would cost each program as much as all this.
 */
static int map_hub(int fd, uint64_t start_ticks, struct at_hub **hub)
{
	struct stat status;
	struct at_hub *found;
	size_t size;
	int seals = sys_fcntl(fd, F_GET_SEALS_, 0);

	if (seals < 0 || (seals & 0x0002) == 0 || sys_fstat(fd, &status))
		return -EBADMSG;
	size = (size_t)status.st_size;
	if (size < RING_OFFSET_BYTES + sizeof(struct at_ring))
		return -EBADMSG;
	found = sys_map_fd(fd, size);
	if (!found)
		return -ENOMEM;
	if (found->magic != HUB_MAGIC || found->size_bytes != size ||
	    found->start_ticks != start_ticks || !numbers_are_ours() ||
	    found->ring_offset_bytes != RING_OFFSET_BYTES ||
	    at_ring_check(at_hub_ring(found), size - RING_OFFSET_BYTES)) {
		sys_unmap(found, size);
		return -EBADMSG;
	}
	*hub = found;
	return 0;
}

int at_hub_join(const char *address, struct at_hub **hub)
{
	uint64_t pid, hub_fd, start;
	int fd, error;

	if (parse_address(address, &pid, &hub_fd, &start) || pid > INT32_MAX ||
	    hub_fd > INT32_MAX)
		return -EINVAL;
	fd = open_hub_fd(pid, hub_fd);
	if (fd < 0)
		return fd;
	error = map_hub(fd, start, hub);
	sys_close(fd);
	return error;
}
