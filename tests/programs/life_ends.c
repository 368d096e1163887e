// SPDX-License-Identifier: Apache-2.0
/*
 * Makes requests and ends in one of many ways.
 *
 * life_ends HOW PORT
 */
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "tests/programs/http.h"

static int port;

static void ask_at_the_end(void)
{
	http_get(port, "/ok?handler");
}

static void *exit_here(void *unused)
{
	(void)unused;
	exit(9);
}

static void *exit_later(void *main_thread)
{
	pthread_join(*(pthread_t *)main_thread, NULL);
	http_get(port, "/ok?later");
	exit(10);
}

static void end_in_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exit_here, NULL);
	pthread_join(thread, NULL);
}

static void end_main_thread(void)
{
	static pthread_t self;
	pthread_t thread;

	self = pthread_self();
	pthread_create(&thread, NULL, exit_later, &self);
	pthread_exit(NULL);
}

static int end(const char *how)
{
	if (!strcmp(how, "return"))
		return 2;
	if (!strcmp(how, "exit"))
		exit(3);
	if (!strcmp(how, "_exit"))
		_exit(4);
	if (!strcmp(how, "_Exit"))
		_Exit(5);
	if (!strcmp(how, "quick_exit"))
		quick_exit(6);
	if (!strcmp(how, "exit_group"))
		syscall(SYS_exit_group, 7);
	if (!strcmp(how, "thread"))
		end_in_thread();
	if (!strcmp(how, "pthread_exit"))
		end_main_thread();
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "sigterm"))
		raise(SIGTERM);
	return 99;
}

int main(int argc, char **argv)
{
	http_need(argc == 3, "usage");
	port = atoi(argv[2]);
	if (!strcmp(argv[1], "return") || !strcmp(argv[1], "exit"))
		atexit(ask_at_the_end);
	at_quick_exit(ask_at_the_end);
	http_get(port, "/ok?main");
	return end(argv[1]);
}
