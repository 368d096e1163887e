// SPDX-License-Identifier: Apache-2.0
#include "exporter/buffer.h"

#include <criterion/criterion.h>

#include "exporter/heap.h"

Test(exporter_buffer, grows_and_keeps_what_is_in_it)
{
	struct buffer buffer = { 0 };
	uint32_t i, value;

	for (i = 0; i < 100000; i++)
		buffer_add(&buffer, &i, sizeof(i));
	cr_assert_eq(buffer.len, 400000);
	for (i = 0; i < 100000; i++) {
		value = ((uint32_t *)(void *)buffer.ptr)[i];
		cr_assert_eq(value, i);
	}
	buffer_free(&buffer);
	cr_assert_null(buffer.ptr);
}

Test(exporter_buffer, once_failed_takes_nothing_more)
{
	struct buffer buffer = { 0 };

	buffer_add(&buffer, "abc", 3);
	heap_fail_at = 1;
	cr_assert_null(buffer_room(&buffer, 100000));
	cr_assert(buffer.failed);
	buffer_add(&buffer, "d", 1);
	cr_assert_eq(buffer.len, 3);
	buffer_free(&buffer);
}
