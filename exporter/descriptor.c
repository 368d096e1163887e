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

/* pidfd_getfd gives the very same open file, whatever table we have. */
int descriptor_stderr(void)
{
	int pidfd = (int)sys_call2(SYS_pidfd_open, sys_getpid(), 0);
	int fd;

	if (pidfd < 0)
		return pidfd;
	fd = (int)sys_call3(SYS_pidfd_getfd, pidfd, 2, 0);
	sys_close(pidfd);
	return descriptor_raise(fd);
}
