// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/exporter/collector.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define BODY_MAX_BYTES (8u << 20)

struct service {
	struct collector *collector;
	int fd;
	char head[4096];
	size_t have; /* bytes of head read so far */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static bool send_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	ssize_t done;

	for (; len; at += done, len -= (size_t)done) {
		done = send(fd, at, len, MSG_NOSIGNAL);
		if (done <= 0)
			return false;
	}
	return true;
}

static const char *field(const char *head, const char *name)
{
	const char *at = head;
	size_t len = strlen(name);

	while ((at = strstr(at, "\r\n"))) {
		at += 2;
		if (strncasecmp(at, name, len) == 0 && at[len] == ':')
			return at + len + 1 + strspn(at + len + 1, " ");
	}
	return NULL;
}

/* Reads up to the blank line; what follows it stays in head behind it. */
static char *read_head(struct service *service)
{
	char *end;

	for (;;) {
		ssize_t len;

		service->head[service->have] = 0;
		end = strstr(service->head, "\r\n\r\n");
		if (end)
			return end + 4;
		len = recv(service->fd, service->head + service->have,
			   sizeof(service->head) - 1 - service->have, 0);
		if (len <= 0)
			return NULL;
		service->have += (size_t)len;
	}
}

static void require(bool good)
{
	if (!good)
		abort();
}

static uint8_t *inflated(uint8_t *packed, size_t *len)
{
	uint8_t *plain = malloc(BODY_MAX_BYTES);
	z_stream stream = { .next_in = packed,
			    .avail_in = (uInt)*len,
			    .next_out = plain,
			    .avail_out = BODY_MAX_BYTES };

	require(inflateInit2(&stream, 15 + 16) == Z_OK);
	require(inflate(&stream, Z_FINISH) == Z_STREAM_END);
	*len = stream.total_out;
	inflateEnd(&stream);
	free(packed);
	return plain;
}

static bool read_post(struct service *service, struct collector_post *post)
{
	char *rest = read_head(service);
	size_t head_len, got;
	const char *encoding, *length;

	if (!rest)
		return false;
	head_len = (size_t)(rest - service->head);
	snprintf(post->head, sizeof(post->head), "%.*s", (int)head_len,
		 service->head);
	length = field(post->head, "Content-Length");
	post->len = length ? (size_t)atol(length) : 0;
	post->body = malloc(post->len + 1);
	got = service->have - head_len;
	require(got <= post->len);
	memcpy(post->body, rest, got);
	service->have = 0;
	while (got < post->len) {
		ssize_t len =
			recv(service->fd, post->body + got, post->len - got, 0);

		if (len <= 0)
			return false;
		got += (size_t)len;
	}
	encoding = field(post->head, "Content-Encoding");
	if (encoding && strncmp(encoding, "gzip", 4) == 0)
		post->body = inflated(post->body, &post->len);
	post->time_ns = now_ns();
	return true;
}

/* Into memory that the test sees too. */
static void keep_post(struct collector *collector, struct collector_post *post)
{
	uint8_t *kept = collector->bodies + collector->bodies_bytes;

	require(collector->post_count < COLLECTOR_POSTS);
	require(post->len <= COLLECTOR_BODIES_BYTES - collector->bodies_bytes);
	collector->bodies_bytes += post->len;
	memcpy(kept, post->body, post->len);
	free(post->body);
	post->body = kept;
	collector->posts[collector->post_count++] = *post;
}

static struct collector_step take_step(struct collector *collector,
				       struct collector_post *post)
{
	struct collector_step step = collector->otherwise;

	pthread_mutex_lock(&collector->mutex);
	if (collector->script_at < collector->script_count)
		step = collector->script[collector->script_at++];
	keep_post(collector, post);
	pthread_cond_broadcast(&collector->changed);
	pthread_mutex_unlock(&collector->mutex);
	return step;
}

static bool answer(int fd, const struct collector_step *step)
{
	char head[1024];
	size_t len = step->body && !step->size ? strlen(step->body) :
						 step->size;

	snprintf(head, sizeof(head),
		 "HTTP/1.1 %d x\r\nContent-Length: %zu\r\n%s\r\n",
		 step->status ? step->status : 200, len,
		 step->head ? step->head : "");
	return send_all(fd, head, strlen(head)) &&
	       send_all(fd, step->body, len);
}

static void pour(struct service *service, const char *piece, size_t piece_len,
		 size_t size)
{
	uint64_t sent = 0;

	while (sent < size && send_all(service->fd, piece, piece_len))
		sent += piece_len;
	pthread_mutex_lock(&service->collector->mutex);
	service->collector->sent_bytes += sent;
	pthread_mutex_unlock(&service->collector->mutex);
}

static void answer_endless(struct service *service,
			   const struct collector_step *step)
{
	char *piece = calloc(1, 65536);
	char head[128];

	snprintf(head, sizeof(head),
		 "HTTP/1.1 200 x\r\nContent-Length: %zu\r\n\r\n", step->size);
	send_all(service->fd, head, strlen(head));
	pour(service, piece, 65536, step->size);
	free(piece);
}

static void answer_endless_head(struct service *service,
				const struct collector_step *step)
{
	static const char start[] = "HTTP/1.1 200 x\r\n";
	char line[1024] = "X-More: ";

	memset(line + 8, 'x', 1000);
	memcpy(line + 1008, "\r\n", 3);
	send_all(service->fd, start, strlen(start));
	pour(service, line, 1010, step->size);
}

static void hold(int fd)
{
	char bytes[256];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

/* True to keep the connection. */
static bool act(struct service *service, const struct collector_step *step)
{
	static const char cut[] =
		"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc";

	switch (step->act) {
	case COLLECTOR_ANSWER:
		return answer(service->fd, step);
	case COLLECTOR_CUT:
		send_all(service->fd, cut, strlen(cut));
		return false;
	case COLLECTOR_HOLD:
		hold(service->fd);
		return false;
	case COLLECTOR_ENDLESS:
		answer_endless(service, step);
		return false;
	case COLLECTOR_ENDLESS_HEAD:
		answer_endless_head(service, step);
		return false;
	case COLLECTOR_RAW:
		send_all(service->fd, step->head, strlen(step->head));
		return false;
	default:
		return false;
	}
}

static void *serve(void *argument)
{
	struct service *service = argument;
	struct collector_post post;
	struct collector_step step;

	do {
		if (!read_post(service, &post))
			break;
		step = take_step(service->collector, &post);
	} while (act(service, &step));
	close(service->fd);
	free(service);
	return NULL;
}

static void accept_all(struct collector *collector)
{
	pthread_t thread;
	int fd, one = 1;

	while ((fd = accept(collector->listener, NULL, NULL)) >= 0) {
		struct service *service = calloc(1, sizeof(*service));

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		service->collector = collector;
		service->fd = fd;
		pthread_mutex_lock(&collector->mutex);
		collector->connection_count++;
		pthread_mutex_unlock(&collector->mutex);
		pthread_create(&thread, NULL, serve, service);
		pthread_detach(thread);
	}
}

static int bound_socket(int *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, len), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void share_locks(struct collector *collector)
{
	pthread_mutexattr_t mutex;
	pthread_condattr_t condition;

	pthread_mutexattr_init(&mutex);
	pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&collector->mutex, &mutex);
	pthread_condattr_init(&condition);
	pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&collector->changed, &condition);
}

struct collector *collector_start(void)
{
	struct collector *collector = mmap(NULL, sizeof(*collector),
					   PROT_READ | PROT_WRITE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;
	int port;

	cr_assert_neq(collector, MAP_FAILED);
	share_locks(collector);
	collector->listener = bound_socket(&port);
	cr_assert_eq(listen(collector->listener, 64), 0);
	snprintf(collector->endpoint, sizeof(collector->endpoint),
		 "http://127.0.0.1:%d", port);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		accept_all(collector);
		_exit(1);
	}
	cr_assert_gt(pid, 0);
	/* Not before: this memory is the child's too. */
	collector->pid = pid;
	close(collector->listener);
	return collector;
}

void collector_script(struct collector *collector, struct collector_step step)
{
	pthread_mutex_lock(&collector->mutex);
	cr_assert_lt(collector->script_count, COLLECTOR_STEPS);
	collector->script[collector->script_count++] = step;
	pthread_mutex_unlock(&collector->mutex);
}

static struct timespec in_20_s(void)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 20;
	return end;
}

bool collector_wait_posts(struct collector *collector, int count)
{
	struct timespec end = in_20_s();
	bool came;
	int error = 0;

	pthread_mutex_lock(&collector->mutex);
	while (collector->post_count < count && !error)
		error = pthread_cond_timedwait(&collector->changed,
					       &collector->mutex, &end);
	came = collector->post_count >= count;
	pthread_mutex_unlock(&collector->mutex);
	return came;
}

void collector_stop(struct collector *collector)
{
	int status;

	kill(collector->pid, SIGKILL);
	cr_assert_eq(waitpid(collector->pid, &status, 0), collector->pid);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		  "the collector died by itself");
}

int refused_port(int *holder)
{
	int port;

	*holder = bound_socket(&port);
	return port;
}

/* A backlog that is full, so that a connect() never completes. */
int black_hole_port(int fds[BLACK_HOLE_FDS])
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int port, i;

	fds[0] = bound_socket(&port);
	address.sin_port = htons((uint16_t)port);
	cr_assert_eq(listen(fds[0], 0), 0);
	for (i = 1; i < BLACK_HOLE_FDS; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fds[i], (struct sockaddr *)&address, sizeof(address));
	}
	return port;
}
