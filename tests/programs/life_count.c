// SPDX-License-Identifier: Apache-2.0
/*
 * How many threads has this process? Asked at every moment of a fork at which
 * a program could ask.
 *
 * life_count count PORT ROUNDS    print in how many it was more than one
 * life_count leaves PORT          a request, a fork, then wait to be killed
 */
#include <dirent.h>
#include <pthread.h>
#include <sys/wait.h>

#include "tests/programs/http.h"

static const char *moment[5] = { "prepare", "parent", "child", "after",
				 "child after" };
static int more[5]; /* rounds in which there was more than one */

static void look(int when)
{
	DIR *tasks = opendir("/proc/self/task");
	int count = -2; /* . and .. */

	http_need(tasks != NULL, "opendir");
	while (readdir(tasks))
		count++;
	closedir(tasks);
	more[when] += count > 1;
}

static void in_prepare(void)
{
	look(0);
}

static void in_parent(void)
{
	look(1);
}

static void in_child(void)
{
	look(2);
}

static void count(int port, int rounds)
{
	int i, status;

	pthread_atfork(in_prepare, in_parent, in_child);
	for (i = 0; i < rounds; i++) {
		int in_child_before = more[2], after_before = more[4];
		pid_t pid;

		http_get(port, "/ok?who=parent");
		pid = fork();
		http_need(pid >= 0, "fork");
		if (pid == 0) {
			look(4);
			_exit((more[2] != in_child_before) +
			      2 * (more[4] != after_before));
		}
		look(3);
		http_need(waitpid(pid, &status, 0) == pid, "waitpid");
		more[2] += WEXITSTATUS(status) & 1;
		more[4] += WEXITSTATUS(status) >> 1;
	}
	for (i = 0; i < 5; i++)
		printf("%s: %d\n", moment[i], more[i]);
}

static void leaves(int port)
{
	pid_t pid;

	http_get(port, "/ok?who=parent");
	pid = fork();
	http_need(pid >= 0, "fork");
	if (pid == 0)
		_exit(0);
	http_need(waitpid(pid, NULL, 0) == pid, "waitpid");
	pause();
}

int main(int argc, char **argv)
{
	http_need(argc > 2, "usage");
	if (argc > 3)
		count(atoi(argv[2]), atoi(argv[3]));
	else
		leaves(atoi(argv[2]));
	return 0;
}
