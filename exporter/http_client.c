// SPDX-License-Identifier: Apache-2.0
#include "exporter/http_client.h"

#include <ares.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "core/clock.h"
#include "core/sys.h"
#include "exporter/descriptor.h"
#include "exporter/heap.h"

#define NS_PER_MS UINT64_C(1000000)

static bool global_ready;

static void *crypto_alloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return heap_alloc(size);
}

static void *crypto_resize(void *memory, size_t size, const char *file,
			   int line)
{
	(void)file;
	(void)line;
	return heap_resize(memory, size);
}

static void crypto_free(void *memory, const char *file, int line)
{
	(void)file;
	(void)line;
	heap_free(memory);
}

/* The order matters: each uses the memory functions of those before. */
int http_client_prepare(void)
{
	if (global_ready)
		return 0;
	CRYPTO_set_mem_functions(crypto_alloc, crypto_resize, crypto_free);
	if (!OPENSSL_init_crypto(
		    OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CONFIG, NULL))
		return -ENOMEM;
	if (ares_library_init_mem(ARES_LIB_INIT_ALL, heap_alloc, heap_free,
				  heap_resize))
		return -ENOMEM;
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, heap_alloc, heap_free,
				 heap_resize, heap_copy, heap_zalloc))
		return -ENOMEM;
	global_ready = true;
	return 0;
}

void http_client_leave_thread(void)
{
	if (global_ready)
		OPENSSL_thread_stop();
}

/* ---- curl's callbacks ---- */

static struct pollfd *find_fd(struct http_client *client, curl_socket_t fd)
{
	unsigned int i;

	for (i = 0; i < client->fd_count; i++)
		if (client->fds[i].fd == fd)
			return &client->fds[i];
	return NULL;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context,
		     void *unused)
{
	struct http_client *client = context;
	struct pollfd *entry = find_fd(client, fd);

	(void)easy;
	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		if (entry)
			*entry = client->fds[--client->fd_count];
		return 0;
	}
	if (!entry) {
		if (client->fd_count == HTTP_CLIENT_FDS)
			return -1;
		entry = &client->fds[client->fd_count++];
		entry->fd = fd;
	}
	entry->events = (short)((what & CURL_POLL_IN ? POLLIN : 0) |
				(what & CURL_POLL_OUT ? POLLOUT : 0));
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct http_client *client = context;

	(void)multi;
	client->timer_at_ns = AT_NO_LIMIT;
	if (timeout_ms >= 0)
		client->timer_at_ns =
			at_clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	return 0;
}

static curl_socket_t open_socket(void *unused, curlsocktype purpose,
				 struct curl_sockaddr *peer)
{
	int fd = descriptor_raise((int)sys_call3(SYS_socket, peer->family,
						 peer->socktype | SOCK_CLOEXEC,
						 peer->protocol));

	(void)unused;
	(void)purpose;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_answer *answer = context;
	size_t len = size * count;

	if (answer->body.len + len > HTTP_CLIENT_BODY_MAX_BYTES) {
		answer->too_long = true;
		return 0;
	}
	buffer_add(&answer->body, bytes, len);
	return answer->body.failed ? 0 : len;
}

/* The value when `line` is a field of that name, else a text without ptr. */
static struct at_text field_value(struct at_text line, struct at_text name)
{
	struct at_text head;

	if (!at_text_next(&line, ':', &head) ||
	    !at_text_equal_nocase(head, name) || !line.ptr)
		return (struct at_text){ NULL, 0 };
	while (line.len && (line.ptr[line.len - 1] == '\r' ||
			    line.ptr[line.len - 1] == '\n'))
		line.len--;
	return at_text_trim(line);
}

static void note_field(struct http_answer *answer, struct at_text line)
{
	static const struct at_text json = AT_TEXT("application/json");
	struct at_text value = field_value(line, AT_TEXT("retry-after"));

	if (value.ptr && value.len < sizeof(answer->retry_after)) {
		memcpy(answer->retry_after, value.ptr, value.len);
		answer->retry_after[value.len] = 0;
	}
	value = field_value(line, AT_TEXT("content-type"));
	if (value.ptr) {
		if (value.len > json.len)
			value.len = json.len;
		answer->json = at_text_equal_nocase(value, json);
	}
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http_answer *answer = context;
	size_t len = size * count;

	answer->head_bytes += len;
	if (answer->head_bytes > HTTP_CLIENT_HEAD_MAX_BYTES) {
		answer->too_long = true;
		return 0;
	}
	if (len > 5 && memcmp(bytes, "HTTP/", 5) == 0) {
		/* An interim answer's fields are not the final one's. */
		answer->retry_after[0] = 0;
		answer->json = false;
	}
	note_field(answer, (struct at_text){ bytes, len });
	return len;
}

/* ---- life ---- */

static void set_blob(CURL *easy, CURLoption option, const struct buffer *text)
{
	struct curl_blob blob = { text->ptr, text->len, CURL_BLOB_NOCOPY };

	if (text->len)
		curl_easy_setopt(easy, option, &blob);
}

static void set_options(CURL *easy, const struct http_client_setup *setup)
{
	curl_easy_setopt(easy, CURLOPT_URL, setup->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, setup->user_agent);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, setup->headers);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	set_blob(easy, CURLOPT_CAINFO_BLOB, setup->ca);
	set_blob(easy, CURLOPT_SSLCERT_BLOB, setup->certificate);
	set_blob(easy, CURLOPT_SSLKEY_BLOB, setup->key);
}

int http_client_open(struct http_client *client,
		     const struct http_client_setup *setup)
{
	memset(client, 0, sizeof(*client));
	client->timer_at_ns = AT_NO_LIMIT;
	client->multi = curl_multi_init();
	client->easy = curl_easy_init();
	if (!client->multi || !client->easy) {
		http_client_close(client);
		return -ENOMEM;
	}
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	set_options(client->easy, setup);
	return 0;
}

void http_client_close(struct http_client *client)
{
	curl_easy_cleanup(client->easy);
	curl_multi_cleanup(client->multi);
	http_client_forget(client);
}

void http_client_forget(struct http_client *client)
{
	memset(client, 0, sizeof(*client));
	client->timer_at_ns = AT_NO_LIMIT;
}

/* ---- one transfer ---- */

static void act_on_timer(struct http_client *client, int *running)
{
	if (client->timer_at_ns > at_clock_now_ns())
		return;
	client->timer_at_ns = AT_NO_LIMIT;
	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0,
				 running);
}

static void act_on_fds(struct http_client *client, int *running)
{
	/* curl changes the table while it works. */
	struct pollfd fds[HTTP_CLIENT_FDS];
	unsigned int count = client->fd_count, i;

	memcpy(fds, client->fds, count * sizeof(fds[0]));
	for (i = 0; i < count; i++) {
		int what = (fds[i].revents & POLLIN ? CURL_CSELECT_IN : 0) |
			   (fds[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0);

		if (fds[i].revents & (POLLERR | POLLHUP | POLLNVAL))
			what |= CURL_CSELECT_ERR;
		if (what)
			curl_multi_socket_action(client->multi, fds[i].fd, what,
						 running);
	}
}

static bool all_sent(const struct http_client *client, size_t len)
{
	curl_off_t sent = 0;

	return !curl_easy_getinfo(client->easy, CURLINFO_SIZE_UPLOAD_T,
				  &sent) &&
	       (size_t)sent >= len;
}

static int drive(struct http_client *client, struct pace *pace, size_t len)
{
	int running = 1, why = 0;

	client->timer_at_ns = 0; /* begin */
	while (running) {
		uint64_t left_ns = pace_left_ns(pace, &why);
		uint64_t now_ns = at_clock_now_ns(), wait_ns = 0;

		if (!left_ns)
			return why;
		if (client->timer_at_ns > now_ns)
			wait_ns = client->timer_at_ns - now_ns;
		if (wait_ns > left_ns)
			wait_ns = left_ns;
		if (wait_ns &&
		    pace_poll(pace, client->fds, client->fd_count, wait_ns))
			act_on_fds(client, &running);
		act_on_timer(client, &running);
		pace->out = all_sent(client, len);
	}
	return 0;
}

static bool is_transient(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_GOT_NOTHING:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_SSL_CONNECT_ERROR:
		return true;
	default:
		return false;
	}
}

static void take_result(struct http_client *client, struct http_answer *answer)
{
	CURLcode code = CURLE_OUT_OF_MEMORY;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			code = message->data.result;
	curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE,
			  &answer->status);
	if (answer->status < 200)
		answer->status = 0;
	answer->unreachable = code == CURLE_COULDNT_CONNECT ||
			      code == CURLE_COULDNT_RESOLVE_HOST;
	answer->transient = is_transient(code);
}

static void clear_answer(struct http_answer *answer)
{
	struct buffer body = answer->body;

	memset(answer, 0, sizeof(*answer));
	answer->body = body;
	answer->body.len = 0;
	answer->body.failed = false;
}

int http_client_post(struct http_client *client, struct pace *pace,
		     const void *body, size_t len, struct http_answer *answer)
{
	int result;

	clear_answer(answer);
	curl_easy_setopt(client->easy, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(client->easy, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)len);
	curl_easy_setopt(client->easy, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(client->easy, CURLOPT_HEADERDATA, answer);
	if (curl_multi_add_handle(client->multi, client->easy))
		return -ENOMEM;
	pace->out = false;
	result = drive(client, pace, len);
	pace->out = false;
	if (!result)
		take_result(client, answer);
	curl_multi_remove_handle(client->multi, client->easy);
	return result;
}
