// SPDX-License-Identifier: Apache-2.0
/*
 * Changes its environment without a pause while it makes requests: whatever
 * another thread reads of it meanwhile may be freed memory.
 *
 * environ_storm PORT REQUESTS
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Atomic bool done;

static void *storm(void *unused)
{
	char name[32];
	unsigned int i;

	(void)unused;
	for (i = 0; !atomic_load(&done); i++) {
		snprintf(name, sizeof(name), "STORM_%u", i % 3000);
		setenv(name, name, 1);
		if (i % 3000 == 2999)
			clearenv();
	}
	return NULL;
}

static int request(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char bytes[1024];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t got, sum = 0;

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return -1;
	snprintf(bytes, sizeof(bytes),
		 "GET /ok HTTP/1.1\r\nHost: localhost:%d\r\n"
		 "Connection: close\r\n\r\n",
		 port);
	if (write(fd, bytes, strlen(bytes)) < 0)
		return -1;
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		sum += got;
	close(fd);
	return sum > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int i, count;

	if (argc != 3)
		return 2;
	count = atoi(argv[2]);
	pthread_create(&thread, NULL, storm, NULL);
	for (i = 0; i < count; i++)
		if (request(atoi(argv[1])))
			return 1;
	atomic_store(&done, true);
	pthread_join(thread, NULL);
	return 0;
}
