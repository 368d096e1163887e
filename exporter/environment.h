// SPDX-License-Identifier: Apache-2.0
/*
 * The environment that this process was started with.
 *
 * Not `environ`: the program may be changing that on its own threads. The
 * kernel's copy of the block has what execve() was given, and costs three
 * system calls of whoever asks.
 */
#ifndef AT_EXPORTER_ENVIRONMENT_H
#define AT_EXPORTER_ENVIRONMENT_H

struct environment {
	char *bytes;
	char **block; /* NULL-terminated; NULL when it could not be read */
};

/* Read it; what lies beyond a megabyte is left out. To be freed. */
struct environment environment_read(void);
void environment_free(struct environment *environment);

#endif
