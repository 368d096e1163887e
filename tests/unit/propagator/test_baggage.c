// SPDX-License-Identifier: Apache-2.0
/* Baggage is opaque: of the vectors, which members go on. */
#include <criterion/criterion.h>
#include <string.h>

#include "propagator/propagator.h"
#include "tests/support/vectors.h"

static const char *key_of(struct at_text member)
{
	static char key[64];
	struct at_text text = at_text_trim(at_text_before(member, "=;"));

	cr_assert_lt(text.len, sizeof(key));
	memcpy(key, text.ptr, text.len);
	key[text.len] = 0;
	return key;
}

static void check(const cJSON *vector)
{
	const cJSON *out = cJSON_GetObjectItem(vector, "out"), *in;
	char text[AT_BAGGAGE_BYTES];
	struct at_writer writer = AT_WRITER(text, sizeof(text));
	struct at_text rest, member;
	unsigned int count = 0, seen = 0;

	cJSON_ArrayForEach(in, cJSON_GetObjectItem(vector, "in"))
		at_baggage_add(at_text_from(in->valuestring), &writer, &count);
	rest = at_writer_text(&writer);
	while (at_text_next(&rest, ',', &member)) {
		seen++;
		cr_expect(!out || cJSON_GetObjectItemCaseSensitive(
					  out, key_of(member)),
			  "%s", vector_id(vector));
	}
	cr_expect_eq(seen, count, "%s", vector_id(vector));
	cr_expect_geq((int)count, out ? cJSON_GetArraySize(out) : 64, "%s",
		      vector_id(vector));
}

Test(propagator_baggage, the_members_of_the_vectors_go_on)
{
	cJSON *all = vectors_load("baggage"), *vector;

	cJSON_ArrayForEach(vector, all)
		check(vector);
	cr_expect_eq(cJSON_GetArraySize(all), 11);
	cJSON_Delete(all);
}
