// SPDX-License-Identifier: Apache-2.0
#include "exporter/gzip.h"

#include <errno.h>
#include <string.h>

#include "exporter/heap.h"

#define WINDOW_BITS (15 + 16) /* +16: with gzip's header */
#define MEMORY_LEVEL 8

static voidpf stream_alloc(voidpf unused, uInt count, uInt size)
{
	(void)unused;
	return heap_zalloc(count, size);
}

static void stream_free(voidpf unused, voidpf memory)
{
	(void)unused;
	heap_free(memory);
}

static int start(struct gzip *gzip)
{
	if (gzip->ready)
		return deflateReset(&gzip->stream);
	gzip->stream.zalloc = stream_alloc;
	gzip->stream.zfree = stream_free;
	/* Our bodies are repetitive: the fastest level is within 10 % of 6. */
	return deflateInit2(&gzip->stream, Z_BEST_SPEED, Z_DEFLATED,
			    WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
}

int gzip_pack(struct gzip *gzip, const void *bytes, size_t len,
	      struct buffer *out)
{
	z_stream *stream = &gzip->stream;
	size_t bound;

	if (start(gzip) != Z_OK)
		return -ENOMEM;
	gzip->ready = true;
	bound = deflateBound(stream, len);
	stream->next_out = buffer_room(out, bound);
	if (!stream->next_out)
		return -ENOMEM;
	stream->next_in = (Bytef *)(uintptr_t)bytes;
	stream->avail_in = (uInt)len;
	stream->avail_out = (uInt)bound;
	if (deflate(stream, Z_FINISH) != Z_STREAM_END)
		return -ENOMEM;
	out->len += bound - stream->avail_out;
	return 0;
}

void gzip_free(struct gzip *gzip)
{
	if (gzip->ready)
		deflateEnd(&gzip->stream);
	memset(gzip, 0, sizeof(*gzip));
}
