// SPDX-License-Identifier: Apache-2.0
/*
 * A collector that can misbehave, on a free loopback port.
 *
 * It is a process of its own that shares its notes with the test: a test that
 * forks must have no threads that could hold a lock meanwhile.
 */
#ifndef AT_TESTS_COLLECTOR_H
#define AT_TESTS_COLLECTOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum collector_act {
	COLLECTOR_ANSWER,       /* status, head, body */
	COLLECTOR_CLOSE,        /* no answer */
	COLLECTOR_CUT,          /* less body than Content-Length says */
	COLLECTOR_HOLD,         /* no answer until the client goes away */
	COLLECTOR_ENDLESS,      /* a body of `size` bytes */
	COLLECTOR_ENDLESS_HEAD, /* fields without end, up to `size` bytes */
	COLLECTOR_RAW,          /* head as it is, then close */
};

struct collector_step {
	enum collector_act act;
	int status;       /* 0: 200 */
	const char *head; /* more fields, each with its CRLF; NULL: none */
	const char *body;
	size_t size; /* of the body */
};

struct collector_post {
	char head[2048]; /* request line and fields */
	uint8_t *body;   /* as decompressed */
	size_t len;
	uint64_t time_ns; /* monotonic, when it was complete */
};

#define COLLECTOR_STEPS 16
#define COLLECTOR_POSTS 256
#define COLLECTOR_BODIES_BYTES (32u << 20)

struct collector {
	pid_t pid;
	int listener;
	char endpoint[64];
	struct collector_step otherwise; /* once the script is used up */
	struct collector_step script[COLLECTOR_STEPS];
	int script_count;

	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int script_at;
	struct collector_post posts[COLLECTOR_POSTS];
	int post_count;
	int connection_count;
	uint64_t sent_bytes; /* of endless answers */
	size_t bodies_bytes;
	uint8_t bodies[COLLECTOR_BODIES_BYTES];
};

/* Aborts where it cannot be had; what it noted stays readable for good. */
struct collector *collector_start(void);

/*
 * What the next POST gets; steps are used up one by one. Texts must be
 * literals: the collector has the same.
 */
void collector_script(struct collector *collector, struct collector_step step);

/* Wait until `count` POSTs have come. False after 20 s. */
bool collector_wait_posts(struct collector *collector, int count);

/* Ends all connections. */
void collector_stop(struct collector *collector);

/* A loopback port that nobody listens on; the socket holds it. */
int refused_port(int *holder);

/* A loopback port that does not even take connections; close all of fds. */
#define BLACK_HOLE_FDS 8
int black_hole_port(int fds[BLACK_HOLE_FDS]);

#endif
