// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/2 as a peer writes and reads it: frames, and header blocks by
 * nghttp2's own compressor. Failures abort.
 */
#ifndef AT_TESTS_FRAMES_H
#define AT_TESTS_FRAMES_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FRAME_DATA,
	FRAME_HEADERS,
	FRAME_PRIORITY,
	FRAME_RST_STREAM,
	FRAME_SETTINGS,
	FRAME_PUSH_PROMISE,
	FRAME_PING,
	FRAME_GOAWAY,
	FRAME_WINDOW_UPDATE,
	FRAME_CONTINUATION,
};

#define END_STREAM 0x01
#define END_HEADERS 0x04
#define PADDED 0x08
#define PRIORITY 0x20

#define FRAMES_CAP (256 * 1024)

struct frames {
	size_t len;
	char bytes[FRAMES_CAP];
	nghttp2_hd_deflater *deflater;
};

/* Nothing written yet; the compressor of a connection's start. */
void frames_open(struct frames *frames);
void frames_close(struct frames *frames);

void frames_bytes(struct frames *frames, const void *bytes, size_t len);
void frames_preface(struct frames *frames);
void frames_add(struct frames *frames, int type, int flags, uint32_t stream,
		const void *payload, size_t len);

/* "name: value\n" lines as a header block; its length. */
size_t frames_block(struct frames *frames, const char *lines, uint8_t *block,
		    size_t cap);

/* HEADERS in one frame, END_HEADERS added to the flags. */
void frames_headers(struct frames *frames, int flags, uint32_t stream,
		    const char *lines);

/*
 * What a receiver makes of the bytes: each frame as a line "TYPE stream
 * length", header blocks as their fields behind it. Preface as "PREFACE".
 * False when it is no HTTP/2.
 */
bool frames_read(const char *bytes, size_t len, bool preface, char *said,
		 size_t cap);

/* Our field as it is added, without a tracestate. */
#define FRAMES_FIELD_BYTES 69

/*
 * What the application had written, of bytes that were sent: our fields taken
 * out again, the lengths as they were. The number of fields; what is behind
 * the last whole frame is copied as it is.
 */
unsigned int frames_strip(const char *bytes, size_t len, bool preface,
			  struct frames *to);

#endif
