// SPDX-License-Identifier: Apache-2.0
/*
 * Tracer: observations in, spans out. Door of the folder.
 *
 * Hooks describe what the application did on a descriptor; the tracer follows
 * the connection, adds our header to what is sent, and hands ended spans over.
 * Nothing here takes a lock across an application's call, allocates from its
 * heap, or calls a function that the library interposes.
 */
#ifndef AT_TRACER_H
#define AT_TRACER_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "core/config.h"
#include "core/image.h"
#include "core/ring.h"

/* --- is this descriptor any of our business? --- */

#define AT_FD_PAGE_BITS 9
#define AT_FD_PAGE_SLOTS (1 << AT_FD_PAGE_BITS)
#define AT_FD_PAGES 128
#define AT_FD_MAX (AT_FD_PAGES * AT_FD_PAGE_SLOTS) /* 65,536 */

/*
 * Slot values, by their low 32 bits. The high ones tell one connection from
 * another, and one set of twins.
 */
#define AT_FD_UNKNOWN 0u /* nobody looked yet */
#define AT_FD_IGNORED 1u /* looked, not HTTP */
#define AT_FD_TWIN 2u    /* nobody looked yet; another number means the same */
#define AT_FD_LISTENS 3u /* connections come from it */
#define AT_FD_CONN 4u    /* from here on: a connection */

static inline bool at_fd_is_conn(uint64_t slot)
{
	return (uint32_t)slot >= AT_FD_CONN;
}

struct at_fd_page {
	_Atomic uint64_t slot[AT_FD_PAGE_SLOTS];
};

extern _Atomic(struct at_fd_page *) at_fd_pages[AT_FD_PAGES];

/* Looked at and not traced: one load and one branch after the bounds. */
static inline bool at_fd_ignored(int fd)
{
	struct at_fd_page *page;

	if ((unsigned int)fd >= AT_FD_MAX)
		return false;
	page = atomic_load_explicit(&at_fd_pages[fd >> AT_FD_PAGE_BITS],
				    memory_order_relaxed);
	return page &&
	       atomic_load_explicit(&page->slot[fd & (AT_FD_PAGE_SLOTS - 1)],
				    memory_order_relaxed) == AT_FD_IGNORED;
}

/* A connection has come from `fd`, or might have. */
void at_fd_accepts(int fd);

/* Does the number mean a connection that is being followed? */
bool at_fd_followed(int fd);

/* --- bytes --- */

typedef ssize_t at_sendmsg(int fd, const struct msghdr *message, int flags);

/*
 * In the body of a function that makes the application's call on a followed
 * descriptor: the thread may leave it without coming back (see hold.h).
 */
#define AT_UNWINDS __asm__ volatile(".cfi_personality 0x1b, at_unwinding")

/* In the frame of that function. */
struct at_hold {
	uint64_t mark;
};

/* A write-like call as the application made it. */
struct at_send {
	int fd;
	int flags; /* MSG_*; 0 for write and writev */
	const struct iovec *iov;
	size_t iov_count;
	const struct msghdr *message; /* sendmsg's own, else NULL */
	const struct sockaddr *to;    /* sendto's, else NULL */
	socklen_t to_len;
	/* Makes exactly the application's call; sets errno. */
	ssize_t (*original)(const struct at_send *send);
	/* libc's sendmsg, or the system call for syscall(); sets errno. */
	at_sendmsg *sendmsg;
	const void *detail; /* for `original` */
};

/* Do it: result and errno are those the application must see. */
ssize_t at_send(const struct at_send *send);

/*
 * A read-like call. The result and errno are never changed, so the hook makes
 * the call itself, between begin and end.
 */
struct at_receive {
	int fd;
	uint64_t slot;
	struct conn *conn;
	struct at_hold hold;
};

/*
 * False: not ours, just make the call. Costs a load or two then. True: the
 * caller's next is a function with AT_UNWINDS that makes the call and
 * reports it; `receive` is on its way back.
 */
bool at_receive_begin(struct at_receive *receive, int fd);
/*
 * After the call: `result` and the errno it set; what was read lies in iov.
 * `flags` are MSG_* given to the call.
 */
void at_receive_end(struct at_receive *receive, const struct iovec *iov,
		    size_t iov_count, ssize_t result, int error, int flags);
/*
 * The same for a call with one buffer, where a header may be added to what was
 * read. The result that the application is to hear.
 */
ssize_t at_receive_into(struct at_receive *receive, const struct iovec *iov,
			ssize_t result, int error, int flags);

/*
 * Bytes are about to leave through a door without a view (sendfile, splice):
 * what we owe goes out first. False, with errno: not now.
 */
bool at_moving_out(int fd, at_sendmsg *sendmsg);
/* They have left, or came. */
void at_moved_out(int fd, ssize_t count);
void at_moved_in(int fd, ssize_t count);

/* --- bytes inside TLS --- */

/*
 * A session of a TLS library, as its hooks describe it. What is known of its
 * connection is named by a slot value (AT_FD_*) that is kept with the
 * library's own object. One thread at a time works on a session, as the
 * libraries demand.
 */
struct at_tls {
	uint64_t slot; /* what keep() was given last; AT_FD_UNKNOWN at first */
	int fd;        /* of the transport; -1: unknown */
	/* A write may report less than it was asked for (GnuTLS). */
	bool may_be_partial;
	void *object;
	/* Store the slot with the object; false: it cannot be kept. */
	bool (*keep)(const struct at_tls *session, uint64_t slot);
	/*
	 * The library's own write: its result, and in *taken how many bytes it
	 * accepted (0: none, and the result says why).
	 */
	int (*write)(const struct at_tls *session, const void *bytes,
		     size_t len, size_t *taken);
};

/*
 * Write what the application writes, with our header in it: the library's
 * last result; *taken counts the application's own bytes.
 */
int at_tls_write(const struct at_tls *session, const void *bytes, size_t len,
		 size_t *taken);

/* The application has read this. */
void at_tls_read(const struct at_tls *session, const void *bytes, size_t len);
/* The peer has closed; `error` is an errno, or 0 for a clean end. */
void at_tls_ended(const struct at_tls *session, int error);
/* Bytes of the application's left without passing through a write. */
void at_tls_moved(const struct at_tls *session, size_t len);
/* The library's object is gone, or means another connection from now on. */
void at_tls_freed(uint64_t slot);

/* --- transfers of libcurl --- */

/* So far, summed over all requests of the transfer, as libcurl counts. */
struct at_transfer_times {
	long connects; /* connections made */
	int64_t lookup_us, connect_us, tls_us;
};

/* What libcurl says of a transfer; its own texts, NULL: unknown. */
struct at_transfer_facts {
	const char *url, *method, *peer;
	long status;           /* 0: no answer */
	long http_version;     /* 10, 11, 20, 30; 0: unknown */
	int64_t first_byte_us; /* summed, like the times */
};

/*
 * What is known of one easy handle, from its first transfer to its cleanup.
 * One thread at a time works on a handle, as libcurl demands.
 */
struct at_transfer {
	/* the hooks' own */
	void *easy;
	void *library;
	void (*function)(void); /* the application's own callback */
	void *data;
	bool armed; /* libcurl calls ours */
	void (*times)(const struct at_transfer *, struct at_transfer_times *);
	void (*facts)(const struct at_transfer *, struct at_transfer_facts *);
};

/* NULL: not known. */
struct at_transfer *at_transfer_find(const void *easy);
/* A new one, all zero but `easy`; NULL: no room (counted). */
struct at_transfer *at_transfer_make(void *easy);
/* The handle is gone. */
void at_transfer_forget(struct at_transfer *transfer);

/* Is it under way? */
bool at_transfer_active(const struct at_transfer *transfer);
/* It begins, driven by `owner`: a multi handle, or the easy handle itself. */
void at_transfer_begin(struct at_transfer *transfer, const void *owner);
/* This thread is about to send its next request to `ip`. */
void at_transfer_ready(struct at_transfer *transfer, const char *ip, int port,
		       int local_port);
/*
 * It has ended; `error`: why it failed (static), NULL: it did not. `silent`:
 * not to be told of when there was no request.
 */
void at_transfer_end(struct at_transfer *transfer, const char *error,
		     bool silent);
/* It was taken out before it had ended, or ended without being asked how. */
void at_transfer_leave(struct at_transfer *transfer);
/* All of this owner's. */
void at_transfer_leave_all(const void *owner);

/* Around a call of libcurl's that works on transfers; in the caller's frame. */
struct at_transfer_call {
	uint64_t mark;
	struct at_transfer_inside {
		const struct at_transfer_call *where; /* NULL: not inside */
		uint64_t mark;
		const void *owner;
		struct at_transfer *next; /* whose request comes, or NULL */
	} around;
};

/* `next`: all requests are this one's, for want of at_transfer_ready(). */
void at_transfer_enter(struct at_transfer_call *call, const void *owner,
		       struct at_transfer *next);
void at_transfer_exit(struct at_transfer_call *call);
/* Is this thread inside such a call? */
bool at_in_transfer(void);

/* --- a connection's life --- */

/* A number now means something new (socket, accept, socketpair, received). */
void at_fd_opened(int fd);
/* This thread is about to call connect or to look up a name. */
void at_connect_begins(void);
/* connect() has answered; error is 0 or its errno. */
void at_fd_connected(int fd, const struct sockaddr *peer, socklen_t peer_len,
		     int error);
/* getsockopt(SO_ERROR) has answered: what became of a connect that waited. */
void at_fd_socket_error(int fd, int error);
/* Before the real close: the number stops meaning what it meant. */
void at_fd_closing(int fd);
void at_fd_range_closing(unsigned int first, unsigned int last);
/* dup family: `to` now means what `from` means. */
void at_fd_duplicated(int from, int to);
struct addrinfo;
/* A name could not be resolved (EAI_* code); service and hints may be NULL. */
void at_resolve_failed(const char *host, const char *service,
		       const struct addrinfo *hints, int code);
/* A name was resolved; connects to these addresses belong to it. */
void at_resolved(const char *host, const struct addrinfo *list);

/*
 * This thread is about to wait (poll and the like): for `fd`, one of several,
 * or for what an epoll holds. Only where at_turn_is_on() says that it matters.
 */
bool at_turn_is_on(void);
void at_turn_waits_for(int fd);
void at_turn_waits_for_many(void);

/* --- the process --- */

#define AT_EXEC_PATH_BYTES 1024

/*
 * A program that this one starts. The hook says what the application asked
 * for; the rest is the tracer's. All of it is safe in a vfork child.
 */
struct at_exec {
	int dir;                 /* AT_FDCWD */
	const char *path;        /* as given */
	bool search;             /* in search_path, if it has no slash */
	bool fd_only;            /* what `dir` itself is */
	const char *search_path; /* NULL: the standard one */
	char *const *argv;
	char *const *envp;
	/* The tracer's: */
	bool has_library; /* in envp */
	bool drop_library;
	bool told;
	int error;              /* there is nothing to execute, and why */
	const char *blind_spot; /* NULL: it will speak for itself */
	struct at_image image;
	uint8_t span_id[8];
	char found[AT_EXEC_PATH_BYTES];
};

/*
 * Look at what is to be executed. How many bytes of stack at_exec_block()
 * needs; 0: the application's own block is right, or too large.
 */
size_t at_exec_room(struct at_exec *exec);
/* Our environment for it, in `size` bytes as answered; lies in `room` and in the application's. */
char *const *at_exec_block(struct at_exec *exec, void *room, size_t size);
/* This process is about to become it; exec has come back after all. */
void at_exec_begins(struct at_exec *exec);
void at_exec_failed(struct at_exec *exec);
/* Another process has become it (posix_spawn). */
void at_exec_spawned(struct at_exec *exec, pid_t pid);

/* Start once, from the constructor. Keeps `config`. */
void at_tracer_start(const struct at_config *config);
/* The path we were loaded from, and the environment that did it. */
void at_exec_start(const char *own_path, char *const *environment);
/*
 * After that: the program has a span of its own, if the settings want one.
 * Keeps `config`; argv may be NULL.
 */
void at_process_start(const struct at_config *config, char *const *argv);
/* A forked child is about to start others out of our sight (system, popen). */
void at_process_enter(void);
/* Without a hub: the program is about to be replaced by another. */
void at_process_replaced(void);
/* Are the stacks of crashes asked for, and is anybody there to read them? */
bool at_crash_is_wanted(const struct at_config *config);

/*
 * In the handler of a deadly signal: have the hub's owner read the stack of
 * this thread, whose registers are in *context; waits 2 s at most.
 */
void at_crash_report(int number, const siginfo_t *info, const void *context);

/*
 * Does anybody want to know how children end? Then this is said of each that
 * was waited for; `usage` may be NULL.
 */
bool at_process_listens(void);
void at_process_reaped(pid_t pid, int wait_status, const struct rusage *usage);
/*
 * It has left these namespaces (CLONE_NEW*): whoever it becomes, or starts, may
 * not find the way back to the hub.
 */
void at_process_moved(unsigned long namespaces);
/* It ends by itself, with this status; a forked child's end is not its. */
void at_process_ends(int status);
bool at_tracer_active(void);
/* Nothing is followed any more: every hook makes its call, and no other. */
void at_tracer_stop(void);

/* The thread is ours, for life: every hook passes straight through. */
void at_thread_is_ours(void);

/* Ring of this process, made at first use; NULL under a hub or on failure. */
struct at_ring *at_tracer_ring(void);

/*
 * Do now what needs system calls: join the hub or make the ring. Before a
 * filter goes in.
 */
void at_tracer_prepare(void);

/*
 * Called after a span went into the process's own ring while nobody reads it;
 * must not block. Set by preload/.
 */
void at_tracer_set_starter(void (*starter)(void));

/* Failures that wait to be folded go out now (before exec). */
void at_tracer_flush(void);

/* Open spans end as autotrace.incomplete (normal exit). */
void at_tracer_end_open(void);

/* In the parent, once there is a child. */
void at_tracer_after_fork_parent(void);

/* In a forked child, from the fork handler or as soon as it is noticed. */
void at_tracer_after_fork_child(void);

/*
 * What preload/ does in a forked child (which includes the call above); also
 * called when a child turns up that no fork handler has told us about.
 */
void at_tracer_set_forked(void (*handler)(void));

/* Points at 0 in such a child; NULL: nothing to be kept from one yet. */
extern _Atomic(_Atomic uint32_t *) at_fork_mark;
void at_fork_noticed(void);

/* Before anything is done with what may be the parent's: two loads. */
static inline void at_notice_fork(void)
{
	_Atomic uint32_t *mark =
		atomic_load_explicit(&at_fork_mark, memory_order_relaxed);

	if (__builtin_expect(
		    mark && !atomic_load_explicit(mark, memory_order_relaxed),
		    0))
		at_fork_noticed();
}

/*
 * A program that counts its threads when it forks must not find ours, so the
 * parent does without for a while: spans that wait are taken up by the next
 * span that ends, or by the next sign of life (a descriptor is opened or
 * closed, a child is waited for).
 */
void at_tracer_resume_later(void);
extern _Atomic bool at_resume_due;
void at_tracer_resume_now(void);

static inline void at_tracer_resume(void)
{
	if (__builtin_expect(atomic_load_explicit(&at_resume_due,
						  memory_order_relaxed),
			     0))
		at_tracer_resume_now();
}

/*
 * In a vfork child (shared memory): nothing may be changed. Set before vfork
 * returns twice, cleared by the parent's thread when it runs again; kept where
 * the child runs beside its parent (clone without CLONE_VFORK).
 */
void at_vfork_begin(bool runs_beside);

/* True when this thread must leave everything alone (ours, or vfork child). */
bool at_thread_hands_off(void);

#endif
