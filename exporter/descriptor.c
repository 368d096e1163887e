// SPDX-License-Identifier: Apache-2.0
#include "exporter/descriptor.h"

#include <fcntl.h>

#include "core/sys.h"

#define HIGH_FD 512

int descriptor_raise(int fd)
{
	int high;

	if (fd < 0)
		return fd;
	high = sys_fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
	if (high < 0)
		return fd;
	sys_close(fd);
	return high;
}
