// SPDX-License-Identifier: Apache-2.0
/*
 * Becomes a daemon, in one of several ways that close every descriptor, goes
 * on with requests, and ends when somebody writes into the FIFO "go". The file
 * "report" says which descriptors it has.
 *
 * life_daemon HOW PORT
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/programs/http.h"

static char directory[4096];

static int highest(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	return (int)limit.rlim_cur;
}

static void close_all(const char *how)
{
	int fd;

	if (!strcmp(how, "close"))
		for (fd = 0; fd < highest(); fd++)
			close(fd);
	else if (!strcmp(how, "syscall"))
		for (fd = 0; fd < highest(); fd++)
			syscall(SYS_close, fd);
	else if (!strcmp(how, "close_range"))
		close_range(0, ~0u, 0);
	else if (!strcmp(how, "closefrom"))
		closefrom(0);
}

static void fork_twice(const char *how)
{
	int i;

	for (i = 0; i < 2; i++) {
		pid_t pid = fork();

		http_need(pid >= 0, "fork");
		if (pid > 0)
			_exit(0);
		setsid();
	}
	http_need(!chdir("/"), "chdir");
	close_all(how);
	for (i = 0; i < 3; i++)
		open("/dev/null", O_RDWR);
}

static void list_descriptors(FILE *report)
{
	DIR *all = opendir("/proc/self/fd");
	struct dirent *entry;

	while ((entry = readdir(all)))
		if (entry->d_name[0] != '.')
			fprintf(report, "%s ", entry->d_name);
	fprintf(report, "\n");
	closedir(all);
}

static FILE *in_directory(const char *name, const char *mode)
{
	char path[sizeof(directory) + 16];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, mode);
	http_need(file != NULL, path);
	return file;
}

int main(int argc, char **argv)
{
	FILE *report;
	int port;

	http_need(argc == 3, "usage");
	port = atoi(argv[2]);
	http_need(getcwd(directory, sizeof(directory)) != NULL, "getcwd");
	http_get(port, "/ok?who=before");
	if (!strcmp(argv[1], "daemon"))
		http_need(!daemon(0, 0), "daemon");
	else
		fork_twice(argv[1]);
	http_get(port, "/ok?who=daemon");
	report = in_directory("report", "w");
	list_descriptors(report);
	fclose(report);
	close_all(argv[1]);
	report = in_directory("report", "a");
	http_get(port, "/ok?who=daemon&again");
	fprintf(report, "next: %d\n", dup(fileno(report)));
	list_descriptors(report);
	fclose(report);
	report = in_directory("pid", "w");
	fprintf(report, "%d\n", getpid());
	fclose(report);
	fgetc(in_directory("go", "r"));
	http_get(port, "/ok?who=daemon&bye");
	return 0;
}
