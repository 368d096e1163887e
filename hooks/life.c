// SPDX-License-Identifier: Apache-2.0
/* life family: where a descriptor's meaning begins, is copied, and ends. */
#include "hooks/hook.h"

int hook_socket(int domain, int type, int protocol)
{
	int fd = REAL(socket)(domain, type, protocol);

	at_fd_opened(fd);
	return fd;
}
HOOK_EXPORT(socket)

int hook_socketpair(int domain, int type, int protocol, int pair[2])
{
	int result = REAL(socketpair)(domain, type, protocol, pair);

	if (result == 0) {
		at_fd_opened(pair[0]);
		at_fd_opened(pair[1]);
	}
	return result;
}
HOOK_EXPORT(socketpair)

/* In progress is no answer yet; SO_ERROR, another call or the close will tell. */
int hook_connect(int fd, __CONST_SOCKADDR_ARG peer, socklen_t len)
{
	int result, error;

	at_connect_begins();
	result = REAL(connect)(fd, peer, len);
	error = errno;
	at_fd_connected(fd, peer.__sockaddr__, len, result ? error : 0);
	errno = error;
	return result;
}
HOOK_EXPORT(connect)

int hook___connect(int fd, const struct sockaddr *peer, socklen_t len)
{
	return hook_connect(fd, (__CONST_SOCKADDR_ARG){ peer }, len);
}
HOOK_EXPORT(__connect)

int hook_getsockopt(int fd, int level, int name, void *restrict value,
		    socklen_t *restrict len)
{
	int result = REAL(getsockopt)(fd, level, name, value, len);

	if (result == 0 && level == SOL_SOCKET && name == SO_ERROR &&
	    *len >= sizeof(int))
		at_fd_socket_error(fd, *(int *)value);
	return result;
}
HOOK_EXPORT(getsockopt)

static int accepted_from(int fd, int accepted)
{
	if (accepted >= 0)
		at_fd_accepts(fd);
	at_fd_opened(accepted);
	return accepted;
}

int hook_accept(int fd, __SOCKADDR_ARG peer, socklen_t *len)
{
	return accepted_from(fd, REAL(accept)(fd, peer, len));
}
HOOK_EXPORT(accept)

int hook_accept4(int fd, __SOCKADDR_ARG peer, socklen_t *len, int flags)
{
	if (!HAVE_REAL(accept4))
		return -1;
	return accepted_from(fd, REAL(accept4)(fd, peer, len, flags));
}
HOOK_EXPORT(accept4)

/* Reported before the real close, while the number still means this socket. */
int hook_close(int fd)
{
	at_fd_closing(fd);
	return REAL(close)(fd);
}
HOOK_EXPORT(close)

int hook___close(int fd)
{
	return hook_close(fd);
}
HOOK_EXPORT(__close)

#define CLOSE_RANGE_CLOEXEC_ 4 /* closes nothing now */

int hook_close_range(unsigned int first, unsigned int last, int flags)
{
	if (!HAVE_REAL(close_range))
		return -1;
	if (!(flags & CLOSE_RANGE_CLOEXEC_) && first <= last)
		at_fd_range_closing(first, last);
	return REAL(close_range)(first, last, flags);
}
HOOK_EXPORT(close_range)

void hook_closefrom(int first)
{
	at_fd_range_closing(first < 0 ? 0 : (unsigned int)first, ~0u);
	if (REAL(closefrom))
		REAL(closefrom)(first);
}
HOOK_EXPORT(closefrom)

int hook_dup(int from)
{
	int to = REAL(dup)(from);

	at_fd_duplicated(from, to);
	return to;
}
HOOK_EXPORT(dup)

int hook_dup2(int from, int to)
{
	int result = REAL(dup2)(from, to);

	at_fd_duplicated(from, result);
	return result;
}
HOOK_EXPORT(dup2)

int hook___dup2(int from, int to)
{
	return hook_dup2(from, to);
}
HOOK_EXPORT(__dup2)

int hook_dup3(int from, int to, int flags)
{
	int result;

	if (!HAVE_REAL(dup3))
		return -1;
	result = REAL(dup3)(from, to, flags);
	at_fd_duplicated(from, result);
	return result;
}
HOOK_EXPORT(dup3)

static int call_fcntl(__typeof__(fcntl) *real, int fd, int command, void *arg)
{
	int result = real(fd, command, arg);

	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
		at_fd_duplicated(fd, result);
	return result;
}

/* The argument is a pointer or an int; passed on as the wider of the two. */
#define HOOK_FCNTL(symbol, real)                             \
	int hook_##symbol(int fd, int command, ...)          \
	{                                                    \
		va_list args;                                \
		void *arg;                                   \
		va_start(args, command);                     \
		arg = va_arg(args, void *);                  \
		va_end(args);                                \
		return call_fcntl((real), fd, command, arg); \
	}                                                    \
	HOOK_EXPORT(symbol)

HOOK_FCNTL(fcntl, REAL(fcntl))
HOOK_FCNTL(fcntl64, REAL(fcntl64) ? hook_real.fcntl64 : REAL(fcntl))
HOOK_FCNTL(__fcntl, REAL(fcntl))
