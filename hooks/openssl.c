// SPDX-License-Identifier: Apache-2.0
/*
 * openssl family: the plaintext of OpenSSL's sessions, whatever carries the
 * records (a descriptor, an application's own BIO, memory).
 *
 * What is known of a session hangs on the SSL object itself, as application
 * data whose free callback tells us when the last reference is gone.
 */
#include "hooks/openssl.h"

#include "hooks/hook.h"
#include "hooks/late.h"

#define SSL_ERROR_SSL_ 1
#define SSL_ERROR_SYSCALL_ 5
#define SSL_ERROR_ZERO_RETURN_ 6
#define CRYPTO_EX_INDEX_SSL_ 0

/* The first one must be in every copy, and called by all who have one. */
#define FUNCTIONS(F)                                                          \
	F(SSL_write, int, (SSL *, const void *, int))                         \
	F(SSL_read, int, (SSL *, void *, int))                                \
	F(SSL_write_ex, int, (SSL *, const void *, size_t, size_t *))         \
	F(SSL_read_ex, int, (SSL *, void *, size_t, size_t *))                \
	F(SSL_write_early_data, int, (SSL *, const void *, size_t, size_t *)) \
	F(SSL_sendfile, ssize_t, (SSL *, int, off_t, size_t, int))            \
	F(SSL_clear, int, (SSL *))                                            \
	F(SSL_get_error, int, (const SSL *, int))                             \
	F(SSL_get_fd, int, (const SSL *))                                     \
	F(SSL_get_ex_data, void *, (const SSL *, int))                        \
	F(SSL_set_ex_data, int, (SSL *, int, void *))

enum function {
#define F(name, type, args) FUNCTION_##name,
	FUNCTIONS(F)
#undef F
		FUNCTION_COUNT,
};

#define F(name, type, args) typedef type(*call_##name) args;
FUNCTIONS(F)
#undef F

static const char *const names[] = {
#define F(name, type, args) #name,
	FUNCTIONS(F)
#undef F
};

_Static_assert(FUNCTION_COUNT <= LATE_FUNCTIONS, "room for all of them");

struct late_family late_openssl = { .names = names, .count = FUNCTION_COUNT };

/* The real function of a copy; what it lacks, nobody has called. */
#define OF(library, name) ((call_##name)(library)->function[FUNCTION_##name])

/* --- application data --- */

static void freed(void *parent, void *slot, void *data, int index, long argl,
		  void *argp)
{
	(void)parent;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	at_tls_freed((uint64_t)(uintptr_t)slot);
}

/* SSL_dup copies all application data; ours is of one session only. */
static int duplicated(void *to, const void *from, void *slot, int index,
		      long argl, void *argp)
{
	(void)to;
	(void)from;
	(void)index;
	(void)argl;
	(void)argp;
	*(void **)slot = NULL;
	return 1;
}

#define INDEX_NONE (-1)

/* The index of our data + 1, or INDEX_NONE; a second thread may get its own. */
static int data_index(struct late_library *library)
{
	int (*new_index)(int, long, void *, void *, void *, void *);
	int32_t none = 0;
	int index = atomic_load(&library->index);

	if (index)
		return index;
	new_index =
		(int (*)(int, long, void *, void *, void *,
			 void *))late_other(library, "CRYPTO_get_ex_new_index");
	index = new_index ? new_index(CRYPTO_EX_INDEX_SSL_, 0, NULL, NULL,
				      (void *)duplicated, (void *)freed) :
			    -1;
	index = index < 0 ? INDEX_NONE : index + 1;
	return atomic_compare_exchange_strong(&library->index, &none, index) ?
		       index :
		       none;
}

/* --- sessions --- */

struct session {
	struct at_tls session; /* first */
	struct late_library *library;
	int index;
};

static bool keep(const struct at_tls *session, uint64_t slot)
{
	const struct session *own = (const struct session *)session;

	return OF(own->library, SSL_set_ex_data)(session->object, own->index,
						 (void *)(uintptr_t)slot) == 1;
}

/* False: just make the call. */
static bool open_session(struct session *own, struct late_library *library,
			 SSL *ssl)
{
	int index;

	if (!ssl || !at_tracer_active() || at_thread_hands_off() ||
	    !OF(library, SSL_get_ex_data) || !OF(library, SSL_set_ex_data))
		return false;
	index = data_index(library);
	if (index == INDEX_NONE)
		return false;
	own->library = library;
	own->index = index - 1;
	own->session = (struct at_tls){
		.slot = (uintptr_t)OF(library, SSL_get_ex_data)(ssl, index - 1),
		.fd = -1,
		.object = ssl,
		.keep = keep,
	};
	return own->session.slot != AT_FD_IGNORED;
}

/* Only a connection that is about to be made asks for it. */
static void find_fd(struct session *own)
{
	if (own->session.slot == AT_FD_UNKNOWN && OF(own->library, SSL_get_fd))
		own->session.fd =
			OF(own->library, SSL_get_fd)(own->session.object);
}

/* A call that gave nothing: only looks, the error stays for the program. */
static void report_end(const struct session *own, int result, int error)
{
	if (!at_fd_is_conn(own->session.slot) ||
	    !OF(own->library, SSL_get_error))
		return;
	switch (OF(own->library, SSL_get_error)(own->session.object, result)) {
	case SSL_ERROR_SYSCALL_:
		at_tls_ended(&own->session, error);
		break;
	case SSL_ERROR_SSL_:
	case SSL_ERROR_ZERO_RETURN_:
		at_tls_ended(&own->session, 0);
		break;
	default:
		break;
	}
}

/* --- writing --- */

static int call_write(const struct at_tls *session, const void *bytes,
		      size_t len, size_t *taken)
{
	const struct session *own = (const struct session *)session;
	int result =
		OF(own->library, SSL_write)(session->object, bytes, (int)len);

	*taken = result > 0 ? (size_t)result : 0;
	return result;
}

int hook_SSL_write(SSL *ssl, const void *buf, int len)
{
	struct late_library *library =
		late_library(&late_openssl, __builtin_return_address(0));
	struct session own;
	size_t taken;
	int result, error;

	if (!library)
		return -1;
	if (len <= 0 || !open_session(&own, library, ssl))
		return OF(library, SSL_write)(ssl, buf, len);
	find_fd(&own);
	own.session.write = call_write;
	result = at_tls_write(&own.session, buf, (size_t)len, &taken);
	if (taken)
		return (int)taken;
	error = errno;
	report_end(&own, result, error);
	errno = error;
	return result;
}
HOOK_EXPORT(SSL_write)

static int call_write_ex(const struct at_tls *session, const void *bytes,
			 size_t len, size_t *taken)
{
	const struct session *own = (const struct session *)session;
	int result = OF(own->library, SSL_write_ex)(session->object, bytes, len,
						    taken);

	if (result != 1)
		*taken = 0;
	return result;
}

int hook_SSL_write_ex(SSL *ssl, const void *buf, size_t len, size_t *written)
{
	struct late_library *library =
		late_library(&late_openssl, __builtin_return_address(0));
	struct session own;
	size_t taken;
	int result, error;

	if (!library || !OF(library, SSL_write_ex))
		return 0;
	if (!len || !written || !open_session(&own, library, ssl))
		return OF(library, SSL_write_ex)(ssl, buf, len, written);
	find_fd(&own);
	own.session.write = call_write_ex;
	result = at_tls_write(&own.session, buf, len, &taken);
	if (taken) {
		*written = taken;
		return 1;
	}
	error = errno;
	report_end(&own, result, error);
	errno = error;
	return result;
}
HOOK_EXPORT(SSL_write_ex)

/* Before the handshake is done: followed, not edited; it may be refused. */
int hook_SSL_write_early_data(SSL *ssl, const void *buf, size_t len,
			      size_t *written)
{
	struct late_library *library =
		late_library(&late_openssl, __builtin_return_address(0));
	struct session own;

	if (!library || !OF(library, SSL_write_early_data))
		return 0;
	if (open_session(&own, library, ssl))
		keep(&own.session, AT_FD_IGNORED);
	return OF(library, SSL_write_early_data)(ssl, buf, len, written);
}
HOOK_EXPORT(SSL_write_early_data)

/* The kernel encrypts: bytes of a body leave without being seen. */
ssize_t hook_SSL_sendfile(SSL *ssl, int fd, off_t offset, size_t size,
			  int flags)
{
	struct late_library *library =
		late_library(&late_openssl, __builtin_return_address(0));
	struct session own;
	ssize_t result;
	int error;

	if (!library || !OF(library, SSL_sendfile))
		return -1;
	result = OF(library, SSL_sendfile)(ssl, fd, offset, size, flags);
	error = errno;
	if (result > 0 && open_session(&own, library, ssl))
		at_tls_moved(&own.session, (size_t)result);
	errno = error;
	return result;
}
HOOK_EXPORT(SSL_sendfile)

/* --- reading --- */

int hook_SSL_read(SSL *ssl, void *buf, int len)
{
	struct late_library *library =
		late_library(&late_openssl, __builtin_return_address(0));
	struct session own;
	int result, error;

	if (!library || !OF(library, SSL_read))
		return -1;
	result = OF(library, SSL_read)(ssl, buf, len);
	error = errno;
	if (len > 0 && open_session(&own, library, ssl)) {
		if (result > 0)
			at_tls_read(&own.session, buf, (size_t)result);
		else
			report_end(&own, result, error);
	}
	errno = error;
	return result;
}
HOOK_EXPORT(SSL_read)

int hook_SSL_read_ex(SSL *ssl, void *buf, size_t len, size_t *read)
{
	struct late_library *library =
		late_library(&late_openssl, __builtin_return_address(0));
	struct session own;
	int result, error;

	if (!library || !OF(library, SSL_read_ex))
		return 0;
	result = OF(library, SSL_read_ex)(ssl, buf, len, read);
	error = errno;
	if (len && open_session(&own, library, ssl)) {
		if (result == 1)
			at_tls_read(&own.session, buf, *read);
		else
			report_end(&own, result, error);
	}
	errno = error;
	return result;
}
HOOK_EXPORT(SSL_read_ex)

/* --- the object's life --- */

/* Used again for another connection. */
int hook_SSL_clear(SSL *ssl)
{
	struct late_library *library =
		late_library(&late_openssl, __builtin_return_address(0));
	struct session own;
	int error = errno;

	if (!library || !OF(library, SSL_clear))
		return 0;
	if (ssl && atomic_load(&library->index) > 0 &&
	    OF(library, SSL_get_ex_data)) {
		own.library = library;
		own.index = atomic_load(&library->index) - 1;
		own.session.object = ssl;
		own.session.slot =
			(uintptr_t)OF(library, SSL_get_ex_data)(ssl, own.index);
		if (own.session.slot != AT_FD_UNKNOWN &&
		    keep(&own.session, AT_FD_UNKNOWN))
			at_tls_freed(own.session.slot);
	}
	errno = error;
	return OF(library, SSL_clear)(ssl);
}
HOOK_EXPORT(SSL_clear)
