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
#include "hooks/openssl_session.h"

#define SSL_ERROR_SSL_ 1
#define SSL_ERROR_SYSCALL_ 5
#define SSL_ERROR_ZERO_RETURN_ 6
#define CRYPTO_EX_INDEX_SSL_ 0

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

LATE_FAMILY(openssl, FUNCTIONS);

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

static bool keep(const struct at_tls *session, uint64_t slot)
{
	const struct openssl_session *own =
		(const struct openssl_session *)session;

	return OF(own->library, SSL_set_ex_data)(session->object, own->index,
						 (void *)(uintptr_t)slot) == 1;
}

bool openssl_open(struct openssl_session *own, struct late_library *library,
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

void openssl_find_fd(struct openssl_session *own)
{
	if (own->session.slot == AT_FD_UNKNOWN && OF(own->library, SSL_get_fd))
		own->session.fd =
			OF(own->library, SSL_get_fd)(own->session.object);
}

void openssl_report_end(const struct openssl_session *own, int result,
			int error)
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

void openssl_was_read(const struct openssl_session *own, const void *bytes,
		      size_t len, int result, int error)
{
	if (result > 0)
		at_tls_read(&own->session, bytes, len);
	else
		openssl_report_end(own, result, error);
}

/* --- writing --- */

int openssl_write(struct openssl_session *own, openssl_call_write call,
		  const void *bytes, size_t len, size_t *taken)
{
	int result, error;

	own->session.write = call;
	result = at_tls_write(&own->session, bytes, len, taken);
	if (*taken)
		return result;
	error = errno;
	openssl_report_end(own, result, error);
	errno = error;
	return result;
}

static int call_write(const struct at_tls *session, const void *bytes,
		      size_t len, size_t *taken)
{
	const struct openssl_session *own =
		(const struct openssl_session *)session;
	int result =
		OF(own->library, SSL_write)(session->object, bytes, (int)len);

	*taken = result > 0 ? (size_t)result : 0;
	return result;
}

int hook_SSL_write(SSL *ssl, const void *buf, int len)
{
	struct late_library *library =
		late_library(&late_openssl, __builtin_return_address(0));
	struct openssl_session own;
	size_t taken;
	int result;

	if (!library)
		return -1;
	if (len <= 0 || !openssl_open(&own, library, ssl))
		return OF(library, SSL_write)(ssl, buf, len);
	openssl_find_fd(&own);
	result = openssl_write(&own, call_write, buf, (size_t)len, &taken);
	return taken ? (int)taken : result;
}
HOOK_EXPORT(SSL_write)

static int call_write_ex(const struct at_tls *session, const void *bytes,
			 size_t len, size_t *taken)
{
	const struct openssl_session *own =
		(const struct openssl_session *)session;
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
	struct openssl_session own;
	size_t taken;
	int result;

	if (!library || !OF(library, SSL_write_ex))
		return 0;
	if (!len || !written || !openssl_open(&own, library, ssl))
		return OF(library, SSL_write_ex)(ssl, buf, len, written);
	openssl_find_fd(&own);
	result = openssl_write(&own, call_write_ex, buf, len, &taken);
	if (!taken)
		return result;
	*written = taken;
	return 1;
}
HOOK_EXPORT(SSL_write_ex)

/* Before the handshake is done: followed, not edited; it may be refused. */
int hook_SSL_write_early_data(SSL *ssl, const void *buf, size_t len,
			      size_t *written)
{
	struct late_library *library =
		late_library(&late_openssl, __builtin_return_address(0));
	struct openssl_session own;

	if (!library || !OF(library, SSL_write_early_data))
		return 0;
	if (openssl_open(&own, library, ssl))
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
	struct openssl_session own;
	ssize_t result;
	int error;

	if (!library || !OF(library, SSL_sendfile))
		return -1;
	result = OF(library, SSL_sendfile)(ssl, fd, offset, size, flags);
	error = errno;
	if (result > 0 && openssl_open(&own, library, ssl))
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
	struct openssl_session own;
	int result, error;

	if (!library || !OF(library, SSL_read))
		return -1;
	result = OF(library, SSL_read)(ssl, buf, len);
	error = errno;
	if (len > 0 && openssl_open(&own, library, ssl)) {
		openssl_find_fd(&own);
		openssl_was_read(&own, buf, result > 0 ? (size_t)result : 0,
				 result, error);
	}
	errno = error;
	return result;
}
HOOK_EXPORT(SSL_read)

int hook_SSL_read_ex(SSL *ssl, void *buf, size_t len, size_t *read)
{
	struct late_library *library =
		late_library(&late_openssl, __builtin_return_address(0));
	struct openssl_session own;
	int result, error;

	if (!library || !OF(library, SSL_read_ex))
		return 0;
	result = OF(library, SSL_read_ex)(ssl, buf, len, read);
	error = errno;
	if (len && openssl_open(&own, library, ssl)) {
		openssl_find_fd(&own);
		openssl_was_read(&own, buf, result == 1 ? *read : 0, result,
				 error);
	}
	errno = error;
	return result;
}
HOOK_EXPORT(SSL_read_ex)

/* --- the object's life --- */

/*
 * Used again for another connection; the library itself calls it at the begin
 * of a handshake, which may be inside the first SSL_write.
 */
int hook_SSL_clear(SSL *ssl)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = late_library(&late_openssl, caller);
	struct openssl_session own;
	int error = errno;

	if (!library || !OF(library, SSL_clear))
		return 0;
	if (ssl && !late_is_inside(library, caller) &&
	    atomic_load(&library->index) > 0 && OF(library, SSL_get_ex_data)) {
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
