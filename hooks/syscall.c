// SPDX-License-Identifier: Apache-2.0
/*
 * syscall family: libuv closes its sockets with syscall(SYS_close), others do
 * all their I/O so. twice.S has already sent calls that return twice
 * straight to libc.
 */
#include <sys/syscall.h>

#include "core/sys.h"
#include "hooks/hook.h"

/* A call's six arguments. */
struct raw {
	long nr;
	long arg[6];
};

static long call(const struct raw *raw)
{
	return REAL(syscall)(raw->nr, raw->arg[0], raw->arg[1], raw->arg[2],
			     raw->arg[3], raw->arg[4], raw->arg[5]);
}

static ssize_t original(const struct at_send *send)
{
	return call(send->detail);
}

static ssize_t raw_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return REAL(syscall)(SYS_sendmsg, fd, message, flags);
}

static long raw_send(const struct raw *raw)
{
	struct iovec one = { (void *)raw->arg[1], (size_t)raw->arg[2] };
	struct at_send send = { .fd = (int)raw->arg[0],
				.iov = &one,
				.iov_count = 1,
				.original = original,
				.sendmsg = raw_sendmsg,
				.detail = raw };

	if (raw->nr == SYS_writev) {
		send.iov = (const struct iovec *)raw->arg[1];
		send.iov_count = (size_t)raw->arg[2];
	} else if (raw->nr == SYS_sendto) {
		send.flags = (int)raw->arg[3];
		send.to = (const struct sockaddr *)raw->arg[4];
		send.to_len = (socklen_t)raw->arg[5];
	} else if (raw->nr == SYS_sendmsg) {
		send.flags = (int)raw->arg[2];
		send.message = (const struct msghdr *)raw->arg[1];
		if (!send.message)
			return call(raw);
		send.iov = send.message->msg_iov;
		send.iov_count = send.message->msg_iovlen;
	}
	if (send.iov_count > IOV_MAX)
		return call(raw);
	return at_send(&send);
}

static HOOK_SLOW long followed_receive(struct at_receive *receive,
				       const struct raw *raw)
{
	struct iovec one = { (void *)raw->arg[1], (size_t)raw->arg[2] };
	const struct iovec *iov = &one;
	size_t count = 1;
	int flags = 0, error;
	long result;

	AT_UNWINDS;
	if (raw->nr == SYS_readv) {
		iov = (const struct iovec *)raw->arg[1];
		count = (size_t)raw->arg[2];
	} else if (raw->nr == SYS_recvfrom) {
		flags = (int)raw->arg[3];
	} else if (raw->nr == SYS_recvmsg) {
		const struct msghdr *message =
			(const struct msghdr *)raw->arg[1];

		flags = (int)raw->arg[2];
		iov = message ? message->msg_iov : NULL;
		count = message ? message->msg_iovlen : 0;
	}
	result = call(raw);
	error = errno;
	at_receive_end(receive, iov, count, result, error, flags);
	errno = error;
	return result;
}

static long raw_receive(const struct raw *raw)
{
	struct at_receive receive;

	if (!at_receive_begin(&receive, (int)raw->arg[0]))
		return call(raw);
	return followed_receive(&receive, raw);
}

/* After: what the answer means for descriptors. */
static long raw_life(const struct raw *raw)
{
	long result;
	int error;

	if (raw->nr == SYS_close)
		at_fd_closing((int)raw->arg[0]);
	if (raw->nr == SYS_close_range && !(raw->arg[2] & 4))
		at_fd_range_closing((unsigned int)raw->arg[0],
				    (unsigned int)raw->arg[1]);
	if (raw->nr == SYS_connect)
		at_connect_begins();
	result = call(raw);
	error = errno;
	switch (raw->nr) {
	case SYS_connect:
		at_fd_connected((int)raw->arg[0],
				(const struct sockaddr *)raw->arg[1],
				(socklen_t)raw->arg[2], result ? error : 0);
		break;
	case SYS_getsockopt:
		if (result == 0 && raw->arg[1] == SOL_SOCKET &&
		    raw->arg[2] == SO_ERROR &&
		    *(socklen_t *)raw->arg[4] >= sizeof(int))
			at_fd_socket_error((int)raw->arg[0],
					   *(int *)raw->arg[3]);
		break;
	case SYS_accept:
	case SYS_accept4:
		if (result >= 0)
			at_fd_accepts((int)raw->arg[0]);
		/* fallthrough */
	case SYS_socket:
		at_fd_opened((int)result);
		break;
	case SYS_dup:
	case SYS_dup2:
	case SYS_dup3:
		at_fd_duplicated((int)raw->arg[0], (int)result);
		break;
	case SYS_fcntl:
		if (raw->arg[1] == F_DUPFD || raw->arg[1] == F_DUPFD_CLOEXEC)
			at_fd_duplicated((int)raw->arg[0], (int)result);
		break;
	}
	errno = error;
	return result;
}

static long raw_moved(const struct raw *raw)
{
	bool spliced = raw->nr == SYS_splice;
	long result;
	int error;

	if (!at_moving_out((int)raw->arg[spliced ? 2 : 0], raw_sendmsg))
		return -1;
	result = call(raw);
	error = errno;
	at_moved_out((int)raw->arg[spliced ? 2 : 0], result);
	at_moved_in((int)raw->arg[spliced ? 0 : 1], result);
	errno = error;
	return result;
}

static void before_end(const struct raw *raw)
{
	int error = errno;

	if (!hook_lifecycle || at_thread_hands_off())
		return;
	if (raw->nr == SYS_exit_group)
		hook_lifecycle->before_exit((int)raw->arg[0]);
	else
		hook_lifecycle->before_exec();
	errno = error;
}

/* What libc's setuid() tells all threads, these tell only their own. */
static long raw_sandbox(const struct raw *raw)
{
	bool begun, filter = false;
	long result;

	if (raw->nr == SYS_prctl)
		begun = hook_prctl_begins((int)raw->arg[0],
					  (unsigned long)raw->arg[1],
					  (unsigned long)raw->arg[2], &filter);
	else if ((filter = raw->nr == SYS_seccomp))
		begun = hook_seccomp_begins(raw->arg[0],
					    (const void *)raw->arg[2]);
	else
		begun = hook_sandbox_begins();
	result = call(raw);
	if (begun && result == 0 && raw->nr == SYS_unshare)
		at_process_moved((unsigned long)raw->arg[0]);
	if (begun && result == 0 && raw->nr == SYS_setns)
		at_process_moved((unsigned long)raw->arg[1]);
	if (begun)
		hook_sandbox_ends(filter && result >= 0);
	return result;
}

/* From twice.S, for every number that it does not pass on itself. */
long hook_syscall_dispatch(long nr, long a, long b, long c, long d, long e,
			   long f);
long hook_syscall_dispatch(long nr, long a, long b, long c, long d, long e,
			   long f)
{
	struct raw raw = { nr, { a, b, c, d, e, f } };

	switch (nr) {
	case SYS_write:
	case SYS_writev:
	case SYS_sendto:
	case SYS_sendmsg:
		return raw_send(&raw);
	case SYS_read:
	case SYS_readv:
	case SYS_recvfrom:
	case SYS_recvmsg:
		return raw_receive(&raw);
	case SYS_close:
	case SYS_close_range:
	case SYS_connect:
	case SYS_getsockopt:
	case SYS_socket:
	case SYS_accept:
	case SYS_accept4:
	case SYS_dup:
	case SYS_dup2:
	case SYS_dup3:
	case SYS_fcntl:
		return raw_life(&raw);
	case SYS_sendfile:
	case SYS_splice:
		return raw_moved(&raw);
	case SYS_prctl:
	case SYS_seccomp:
	case SYS_unshare:
	case SYS_setns:
	case SYS_capset:
	case SYS_landlock_restrict_self:
	case SYS_setuid:
	case SYS_setgid:
	case SYS_setreuid:
	case SYS_setregid:
	case SYS_setresuid:
	case SYS_setresgid:
	case SYS_setgroups:
		return raw_sandbox(&raw);
	case SYS_exit_group:
	case SYS_execve:
	case SYS_execveat:
		before_end(&raw);
		break;
	}
	return call(&raw);
}
