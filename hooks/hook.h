// SPDX-License-Identifier: Apache-2.0
/*
 * How to write a hook.
 *
 * A hook is thin: the real call (or the tracer's planned one), a report, and
 * the errno that the application must see. It allocates nothing, holds no
 * lock across the real call, never ends the process, and passes straight
 * through for a descriptor that was looked at and is none of our business.
 *
 *	ssize_t hook_read(int fd, void *buf, size_t len) { ... REAL(read)(...) }
 *	HOOK_EXPORT(read)
 *
 * A wrong signature does not compile, a row of hooks.def without a body does
 * not link.
 */
#ifndef HOOKS_HOOK_H
#define HOOKS_HOOK_H

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hooks/curl.h"
#include "hooks/gnutls.h"
#include "hooks/hooks.h"
#include "hooks/openssl.h"
#include "tracer/tracer.h"

/* Exported by glibc, declared by no header. */
ssize_t __read(int fd, void *buf, size_t len);
ssize_t __read_chk(int fd, void *buf, size_t len, size_t buf_len);
ssize_t __write(int fd, const void *buf, size_t len);
ssize_t __send(int fd, const void *buf, size_t len, int flags);
ssize_t __recv_chk(int fd, void *buf, size_t len, size_t buf_len, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t len, size_t buf_len, int flags,
		       struct sockaddr *from, socklen_t *from_len);
int __dprintf_chk(int fd, int flag, const char *format, ...);
int __vdprintf_chk(int fd, int flag, const char *format, va_list args);
int __connect(int fd, const struct sockaddr *peer, socklen_t len);
int __close(int fd);
int __dup2(int from, int to);
int __fcntl(int fd, int command, ...);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t count,
		const struct timespec *timeout, const sigset_t *mask,
		size_t size);
pid_t _Fork(void);
int __sigaction(int number, const struct sigaction *action,
		struct sigaction *old);
sighandler_t bsd_signal(int number, sighandler_t handler);
sighandler_t sigset(int number, sighandler_t handler);
int capset(void *header, const void *data);

/* One slot for each interposed symbol: the next definition after ours. */
struct hook_real {
#define HOOK(family, symbol, presence) __typeof__(symbol) *symbol;
#include "hooks/hooks.def"
};

extern struct hook_real hook_real;

/*
 * The part of a hook that is not on the way of descriptors which are none of
 * our business. Those were looked at, so the real functions are known: there
 * hook_real.NAME will do, and the call becomes a jump.
 */
#define HOOK_SLOW __attribute__((noinline))

/* The real function, resolved when a constructor older than ours calls us. */
#define REAL(symbol)                                  \
	(__builtin_expect(!hook_real.symbol, 0) ?     \
		 (hook_resolve(), hook_real.symbol) : \
		 hook_real.symbol)

/*
 * For LAZY rows: the real function, found when it is first called; NULL where
 * nobody has it.
 */
#define HOOK_NEXT(symbol)                                                    \
	({                                                                   \
		static _Atomic(void *) found_;                               \
		void *next_ =                                                \
			atomic_load_explicit(&found_, memory_order_relaxed); \
		if (__builtin_expect(!next_, 0)) {                           \
			next_ = hook_find_next(#symbol);                     \
			atomic_store(&found_, next_);                        \
		}                                                            \
		(__typeof__(symbol) *)next_;                                 \
	})

/* at_send.sendmsg of every hook of libc's own functions. */
ssize_t hook_call_sendmsg(int fd, const struct msghdr *message, int flags);

/* For OPTIONAL symbols: false (and errno = ENOSYS) when libc lacks it. */
#define HAVE_REAL(symbol) (REAL(symbol) ? true : (errno = ENOSYS, false))

/*
 * sandbox.c, for syscall() as well: true asks for hook_sandbox_ends() after
 * the call.
 */
bool hook_sandbox_begins(void);
bool hook_filter_begins(bool strict, const void *filter);
bool hook_prctl_begins(int option, unsigned long arg, unsigned long arg2,
		       bool *filter);
bool hook_seccomp_begins(long operation, const void *filter);
void hook_sandbox_ends(bool filtered);

/* Programs that call sigset() need no advice of ours. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#define HOOK(family, symbol, presence) __typeof__(symbol) hook_##symbol;
#define LATE(family, symbol) __typeof__(symbol) hook_##symbol;
#define LAZY LATE
#include "hooks/hooks.def"

#ifdef AT_UNIT_TEST
#define HOOK_EXPORT(symbol)
#else
#define HOOK_EXPORT(symbol)                              \
	extern __typeof__(symbol) symbol __attribute__(( \
		alias("hook_" #symbol), visibility("default")));
#endif

#endif
