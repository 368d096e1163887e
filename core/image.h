// SPDX-License-Identifier: Apache-2.0
/*
 * What an executable file is, before it is executed: can a preloaded library
 * get into it?
 *
 * Raw system calls and little stack, no memory of the process is written:
 * thread-safe, async-signal-safe, and safe in a vfork child.
 */
#ifndef AT_CORE_IMAGE_H
#define AT_CORE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

enum at_image_kind {
	AT_IMAGE_OPEN,   /* nothing is known against it */
	AT_IMAGE_STATIC, /* no dynamic loader */
	AT_IMAGE_SETUID, /* the loader will not trust its environment */
	AT_IMAGE_ARCH,   /* for another CPU, or of another word size */
	AT_IMAGE_LIBC,   /* musl: the library stays inert there */
};

struct at_image {
	enum at_image_kind kind;
	/* It ends at once when something comes before libasan. */
	bool wants_asan_first;
};

/*
 * Look at a file as execveat(dir, path) would find it; of a script at its
 * interpreter. 0; negative errno when there is nothing to execute (-ENOENT
 * and the like), or it may not be read (-EACCES).
 */
int at_image_look(int dir, const char *path, struct at_image *image);

/*
 * The same for a name without a slash, in the directories of `search` (NULL:
 * the standard ones), as execvp would find it. `path` gets the place.
 */
int at_image_find(const char *name, const char *search, char *path,
		  size_t path_bytes, struct at_image *image);

/* As in autotrace.blind_spot; NULL for AT_IMAGE_OPEN. */
const char *at_image_blind_spot(enum at_image_kind kind);

#endif
