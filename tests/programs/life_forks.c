// SPDX-License-Identifier: Apache-2.0
/*
 * Forks all the time while another thread makes requests; every child makes
 * one of its own. Ends with the number of children that did not end well.
 *
 * life_forks PORT FORKS FORKING_THREADS
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/programs/http.h"

static int port, forks;
static _Atomic bool done;
static _Atomic int next, bad;

static void *ask_often(void *unused)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	char path[64];
	int i;

	for (i = 0; !atomic_load(&done); i++) {
		snprintf(path, sizeof(path), "/ok?who=parent&i=%d", i);
		http_get(port, path);
		nanosleep(&pause, NULL);
	}
	return unused;
}

static void child(int number)
{
	char path[64];

	alarm(20); /* whatever hangs is ended, and seen */
	snprintf(path, sizeof(path), "/ok?who=child%d", number);
	http_get(port, path);
	_exit(0);
}

static void *fork_often(void *unused)
{
	int status, number;
	pid_t pid;

	while ((number = atomic_fetch_add(&next, 1)) < forks) {
		pid = fork();
		http_need(pid >= 0, "fork");
		if (pid == 0)
			child(number);
		http_need(waitpid(pid, &status, 0) == pid, "waitpid");
		if (status)
			atomic_fetch_add(&bad, 1);
	}
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t asker, forker[8];
	int i, threads;

	http_need(argc == 4, "usage");
	port = atoi(argv[1]);
	forks = atoi(argv[2]);
	threads = atoi(argv[3]);
	pthread_create(&asker, NULL, ask_often, NULL);
	for (i = 0; i < threads; i++)
		pthread_create(&forker[i], NULL, fork_often, NULL);
	for (i = 0; i < threads; i++)
		pthread_join(forker[i], NULL);
	atomic_store(&done, true);
	pthread_join(asker, NULL);
	printf("%d children ended badly\n", atomic_load(&bad));
	return 0;
}
