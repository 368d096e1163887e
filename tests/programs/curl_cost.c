// SPDX-License-Identifier: Apache-2.0
/*
 * COUNT transfers with one easy handle, on one keep-alive connection.
 *
 *   curl_cost get PORT COUNT     of `cost_http serve`
 *
 * Prints what `cost_http get` prints.
 */
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/programs/cost.h"

#define WARM_UP_COUNT 200

static long traced;

static size_t got(char *bytes, size_t size, size_t count, void *data)
{
	(void)bytes;
	(void)data;
	return size * count;
}

static size_t got_line(char *bytes, size_t size, size_t count, void *data)
{
	(void)data;
	if (size * count > 13 && !memcmp(bytes, "HTTP/1.1 200 T", 14))
		traced++;
	return size * count;
}

static void transfer(CURL *easy, long count)
{
	while (count-- > 0)
		if (curl_easy_perform(easy) != CURLE_OK) {
			fprintf(stderr, "curl_cost: no answer\n");
			exit(1);
		}
}

int main(int argc, char **argv)
{
	char url[128];
	struct rusage usage;
	int64_t cpu, wall;
	CURL *easy;
	long count;

	if (argc != 4 || strcmp(argv[1], "get") != 0)
		return 2;
	count = strtol(argv[3], NULL, 10);
	snprintf(url, sizeof(url), "http://127.0.0.1:%s/api/order/42", argv[2]);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	easy = curl_easy_init();
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, got);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, got_line);
	if (count > 1)
		transfer(easy, WARM_UP_COUNT);
	traced = 0;
	cpu = cpu_ns();
	wall = wall_ns();
	transfer(easy, count);
	cpu = cpu_ns() - cpu;
	wall = wall_ns() - wall;
	getrusage(RUSAGE_SELF, &usage);
	printf("%.1f %.1f %ld %.3f\n", (double)cpu / (double)count,
	       (double)wall / (double)count, usage.ru_maxrss,
	       (double)traced / (double)count);
	curl_easy_cleanup(easy);
	curl_global_cleanup();
	return 0;
}
