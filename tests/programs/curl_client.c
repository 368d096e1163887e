// SPDX-License-Identifier: Apache-2.0
/*
 * What a program can do with libcurl's handles.
 *
 *   curl_client [OPTION]... MODE URL...
 *
 * modes: easy (one handle, one URL after the other), multi, wait, socket, all
 * (all at once, driven by curl_multi_poll, _wait, _socket_action, _socket_all),
 * share, dup, reset, unused, moved, threads, nested, removed, kept: see below.
 * options: -L follow, -u USER:PASSWORD digest, -t MS timeout, -c FILE trusted
 * certificates, -H HEADER, -p own callback before requests, -a N that gives up
 * at its N-th call, -R HOST:PORT:ADDRESS, -d BYTES post so many, -s BYTES a
 * second upwards at most, -n COUNT each URL so often (with i=0.. in it where it
 * has %d), -v 2|3 TLS 1.2 or 1.3 only, -f give up on 4xx.
 *
 * Prints one line a transfer: what an application can learn but for times.
 */
#include <curl/curl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRANSFERS_MAX 2000

struct transfer {
	char url[512];
	CURL *easy;
	size_t bytes;
	int asked; /* calls of our own callback */
	int result;
	struct transfer *inner; /* to be made in the middle of this one */
};

static struct transfer transfers[TRANSFERS_MAX];
static int transfer_count;
static const char *user, *trusted, *header, *address;
static int follow, own_callback, give_up_at, fail_on_error;
static long timeout_ms, post_bytes, speed, version;
static struct curl_slist *headers, *addresses;
static char *body;

static size_t got(char *bytes, size_t size, size_t count, void *data)
{
	struct transfer *transfer = data;
	struct transfer *inner = transfer->inner;

	(void)bytes;
	transfer->bytes += size * count;
	transfer->inner = NULL;
	if (inner)
		inner->result = curl_easy_perform(inner->easy);
	return size * count;
}

static int asked(void *data, char *ip, char *local_ip, int port, int local_port)
{
	struct transfer *transfer = data;

	if (!*ip || !*local_ip || !port || !local_port)
		puts("called without an address");
	return ++transfer->asked == give_up_at ? CURL_PREREQFUNC_ABORT :
						 CURL_PREREQFUNC_OK;
}

static void set_up(CURL *easy, struct transfer *transfer)
{
	curl_easy_setopt(easy, CURLOPT_URL, transfer->url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, got);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, (long)follow);
	curl_easy_setopt(easy, CURLOPT_FAILONERROR, (long)fail_on_error);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(easy, CURLOPT_RESOLVE, addresses);
	if (user) {
		curl_easy_setopt(easy, CURLOPT_USERPWD, user);
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST);
	}
	if (timeout_ms)
		curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
	if (trusted)
		curl_easy_setopt(easy, CURLOPT_CAINFO, trusted);
	if (version)
		curl_easy_setopt(easy, CURLOPT_SSLVERSION,
				 version == 2 ?
					 CURL_SSLVERSION_TLSv1_2 |
						 CURL_SSLVERSION_MAX_TLSv1_2 :
					 CURL_SSLVERSION_TLSv1_3);
	if (post_bytes) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, post_bytes);
	}
	if (speed)
		curl_easy_setopt(easy, CURLOPT_MAX_SEND_SPEED_LARGE,
				 (curl_off_t)speed);
	if (own_callback) {
		curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, asked);
		curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	}
}

static void new_handle(struct transfer *transfer)
{
	transfer->easy = curl_easy_init();
	set_up(transfer->easy, transfer);
}

static void tell(struct transfer *transfer)
{
	long status = 0, redirects = 0, connects = 0, http = 0;
	const char *url = "";
	CURL *easy = transfer->easy;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &redirects);
	curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_getinfo(easy, CURLINFO_HTTP_VERSION, &http);
	curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
	printf("%s: %d %s, status %ld, %zu bytes, %ld redirects, "
	       "%d connections made, version %ld, asked %d\n",
	       transfer->url, transfer->result,
	       curl_easy_strerror(transfer->result), status, transfer->bytes,
	       redirects, connects > 0 && transfer_count <= 40, http,
	       transfer->asked);
	if (follow)
		printf("\tended at %s\n", url);
}

static void perform(struct transfer *transfer)
{
	transfer->result = curl_easy_perform(transfer->easy);
	tell(transfer);
}

/* --- one after the other --- */

static void easy(void)
{
	CURL *one = curl_easy_init();
	int i;

	for (i = 0; i < transfer_count; i++) {
		transfers[i].easy = one;
		set_up(one, &transfers[i]);
		perform(&transfers[i]);
	}
	curl_easy_cleanup(one);
}

/* A copy of a handle that has been used, and is used again after it. */
static void dup_(void)
{
	CURL *first;

	new_handle(&transfers[0]);
	perform(&transfers[0]);
	first = transfers[0].easy;
	transfers[0].easy = curl_easy_duphandle(first);
	transfers[0].bytes = 0;
	perform(&transfers[0]);
	curl_easy_cleanup(first);
	perform(&transfers[0]);
	curl_easy_cleanup(transfers[0].easy);
}

/* All options are gone, our callback too. */
static void reset(void)
{
	new_handle(&transfers[0]);
	perform(&transfers[0]);
	curl_easy_reset(transfers[0].easy);
	curl_easy_setopt(transfers[0].easy, CURLOPT_URL, transfers[0].url);
	curl_easy_setopt(transfers[0].easy, CURLOPT_WRITEFUNCTION, got);
	curl_easy_setopt(transfers[0].easy, CURLOPT_WRITEDATA, &transfers[0]);
	if (trusted)
		curl_easy_setopt(transfers[0].easy, CURLOPT_CAINFO, trusted);
	perform(&transfers[0]);
	curl_easy_cleanup(transfers[0].easy);
}

/* Handles that never do anything, and one that does, in their memory. */
static void unused(void)
{
	int i;

	for (i = 0; i < 100; i++) {
		new_handle(&transfers[0]);
		curl_easy_cleanup(transfers[0].easy);
	}
	own_callback = 0;
	easy();
}

/* Each transfer on a thread of its own, all with one handle. */
static void *on_thread(void *data)
{
	perform(data);
	return NULL;
}

static void moved(void)
{
	CURL *one = curl_easy_init();
	pthread_t thread;
	int i;

	for (i = 0; i < transfer_count; i++) {
		transfers[i].easy = one;
		set_up(one, &transfers[i]);
		pthread_create(&thread, NULL, on_thread, &transfers[i]);
		pthread_join(thread, NULL);
	}
	curl_easy_cleanup(one);
}

static void *quietly(void *data)
{
	struct transfer *transfer = data;

	transfer->result = curl_easy_perform(transfer->easy);
	return NULL;
}

/* All at once, a thread and a handle each. */
static void threads(void)
{
	static pthread_t running[TRANSFERS_MAX];
	int i;

	for (i = 0; i < transfer_count; i++) {
		new_handle(&transfers[i]);
		pthread_create(&running[i], NULL, quietly, &transfers[i]);
	}
	for (i = 0; i < transfer_count; i++) {
		pthread_join(running[i], NULL);
		tell(&transfers[i]);
		curl_easy_cleanup(transfers[i].easy);
	}
}

/* The second is made in the middle of the first. */
static void nested(void)
{
	new_handle(&transfers[0]);
	new_handle(&transfers[1]);
	transfers[0].inner = &transfers[1];
	perform(&transfers[0]);
	tell(&transfers[1]);
	curl_easy_cleanup(transfers[0].easy);
	curl_easy_cleanup(transfers[1].easy);
}

/* --- several at once --- */

struct watched {
	struct pollfd polled[TRANSFERS_MAX];
	int count;
	long timer_ms;
};

static struct watched watched = { .timer_ms = -1 };

static int on_socket(CURL *one, curl_socket_t fd, int what, void *data,
		     void *own)
{
	int i;

	(void)one;
	(void)data;
	(void)own;
	for (i = 0; i < watched.count && watched.polled[i].fd != fd; i++)
		;
	if (what == CURL_POLL_REMOVE) {
		if (i < watched.count)
			watched.polled[i] = watched.polled[--watched.count];
		return 0;
	}
	if (i == watched.count)
		watched.count++;
	watched.polled[i].fd = fd;
	watched.polled[i].events =
		(short)((what & CURL_POLL_IN ? POLLIN : 0) |
			(what & CURL_POLL_OUT ? POLLOUT : 0));
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *own)
{
	(void)multi;
	(void)own;
	watched.timer_ms = ms;
	return 0;
}

static void socket_events(CURLM *multi, int *running)
{
	struct pollfd ready[TRANSFERS_MAX];
	int count = watched.count, i, n;
	long wait_ms = watched.timer_ms < 0 ? 1000 : watched.timer_ms;

	memcpy(ready, watched.polled, (size_t)count * sizeof(*ready));
	n = poll(ready, (nfds_t)count, (int)wait_ms);
	if (n == 0) {
		watched.timer_ms = -1;
		curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0,
					 running);
	}
	for (i = 0; i < count; i++)
		if (ready[i].revents)
			curl_multi_socket_action(
				multi, ready[i].fd,
				(ready[i].revents &
						 (POLLIN | POLLHUP | POLLERR) ?
					 CURL_CSELECT_IN :
					 0) |
					(ready[i].revents & POLLOUT ?
						 CURL_CSELECT_OUT :
						 0),
				running);
}

static void drive(CURLM *multi, const char *how, int *running)
{
	if (!strcmp(how, "socket")) {
		socket_events(multi, running);
		return;
	}
	if (!strcmp(how, "wait"))
		curl_multi_wait(multi, NULL, 0, 100, NULL);
	else
		curl_multi_poll(multi, NULL, 0, 100, NULL);
	if (!strcmp(how, "all"))
		curl_multi_socket_all(multi, running);
	else
		curl_multi_perform(multi, running);
}

static void read_results(CURLM *multi)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi, &left))) {
		struct transfer *transfer;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
				  (char **)&transfer);
		transfer->result = message->data.result;
	}
}

static void multi(const char *how)
{
	CURLM *all = curl_multi_init();
	int running = 1, i;

	curl_multi_setopt(all, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(all, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(all, CURLMOPT_MAX_TOTAL_CONNECTIONS, 40L);
	for (i = 0; i < transfer_count; i++) {
		new_handle(&transfers[i]);
		curl_multi_add_handle(all, transfers[i].easy);
	}
	while (running) {
		drive(all, how, &running);
		read_results(all);
	}
	read_results(all);
	for (i = 0; i < transfer_count; i++) {
		tell(&transfers[i]);
		curl_multi_remove_handle(all, transfers[i].easy);
		curl_easy_cleanup(transfers[i].easy);
	}
	curl_multi_cleanup(all);
}

/* The first is taken out before its answer has come; the others go on. */
static void removed(void)
{
	CURLM *all = curl_multi_init();
	int running = 1, i, turns;

	for (i = 0; i < transfer_count; i++)
		new_handle(&transfers[i]);
	curl_multi_add_handle(all, transfers[0].easy);
	for (turns = 0; turns < 5; turns++) {
		curl_multi_poll(all, NULL, 0, 100, NULL);
		curl_multi_perform(all, &running);
	}
	curl_multi_remove_handle(all, transfers[0].easy);
	for (i = 1; i < transfer_count; i++)
		curl_multi_add_handle(all, transfers[i].easy);
	for (running = 1; running; read_results(all))
		drive(all, "multi", &running);
	for (i = 0; i < transfer_count; i++) {
		tell(&transfers[i]);
		curl_multi_remove_handle(all, transfers[i].easy);
		curl_easy_cleanup(transfers[i].easy);
	}
	curl_multi_cleanup(all);
}

/* Nobody asks how they ended, and the multi handle goes first. */
static void kept(void)
{
	CURLM *all = curl_multi_init();
	int running = 1, i;

	for (i = 0; i < transfer_count; i++) {
		new_handle(&transfers[i]);
		curl_multi_add_handle(all, transfers[i].easy);
	}
	while (running)
		drive(all, "multi", &running);
	curl_multi_cleanup(all);
	for (i = 0; i < transfer_count; i++) {
		tell(&transfers[i]);
		perform(&transfers[i]);
		curl_easy_cleanup(transfers[i].easy);
	}
}

/* --- handles that share what they know --- */

static pthread_mutex_t locks[CURL_LOCK_DATA_LAST];

static void lock(CURL *one, curl_lock_data what, curl_lock_access how,
		 void *own)
{
	(void)one;
	(void)how;
	(void)own;
	pthread_mutex_lock(&locks[what]);
}

static void unlock(CURL *one, curl_lock_data what, void *own)
{
	(void)one;
	(void)own;
	pthread_mutex_unlock(&locks[what]);
}

static void share(void)
{
	CURLSH *common = curl_share_init();
	pthread_t thread;
	int i;

	for (i = 0; i < CURL_LOCK_DATA_LAST; i++)
		pthread_mutex_init(&locks[i], NULL);
	curl_share_setopt(common, CURLSHOPT_LOCKFUNC, lock);
	curl_share_setopt(common, CURLSHOPT_UNLOCKFUNC, unlock);
	curl_share_setopt(common, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
	curl_share_setopt(common, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	curl_share_setopt(common, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_share_setopt(common, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
	for (i = 0; i < transfer_count; i++) {
		new_handle(&transfers[i]);
		curl_easy_setopt(transfers[i].easy, CURLOPT_SHARE, common);
		pthread_create(&thread, NULL, on_thread, &transfers[i]);
		pthread_join(thread, NULL);
	}
	for (i = 0; i < transfer_count; i++)
		curl_easy_cleanup(transfers[i].easy);
	curl_share_cleanup(common);
}

/* --- */

static void add_urls(int argc, char **argv, int count)
{
	int i, n;

	for (i = 0; i < argc; i++)
		for (n = 0; n < count && transfer_count < TRANSFERS_MAX; n++)
			snprintf(transfers[transfer_count++].url,
				 sizeof(transfers[0].url), argv[i], n);
}

static int read_options(int argc, char **argv, int *count)
{
	int option;

	while ((option = getopt(argc, argv, "Lfpu:t:c:H:a:R:d:s:n:v:")) != -1) {
		long number = optarg ? strtol(optarg, NULL, 10) : 0;

		switch (option) {
		case 'L':
			follow = 1;
			break;
		case 'f':
			fail_on_error = 1;
			break;
		case 'p':
			own_callback = 1;
			break;
		case 'a':
			own_callback = 1;
			give_up_at = (int)number;
			break;
		case 'u':
			user = optarg;
			break;
		case 't':
			timeout_ms = number;
			break;
		case 'c':
			trusted = optarg;
			break;
		case 'H':
			header = optarg;
			break;
		case 'R':
			address = optarg;
			break;
		case 'd':
			post_bytes = number;
			break;
		case 's':
			speed = number;
			break;
		case 'n':
			*count = (int)number;
			break;
		case 'v':
			version = number;
			break;
		default:
			return -1;
		}
	}
	return optind;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = {
		{ "easy", easy },     { "dup", dup_ },
		{ "reset", reset },   { "unused", unused },
		{ "moved", moved },   { "threads", threads },
		{ "nested", nested }, { "removed", removed },
		{ "kept", kept },     { "share", share },
	};
	int count = 1, first = read_options(argc, argv, &count);
	unsigned int i;

	if (first < 0 || argc - first < 2)
		return 2;
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (header)
		headers = curl_slist_append(NULL, header);
	if (address)
		addresses = curl_slist_append(NULL, address);
	body = calloc(1, (size_t)post_bytes + 1);
	memset(body, 'b', (size_t)post_bytes);
	add_urls(argc - first - 1, argv + first + 1, count);
	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(argv[first], modes[i].name)) {
			modes[i].run();
			break;
		}
	if (i == sizeof(modes) / sizeof(*modes))
		multi(argv[first]);
	curl_slist_free_all(headers);
	curl_slist_free_all(addresses);
	free(body);
	curl_global_cleanup();
	return 0;
}
