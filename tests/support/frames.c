// SPDX-License-Identifier: Apache-2.0
#include "tests/support/frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "protocol/protocol.h"

#define FIELDS_MAX 64
#define FLAG_PRIORITY 0x20

static void require(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "frames: %s\n", what);
	abort();
}

/* --- writing --- */

void frames_open(struct frames *frames)
{
	frames->len = 0;
	require(!nghttp2_hd_deflate_new(&frames->deflater, 4096),
		"no compressor");
}

void frames_close(struct frames *frames)
{
	nghttp2_hd_deflate_del(frames->deflater);
}

void frames_bytes(struct frames *frames, const void *bytes, size_t len)
{
	require(frames->len + len <= FRAMES_CAP, "too many bytes");
	memcpy(frames->bytes + frames->len, bytes, len);
	frames->len += len;
}

void frames_preface(struct frames *frames)
{
	frames_bytes(frames, AT_HTTP2_PREFACE, AT_HTTP2_PREFACE_BYTES);
	frames_add(frames, FRAME_SETTINGS, 0, 0, "\0\3\0\0\0\144", 6);
}

void frames_add(struct frames *frames, int type, int flags, uint32_t stream,
		const void *payload, size_t len)
{
	uint8_t header[] = { (uint8_t)(len >> 16),
			     (uint8_t)(len >> 8),
			     (uint8_t)len,
			     (uint8_t)type,
			     (uint8_t)flags,
			     (uint8_t)(stream >> 24),
			     (uint8_t)(stream >> 16),
			     (uint8_t)(stream >> 8),
			     (uint8_t)stream };

	frames_bytes(frames, header, sizeof(header));
	frames_bytes(frames, payload, len);
}

/* A name may begin with a colon. */
static nghttp2_nv field_of(struct at_text line)
{
	const char *colon = memchr(line.ptr + 1, ':', line.len - 1);
	nghttp2_nv field = { 0 };

	require(colon && colon[1] == ' ', "a line without a colon");
	field.name = (uint8_t *)(uintptr_t)line.ptr;
	field.namelen = (size_t)(colon - line.ptr);
	field.value = (uint8_t *)(uintptr_t)colon + 2;
	field.valuelen = line.len - field.namelen - 2;
	return field;
}

size_t frames_block(struct frames *frames, const char *lines, uint8_t *block,
		    size_t cap)
{
	struct at_text rest = at_text_from(lines), line;
	nghttp2_nv fields[FIELDS_MAX];
	size_t count = 0;
	ssize_t len;

	while (at_text_next(&rest, '\n', &line) && line.len) {
		require(count < FIELDS_MAX, "too many fields");
		fields[count++] = field_of(line);
	}
	len = nghttp2_hd_deflate_hd(frames->deflater, block, cap, fields,
				    count);
	require(len >= 0, "not compressed");
	return (size_t)len;
}

void frames_headers(struct frames *frames, int flags, uint32_t stream,
		    const char *lines)
{
	uint8_t block[FRAMES_CAP / 8];
	size_t len = frames_block(frames, lines, block, sizeof(block));

	frames_add(frames, FRAME_HEADERS, flags | END_HEADERS, stream, block,
		   len);
}

/* --- reading --- */

struct reader {
	nghttp2_hd_inflater *inflater;
	struct at_writer said;
	const uint8_t *at;
	size_t left;
};

struct frame {
	uint32_t length;
	uint8_t type;
	uint8_t flags;
	uint32_t stream;
};

static const char *const names[] = {
	"DATA", "HEADERS", "PRIORITY", "RST",           "SETTINGS",
	"PUSH", "PING",    "GOAWAY",   "WINDOW_UPDATE", "CONTINUATION",
};

static bool say_field(struct reader *reader, const uint8_t *block, size_t len,
		      size_t *used, bool last, bool *done)
{
	nghttp2_nv field;
	int flags = 0;
	ssize_t n = nghttp2_hd_inflate_hd2(reader->inflater, &field, &flags,
					   block + *used, len - *used, last);

	if (n < 0)
		return false;
	*used += (size_t)n;
	*done = flags & NGHTTP2_HD_INFLATE_FINAL;
	if (flags & NGHTTP2_HD_INFLATE_EMIT) {
		at_write_bytes(&reader->said, field.name, field.namelen);
		at_write_string(&reader->said, ": ");
		at_write_bytes(&reader->said, field.value, field.valuelen);
		at_write_char(&reader->said, '\n');
	} else if (*used == len) {
		*done = true;
	}
	return true;
}

static bool say_block(struct reader *reader, const uint8_t *block, size_t len,
		      bool last)
{
	size_t used = 0;
	bool done = false;

	while (!done)
		if (!say_field(reader, block, len, &used, last, &done))
			return false;
	if (last)
		nghttp2_hd_inflate_end_headers(reader->inflater);
	return used == len;
}

static bool read_block(struct reader *reader, const struct frame *frame)
{
	const uint8_t *block = reader->at;
	size_t len = frame->length, pad = 0, prefix = 0;
	bool headers = frame->type == FRAME_HEADERS;

	if (headers && (frame->flags & PADDED)) {
		pad = *block;
		prefix = 1;
	}
	if (headers && (frame->flags & FLAG_PRIORITY))
		prefix += 5;
	if (prefix + pad > len)
		return false;
	return say_block(reader, block + prefix, len - prefix - pad,
			 frame->flags & END_HEADERS);
}

static bool read_frame(struct reader *reader)
{
	const uint8_t *h = reader->at;
	struct frame frame;

	if (reader->left < 9)
		return false;
	frame.length = (uint32_t)h[0] << 16 | (uint32_t)h[1] << 8 | h[2];
	frame.type = h[3];
	frame.flags = h[4];
	frame.stream = ((uint32_t)h[5] << 24 | (uint32_t)h[6] << 16 |
			(uint32_t)h[7] << 8 | h[8]) &
		       0x7fffffff;
	reader->at += 9;
	reader->left -= 9;
	if (reader->left < frame.length)
		return false;
	at_write_string(&reader->said, frame.type <= FRAME_CONTINUATION ?
					       names[frame.type] :
					       "OTHER");
	at_write_char(&reader->said, ' ');
	at_write_u64(&reader->said, frame.stream);
	at_write_char(&reader->said, '\n');
	if ((frame.type == FRAME_HEADERS || frame.type == FRAME_CONTINUATION) &&
	    !read_block(reader, &frame))
		return false;
	reader->at += frame.length;
	reader->left -= frame.length;
	return true;
}

bool frames_read(const char *bytes, size_t len, bool preface, char *said,
		 size_t cap)
{
	struct reader reader = { .at = (const uint8_t *)bytes, .left = len };
	bool right = true;

	reader.said = AT_WRITER(said, cap - 1);
	require(!nghttp2_hd_inflate_new(&reader.inflater), "no reader");
	if (preface) {
		right = len >= AT_HTTP2_PREFACE_BYTES &&
			!memcmp(bytes, AT_HTTP2_PREFACE,
				AT_HTTP2_PREFACE_BYTES);
		reader.at += AT_HTTP2_PREFACE_BYTES;
		reader.left -= AT_HTTP2_PREFACE_BYTES;
	}
	while (right && reader.left)
		right = read_frame(&reader);
	nghttp2_hd_inflate_del(reader.inflater);
	require(!reader.said.overflow, "too much to say");
	said[reader.said.len] = 0;
	return right;
}

/* --- without ours --- */

static const char field_begins[] = "\0\x0btraceparent\x37"
				   "00-";

/* Where our field begins in a frame with its header; 0: there is none. */
static size_t field_at(const uint8_t *frame, size_t len)
{
	size_t pad =
		frame[3] == FRAME_HEADERS && (frame[4] & PADDED) ? frame[9] : 0;
	size_t at;

	if ((frame[3] != FRAME_HEADERS && frame[3] != FRAME_CONTINUATION) ||
	    len < 9 + FRAMES_FIELD_BYTES + pad)
		return 0;
	at = len - pad - FRAMES_FIELD_BYTES;
	return memcmp(frame + at, field_begins, sizeof(field_begins) - 1) ? 0 :
									    at;
}

static bool strip_frame(const uint8_t *frame, size_t len, struct frames *to)
{
	size_t at = field_at(frame, len), own = len - 9 - FRAMES_FIELD_BYTES;
	uint8_t length[] = { (uint8_t)(own >> 16), (uint8_t)(own >> 8),
			     (uint8_t)own };

	if (!at) {
		frames_bytes(to, frame, len);
		return false;
	}
	frames_bytes(to, length, sizeof(length));
	frames_bytes(to, frame + 3, at - 3);
	at += FRAMES_FIELD_BYTES;
	frames_bytes(to, frame + at, len - at);
	return true;
}

unsigned int frames_strip(const char *bytes, size_t len, bool preface,
			  struct frames *to)
{
	const uint8_t *at = (const uint8_t *)bytes;
	unsigned int count = 0;

	to->len = 0;
	if (preface && len >= AT_HTTP2_PREFACE_BYTES) {
		frames_bytes(to, at, AT_HTTP2_PREFACE_BYTES);
		at += AT_HTTP2_PREFACE_BYTES;
		len -= AT_HTTP2_PREFACE_BYTES;
	}
	while (len >= 9) {
		size_t frame =
			9 + ((size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2]);

		if (frame > len)
			break;
		count += strip_frame(at, frame, to);
		at += frame;
		len -= frame;
	}
	frames_bytes(to, at, len);
	return count;
}
