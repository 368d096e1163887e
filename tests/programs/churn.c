// SPDX-License-Identifier: Apache-2.0
/*
 * churn PORT [overflow]: four threads that allocate, free and make requests;
 * then a heap overflow, if asked for. Ends with 5.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS 4
#define REQUESTS 25

static int port;

static int connected(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_port = htons((unsigned short)port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		perror("connect");
	return fd;
}

/* Its own bytes and the answer on the heap. */
static void request(void)
{
	char *text = malloc(200), *answer = malloc(5000);
	int fd = connected();
	ssize_t n;

	n = snprintf(text, 200,
		     "GET /ok HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
		     "Connection: close\r\n\r\n",
		     port);
	if (write(fd, text, (size_t)n) != n)
		perror("write");
	free(text);
	do
		n = read(fd, answer, 5000);
	while (n > 0);
	if (n < 0)
		perror("read");
	close(fd);
	free(answer);
}

static void *work(void *argument)
{
	int i;

	for (i = 0; i < REQUESTS; i++)
		request();
	return argument;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	volatile char *bytes;
	int i;

	port = argc > 1 ? atoi(argv[1]) : 0;
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	puts("done");
	fflush(stdout);
	bytes = malloc(10);
	if (argc > 2)
		bytes[10 + (argc & 1)] = 1;
	free((void *)bytes);
	return 5;
}
