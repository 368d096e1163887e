// SPDX-License-Identifier: Apache-2.0
/*
 * curl_host TRUSTED URL PLUGIN...: each plugin fetches URL?by=NUMBER three
 * times in turn with the others, then all do so at once on threads.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#define PLUGINS_MAX 8
#define ROUNDS 3

static void (*fetches[PLUGINS_MAX])(const char *, const char *);
static char urls[PLUGINS_MAX][512];
static const char *trusted;

static void *work(void *number)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		fetches[(long)number](urls[(long)number], trusted);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[PLUGINS_MAX];
	long count = argc - 3, i, round;

	if (count < 1 || count > PLUGINS_MAX)
		return 2;
	trusted = argv[1];
	for (i = 0; i < count; i++) {
		void *plugin = dlopen(argv[3 + i], RTLD_NOW | RTLD_LOCAL);

		if (!plugin) {
			puts(dlerror());
			return 1;
		}
		*(void **)&fetches[i] = dlsym(plugin, "fetch");
		snprintf(urls[i], sizeof(urls[i]), "%s?by=%ld", argv[2], i);
	}
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < count; i++)
			fetches[i](urls[i], trusted);
	for (i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
