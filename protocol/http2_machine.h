// SPDX-License-Identifier: Apache-2.0
/*
 * Inside of the HTTP/2 machine (private to protocol/): what its files call of
 * each other. Everything is pure.
 */
#ifndef PROTOCOL_HTTP2_MACHINE_H
#define PROTOCOL_HTTP2_MACHINE_H

#include "protocol/protocol.h"

/* Where a machine keeps things; text may be NULL. */
struct http2_store {
	struct at_http2_table *table;
	struct at_http2_text *text;
};

/* Bytes of a header block, all of them; false: not understood. */
bool hpack_feed(struct at_http2 *machine, const struct http2_store *store,
		const char *bytes, size_t len);

/* A block begins; it ends. False: in the middle of a field. */
void hpack_begin(struct at_http2 *machine);
bool hpack_end(const struct at_http2 *machine);

/*
 * Huffman's code of RFC 7541 B: take the bytes' bits, put what is decoded into
 * out (room for HUFFMAN_OUT(len) bytes). The number of bytes, or -1.
 */
#define HUFFMAN_OUT(len) (((len)*8 + 7) / 5 + 1)
int huffman_decode(uint64_t *bits, uint8_t *bit_count, const char *bytes,
		   size_t len, char *out);

/* What is left at a string's end: less than a byte of ones. */
bool huffman_is_padding(uint64_t bits, uint8_t bit_count);

#endif
