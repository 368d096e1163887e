// SPDX-License-Identifier: Apache-2.0
#include "exporter/gzip.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/heap.h"

static void expect_same(const struct buffer *packed, const uint8_t *bytes,
			size_t len)
{
	uint8_t *plain = malloc(len + 1);
	z_stream stream = { .next_in = packed->ptr,
			    .avail_in = (uInt)packed->len,
			    .next_out = plain,
			    .avail_out = (uInt)len + 1 };

	cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
	cr_assert_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
	cr_assert_eq(stream.total_out, len);
	cr_assert_eq(memcmp(plain, bytes, len), 0);
	inflateEnd(&stream);
	free(plain);
}

Test(exporter_gzip, bodies_one_after_the_other_unpack)
{
	struct gzip gzip = { 0 };
	struct buffer packed = { 0 };
	uint8_t *bytes = malloc(3000000);
	size_t len, i;

	for (i = 0; i < 3000000; i++)
		bytes[i] = (uint8_t)(i * i >> 7);
	for (len = 0; len < 3000000; len = len * 5 + 1) {
		packed.len = 0;
		cr_assert_eq(gzip_pack(&gzip, bytes, len, &packed), 0);
		expect_same(&packed, bytes, len);
	}
	gzip_free(&gzip);
	buffer_free(&packed);
	free(bytes);
}

Test(exporter_gzip, without_memory_it_says_so_and_works_later)
{
	struct gzip gzip = { 0 };
	struct buffer packed = { 0 };
	int nth, result = -ENOMEM;

	for (nth = 1; result; nth++) {
		cr_assert_lt(nth, 50);
		heap_fail_at = (uint64_t)nth;
		packed = (struct buffer){ 0 };
		result = gzip_pack(&gzip, "abc", 3, &packed);
		cr_assert(result == 0 || result == -ENOMEM);
	}
	cr_assert_gt(nth, 3);
	heap_fail_at = 0;
	expect_same(&packed, (const uint8_t *)"abc", 3);
	gzip_free(&gzip);
}
