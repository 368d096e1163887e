// SPDX-License-Identifier: Apache-2.0
/*
 * gnutls family: the plaintext of GnuTLS's sessions.
 *
 * A session has no room for data of ours, so what is known of it stands in a
 * table of our own, from its first write to gnutls_deinit().
 */
#include "hooks/gnutls.h"

#include "core/counters.h"
#include "core/section.h"
#include "hooks/hook.h"
#include "hooks/late.h"

#define E_AGAIN (-28)
#define E_INTERRUPTED (-52)
#define E_PUSH_ERROR (-53)
#define E_PULL_ERROR (-54)

#define FUNCTIONS(F)                                                           \
	F(gnutls_record_send, ssize_t,                                         \
	  (gnutls_session_t, const void *, size_t))                            \
	F(gnutls_record_send2, ssize_t,                                        \
	  (gnutls_session_t, const void *, size_t, size_t, unsigned int))      \
	F(gnutls_record_send_range, ssize_t,                                   \
	  (gnutls_session_t, const void *, size_t, const void *))              \
	F(gnutls_record_send_file, ssize_t,                                    \
	  (gnutls_session_t, int, off_t *, size_t))                            \
	F(gnutls_record_send_early_data, ssize_t,                              \
	  (gnutls_session_t, const void *, size_t))                            \
	F(gnutls_record_cork, void, (gnutls_session_t))                        \
	F(gnutls_record_uncork, int, (gnutls_session_t, unsigned int))         \
	F(gnutls_record_recv, ssize_t, (gnutls_session_t, void *, size_t))     \
	F(gnutls_record_recv_seq, ssize_t,                                     \
	  (gnutls_session_t, void *, size_t, unsigned char *))                 \
	F(gnutls_record_recv_packet, ssize_t,                                  \
	  (gnutls_session_t, gnutls_packet_t *))                               \
	F(gnutls_packet_get, void, (gnutls_packet_t, void *, unsigned char *)) \
	F(gnutls_init, int, (gnutls_session_t *, unsigned int))                \
	F(gnutls_deinit, void, (gnutls_session_t))                             \
	F(gnutls_error_is_fatal, int, (int))                                   \
	F(gnutls_transport_get_int, int, (gnutls_session_t))

LATE_FAMILY(gnutls, FUNCTIONS);

/*
 * Where a hook's real function jumps to another hook, the caller is this
 * library: then it is the copy that was called last.
 */
static __thread struct late_library *last_library;

static struct late_library *library_of(const void *caller)
{
	if (!last_library || !late_is_inside(last_library, caller))
		last_library = late_library(&late_gnutls, caller);
	return last_library;
}

/* --- what is known of a session --- */

#define ENTRIES 1024
#define PROBES 16

struct entry {
	_Atomic(const void *) session; /* NULL: free */
	_Atomic uint64_t slot;
	bool corked;
	uint32_t ours_bytes; /* of our headers, held back by a cork */
};

static struct entry entries[ENTRIES] AT_LARGE;

static struct entry *entry_at(const void *session, unsigned int probe)
{
	uint64_t hash = (uintptr_t)session * UINT64_C(0x9e3779b97f4a7c15);

	return &entries[((hash >> 40) + probe) % ENTRIES];
}

static struct entry *find_entry(const void *session)
{
	unsigned int i;

	for (i = 0; i < PROBES; i++)
		if (atomic_load_explicit(&entry_at(session, i)->session,
					 memory_order_acquire) == session)
			return entry_at(session, i);
	return NULL;
}

static struct entry *make_entry(const void *session)
{
	unsigned int i;

	for (i = 0; i < PROBES; i++) {
		struct entry *entry = entry_at(session, i);
		const void *none = NULL;

		if (atomic_compare_exchange_strong(&entry->session, &none,
						   session)) {
			atomic_store(&entry->slot, AT_FD_UNKNOWN);
			entry->corked = false;
			entry->ours_bytes = 0;
			return entry;
		}
	}
	at_count(AT_COUNT_CONNECTIONS_FULL, 1);
	return NULL;
}

static void drop_entry(const void *session)
{
	struct entry *entry = find_entry(session);
	uint64_t slot;

	if (!entry || at_thread_hands_off())
		return;
	slot = atomic_load(&entry->slot);
	atomic_store(&entry->session, NULL);
	at_tls_freed(slot);
}

/* --- one call --- */

struct session {
	struct at_tls session; /* first */
	struct late_library *library;
	struct entry *entry;
	size_t accepted; /* by the library, ours included */
};

static bool keep(const struct at_tls *session, uint64_t slot)
{
	const struct session *own = (const struct session *)session;

	atomic_store(&own->entry->slot, slot);
	return true;
}

/* An application's own transport has a pointer there. */
static int transport_fd(const struct late_library *library,
			gnutls_session_t session)
{
	int fd = OF(library, gnutls_transport_get_int) ?
			 OF(library, gnutls_transport_get_int)(session) :
			 -1;

	return fd >= 0 && fd < AT_FD_MAX ? fd : -1;
}

/* False: just make the call. */
static bool open_session(struct session *own, struct late_library *library,
			 gnutls_session_t session, bool writes)
{
	struct entry *entry;

	if (!session || !at_tracer_active() || at_thread_hands_off())
		return false;
	entry = find_entry(session);
	if (!entry && writes)
		entry = make_entry(session);
	if (!entry)
		return false;
	own->library = library;
	own->entry = entry;
	own->accepted = 0;
	own->session = (struct at_tls){
		.slot = atomic_load(&entry->slot),
		.fd = -1,
		.may_be_partial = true,
		.object = session,
		.keep = keep,
	};
	if (own->session.slot == AT_FD_UNKNOWN)
		own->session.fd = transport_fd(library, session);
	return own->session.slot != AT_FD_IGNORED;
}

/* A call that gave nothing. */
static void report_end(const struct session *own, ssize_t result, int error)
{
	if (!at_fd_is_conn(own->session.slot) || result == E_AGAIN ||
	    result == E_INTERRUPTED)
		return;
	if (result == E_PUSH_ERROR || result == E_PULL_ERROR)
		at_tls_ended(&own->session, error);
	else if (result == 0 || !OF(own->library, gnutls_error_is_fatal) ||
		 OF(own->library, gnutls_error_is_fatal)((int)result))
		at_tls_ended(&own->session, 0);
}

/* --- writing --- */

static int call_send(const struct at_tls *session, const void *bytes,
		     size_t len, size_t *taken)
{
	struct session *own = (struct session *)(uintptr_t)session;
	ssize_t result = OF(own->library, gnutls_record_send)(session->object,
							      bytes, len);

	*taken = result > 0 ? (size_t)result : 0;
	own->accepted += *taken;
	return (int)result;
}

static ssize_t send_record(struct session *own, const void *data, size_t len)
{
	size_t taken;
	int result, error;

	own->session.write = call_send;
	result = at_tls_write(&own->session, data, len, &taken);
	if (own->entry->corked && own->accepted > taken)
		own->entry->ours_bytes += (uint32_t)(own->accepted - taken);
	if (taken)
		return (ssize_t)taken;
	error = errno;
	if (result < 0)
		report_end(own, result, error);
	errno = error;
	return result;
}

ssize_t hook_gnutls_record_send(gnutls_session_t session, const void *data,
				size_t len)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = library_of(caller);
	struct session own;

	if (!library)
		return E_PUSH_ERROR;
	if (late_is_inside(library, caller) ||
	    !open_session(&own, library, session, true))
		return OF(library, gnutls_record_send)(session, data, len);
	return send_record(&own, data, len);
}
HOOK_EXPORT(gnutls_record_send)

/* With padding asked for, nothing is put between. */
ssize_t hook_gnutls_record_send2(gnutls_session_t session, const void *data,
				 size_t len, size_t pad, unsigned int flags)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = library_of(caller);
	struct session own;
	ssize_t result;
	int error;

	if (!library || !OF(library, gnutls_record_send2))
		return E_PUSH_ERROR;
	if (late_is_inside(library, caller) ||
	    !open_session(&own, library, session, true))
		return OF(library, gnutls_record_send2)(session, data, len, pad,
							flags);
	if (!pad && !flags)
		return send_record(&own, data, len);
	result = OF(library, gnutls_record_send2)(session, data, len, pad,
						  flags);
	error = errno;
	if (result > 0)
		at_tls_moved(&own.session, (size_t)result);
	errno = error;
	return result;
}
HOOK_EXPORT(gnutls_record_send2)

ssize_t hook_gnutls_record_send_range(gnutls_session_t session,
				      const void *data, size_t len,
				      const void *range)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = library_of(caller);
	struct session own;
	ssize_t result;
	int error;

	if (!library || !OF(library, gnutls_record_send_range))
		return E_PUSH_ERROR;
	result = OF(library, gnutls_record_send_range)(session, data, len,
						       range);
	error = errno;
	if (result > 0 && open_session(&own, library, session, true))
		at_tls_moved(&own.session, (size_t)result);
	errno = error;
	return result;
}
HOOK_EXPORT(gnutls_record_send_range)

ssize_t hook_gnutls_record_send_file(gnutls_session_t session, int fd,
				     off_t *offset, size_t count)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = library_of(caller);
	struct session own;
	ssize_t result;
	int error;

	if (!library || !OF(library, gnutls_record_send_file))
		return E_PUSH_ERROR;
	result = OF(library, gnutls_record_send_file)(session, fd, offset,
						      count);
	error = errno;
	if (result > 0 && open_session(&own, library, session, true))
		at_tls_moved(&own.session, (size_t)result);
	errno = error;
	return result;
}
HOOK_EXPORT(gnutls_record_send_file)

/* Before the handshake is done, and perhaps refused: not followed. */
ssize_t hook_gnutls_record_send_early_data(gnutls_session_t session,
					   const void *data, size_t len)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = library_of(caller);
	struct session own;

	if (!library || !OF(library, gnutls_record_send_early_data))
		return E_PUSH_ERROR;
	if (open_session(&own, library, session, true))
		keep(&own.session, AT_FD_IGNORED);
	return OF(library, gnutls_record_send_early_data)(session, data, len);
}
HOOK_EXPORT(gnutls_record_send_early_data)

void hook_gnutls_record_cork(gnutls_session_t session)
{
	struct late_library *library = library_of(__builtin_return_address(0));
	struct session own;

	if (!library || !OF(library, gnutls_record_cork))
		return;
	if (open_session(&own, library, session, true))
		own.entry->corked = true;
	OF(library, gnutls_record_cork)(session);
}
HOOK_EXPORT(gnutls_record_cork)

/* The application hears of its own bytes only. */
int hook_gnutls_record_uncork(gnutls_session_t session, unsigned int flags)
{
	struct late_library *library = library_of(__builtin_return_address(0));
	struct entry *entry;
	int result;

	if (!library || !OF(library, gnutls_record_uncork))
		return E_PUSH_ERROR;
	result = OF(library, gnutls_record_uncork)(session, flags);
	entry = result > 0 && !at_thread_hands_off() ? find_entry(session) :
						       NULL;
	if (!entry || !entry->corked)
		return result;
	if ((uint32_t)result >= entry->ours_bytes)
		result -= (int)entry->ours_bytes;
	entry->ours_bytes = 0;
	entry->corked = false;
	return result;
}
HOOK_EXPORT(gnutls_record_uncork)

/* --- reading --- */

static void report_read(struct late_library *library, const void *caller,
			gnutls_session_t session, const void *data,
			ssize_t result, int error)
{
	struct session own;

	if (late_is_inside(library, caller) ||
	    !open_session(&own, library, session, false))
		;
	else if (result > 0)
		at_tls_read(&own.session, data, (size_t)result);
	else
		report_end(&own, result, error);
	errno = error;
}

ssize_t hook_gnutls_record_recv(gnutls_session_t session, void *data,
				size_t len)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = library_of(caller);
	ssize_t result;

	if (!library || !OF(library, gnutls_record_recv))
		return E_PULL_ERROR;
	result = OF(library, gnutls_record_recv)(session, data, len);
	if (len)
		report_read(library, caller, session, data, result, errno);
	return result;
}
HOOK_EXPORT(gnutls_record_recv)

ssize_t hook_gnutls_record_recv_seq(gnutls_session_t session, void *data,
				    size_t len, unsigned char *seq)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = library_of(caller);
	ssize_t result;

	if (!library || !OF(library, gnutls_record_recv_seq))
		return E_PULL_ERROR;
	result = OF(library, gnutls_record_recv_seq)(session, data, len, seq);
	if (len)
		report_read(library, caller, session, data, result, errno);
	return result;
}
HOOK_EXPORT(gnutls_record_recv_seq)

ssize_t hook_gnutls_record_recv_packet(gnutls_session_t session,
				       gnutls_packet_t *packet)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = library_of(caller);
	struct {
		unsigned char *data;
		unsigned int size;
	} datum = { NULL, 0 };
	ssize_t result;
	int error;

	if (!library || !OF(library, gnutls_record_recv_packet))
		return E_PULL_ERROR;
	result = OF(library, gnutls_record_recv_packet)(session, packet);
	error = errno;
	if (result > 0 && OF(library, gnutls_packet_get))
		OF(library, gnutls_packet_get)(*packet, &datum, NULL);
	if (result <= 0 || datum.size == (size_t)result)
		report_read(library, caller, session, datum.data, result,
			    error);
	errno = error;
	return result;
}
HOOK_EXPORT(gnutls_record_recv_packet)

/* --- a session's life --- */

/* Its memory may have been another's whose end we did not see. */
int hook_gnutls_init(gnutls_session_t *session, unsigned int flags)
{
	struct late_library *library = library_of(__builtin_return_address(0));
	int result;

	if (!library || !OF(library, gnutls_init))
		return E_PUSH_ERROR;
	result = OF(library, gnutls_init)(session, flags);
	if (result == 0 && session && find_entry(*session))
		drop_entry(*session);
	return result;
}
HOOK_EXPORT(gnutls_init)

void hook_gnutls_deinit(gnutls_session_t session)
{
	struct late_library *library = library_of(__builtin_return_address(0));
	int error = errno;

	if (!library || !OF(library, gnutls_deinit))
		return;
	drop_entry(session);
	errno = error;
	OF(library, gnutls_deinit)(session);
}
HOOK_EXPORT(gnutls_deinit)
