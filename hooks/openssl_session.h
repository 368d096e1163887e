// SPDX-License-Identifier: Apache-2.0
/* A session as the hooks of OpenSSL's functions see it (private to hooks/). */
#ifndef HOOKS_OPENSSL_SESSION_H
#define HOOKS_OPENSSL_SESSION_H

#include "hooks/late.h"
#include "hooks/openssl.h"
#include "tracer/tracer.h"

struct openssl_session {
	struct at_tls session; /* first */
	struct late_library *library;
	int index;
	/* where it is written to as a BIO */
	struct late_library *bio_library;
	BIO *bio;
};

/* False: just make the call. */
bool openssl_open(struct openssl_session *own, struct late_library *library,
		  SSL *ssl);

/* Only a connection that is about to be made asks for its descriptor. */
void openssl_find_fd(struct openssl_session *own);

typedef int (*openssl_call_write)(const struct at_tls *session,
				  const void *bytes, size_t len, size_t *taken);

/*
 * A write that the tracer follows: what the library's call returns, made by
 * `call` however often, and how many bytes of the application's it took.
 */
int openssl_write(struct openssl_session *own, openssl_call_write call,
		  const void *bytes, size_t len, size_t *taken);

/* A call that gave nothing: only looks, the error stays for the program. */
void openssl_report_end(const struct openssl_session *own, int result,
			int error);

/* What a read has given: `len` bytes, or the `result` of a failure. */
void openssl_was_read(const struct openssl_session *own, const void *bytes,
		      size_t len, int result, int error);

#endif
