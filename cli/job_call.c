// SPDX-License-Identifier: Apache-2.0
#include "cli/job_call.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Both sides are one program; of another version it is not understood. */
#define MAGIC (0x61746a00u ^ (uint32_t)sizeof(struct at_job_request))

/* The job's delivery may take a while, a ping may not. */
#define END_TIMEOUT_S 60
#define PING_TIMEOUT_S 2
#define TEXT_MAX_BYTES (64u << 20)

static socklen_t name_of(struct sockaddr_un *name, const char *address)
{
	memset(name, 0, sizeof(*name));
	name->sun_family = AF_UNIX;
	/* A NUL in front: the abstract namespace. */
	snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1,
		 "autotrace-job-%s", address);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			   strlen(name->sun_path + 1));
}

int at_job_listen(const char *address)
{
	struct sockaddr_un name;
	socklen_t len = name_of(&name, address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&name, len) == 0 && listen(fd, 4) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static bool is_us(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void limit(int fd, int seconds)
{
	const struct timeval time = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
}

static int receive(int fd, void *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t more = recv(fd, (char *)bytes + done, len - done, 0);

		if (more > 0)
			done += (size_t)more;
		else if (more == 0)
			return -ECONNRESET;
		else if (errno != EINTR)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
	}
	return 0;
}

static int transmit(int fd, const void *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t more = send(fd, (const char *)bytes + done, len - done,
				    MSG_NOSIGNAL);

		if (more >= 0)
			done += (size_t)more;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int at_job_accept(int listener, struct at_job_request *request)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return 0;
	limit(fd, PING_TIMEOUT_S);
	if (is_us(fd) && receive(fd, request, sizeof(*request)) == 0 &&
	    request->magic == MAGIC)
		return fd;
	close(fd);
	return 0;
}

void at_job_answer(int connection, struct at_job_answer *answer,
		   const char *report, const char *summary)
{
	answer->magic = MAGIC;
	answer->report_bytes = (uint32_t)strlen(report);
	answer->summary_bytes = (uint32_t)strlen(summary);
	if (transmit(connection, answer, sizeof(*answer)) == 0 &&
	    transmit(connection, report, answer->report_bytes) == 0)
		transmit(connection, summary, answer->summary_bytes);
}

static int converse(int fd, struct at_job_request *request,
		    struct at_job_answer *answer, char **texts)
{
	size_t len;
	int error;

	limit(fd, request->wish == AT_JOB_END ? END_TIMEOUT_S : PING_TIMEOUT_S);
	request->magic = MAGIC;
	error = transmit(fd, request, sizeof(*request));
	if (!error)
		error = receive(fd, answer, sizeof(*answer));
	if (error)
		return error;
	if (answer->magic != MAGIC || answer->report_bytes > TEXT_MAX_BYTES ||
	    answer->summary_bytes > TEXT_MAX_BYTES)
		return -EPROTO;
	len = answer->report_bytes + answer->summary_bytes;
	*texts = malloc(len + 1);
	return *texts ? receive(fd, *texts, len) : -ENOMEM;
}

int at_job_ask(const char *address, struct at_job_request *request,
	       struct at_job_answer *answer, char **texts)
{
	struct sockaddr_un name;
	socklen_t len = name_of(&name, address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	*texts = NULL;
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&name, len))
		error = -errno;
	else
		error = is_us(fd) ? converse(fd, request, answer, texts) :
				    -EACCES;
	close(fd);
	return error;
}
