// SPDX-License-Identifier: Apache-2.0
/*
 * Huffman's code of RFC 7541, appendix B. It is canonical: codes of one length
 * are consecutive numbers, in the order of their symbols.
 */
#include "protocol/http2_machine.h"

#define END_OF_STRING 256 /* behind the last symbol; never inside a string */

/* By length of code, then by value. */
/* clang-format off */
static const uint8_t symbols[256] = {
	48, 49, 50, 97, 99, 101, 105, 111, 115, 116, 32, 37, 45, 46, 47, 51,
	52, 53, 54, 55, 56, 57, 61, 65, 95, 98, 100, 102, 103, 104, 108, 109,
	110, 112, 114, 117, 58, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77,
	78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 89, 106, 107, 113, 118, 119,
	120, 121, 122, 38, 42, 44, 59, 88, 90, 33, 34, 40, 41, 63, 39, 43, 124,
	35, 62, 0, 36, 64, 91, 93, 126, 94, 125, 60, 96, 123, 92, 195, 208,
	128, 130, 131, 162, 184, 194, 224, 226, 153, 161, 167, 172, 176, 177,
	179, 209, 216, 217, 227, 229, 230, 129, 132, 133, 134, 136, 146, 154,
	156, 160, 163, 164, 169, 170, 173, 178, 181, 185, 186, 187, 189, 190,
	196, 198, 228, 232, 233, 1, 135, 137, 138, 139, 140, 141, 143, 147,
	149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182,
	183, 188, 191, 197, 231, 239, 9, 142, 144, 145, 148, 159, 171, 206,
	215, 225, 236, 237, 199, 207, 234, 235, 192, 193, 200, 201, 202, 205,
	210, 213, 218, 219, 238, 240, 242, 243, 255, 203, 204, 211, 212, 214,
	221, 222, 223, 241, 244, 245, 246, 247, 248, 250, 251, 252, 253, 254,
	2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24,
	25, 26, 27, 28, 29, 30, 31, 127, 220, 249, 10, 13, 22,
};

/* Of each length: first symbol, first and last code, at the top of 32 bits. */
static const struct {
	uint8_t bits;
	uint8_t symbol;
	uint32_t first;
	uint32_t last;
} lengths[] = {
	{ 5, 0, 0x00000000, 0x4fffffff },
	{ 6, 10, 0x50000000, 0xb7ffffff },
	{ 7, 36, 0xb8000000, 0xf7ffffff },
	{ 8, 68, 0xf8000000, 0xfdffffff },
	{ 10, 74, 0xfe000000, 0xff3fffff },
	{ 11, 79, 0xff400000, 0xff9fffff },
	{ 12, 82, 0xffa00000, 0xffbfffff },
	{ 13, 84, 0xffc00000, 0xffefffff },
	{ 14, 90, 0xfff00000, 0xfff7ffff },
	{ 15, 92, 0xfff80000, 0xfffdffff },
	{ 19, 95, 0xfffe0000, 0xfffe5fff },
	{ 20, 98, 0xfffe6000, 0xfffedfff },
	{ 21, 106, 0xfffee000, 0xffff47ff },
	{ 22, 119, 0xffff4800, 0xffffafff },
	{ 23, 145, 0xffffb000, 0xffffe9ff },
	{ 24, 174, 0xffffea00, 0xfffff5ff },
	{ 25, 186, 0xfffff600, 0xfffff7ff },
	{ 26, 190, 0xfffff800, 0xfffffbbf },
	{ 27, 205, 0xfffffbc0, 0xfffffe1f },
	{ 28, 224, 0xfffffe20, 0xffffffef },
	{ 30, 253, 0xfffffff0, 0xffffffff },
};
/* clang-format on */

/* The next bits at the top of 32, zeros behind them. */
static uint32_t top(uint64_t bits, uint8_t count)
{
	return (uint32_t)(count >= 32 ? bits >> (count - 32) :
					bits << (32 - count));
}

/*
 * Zeros behind the bits that are there make the smallest code they can begin:
 * one that is longer than that is not there yet.
 */
static int next_symbol(uint64_t bits, uint8_t *count)
{
	uint32_t code = top(bits, *count);
	unsigned int i = 0, symbol;

	while (code > lengths[i].last)
		i++;
	if (lengths[i].bits > *count)
		return -1;
	*count = (uint8_t)(*count - lengths[i].bits);
	symbol = lengths[i].symbol +
		 ((code - lengths[i].first) >> (32 - lengths[i].bits));
	return symbol == END_OF_STRING ? END_OF_STRING : symbols[symbol];
}

int huffman_decode(uint64_t *bits, uint8_t *bit_count, const char *bytes,
		   size_t len, char *out)
{
	int written = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		*bits = *bits << 8 | (unsigned char)bytes[i];
		*bit_count = (uint8_t)(*bit_count + 8);
		/* The shortest code has five bits. */
		while (*bit_count >= 5) {
			int symbol = next_symbol(*bits, bit_count);

			if (symbol == END_OF_STRING)
				return -1;
			if (symbol < 0)
				break;
			out[written++] = (char)symbol;
		}
	}
	return written;
}

bool huffman_is_padding(uint64_t bits, uint8_t bit_count)
{
	uint64_t mask = ((uint64_t)1 << bit_count) - 1;

	return bit_count < 8 && (bits & mask) == mask;
}
