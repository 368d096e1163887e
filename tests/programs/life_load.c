// SPDX-License-Identifier: Apache-2.0
/*
 * Loads and unloads libraries, and makes requests.
 *
 * life_load early PORT            use the connection of libearly.so
 * life_load plugin PORT LIBRARY   load it, make a request
 * life_load churn PORT LIBRARY    load and unload it while making requests
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "tests/programs/http.h"

static int port;
static _Atomic bool done;

static void *churn(void *path)
{
	while (!atomic_load(&done)) {
		void *library = dlopen(path, RTLD_NOW);

		http_need(library != NULL, "dlopen");
		dlclose(library);
	}
	return NULL;
}

static void ask_often(void)
{
	char path[64];
	int i;

	for (i = 0; i < 150; i++) {
		snprintf(path, sizeof(path), "/ok?i=%d", i);
		http_get(port, path);
	}
}

int main(int argc, char **argv)
{
	int *early = (int *)dlsym(RTLD_DEFAULT, "early_fd");
	pthread_t thread;

	http_need(argc >= 3, "usage");
	port = atoi(argv[2]);
	alarm(50);
	if (!strcmp(argv[1], "early")) {
		http_need(early && *early >= 0, "libearly.so");
		http_get_on(*early, "/ok?kept");
		http_get(port, "/ok?main");
	} else if (!strcmp(argv[1], "plugin")) {
		http_need(dlopen(argv[3], RTLD_NOW) != NULL, "dlopen");
		http_get(port, "/ok?main");
	} else {
		pthread_create(&thread, NULL, churn, argv[3]);
		ask_often();
		atomic_store(&done, true);
		pthread_join(thread, NULL);
	}
	puts("done");
	return 0;
}
