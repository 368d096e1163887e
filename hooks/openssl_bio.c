// SPDX-License-Identifier: Apache-2.0
/*
 * openssl_bio family: sessions that a program reads and writes as a filter BIO
 * (BIO_f_ssl; tcltls does), which does not pass SSL_write.
 *
 * libssl and libcrypto call these functions themselves all the time, for the
 * records below: those calls, and BIOs of any other kind, are just made. So
 * are the ones of a BIO that lies on top of the filter.
 */
#include "hooks/hook.h"
#include "hooks/openssl_session.h"

#define BIO_TYPE_SSL_ 0x207
#define BIO_C_GET_SSL_ 110

#define FUNCTIONS(F)                                                  \
	F(BIO_write, int, (BIO *, const void *, int))                 \
	F(BIO_read, int, (BIO *, void *, int))                        \
	F(BIO_write_ex, int, (BIO *, const void *, size_t, size_t *)) \
	F(BIO_read_ex, int, (BIO *, void *, size_t, size_t *))        \
	F(BIO_method_type, int, (const BIO *))                        \
	F(BIO_ctrl, long, (BIO *, int, long, void *))

LATE_FAMILY(openssl_bio, FUNCTIONS);

/*
 * The session behind a filter that the program itself holds. libssl is that of
 * the same caller: one that makes a filter is linked to both.
 */
static bool open_filter(struct openssl_session *own,
			struct late_library *library, BIO *bio,
			const void *caller)
{
	struct late_library *libssl;
	SSL *ssl = NULL;

	if (!bio || !OF(library, BIO_method_type) || !OF(library, BIO_ctrl) ||
	    late_is_inside(library, caller) ||
	    OF(library, BIO_method_type)(bio) != BIO_TYPE_SSL_)
		return false;
	libssl = late_library(&late_openssl, caller);
	if (!libssl || late_is_inside(libssl, caller) ||
	    OF(library, BIO_ctrl)(bio, BIO_C_GET_SSL_, 0, &ssl) != 1 ||
	    !openssl_open(own, libssl, ssl))
		return false;
	own->bio_library = library;
	own->bio = bio;
	openssl_find_fd(own);
	return true;
}

/* --- writing --- */

static int call_write(const struct at_tls *session, const void *bytes,
		      size_t len, size_t *taken)
{
	const struct openssl_session *own =
		(const struct openssl_session *)session;
	int result = OF(own->bio_library, BIO_write)(own->bio, bytes, (int)len);

	*taken = result > 0 ? (size_t)result : 0;
	return result;
}

int hook_BIO_write(BIO *bio, const void *buf, int len)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = late_library(&late_openssl_bio, caller);
	struct openssl_session own;
	size_t taken;
	int result;

	if (!library)
		return -1;
	if (len <= 0 || !open_filter(&own, library, bio, caller))
		return OF(library, BIO_write)(bio, buf, len);
	result = openssl_write(&own, call_write, buf, (size_t)len, &taken);
	return taken ? (int)taken : result;
}
HOOK_EXPORT(BIO_write)

static int call_write_ex(const struct at_tls *session, const void *bytes,
			 size_t len, size_t *taken)
{
	const struct openssl_session *own =
		(const struct openssl_session *)session;
	int result =
		OF(own->bio_library, BIO_write_ex)(own->bio, bytes, len, taken);

	if (result != 1)
		*taken = 0;
	return result;
}

int hook_BIO_write_ex(BIO *bio, const void *buf, size_t len, size_t *written)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = late_library(&late_openssl_bio, caller);
	struct openssl_session own;
	size_t taken;
	int result;

	if (!library || !OF(library, BIO_write_ex))
		return 0;
	if (!len || !written || !open_filter(&own, library, bio, caller))
		return OF(library, BIO_write_ex)(bio, buf, len, written);
	result = openssl_write(&own, call_write_ex, buf, len, &taken);
	if (!taken)
		return result;
	*written = taken;
	return 1;
}
HOOK_EXPORT(BIO_write_ex)

/* --- reading --- */

int hook_BIO_read(BIO *bio, void *buf, int len)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = late_library(&late_openssl_bio, caller);
	struct openssl_session own;
	int result, error;

	if (!library || !OF(library, BIO_read))
		return -1;
	result = OF(library, BIO_read)(bio, buf, len);
	error = errno;
	if (len > 0 && open_filter(&own, library, bio, caller)) {
		openssl_was_read(&own, buf, result > 0 ? (size_t)result : 0,
				 result, error);
	}
	errno = error;
	return result;
}
HOOK_EXPORT(BIO_read)

int hook_BIO_read_ex(BIO *bio, void *buf, size_t len, size_t *read)
{
	const void *caller = __builtin_return_address(0);
	struct late_library *library = late_library(&late_openssl_bio, caller);
	struct openssl_session own;
	int result, error;

	if (!library || !OF(library, BIO_read_ex))
		return 0;
	result = OF(library, BIO_read_ex)(bio, buf, len, read);
	error = errno;
	if (len && open_filter(&own, library, bio, caller)) {
		openssl_was_read(&own, buf, result == 1 ? *read : 0, result,
				 error);
	}
	errno = error;
	return result;
}
HOOK_EXPORT(BIO_read_ex)
