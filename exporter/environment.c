// SPDX-License-Identifier: Apache-2.0
#include "exporter/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "core/sys.h"
#include "exporter/heap.h"

#define FIRST_BYTES (16u << 10)
#define MAX_BYTES (1u << 20)

/* Everything the descriptor has, with a NUL behind it; its length. */
static size_t read_all(int fd, char **bytes)
{
	size_t cap = FIRST_BYTES, len = 0;
	char *room = heap_alloc(cap);
	long more = 0;

	while (room) {
		more = sys_read(fd, room + len, cap - len - 1);
		if (more > 0)
			len += (size_t)more;
		else if (more != -EINTR)
			break;
		if (len < cap - 1)
			continue;
		if (cap == MAX_BYTES)
			break;
		*bytes = room;
		cap *= 2;
		room = heap_resize(room, cap);
		if (!room)
			heap_free(*bytes);
	}
	*bytes = room;
	if (room)
		room[len] = 0;
	return room ? len : 0;
}

static void split(struct environment *environment, size_t len)
{
	size_t count = 1, i;
	char **slot;

	for (i = 0; i < len; i++)
		count += environment->bytes[i] == 0;
	environment->block = heap_alloc((count + 1) * sizeof(char *));
	if (!environment->block)
		return;
	slot = environment->block;
	for (i = 0; i < len; i += strlen(environment->bytes + i) + 1)
		*slot++ = environment->bytes + i;
	*slot = NULL;
}

struct environment environment_read(void)
{
	struct environment environment = { NULL, NULL };
	int fd = sys_open("/proc/self/environ", O_RDONLY | O_CLOEXEC, 0);
	size_t len;

	if (fd < 0)
		return environment;
	len = read_all(fd, &environment.bytes);
	sys_close(fd);
	if (environment.bytes)
		split(&environment, len);
	return environment;
}

void environment_free(struct environment *environment)
{
	heap_free(environment->bytes);
	heap_free(environment->block);
	*environment = (struct environment){ NULL, NULL };
}
