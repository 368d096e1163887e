// SPDX-License-Identifier: Apache-2.0
/* OpenSSL's functions as 1.1 and 3.x declare them (private to hooks/). */
#ifndef HOOKS_OPENSSL_H
#define HOOKS_OPENSSL_H

#include <stddef.h>
#include <sys/types.h>

typedef struct ssl_st SSL;
typedef struct bio_st BIO;

int SSL_write(SSL *ssl, const void *buf, int len);
int SSL_write_ex(SSL *ssl, const void *buf, size_t len, size_t *written);
int SSL_write_early_data(SSL *ssl, const void *buf, size_t len,
			 size_t *written);
ssize_t SSL_sendfile(SSL *ssl, int fd, off_t offset, size_t size, int flags);
int SSL_read(SSL *ssl, void *buf, int len);
int SSL_read_ex(SSL *ssl, void *buf, size_t len, size_t *read);
int SSL_clear(SSL *ssl);

int BIO_write(BIO *bio, const void *buf, int len);
int BIO_write_ex(BIO *bio, const void *buf, size_t len, size_t *written);
int BIO_read(BIO *bio, void *buf, int len);
int BIO_read_ex(BIO *bio, void *buf, size_t len, size_t *read);

#endif
