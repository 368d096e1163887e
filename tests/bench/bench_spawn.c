// SPDX-License-Identifier: Apache-2.0
/*
 * Paired runs of a program under different environments.
 *
 *   bench_spawn [-p] RUNS ENVIRONMENT... -- PROGRAM [ARGUMENT...]
 *
 * An environment is "NAME=VALUE;NAME=VALUE" on top of the caller's, or empty.
 * All are run in turn, RUNS times over, so that whatever else the machine does
 * hits all of them. -p keeps everything on one CPU. One line for each:
 *
 *   median_us ratio_to_first ratio_to_previous added_ms_over_first faults
 *
 * where ratios and differences are medians of those of each turn, and faults
 * are minor page faults.
 */
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define VARIANTS_MAX 8

extern char **environ;

struct variant {
	char **environment;
	double *us;
	double *faults;
};

static struct variant variants[VARIANTS_MAX];
static int variant_count;
static int run_count;

static void die(const char *what)
{
	fprintf(stderr, "bench_spawn: %s\n", what);
	exit(2);
}

static void *room(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (!memory)
		die("no memory");
	return memory;
}

/* Replaces, or appends in the room that was left. */
static void set(char **environment, char *assignment)
{
	size_t name_len = strcspn(assignment, "=") + 1;

	while (*environment && strncmp(*environment, assignment, name_len) != 0)
		environment++;
	*environment = assignment;
}

static void add_variant(char *assignments)
{
	struct variant *variant = &variants[variant_count++];
	size_t count = 0;
	char *item;

	while (environ[count])
		count++;
	variant->environment =
		room(count + strlen(assignments) / 2 + 2, sizeof(char *));
	memcpy(variant->environment, environ, count * sizeof(char *));
	variant->us = room((size_t)run_count, sizeof(double));
	variant->faults = room((size_t)run_count, sizeof(double));
	while ((item = strsep(&assignments, ";")))
		if (*item)
			set(variant->environment, item);
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void run(struct variant *variant, int number, char **program,
		posix_spawn_file_actions_t *actions)
{
	struct rusage usage;
	double begin = now_us();
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, program[0], actions, NULL, program,
			 variant->environment) ||
	    wait4(pid, &status, 0, &usage) != pid)
		die("cannot run the program");
	variant->us[number] = now_us() - begin;
	variant->faults[number] = (double)usage.ru_minflt;
	if (status)
		die("the program failed");
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts. */
static double median(double *values)
{
	qsort(values, (size_t)run_count, sizeof(double), compare);
	return (values[run_count / 2] + values[(run_count - 1) / 2]) / 2;
}

static double median_ratio(const double *values, const double *to)
{
	double *ratios = room((size_t)run_count, sizeof(double));
	double result;
	int i;

	for (i = 0; i < run_count; i++)
		ratios[i] = values[i] / to[i];
	result = median(ratios);
	free(ratios);
	return result;
}

static double median_added(const double *values, const double *to)
{
	double *added = room((size_t)run_count, sizeof(double));
	double result;
	int i;

	for (i = 0; i < run_count; i++)
		added[i] = values[i] - to[i];
	result = median(added);
	free(added);
	return result;
}

static void report(void)
{
	double ratio[VARIANTS_MAX][3];
	int i;

	for (i = 0; i < variant_count; i++) {
		const double *us = variants[i].us;

		ratio[i][0] = median_ratio(us, variants[0].us);
		ratio[i][1] = median_ratio(us, variants[i ? i - 1 : 0].us);
		ratio[i][2] = median_added(us, variants[0].us) / 1000;
	}
	for (i = 0; i < variant_count; i++)
		printf("%.1f %.3f %.3f %.3f %.0f\n", median(variants[i].us),
		       ratio[i][0], ratio[i][1], ratio[i][2],
		       median(variants[i].faults));
}

static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((size_t)sched_getcpu(), &here);
	sched_setaffinity(0, sizeof(here), &here);
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t actions;
	int at = 1, i, v, fd;

	if (argc > 1 && !strcmp(argv[1], "-p") && at++)
		stay_here();
	run_count = at < argc ? atoi(argv[at++]) : 0;
	if (run_count <= 0)
		die("how often?");
	while (at < argc && strcmp(argv[at], "--") != 0) {
		if (variant_count == VARIANTS_MAX)
			die("too many environments");
		add_variant(argv[at++]);
	}
	if (at + 1 >= argc || !variant_count)
		die("which program?");
	posix_spawn_file_actions_init(&actions);
	for (fd = 0; fd < 2; fd++)
		posix_spawn_file_actions_addopen(&actions, fd, "/dev/null",
						 O_RDWR, 0);
	for (v = 0; v < variant_count; v++) /* caches, once */
		run(&variants[v], 0, argv + at + 1, &actions);
	for (i = 0; i < run_count; i++)
		for (v = 0; v < variant_count; v++)
			run(&variants[v], i, argv + at + 1, &actions);
	report();
	return 0;
}
