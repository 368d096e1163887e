// SPDX-License-Identifier: Apache-2.0
/* io family: read, write and their kin, on whatever descriptor. */
#include "hooks/hook.h"

/* --- reading --- */

static HOOK_SLOW ssize_t followed_read(struct at_receive *receive, void *buf,
				       size_t len)
{
	struct iovec iov = { buf, len };
	ssize_t result;
	int error;

	AT_UNWINDS;
	result = REAL(read)(receive->fd, buf, len);
	error = errno;
	result = at_receive_into(receive, &iov, result, error, 0);
	errno = error;
	return result;
}

static HOOK_SLOW ssize_t watched_read(int fd, void *buf, size_t len)
{
	struct at_receive receive;

	if (!at_receive_begin(&receive, fd))
		return REAL(read)(fd, buf, len);
	return followed_read(&receive, buf, len);
}

ssize_t hook_read(int fd, void *buf, size_t len)
{
	if (at_fd_ignored(fd))
		return hook_real.read(fd, buf, len);
	return watched_read(fd, buf, len);
}
HOOK_EXPORT(read)

ssize_t hook___read(int fd, void *buf, size_t len)
{
	return hook_read(fd, buf, len);
}
HOOK_EXPORT(__read)

/* The check itself (and its abort) is libc's to make. */
ssize_t hook___read_chk(int fd, void *buf, size_t len, size_t buf_len)
{
	if (len > buf_len && HAVE_REAL(__read_chk))
		return REAL(__read_chk)(fd, buf, len, buf_len);
	return hook_read(fd, buf, len);
}
HOOK_EXPORT(__read_chk)

static HOOK_SLOW ssize_t followed_readv(struct at_receive *receive,
					const struct iovec *iov, int count)
{
	ssize_t result;
	int error;

	AT_UNWINDS;
	result = REAL(readv)(receive->fd, iov, count);
	error = errno;
	at_receive_end(receive, iov, (size_t)count, result, error, 0);
	errno = error;
	return result;
}

ssize_t hook_readv(int fd, const struct iovec *iov, int count)
{
	struct at_receive receive;

	if (at_fd_ignored(fd) || count < 0 || !at_receive_begin(&receive, fd))
		return REAL(readv)(fd, iov, count);
	return followed_readv(&receive, iov, count);
}
HOOK_EXPORT(readv)

static HOOK_SLOW ssize_t followed_preadv2(struct at_receive *receive,
					  const struct iovec *iov, int count,
					  off_t at, int flags)
{
	ssize_t result;
	int error;

	AT_UNWINDS;
	result = REAL(preadv2)(receive->fd, iov, count, at, flags);
	error = errno;
	at_receive_end(receive, iov, (size_t)count, result, error, 0);
	errno = error;
	return result;
}

ssize_t hook_preadv2(int fd, const struct iovec *iov, int count, off_t at,
		     int flags)
{
	struct at_receive receive;

	if (!HAVE_REAL(preadv2))
		return -1;
	if (at_fd_ignored(fd) || count < 0 || !at_receive_begin(&receive, fd))
		return REAL(preadv2)(fd, iov, count, at, flags);
	return followed_preadv2(&receive, iov, count, at, flags);
}
HOOK_EXPORT(preadv2)

/* off_t is off64_t on every 64-bit machine. */
ssize_t hook_preadv64v2(int fd, const struct iovec *iov, int count, off64_t at,
			int flags)
{
	return hook_preadv2(fd, iov, count, at, flags);
}
HOOK_EXPORT(preadv64v2)

/* --- writing --- */

static ssize_t call_write(const struct at_send *send)
{
	return REAL(write)(send->fd, send->iov->iov_base, send->iov->iov_len);
}

static HOOK_SLOW ssize_t watched_write(int fd, const void *buf, size_t len)
{
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	struct at_send send = { .fd = fd,
				.iov = &iov,
				.iov_count = 1,
				.original = call_write,
				.sendmsg = hook_call_sendmsg };

	return at_send(&send);
}

ssize_t hook_write(int fd, const void *buf, size_t len)
{
	if (at_fd_ignored(fd))
		return hook_real.write(fd, buf, len);
	return watched_write(fd, buf, len);
}
HOOK_EXPORT(write)

ssize_t hook___write(int fd, const void *buf, size_t len)
{
	return hook_write(fd, buf, len);
}
HOOK_EXPORT(__write)

static ssize_t call_writev(const struct at_send *send)
{
	return REAL(writev)(send->fd, send->iov, (int)send->iov_count);
}

ssize_t hook_writev(int fd, const struct iovec *iov, int count)
{
	struct at_send send = { .fd = fd,
				.iov = iov,
				.iov_count = (size_t)count,
				.original = call_writev,
				.sendmsg = hook_call_sendmsg };

	if (at_fd_ignored(fd) || count < 0 || count > IOV_MAX)
		return REAL(writev)(fd, iov, count);
	return at_send(&send);
}
HOOK_EXPORT(writev)

struct positioned {
	off_t at;
	int flags;
};

static ssize_t call_pwritev2(const struct at_send *send)
{
	const struct positioned *detail = send->detail;

	return REAL(pwritev2)(send->fd, send->iov, (int)send->iov_count,
			      detail->at, detail->flags);
}

/* On a socket only offset -1 works, and RWF flags are not MSG flags. */
ssize_t hook_pwritev2(int fd, const struct iovec *iov, int count, off_t at,
		      int flags)
{
	struct positioned detail = { at, flags };
	struct at_send send = { .fd = fd,
				.flags = flags ? MSG_OOB : 0,
				.iov = iov,
				.iov_count = (size_t)count,
				.original = call_pwritev2,
				.sendmsg = hook_call_sendmsg,
				.detail = &detail };

	if (!HAVE_REAL(pwritev2))
		return -1;
	if (at_fd_ignored(fd) || count < 0 || count > IOV_MAX || at != -1)
		return REAL(pwritev2)(fd, iov, count, at, flags);
	return at_send(&send);
}
HOOK_EXPORT(pwritev2)

ssize_t hook_pwritev64v2(int fd, const struct iovec *iov, int count, off64_t at,
			 int flags)
{
	return hook_pwritev2(fd, iov, count, at, flags);
}
HOOK_EXPORT(pwritev64v2)

/* --- formatted writing: libc writes inside, out of our sight --- */

int hook_vdprintf(int fd, const char *format, va_list args)
{
	int result;

	if (!HAVE_REAL(vdprintf) || !at_moving_out(fd, hook_call_sendmsg))
		return -1;
	result = REAL(vdprintf)(fd, format, args);
	at_moved_out(fd, result);
	return result;
}
HOOK_EXPORT(vdprintf)

int hook_dprintf(int fd, const char *format, ...)
{
	va_list args;
	int result;

	va_start(args, format);
	result = hook_vdprintf(fd, format, args);
	va_end(args);
	return result;
}
HOOK_EXPORT(dprintf)

int hook___vdprintf_chk(int fd, int flag, const char *format, va_list args)
{
	int result;

	if (!HAVE_REAL(__vdprintf_chk) || !at_moving_out(fd, hook_call_sendmsg))
		return -1;
	result = REAL(__vdprintf_chk)(fd, flag, format, args);
	at_moved_out(fd, result);
	return result;
}
HOOK_EXPORT(__vdprintf_chk)

int hook___dprintf_chk(int fd, int flag, const char *format, ...)
{
	va_list args;
	int result;

	va_start(args, format);
	result = hook___vdprintf_chk(fd, flag, format, args);
	va_end(args);
	return result;
}
HOOK_EXPORT(__dprintf_chk)
