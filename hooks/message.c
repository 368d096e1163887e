// SPDX-License-Identifier: Apache-2.0
/* message family: send and receive on sockets, with flags and addresses. */
#include <string.h>

#include "hooks/hook.h"

ssize_t hook_call_sendmsg(int fd, const struct msghdr *message, int flags)
{
	return REAL(sendmsg)(fd, message, flags);
}

static ssize_t call_send(const struct at_send *send)
{
	return REAL(send)(send->fd, send->iov->iov_base, send->iov->iov_len,
			  send->flags);
}

ssize_t hook_send(int fd, const void *buf, size_t len, int flags)
{
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	struct at_send send = { .fd = fd,
				.flags = flags,
				.iov = &iov,
				.iov_count = 1,
				.original = call_send,
				.sendmsg = hook_call_sendmsg };

	if (at_fd_ignored(fd))
		return REAL(send)(fd, buf, len, flags);
	return at_send(&send);
}
HOOK_EXPORT(send)

ssize_t hook___send(int fd, const void *buf, size_t len, int flags)
{
	return hook_send(fd, buf, len, flags);
}
HOOK_EXPORT(__send)

static ssize_t call_sendto(const struct at_send *send)
{
	return REAL(sendto)(send->fd, send->iov->iov_base, send->iov->iov_len,
			    send->flags, send->to, send->to_len);
}

ssize_t hook_sendto(int fd, const void *buf, size_t len, int flags,
		    __CONST_SOCKADDR_ARG to, socklen_t to_len)
{
	struct iovec iov = { (void *)(uintptr_t)buf, len };
	struct at_send send = { .fd = fd,
				.flags = flags,
				.iov = &iov,
				.iov_count = 1,
				.to = to.__sockaddr__,
				.to_len = to_len,
				.original = call_sendto,
				.sendmsg = hook_call_sendmsg };

	if (at_fd_ignored(fd))
		return REAL(sendto)(fd, buf, len, flags, to, to_len);
	return at_send(&send);
}
HOOK_EXPORT(sendto)

static ssize_t original_sendmsg(const struct at_send *send)
{
	return REAL(sendmsg)(send->fd, send->message, send->flags);
}

ssize_t hook_sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct at_send send = { .fd = fd,
				.flags = flags,
				.message = message,
				.original = original_sendmsg,
				.sendmsg = hook_call_sendmsg };

	if (at_fd_ignored(fd) || !message || message->msg_iovlen > IOV_MAX)
		return REAL(sendmsg)(fd, message, flags);
	send.iov = message->msg_iov;
	send.iov_count = message->msg_iovlen;
	return at_send(&send);
}
HOOK_EXPORT(sendmsg)

static size_t message_bytes(const struct msghdr *message)
{
	size_t total = 0, i;

	for (i = 0; i < message->msg_iovlen; i++)
		total += message->msg_iov[i].iov_len;
	return total;
}

/* What is left of a sendmmsg when `sent` messages have been sent. */
static int send_rest(int fd, struct mmsghdr *messages, unsigned int count,
		     int flags, unsigned int sent)
{
	int more = REAL(sendmmsg)(fd, messages + sent, count - sent, flags);

	if (more < 0)
		return sent ? (int)sent : -1;
	return (int)sent + more;
}

/*
 * Datagrams mostly, and then one look at the first says so. On a followed
 * stream each message is sent by itself: the kernel does no more, and like it
 * we end behind one that was cut short.
 */
int hook_sendmmsg(int fd, struct mmsghdr *messages, unsigned int count,
		  int flags)
{
	unsigned int i;

	if (!HAVE_REAL(sendmmsg))
		return -1;
	if (count > UIO_MAXIOV)
		count = UIO_MAXIOV;
	for (i = 0; i < count && !at_fd_ignored(fd); i++) {
		struct msghdr *message = &messages[i].msg_hdr;
		ssize_t sent;

		if ((uintptr_t)message < 4096 || (i && !at_fd_followed(fd)))
			break;
		sent = hook_sendmsg(fd, message, flags);
		if (sent < 0)
			return i ? (int)i : -1;
		messages[i].msg_len = (unsigned int)sent;
		if ((size_t)sent < message_bytes(message))
			return (int)i + 1;
	}
	return i < count ? send_rest(fd, messages, count, flags, i) : (int)i;
}
HOOK_EXPORT(sendmmsg)

static HOOK_SLOW ssize_t followed_recv(struct at_receive *receive, void *buf,
				       size_t len, int flags)
{
	struct iovec iov = { buf, len };
	ssize_t result;
	int error;

	AT_UNWINDS;
	result = REAL(recv)(receive->fd, buf, len, flags);
	error = errno;
	result = at_receive_into(receive, &iov, result, error, flags);
	errno = error;
	return result;
}

ssize_t hook_recv(int fd, void *buf, size_t len, int flags)
{
	struct at_receive receive;

	if (at_fd_ignored(fd) || !at_receive_begin(&receive, fd))
		return REAL(recv)(fd, buf, len, flags);
	return followed_recv(&receive, buf, len, flags);
}
HOOK_EXPORT(recv)

ssize_t hook___recv_chk(int fd, void *buf, size_t len, size_t buf_len,
			int flags)
{
	if (len > buf_len && HAVE_REAL(__recv_chk))
		return REAL(__recv_chk)(fd, buf, len, buf_len, flags);
	return hook_recv(fd, buf, len, flags);
}
HOOK_EXPORT(__recv_chk)

static HOOK_SLOW ssize_t followed_recvfrom(struct at_receive *receive,
					   const struct iovec *iov, int flags,
					   __SOCKADDR_ARG from,
					   socklen_t *from_len)
{
	ssize_t result;
	int error;

	AT_UNWINDS;
	result = REAL(recvfrom)(receive->fd, iov->iov_base, iov->iov_len, flags,
				from, from_len);
	error = errno;
	result = at_receive_into(receive, iov, result, error, flags);
	errno = error;
	return result;
}

ssize_t hook_recvfrom(int fd, void *buf, size_t len, int flags,
		      __SOCKADDR_ARG from, socklen_t *from_len)
{
	struct at_receive receive;
	struct iovec iov = { buf, len };

	if (at_fd_ignored(fd) || !at_receive_begin(&receive, fd))
		return REAL(recvfrom)(fd, buf, len, flags, from, from_len);
	return followed_recvfrom(&receive, &iov, flags, from, from_len);
}
HOOK_EXPORT(recvfrom)

ssize_t hook___recvfrom_chk(int fd, void *buf, size_t len, size_t buf_len,
			    int flags, struct sockaddr *from,
			    socklen_t *from_len)
{
	if (len > buf_len && HAVE_REAL(__recvfrom_chk))
		return REAL(__recvfrom_chk)(fd, buf, len, buf_len, flags, from,
					    from_len);
	return hook_recvfrom(fd, buf, len, flags, from, from_len);
}
HOOK_EXPORT(__recvfrom_chk)

/* Descriptors that came in the message are new numbers. */
static void note_received_fds(const struct msghdr *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);

	for (; control; control = CMSG_NXTHDR(
				(struct msghdr *)(uintptr_t)message, control)) {
		size_t count, i;
		int fd;

		if (control->cmsg_level != SOL_SOCKET ||
		    control->cmsg_type != SCM_RIGHTS)
			continue;
		count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(fd);
		for (i = 0; i < count; i++) {
			memcpy(&fd, CMSG_DATA(control) + i * sizeof(fd),
			       sizeof(fd));
			at_fd_opened(fd);
		}
	}
}

static ssize_t plain_recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t result = REAL(recvmsg)(fd, message, flags);
	int error = errno;

	if (result >= 0 && message->msg_controllen)
		note_received_fds(message);
	errno = error;
	return result;
}

static HOOK_SLOW ssize_t followed_recvmsg(struct at_receive *receive,
					  struct msghdr *message, int flags)
{
	ssize_t result;
	int error;

	AT_UNWINDS;
	result = plain_recvmsg(receive->fd, message, flags);
	error = errno;
	at_receive_end(receive, message ? message->msg_iov : NULL,
		       message ? message->msg_iovlen : 0, result, error, flags);
	errno = error;
	return result;
}

ssize_t hook_recvmsg(int fd, struct msghdr *message, int flags)
{
	struct at_receive receive;

	if (at_fd_ignored(fd) || !at_receive_begin(&receive, fd))
		return plain_recvmsg(fd, message, flags);
	return followed_recvmsg(&receive, message, flags);
}
HOOK_EXPORT(recvmsg)

/* What a stream receives this way is followed message by message. */
static void report_messages(struct at_receive *receive,
			    const struct mmsghdr *messages, int count,
			    int error, int flags)
{
	int i;

	for (i = 0; i < count; i++) {
		struct at_receive one = *receive;

		if (at_receive_begin(&one, receive->fd))
			at_receive_end(&one, messages[i].msg_hdr.msg_iov,
				       messages[i].msg_hdr.msg_iovlen,
				       (ssize_t)messages[i].msg_len, error,
				       flags);
	}
}

int hook_recvmmsg(int fd, struct mmsghdr *messages, unsigned int count,
		  int flags, struct timespec *timeout)
{
	struct at_receive receive = { .fd = fd };
	int result, error, i;

	if (!HAVE_REAL(recvmmsg))
		return -1;
	result = REAL(recvmmsg)(fd, messages, count, flags, timeout);
	error = errno;
	for (i = 0; i < result; i++)
		if (messages[i].msg_hdr.msg_controllen)
			note_received_fds(&messages[i].msg_hdr);
	if (!at_fd_ignored(fd))
		report_messages(&receive, messages, result, error, flags);
	errno = error;
	return result;
}
HOOK_EXPORT(recvmmsg)
