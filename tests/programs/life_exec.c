// SPDX-License-Identifier: Apache-2.0
/*
 * Replaces its image, or tries to.
 *
 * life_exec HOW PORT
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "tests/programs/http.h"

#define CHUNK 100000

static int port;
static char *self;

/* As Python's subprocess does with a program that is not in PATH. */
static void search(void)
{
	char path[64];
	int i;

	http_get(port, "/ok?before");
	for (i = 0; i < 20; i++) {
		char *argv[] = { path, NULL };

		snprintf(path, sizeof(path), "/nonexistent/%d/program", i);
		execv(path, argv);
		http_need(errno == ENOENT, "execv");
	}
	http_get(port, "/ok?after");
}

static void fail(void)
{
	static char *const argv[] = { (char *)"x", NULL };
	static char *const none[] = { NULL };
	int asked = http_open(port), directory;

	http_get(port, "/ok?before");
	http_ask(asked, "/ok?meanwhile");
	execve("/dev/null", argv, none);
	printf("%d\n", errno);
	execl("/nonexistent/x", "x", (char *)NULL);
	printf("%d\n", errno);
	execlp("no-such-program", "x", "y", (char *)NULL);
	printf("%d\n", errno);
	execle("/etc/passwd/x", "x", (char *)NULL, none);
	printf("%d\n", errno);
	execvpe("no-such-program", argv, none);
	printf("%d\n", errno);
	directory = open("/", O_RDONLY);
	fexecve(directory, argv, none);
	printf("%d\n", errno);
	execveat(directory, "nonexistent", argv, none, 0);
	printf("%d\n", errno);
	http_need(http_answer(asked) == 200, "answer");
	http_get(port, "/ok?after");
}

static void succeed(char *port_text)
{
	int asked = http_open(port);

	http_get(port, "/ok?before");
	http_ask(asked, "/ok?open");
	http_need(http_answer(asked) == 200, "answer");
	execl(self, self, "after", port_text, (char *)NULL);
	http_need(0, "execl");
}

/* --- at the limit of what the kernel takes --- */

static char **block; /* strings of CHUNK bytes, the last one of any size */
static size_t block_count;

static void set_block(size_t bytes)
{
	size_t i;

	free(block);
	block_count = bytes / CHUNK + 1;
	block = calloc(block_count + 1, sizeof(*block));
	for (i = 0; i < block_count; i++) {
		size_t len = i + 1 < block_count ? CHUNK : bytes % CHUNK;

		block[i] = malloc(len + 3);
		memset(block[i], 'x', len + 2);
		block[i][1] = '=';
		block[i][len + 2] = 0;
	}
}

static int run(const char *how)
{
	static char *const argv[] = { (char *)"true", NULL };
	extern char **environ;
	pid_t pid;
	int error;

	if (!strcmp(how, "execve"))
		execve("/bin/true", argv, block);
	else if (!strcmp(how, "execv"))
		execv("/bin/true", block);
	else if (!strcmp(how, "execle"))
		execle("/bin/true", "true", (char *)NULL, block);
	else if (!strcmp(how, "execvpe"))
		execvpe("true", argv, block);
	else if (!strcmp(how, "execveat"))
		execveat(AT_FDCWD, "/bin/true", argv, block, 0);
	else if (!strcmp(how, "spawn")) {
		error = posix_spawn(&pid, "/bin/true", NULL, NULL, argv, block);
		if (!error)
			waitpid(pid, NULL, 0);
		return error;
	}
	return errno;
}

/* 0 or the errno of the child that tried. */
static int try(const char *how, size_t bytes)
{
	static char *none[] = { NULL };
	extern char **environ;
	int status;
	pid_t pid = fork();

	http_need(pid >= 0, "fork");
	if (pid == 0) {
		set_block(bytes);
		environ = none; /* the same, traced or not */
		_exit(run(how));
	}
	http_need(waitpid(pid, &status, 0) == pid, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void limit(const char *how)
{
	size_t works = 1000, fails = 16000000;

	http_get(port, "/ok?before");
	printf("%s: %d %d", how, try(how, works), try(how, fails));
	while (fails - works > 1) {
		size_t middle = works + (fails - works) / 2;

		if (try(how, middle))
			fails = middle;
		else
			works = middle;
	}
	printf(", %zu bytes work, then %d\n", works, try(how, fails));
	http_get(port, "/ok?after");
}

int main(int argc, char **argv)
{
	http_need(argc == 3, "usage");
	self = argv[0];
	port = atoi(argv[2]);
	setvbuf(stdout, NULL, _IONBF, 0);
	if (!strcmp(argv[1], "search"))
		search();
	else if (!strcmp(argv[1], "fail"))
		fail();
	else if (!strcmp(argv[1], "succeed"))
		succeed(argv[2]);
	else if (!strcmp(argv[1], "after"))
		http_get(port, "/ok?after");
	else
		limit(argv[1]);
	return 0;
}
