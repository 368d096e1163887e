// SPDX-License-Identifier: Apache-2.0
/*
 * Connections that never came about: what hooks report of connect,
 * getaddrinfo and SO_ERROR, and the spans that come of it.
 *
 * A close before the answer means that the client gave up on purpose (it lost
 * a race, or somebody's patience ended): no failure by itself.
 */
#include "tracer/failure.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "core/clock.h"
#include "core/counters.h"
#include "core/sys.h"
#include "tracer/attempt.h"
#include "tracer/conn.h"
#include "tracer/context.h"
#include "tracer/fork.h"
#include "tracer/output.h"
#include "tracer/repeat.h"
#include "tracer/request.h"
#include "tracer/sdk.h"
#include "tracer/tracer.h"

_Atomic bool failure_watching;
static _Atomic bool pending_some;  /* a connect waits for its answer */
static _Atomic bool attempts_held; /* some attempt is half failed */
static _Atomic bool timed;         /* something falls due one day */
static _Atomic bool used;          /* there may be something in the tables */

static __thread uint64_t begun_ns; /* of this thread's connect or look-up */

/* --- the tables' lock --- */

static _Atomic uint32_t locked;
static _Atomic uint32_t lost; /* a holder that was waited for in vain */

/*
 * Held for some hundred instructions, unless its holder was descheduled: then
 * it is waited for (30 ms at most). What is not taken from the tables at a
 * close would be the next socket's of that number. Nobody waits for the thread
 * that a signal handler runs on, nor twice for one that left by a jump.
 */
static bool lock_tables(void)
{
	uint32_t holder = atomic_load(&locked);

	if (holder && holder == atomic_load(&lost))
		return false;
	if (conn_enter(&locked))
		return true;
	atomic_store(&lost, atomic_load(&locked));
	return false;
}

static bool lock_or_count(void)
{
	if (lock_tables())
		return true;
	at_count(AT_COUNT_FAILURES_SKIPPED, 1);
	return false;
}

static bool is_set(_Atomic bool *flag)
{
	return atomic_load_explicit(flag, memory_order_relaxed);
}

static void set(_Atomic bool *flag, bool value)
{
	if (is_set(flag) != value)
		atomic_store_explicit(flag, value, memory_order_relaxed);
}

static void unlock_unchanged(void)
{
	if (atomic_load(&lost))
		atomic_store(&lost, 0);
	conn_leave(&locked);
}

static void unlock_tables(void)
{
	bool pending = attempt_pending_bits != 0;
	bool held = attempt_held_count > 0;
	bool later = held || repeat_open_count > 0;

	set(&pending_some, pending);
	set(&attempts_held, held);
	set(&timed, later);
	set(&failure_watching, pending || later);
	fork_watch();
	set(&used, true);
	unlock_unchanged();
}

/* Unique among the threads that live. */
static const void *this_thread(void)
{
	return &begun_ns;
}

/* --- the span --- */

static void fill(struct at_span *span, const struct failure *failure)
{
	struct address peer;

	at_span_set_name(span, AT_TEXT("connect"));
	at_span_set_text(span, AT_ATTR_SERVER_ADDRESS,
			 (struct at_text){ failure->host, failure->host_len });
	if (failure->port)
		at_span_set_int(span, AT_ATTR_SERVER_PORT, failure->port);
	if (failure->has_peer) {
		endpoint_text(&failure->peer, &peer);
		at_span_set_text(span, AT_ATTR_NETWORK_PEER_ADDRESS,
				 (struct at_text){ peer.text, peer.len });
		at_span_set_int(span, AT_ATTR_NETWORK_PEER_PORT,
				failure->peer.port);
	}
	if (failure->repeated)
		at_span_set_int(span, AT_ATTR_AUTOTRACE_REPEATED,
				failure->count);
	at_span_set_error(span, at_text_from(failure->type));
}

/* Never under the lock: it may map a ring or start a thread. */
static void report(const struct failure *failure)
{
	struct at_context context;
	struct request *room; /* for the span: stacks may be small */
	enum context_rule rule;
	const struct at_context *parent = context_parent(&rule);
	int error = errno;

	if (sdk_is_here())
		return;
	request_identity(&context, parent);
	if (!(context.flags & AT_FLAG_SAMPLED))
		return;
	room = request_new();
	if (!room)
		return;
	request_open_span(&room->span, &context, parent, rule,
			  failure->start_ns);
	room->span.duration_ns = failure->end_ns - failure->start_ns;
	fill(&room->span, failure);
	output_span(&room->span);
	request_free(room);
	errno = error;
}

static bool take_due(uint64_t now_ns, struct failure *out)
{
	bool found;

	if (!lock_tables())
		return false;
	do {
		found = attempt_due(now_ns, out);
	} while (found && !repeat_first(out));
	if (!found)
		found = repeat_due(now_ns, out);
	unlock_tables();
	return found;
}

static void report_due(uint64_t now_ns)
{
	struct failure failure;

	while (is_set(&timed) && take_due(now_ns, &failure))
		report(&failure);
}

/* --- connect --- */

void at_connect_begins(void)
{
	if (!at_tracer_active() || at_thread_hands_off())
		return;
	at_notice_fork();
	begun_ns = at_clock_now_ns();
}

/*
 * 0, or -EINVAL for what is no address of TCP. The kernel has read the bytes
 * already, or refused for a reason that readable() knows.
 */
static int endpoint_from(struct endpoint *endpoint, const struct sockaddr *from,
			 socklen_t len)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (from->sa_family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, from, sizeof(in));
		memcpy(endpoint->ip, mapped, sizeof(mapped));
		memcpy(endpoint->ip + 12, &in.sin_addr, 4);
		endpoint->port = ntohs(in.sin_port);
		return 0;
	}
	if (from->sa_family == AF_INET6 && len >= 24 /* scope is optional */) {
		memcpy(&in6, from, 24);
		memcpy(endpoint->ip, &in6.sin6_addr, 16);
		endpoint->port = ntohs(in6.sin6_port);
		return 0;
	}
	return -EINVAL;
}

/* Errors that come before the kernel looks at the address. */
static bool readable(const struct sockaddr *peer, socklen_t len, int error)
{
	return peer && error != EBADF && error != ENOTSOCK && error != EFAULT &&
	       len >= sizeof(struct sockaddr_in) &&
	       len <= sizeof(struct sockaddr_storage);
}

static bool is_stream(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return sys_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM;
}

/* Interrupted means that it goes on without us. */
static bool goes_on(int error)
{
	return error == EINPROGRESS || error == EINTR;
}

/* No answer yet. */
static bool says_nothing(int error)
{
	return goes_on(error) || error == EALREADY || error == EAGAIN ||
	       error == ENOTCONN;
}

/* `error` is what is known of it now. */
static bool take_pending(int fd, int error, struct pending *pending)
{
	bool found;

	if (!is_set(&pending_some))
		return false;
	if (!(error && !goes_on(error) ? lock_or_count() : lock_tables()))
		return false;
	found = attempt_take_pending((unsigned int)fd, (unsigned int)fd,
				     pending);
	unlock_tables();
	return found;
}

static void wait_for_answer(int fd, const struct endpoint *to)
{
	struct pending pending = { fd, *to, begun_ns };

	if (!lock_or_count())
		return;
	attempt_pending(&pending);
	unlock_tables();
}

/* UDP connects too; only where it matters the kernel is asked. */
static void succeeded(int fd, const struct endpoint *to)
{
	if (!is_set(&pending_some) && !is_set(&attempts_held))
		return;
	if (is_set(&attempts_held) && !is_stream(fd))
		return;
	if (!lock_tables())
		return;
	attempt_succeeded(to);
	unlock_tables();
}

/* Our own kernel knew that there is no way: a family that is not set up. */
static bool is_no_way(int error)
{
	return error == ENETUNREACH || error == EADDRNOTAVAIL ||
	       error == EAFNOSUPPORT;
}

/* `error` 0: given up. */
static void failed(const struct endpoint *to, int error, uint64_t start_ns)
{
	struct tried tried = {
		.to = *to,
		.type = error ? request_error_name(error) : NULL,
		.no_way = is_no_way(error),
		.start_ns = start_ns,
		.end_ns = at_clock_now_ns(),
		.thread = this_thread(),
	};
	struct failure failure;
	bool now;

	report_due(tried.end_ns);
	if (!lock_or_count())
		return;
	now = attempt_failed(&tried, &failure) && repeat_first(&failure);
	unlock_tables();
	if (now)
		report(&failure);
}

/* A connect that waited has its answer, by whatever call. */
static void answered(int fd, const struct pending *pending, int error)
{
	if (!error || error == EISCONN)
		succeeded(fd, &pending->to);
	else
		failed(&pending->to, error, pending->start_ns);
}

void at_fd_connected(int fd, const struct sockaddr *peer, socklen_t peer_len,
		     int error)
{
	struct endpoint to;
	struct pending pending;
	bool waited;

	if (fd < 0 || error == EALREADY || !at_tracer_active() ||
	    at_thread_hands_off())
		return;
	waited = take_pending(fd, error, &pending);
	if (!waited && (!error || goes_on(error)))
		at_fd_opened(fd);
	if (!error && !is_set(&failure_watching))
		return;
	report_due(begun_ns);
	if (!readable(peer, peer_len, error) ||
	    endpoint_from(&to, peer, peer_len))
		return;
	if (goes_on(error))
		wait_for_answer(fd, &to);
	else if (waited)
		answered(fd, &pending, error);
	else if (!error)
		succeeded(fd, &to);
	else if (error != EISCONN && is_stream(fd))
		failed(&to, error, begun_ns);
}

void at_fd_socket_error(int fd, int error)
{
	struct pending pending;

	if (fd < 0 || !is_set(&pending_some) || says_nothing(error) ||
	    at_thread_hands_off() || !take_pending(fd, error, &pending))
		return;
	answered(fd, &pending, error);
}

/* --- names --- */

void at_resolved(const char *host, const struct addrinfo *list)
{
	/* Each address comes once for every type of socket. */
	struct endpoint found[3 * ATTEMPT_ADDRESSES];
	unsigned int count = 0;

	if (!at_tracer_active() || at_thread_hands_off())
		return;
	for (; list && count < 3 * ATTEMPT_ADDRESSES; list = list->ai_next)
		if (list->ai_addr &&
		    !endpoint_from(&found[count], list->ai_addr,
				   list->ai_addrlen))
			count++;
	if (!count || !lock_tables())
		return;
	attempt_resolved(at_text_from(host), found, count, this_thread());
	set(&used, true);
	unlock_unchanged(); /* a flag too many does no harm */
}

/* Was it a question about a name at all, and was it asked properly? */
static bool is_about_a_name(const struct addrinfo *hints, int code)
{
	if (code == EAI_BADFLAGS || code == EAI_FAMILY || code == EAI_SOCKTYPE)
		return false;
	return !hints || !(hints->ai_flags & AI_NUMERICHOST);
}

static uint16_t port_of(const char *service)
{
	uint64_t port;

	if (!service || at_text_to_u64(at_text_from(service), &port) ||
	    port > UINT16_MAX)
		return 0;
	return (uint16_t)port;
}

void at_resolve_failed(const char *host, const char *service,
		       const struct addrinfo *hints, int code)
{
	struct failure failure = { .type = "name_resolution_error" }, out;
	struct at_text name = at_text_from(host);
	bool now;

	if (!at_tracer_active() || at_thread_hands_off() ||
	    !is_about_a_name(hints, code))
		return;
	failure.start_ns = begun_ns;
	failure.end_ns = at_clock_now_ns();
	failure.port = port_of(service);
	failure.host_len = (uint8_t)(name.len < ATTEMPT_HOST_BYTES ?
					     name.len :
					     ATTEMPT_HOST_BYTES);
	memcpy(failure.host, name.ptr, failure.host_len);
	report_due(failure.end_ns);
	if (!lock_or_count())
		return;
	now = attempt_name_failed(&failure, hints ? hints->ai_family : 0,
				  &out) &&
	      repeat_first(&out);
	unlock_tables();
	if (now)
		report(&out);
}

/* --- closing, and the end --- */

/*
 * Some clients never ask: they write when they may, or read to see what
 * happens. What does the kernel know? 0 when the connection came about,
 * EINPROGRESS while it has not, else why not.
 */
static int outcome(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int error = 0;

	if (at_fd_followed(fd))
		return 0;
	if (sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ||
	    info.tcpi_state == TCP_SYN_SENT)
		return EINPROGRESS;
	if (info.tcpi_state != TCP_CLOSE || info.tcpi_rtt)
		return 0;
	len = sizeof(error);
	sys_getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error ? error : EIO; /* somebody has heard it already */
}

static void closed(const struct pending *pending)
{
	int error = outcome(pending->fd);

	if (error == EINPROGRESS)
		failed(&pending->to, 0, pending->start_ns);
	else
		answered(pending->fd, pending, error);
}

void failure_closed(unsigned int first, unsigned int last)
{
	struct pending pending;
	bool found;

	at_notice_fork();
	found = is_set(&pending_some);
	while (found && lock_tables()) {
		found = attempt_take_pending(first, last, &pending);
		unlock_tables();
		if (found)
			closed(&pending);
	}
	if (is_set(&timed))
		report_due(at_clock_now_ns());
}

void failure_flush(void)
{
	if (at_thread_hands_off() || !at_tracer_active())
		return;
	failure_closed(0, UINT32_MAX);
	report_due(UINT64_MAX);
}

/* Only what was touched: a shell's many children must not pay for nothing. */
void failure_after_fork_child(void)
{
	if (!atomic_load(&locked) && !is_set(&used))
		return;
	attempt_forget_all();
	repeat_forget_all();
	unlock_tables();
	set(&used, false);
}
