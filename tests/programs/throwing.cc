// SPDX-License-Identifier: Apache-2.0
/*
 * C++ programs leave blocking calls in the middle of HTTP by exceptions: a
 * signal handler throws (-fnon-call-exceptions), or a cancelled thread is
 * unwound through catch (...) and destructors.
 *
 *   throwing throw COUNT
 *   throwing cancel COUNT
 *
 * Prints how often what was passed.
 */
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace
{
const char get[] = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";
const char put[] = "PUT /x HTTP/1.1\r\nHost: localhost\r\n"
		   "Content-Length: 9999999\r\n\r\n";
const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

int destroyed, caught, handled;
int pair_[2], steady[2];
char large[1 << 20];

void need(bool right, const char *what)
{
	if (right)
		return;
	perror(what);
	_exit(1);
}

struct Guard {
	~Guard()
	{
		destroyed++;
	}
};

/* The server's side, out of the library's sight. */
void serve(int fd)
{
	char bytes[1000];

	need(syscall(SYS_read, fd, bytes, sizeof(bytes)) > 0, "serve");
	need(syscall(SYS_write, fd, ok, sizeof(ok) - 1) > 0, "answer");
}

void exchange(int client, int server)
{
	char bytes[200];

	need(send(client, get, sizeof(get) - 1, 0) > 0, "send");
	serve(server);
	need(recv(client, bytes, sizeof(bytes), 0) == sizeof(ok) - 1, "recv");
	need(!memcmp(bytes, ok, sizeof(ok) - 1), "another answer");
}

void block_in(bool write_side)
{
	char bytes[200];

	if (!write_side) {
		need(send(pair_[0], get, sizeof(get) - 1, 0) > 0, "send");
		read(pair_[0], bytes, sizeof(bytes));
		return;
	}
	need(write(pair_[0], put, sizeof(put) - 1) > 0, "head");
	for (;;)
		write(pair_[0], large, sizeof(large));
}

/* Frames of C++ above the call. */
void inner(bool write_side)
{
	Guard guard;

	block_in(write_side);
}

void outer(bool write_side)
{
	Guard guard;

	try {
		inner(write_side);
	} catch (...) {
		caught++;
		throw;
	}
}

void thrower(int)
{
	throw 7;
}

void throw_one(bool write_side)
{
	const itimerval soon = { { 0, 0 }, { 0, 2000 } };

	try {
		setitimer(ITIMER_REAL, &soon, nullptr);
		outer(write_side);
	} catch (int) {
		handled++;
	}
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

sem_t begun;
long tid;

/* Until the kernel says that it sleeps in its call. */
void await_sleep()
{
	char path[64], text[200];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/stat", tid);
	for (;;) {
		FILE *file = fopen(path, "r");
		const char *state;

		need(file && fgets(text, sizeof(text), file), "stat");
		fclose(file);
		state = strrchr(text, ')');
		if (state && state[2] == 'S')
			return;
		sched_yield();
	}
}

void *thread_main(void *argument)
{
	tid = syscall(SYS_gettid);
	sem_post(&begun);
	outer(argument != nullptr);
	return nullptr;
}

void cancel_one(bool write_side)
{
	pthread_t thread;
	void *result;

	pthread_create(&thread, nullptr, thread_main,
		       write_side ? &begun : nullptr);
	while (sem_wait(&begun))
		;
	await_sleep();
	pthread_cancel(thread);
	pthread_join(thread, &result);
	handled += result == PTHREAD_CANCELED;
}
} // namespace

int main(int argc, char **argv)
{
	long count = argc > 2 ? atol(argv[2]) : 0;
	bool cancels = argc > 1 && !strcmp(argv[1], "cancel");

	need(count > 0, "usage");
	signal(SIGPIPE, SIG_IGN);
	sem_init(&begun, 0, 0);
	signal(SIGALRM, thrower);
	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, steady), "socketpair");
	for (long i = 0; i < count; i++) {
		need(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair_), "socketpair");
		if (cancels)
			cancel_one(i % 2);
		else
			throw_one(i % 2);
		close(pair_[0]);
		close(pair_[1]);
		exchange(steady[0], steady[1]);
	}
	printf("destroyed %d caught %d handled %d\n", destroyed, caught,
	       handled);
	return 0;
}
