// SPDX-License-Identifier: Apache-2.0
/*
 * gzip through zlib, its state kept from one body to the next.
 */
#ifndef AT_EXPORTER_GZIP_H
#define AT_EXPORTER_GZIP_H

#include <stdbool.h>
#include <zlib.h>

#include "exporter/buffer.h"

struct gzip {
	z_stream stream;
	bool ready;
};

/* Append the compressed form of a body. 0 or -ENOMEM. */
int gzip_pack(struct gzip *gzip, const void *bytes, size_t len,
	      struct buffer *out);

void gzip_free(struct gzip *gzip);

#endif
