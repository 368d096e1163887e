// SPDX-License-Identifier: Apache-2.0
/*
 * A program that gives up what it may do, after some HTTP, and does some more.
 *
 *   sandbox WHAT [raw]    raw: by syscall()
 *
 * WHAT: capset capbset nnp securebits setuid unshare setns landlock, or a
 * filter of system calls: filter (kills for what makes threads and sockets),
 * seccomp (the same by seccomp()), few (kills for all but the fewest), probe
 * (asks whether there are filters). It is its own server. Prints whether every
 * thread of the process has dropped what main has.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define GET "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define COUNT 50

int capset(cap_user_header_t header, cap_user_data_t data);

static int raw, pair[2];

static void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "sandbox: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void requests(int count)
{
	char bytes[500];

	while (count--) {
		need(write(pair[0], GET, sizeof(GET) - 1) == sizeof(GET) - 1,
		     "write");
		need(syscall(SYS_read, pair[1], bytes, sizeof(bytes)) > 0,
		     "serve");
		need(syscall(SYS_write, pair[1], OK, sizeof(OK) - 1) ==
			     sizeof(OK) - 1,
		     "answer");
		need(read(pair[0], bytes, sizeof(bytes)) == sizeof(OK) - 1,
		     "read");
	}
}

/* --- dropping --- */

static int do_prctl(int option, unsigned long a, const void *b)
{
	if (raw)
		return (int)syscall(SYS_prctl, option, a, b, 0, 0);
	return prctl(option, a, b, 0, 0);
}

static int drop_caps(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[2] = { { 0 } };

	return raw ? (int)syscall(SYS_capset, &header, none) :
		     capset(&header, none);
}

static int drop_bounds(void)
{
	unsigned long cap;

	for (cap = 0; cap < 20; cap++)
		if (do_prctl(PR_CAPBSET_DROP, cap, NULL))
			return -1;
	return 0;
}

static int enter_own_namespace(void)
{
	int fd = open("/proc/self/ns/uts", O_RDONLY);
	int result;

	need(fd >= 0, "namespace");
	result = raw ? (int)syscall(SYS_setns, fd, CLONE_NEWUTS) :
		       setns(fd, CLONE_NEWUTS);
	close(fd);
	return result;
}

/* No such thing here: as bare. */
static int landlock(void)
{
	unsigned long handled[1] = { 1 };
	int fd = (int)syscall(SYS_landlock_create_ruleset, handled, 8, 0);

	if (fd < 0)
		return 0;
	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges");
	return (int)syscall(SYS_landlock_restrict_self, fd, 0);
}

/* --- filters --- */

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)
/* This call: the next instruction, else the one behind it. */
#define CALL(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##nr, 0, 1)
#define KILL(nr) CALL(nr), RETURN(SECCOMP_RET_KILL_PROCESS)
#define ALLOW(nr) CALL(nr), RETURN(SECCOMP_RET_ALLOW)

static struct sock_filter filtered[] = {
	LOAD(nr),      KILL(socket), KILL(connect),
	KILL(clone),   KILL(clone3), KILL(close_range),
	KILL(unshare), KILL(ppoll),  KILL(pidfd_open),
	KILL(tgkill),  KILL(prctl),  RETURN(SECCOMP_RET_ALLOW),
};

static struct sock_filter few[] = {
	LOAD(nr),
	ALLOW(read),
	ALLOW(write),
	ALLOW(exit_group),
	RETURN(SECCOMP_RET_KILL_PROCESS),
};

static int install(struct sock_filter *filter, size_t size, int by_seccomp)
{
	struct sock_fprog program = { .len = (unsigned short)(size /
							      sizeof(*filter)),
				      .filter = filter };

	need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges");
	/* Busy once more. */
	requests(5);
	if (by_seccomp)
		return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
				    &program);
	return do_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int probe(void)
{
	need(do_prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) < 0 &&
		     errno == EFAULT,
	     "filters");
	return 0;
}

static int drop(const char *what)
{
	if (!strcmp(what, "capset"))
		return drop_caps();
	if (!strcmp(what, "capbset"))
		return drop_bounds();
	if (!strcmp(what, "nnp"))
		return do_prctl(PR_SET_NO_NEW_PRIVS, 1, NULL);
	if (!strcmp(what, "securebits"))
		return do_prctl(PR_SET_SECUREBITS, 1, NULL);
	if (!strcmp(what, "setuid"))
		return raw ? (int)syscall(SYS_setuid, 65534) : setuid(65534);
	if (!strcmp(what, "unshare"))
		return raw ? (int)syscall(SYS_unshare, CLONE_NEWUSER) :
			     unshare(CLONE_NEWUSER);
	if (!strcmp(what, "setns"))
		return enter_own_namespace();
	if (!strcmp(what, "landlock"))
		return landlock();
	if (!strcmp(what, "filter"))
		return install(filtered, sizeof(filtered), 0);
	if (!strcmp(what, "seccomp"))
		return install(filtered, sizeof(filtered), 1);
	if (!strcmp(what, "few"))
		return install(few, sizeof(few), 0);
	if (!strcmp(what, "probe"))
		return probe();
	need(0, "usage");
	return -1;
}

/* --- what each thread has --- */

/* The lines of a thread's status that say what it may do. */
static void read_rights(const char *tid, char *to, size_t size)
{
	static const char *const names[] = { "Uid:", "Gid:", "Cap",
					     "NoNewPrivs:", "Seccomp:" };
	char path[300], line[300];
	FILE *file;
	size_t i;

	snprintf(path, sizeof(path), "/proc/self/task/%s/status", tid);
	file = fopen(path, "r");
	to[0] = 0;
	while (file && fgets(line, sizeof(line), file))
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (!strncmp(line, names[i], strlen(names[i])))
				strncat(to, line, size - strlen(to) - 1);
	if (file)
		fclose(file);
}

static void check_threads(void)
{
	char own[20], mine[2000], others[2000];
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;

	snprintf(own, sizeof(own), "%d", getpid());
	read_rights(own, mine, sizeof(mine));
	need(tasks && mine[0], "status");
	while ((entry = readdir(tasks))) {
		if (entry->d_name[0] == '.')
			continue;
		read_rights(entry->d_name, others, sizeof(others));
		if (!others[0] || !strcmp(mine, others))
			continue;
		fprintf(stderr, "thread %s kept\n%sof\n%s", entry->d_name,
			others, mine);
		exit(1);
	}
	closedir(tasks);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	raw = argc > 2;
	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	requests(COUNT);
	need(!drop(what), what);
	if (strcmp(what, "few"))
		check_threads();
	requests(5);
	if (strcmp(what, "few"))
		check_threads();
	need(write(1, "dropped\n", 8) == 8, "stdout");
	return 7;
}
