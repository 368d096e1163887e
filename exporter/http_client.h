// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP client: posts bodies to one URL through curl's multi interface.
 *
 * curl never waits: this code polls, in slices, with the host's lock free.
 * curl, OpenSSL and c-ares live on the exporter's heap, are set up at the
 * first use in a process, and never torn down.
 */
#ifndef AT_EXPORTER_HTTP_CLIENT_H
#define AT_EXPORTER_HTTP_CLIENT_H

#include <curl/curl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "exporter/buffer.h"
#include "exporter/pace.h"

/* OTLP's limit on an answer; headers have their own. */
#define HTTP_CLIENT_BODY_MAX_BYTES (4u << 20)
#define HTTP_CLIENT_HEAD_MAX_BYTES (256u << 10)
#define HTTP_CLIENT_FDS 24

struct http_client {
	CURLM *multi;
	CURL *easy;
	uint64_t timer_at_ns; /* AT_NO_LIMIT: none */
	unsigned int fd_count;
	struct pollfd fds[HTTP_CLIENT_FDS];
};

/* All of it stays the caller's and outlives the client. */
struct http_client_setup {
	const char *url;
	const char *user_agent;
	struct curl_slist *headers;
	/* PEM texts; used with https only, empty ones not at all. */
	const struct buffer *ca;
	const struct buffer *certificate;
	const struct buffer *key;
};

struct http_answer {
	long status;      /* final one; 0: none came */
	bool too_long;    /* longer than the limits above; given up */
	bool unreachable; /* no connection, or no address */
	bool transient;   /* no status, yet worth another try */
	bool json;
	char retry_after[64]; /* "" when there was none */
	size_t head_bytes;
	struct buffer body;
};

/* The libraries, once; before anything of curl's is called. 0 or -ENOMEM. */
int http_client_prepare(void);

/* 0 or -ENOMEM. */
int http_client_open(struct http_client *client,
		     const struct http_client_setup *setup);

/*
 * Post a body and fill *answer (zeroed or used before; its body is the
 * caller's to free). 0 when the transfer came to an end, good or bad; else
 * the reason of pace_left_ns(), and the connection is given up.
 */
int http_client_post(struct http_client *client, struct pace *pace,
		     const void *body, size_t len, struct http_answer *answer);

/* Closes the connections. */
void http_client_close(struct http_client *client);

/* In a forked child: as new, connections untouched. */
void http_client_forget(struct http_client *client);

/* What OpenSSL keeps for this thread goes now, not when the thread ends. */
void http_client_leave_thread(void);

#endif
