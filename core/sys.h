// SPDX-License-Identifier: Apache-2.0
/*
 * Raw system calls: the only place that knows the CPU.
 *
 * The library must never call what it interposes, so whatever it needs of the
 * kernel goes through here. Every function returns the kernel's answer: a
 * value or a negative errno; errno itself is never touched. All are
 * thread-safe and async-signal-safe.
 */
#ifndef AT_CORE_SYS_H
#define AT_CORE_SYS_H

#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#if defined(__x86_64__)
static inline long sys_call6(long nr, long a, long b, long c, long d, long e,
			     long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
static inline long sys_call6(long nr, long a, long b, long c, long d, long e,
			     long f)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#else
#error "core/sys.h: no raw system call for this CPU yet"
#endif

/* Inside a short spin. */
static inline void sys_relax(void)
{
#if defined(__x86_64__)
	__asm__ volatile("pause");
#else
	__asm__ volatile("yield");
#endif
}

#define sys_call0(nr) sys_call6(nr, 0, 0, 0, 0, 0, 0)
#define sys_call1(nr, a) sys_call6(nr, (long)(a), 0, 0, 0, 0, 0)
#define sys_call2(nr, a, b) sys_call6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys_call3(nr, a, b, c) \
	sys_call6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys_call4(nr, a, b, c, d) \
	sys_call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define sys_call5(nr, a, b, c, d, e) \
	sys_call6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

static inline int sys_getpid(void)
{
	return (int)sys_call0(SYS_getpid);
}

static inline int sys_getppid(void)
{
	return (int)sys_call0(SYS_getppid);
}

static inline int sys_gettid(void)
{
	return (int)sys_call0(SYS_gettid);
}

static inline int sys_close(int fd)
{
	return (int)sys_call1(SYS_close, fd);
}

static inline long sys_read(int fd, void *bytes, size_t len)
{
	return sys_call3(SYS_read, fd, bytes, len);
}

static inline long sys_write(int fd, const void *bytes, size_t len)
{
	return sys_call3(SYS_write, fd, bytes, len);
}

static inline int sys_open(const char *path, int flags, int mode)
{
	return (int)sys_call4(SYS_openat, -100 /* AT_FDCWD */, path, flags,
			      mode);
}

static inline long sys_readlink(const char *path, char *bytes, size_t len)
{
	return sys_call4(SYS_readlinkat, -100, path, bytes, len);
}

static inline int sys_fstat(int fd, struct stat *status)
{
	return (int)sys_call2(SYS_fstat, fd, status);
}

static inline int sys_stat(const char *path, struct stat *status)
{
	return (int)sys_call4(SYS_newfstatat, -100, path, status, 0);
}

/* Of the link itself. */
static inline int sys_lstat(const char *path, struct stat *status)
{
	return (int)sys_call4(SYS_newfstatat, -100, path, status,
			      0x100 /* AT_SYMLINK_NOFOLLOW */);
}

static inline int sys_symlink(const char *target, const char *path)
{
	return (int)sys_call3(SYS_symlinkat, target, -100, path);
}

static inline int sys_unlink(const char *path)
{
	return (int)sys_call3(SYS_unlinkat, -100, path, 0);
}

static inline unsigned int sys_geteuid(void)
{
	return (unsigned int)sys_call0(SYS_geteuid);
}

static inline int sys_getrusage(int who, struct rusage *usage)
{
	return (int)sys_call2(SYS_getrusage, who, usage);
}

static inline int sys_clock_gettime(int clock, struct timespec *time)
{
	return (int)sys_call2(SYS_clock_gettime, clock, time);
}

static inline int sys_getsockopt(int fd, int level, int name, void *value,
				 socklen_t *len)
{
	return (int)sys_call5(SYS_getsockopt, fd, level, name, value, len);
}

static inline int sys_getpeername(int fd, struct sockaddr *peer, socklen_t *len)
{
	return (int)sys_call3(SYS_getpeername, fd, peer, len);
}

/* Length with the NUL, or negative errno. */
static inline long sys_getcwd(char *bytes, size_t len)
{
	return sys_call2(SYS_getcwd, bytes, len);
}

static inline int sys_fcntl(int fd, int command, long arg)
{
	return (int)sys_call3(SYS_fcntl, fd, command, arg);
}

/* NULL on any failure. */
static inline void *sys_map(size_t len)
{
	long result = sys_call6(SYS_mmap, 0, (long)len, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return result < 0 && result > -4096 ? NULL : (void *)result;
}

/* Shared mapping of a descriptor; NULL on any failure. */
static inline void *sys_map_fd(int fd, size_t len)
{
	long result = sys_call6(SYS_mmap, 0, (long)len, PROT_READ | PROT_WRITE,
				MAP_SHARED, fd, 0);

	return result < 0 && result > -4096 ? NULL : (void *)result;
}

static inline int sys_unmap(void *at, size_t len)
{
	return (int)sys_call2(SYS_munmap, at, len);
}

static inline int sys_madvise(void *at, size_t len, int advice)
{
	return (int)sys_call3(SYS_madvise, at, len, advice);
}

static inline long sys_getrandom(void *bytes, size_t len)
{
	return sys_call3(SYS_getrandom, bytes, len, 1 /* GRND_NONBLOCK */);
}

/* Not private: the same words are used in memory shared between processes. */
static inline int sys_futex_wait(_Atomic uint32_t *word, uint32_t expected,
				 uint64_t timeout_ns)
{
	struct timespec timeout = {
		.tv_sec = (time_t)(timeout_ns / 1000000000u),
		.tv_nsec = (long)(timeout_ns % 1000000000u),
	};

	return (int)sys_call4(SYS_futex, word, FUTEX_WAIT, expected,
			      timeout_ns == UINT64_MAX ? NULL : &timeout);
}

static inline int sys_futex_wake(_Atomic uint32_t *word, int count)
{
	return (int)sys_call3(SYS_futex, word, FUTEX_WAKE, count);
}

/* What is set; nothing is changed. */
static inline int sys_sigaltstack(stack_t *stack)
{
	return (int)sys_call2(SYS_sigaltstack, NULL, stack);
}

static inline int sys_prctl(int option, unsigned long a, unsigned long b,
			    unsigned long c, unsigned long d)
{
	return (int)sys_call5(SYS_prctl, option, a, b, c, d);
}

#endif
