// SPDX-License-Identifier: Apache-2.0
/* GnuTLS's functions as 3.x declares them (private to hooks/). */
#ifndef HOOKS_GNUTLS_H
#define HOOKS_GNUTLS_H

#include <stddef.h>
#include <sys/types.h>

typedef struct gnutls_session_int *gnutls_session_t;
typedef struct mbuffer_st *gnutls_packet_t;

ssize_t gnutls_record_send(gnutls_session_t session, const void *data,
			   size_t len);
ssize_t gnutls_record_send2(gnutls_session_t session, const void *data,
			    size_t len, size_t pad, unsigned int flags);
ssize_t gnutls_record_send_range(gnutls_session_t session, const void *data,
				 size_t len, const void *range);
ssize_t gnutls_record_send_file(gnutls_session_t session, int fd, off_t *offset,
				size_t count);
ssize_t gnutls_record_send_early_data(gnutls_session_t session,
				      const void *data, size_t len);
void gnutls_record_cork(gnutls_session_t session);
int gnutls_record_uncork(gnutls_session_t session, unsigned int flags);
ssize_t gnutls_record_recv(gnutls_session_t session, void *data, size_t len);
ssize_t gnutls_record_recv_seq(gnutls_session_t session, void *data, size_t len,
			       unsigned char *seq);
ssize_t gnutls_record_recv_packet(gnutls_session_t session,
				  gnutls_packet_t *packet);
int gnutls_init(gnutls_session_t *session, unsigned int flags);
void gnutls_deinit(gnutls_session_t session);

#endif
