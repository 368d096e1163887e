// SPDX-License-Identifier: Apache-2.0
/*
 * Descriptors of the exporter. Its thread has a table of its own, where the
 * kernel allows that; where not, they must not be numbers that the application
 * will be given.
 */
#ifndef AT_EXPORTER_DESCRIPTOR_H
#define AT_EXPORTER_DESCRIPTOR_H

#include <stddef.h>

/*
 * Move a new descriptor to a high number, close-on-exec; the old number is
 * free again. Returns the new one, or fd itself where that fails. A negative
 * fd is returned as it is.
 */
int descriptor_raise(int fd);

/*
 * The program's own stderr, a new descriptor: this thread's number 2 may be
 * another one. Negative errno.
 */
int descriptor_stderr(void);

#endif
