// SPDX-License-Identifier: Apache-2.0
/*
 * poll family: who waits for others while a request is open does not tell by
 * its thread whose doing its calls are. One load where none is.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "hooks/hook.h"

/* Beyond that nobody looks: it is a loop. */
#define LOOK_MAX 16

/* Once the kernel has read the array: a bad address is its to tell. */
static int polled(const struct pollfd *fds, nfds_t count, int result)
{
	nfds_t i;

	if (result < 0 || !at_turn_is_on())
		return result;
	if (count > LOOK_MAX) {
		at_turn_waits_for_many();
		return result;
	}
	for (i = 0; i < count; i++)
		at_turn_waits_for(fds[i].fd);
	return result;
}

int hook_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	return polled(fds, count, HOOK_NEXT(poll)(fds, count, timeout_ms));
}
HOOK_EXPORT(poll)

int hook___poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms,
		    size_t size)
{
	return polled(fds, count,
		      HOOK_NEXT(__poll_chk)(fds, count, timeout_ms, size));
}
HOOK_EXPORT(__poll_chk)

int hook_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
	       const sigset_t *mask)
{
	return polled(fds, count, HOOK_NEXT(ppoll)(fds, count, timeout, mask));
}
HOOK_EXPORT(ppoll)

int hook___ppoll_chk(struct pollfd *fds, nfds_t count,
		     const struct timespec *timeout, const sigset_t *mask,
		     size_t size)
{
	return polled(fds, count,
		      HOOK_NEXT(__ppoll_chk)(fds, count, timeout, mask, size));
}
HOOK_EXPORT(__ppoll_chk)

/*
 * The kernel takes out of a set what is not ready, so it is looked at before.
 * NULL, NULL and an offset, a negative number: those are the kernel's to tell.
 */
static void look_into(const fd_set *set, int limit)
{
	int fd;

	if ((intptr_t)set < 4096)
		return;
	for (fd = 0; fd < limit && fd < FD_SETSIZE; fd++)
		if (FD_ISSET(fd, set))
			at_turn_waits_for(fd);
}

static void selects(int limit, const fd_set *reads, const fd_set *writes)
{
	if (!at_turn_is_on())
		return;
	look_into(reads, limit);
	look_into(writes, limit);
}

int hook_select(int limit, fd_set *reads, fd_set *writes, fd_set *others,
		struct timeval *timeout)
{
	selects(limit, reads, writes);
	return HOOK_NEXT(select)(limit, reads, writes, others, timeout);
}
HOOK_EXPORT(select)

int hook_pselect(int limit, fd_set *reads, fd_set *writes, fd_set *others,
		 const struct timespec *timeout, const sigset_t *mask)
{
	selects(limit, reads, writes);
	return HOOK_NEXT(pselect)(limit, reads, writes, others, timeout, mask);
}
HOOK_EXPORT(pselect)

/* It has whatever somebody has put into it: a loop's. */
static void waits_for_epoll(void)
{
	if (at_turn_is_on())
		at_turn_waits_for_many();
}

int hook_epoll_wait(int epoll, struct epoll_event *events, int max,
		    int timeout_ms)
{
	waits_for_epoll();
	return HOOK_NEXT(epoll_wait)(epoll, events, max, timeout_ms);
}
HOOK_EXPORT(epoll_wait)

int hook_epoll_pwait(int epoll, struct epoll_event *events, int max,
		     int timeout_ms, const sigset_t *mask)
{
	waits_for_epoll();
	return HOOK_NEXT(epoll_pwait)(epoll, events, max, timeout_ms, mask);
}
HOOK_EXPORT(epoll_pwait)

int hook_epoll_pwait2(int epoll, struct epoll_event *events, int max,
		      const struct timespec *timeout, const sigset_t *mask)
{
	__typeof__(epoll_pwait2) *next = HOOK_NEXT(epoll_pwait2);

	waits_for_epoll();
	if (next)
		return next(epoll, events, max, timeout, mask);
	errno = ENOSYS;
	return -1;
}
HOOK_EXPORT(epoll_pwait2)
