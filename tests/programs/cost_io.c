// SPDX-License-Identifier: Apache-2.0
/*
 * What a 1-byte read or write on something that is not HTTP costs.
 *
 *   cost_io read|write|pipe COUNT   of /dev/zero, to /dev/null, through a pipe
 *
 * Prints the nanoseconds of this thread's CPU time per call (pipe: per write
 * and read together).
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int each(int from, int to)
{
	char byte = 0;

	if (to >= 0 && write(to, &byte, 1) != 1)
		return -1;
	return from >= 0 && read(from, &byte, 1) != 1 ? -1 : 0;
}

static int open_ends(const char *what, int ends[2])
{
	ends[0] = ends[1] = -1;
	if (!strcmp(what, "pipe"))
		return pipe(ends);
	if (!strcmp(what, "read"))
		return (ends[0] = open("/dev/zero", O_RDONLY));
	if (!strcmp(what, "write"))
		return (ends[1] = open("/dev/null", O_WRONLY));
	return -1;
}

int main(int argc, char **argv)
{
	long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	int ends[2];
	int64_t begin;
	long i;

	if (count <= 0 || open_ends(argv[1], ends) < 0) {
		fprintf(stderr, "usage: cost_io read|write|pipe COUNT\n");
		return 2;
	}
	if (each(ends[0], ends[1]))
		return 1;
	begin = cpu_ns();
	for (i = 0; i < count; i++)
		if (each(ends[0], ends[1]))
			return 1;
	printf("%.2f\n", (double)(cpu_ns() - begin) / (double)count);
	return 0;
}
