// SPDX-License-Identifier: Apache-2.0
/*
 * A plugin whose constructor, while the loader is locked, starts a thread and
 * waits for its first answer; with PLUGIN_FORKS also for a child's.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "tests/programs/http.h"

static int port;

static void *ask(void *path)
{
	http_get(port, path);
	return NULL;
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("PLUGIN_PORT");
	pthread_t thread;
	int status;
	pid_t pid;

	if (!text)
		return;
	port = atoi(text);
	http_need(!pthread_create(&thread, NULL, ask, (char *)"/ok?plugin"),
		  "thread");
	http_need(!pthread_join(thread, NULL), "join");
	if (!getenv("PLUGIN_FORKS"))
		return;
	pid = fork();
	if (pid == 0) {
		ask((char *)"/ok?child");
		_exit(0);
	}
	http_need(waitpid(pid, &status, 0) == pid && !status, "child");
}
