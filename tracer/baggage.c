// SPDX-License-Identifier: Apache-2.0
#include "tracer/baggage.h"

#include <string.h>

#include "core/counters.h"
#include "protocol/protocol.h"

#define NAME "baggage: "

/* 1,024 at most; of each only the pages that it needs. */
static struct pool pool = POOL(struct baggage, 4);
static bool wanted;

void baggage_start(const struct at_propagator_set *propagators)
{
	unsigned int i;

	wanted = false;
	for (i = 0; i < propagators->count; i++)
		if (!strcmp(propagators->item[i]->name, "baggage"))
			wanted = true;
}

static struct baggage *take(void)
{
	struct baggage *baggage = pool_take(&pool);

	if (baggage)
		atomic_store(&baggage->refs, 1);
	return baggage;
}

struct baggage *baggage_hold(struct baggage *baggage)
{
	if (baggage)
		atomic_fetch_add(&baggage->refs, 1);
	return baggage;
}

void baggage_release(struct baggage *baggage)
{
	if (baggage && atomic_fetch_sub(&baggage->refs, 1) == 1)
		pool_give(&pool, baggage);
}

/* Without a member there is nothing to carry. */
static bool fill(struct baggage *baggage, struct at_text head, bool *whole)
{
	const size_t at = sizeof(NAME) - 1;
	struct at_writer writer =
		AT_WRITER(baggage->text + at, AT_BAGGAGE_BYTES);
	struct at_text field;
	unsigned int count = 0;

	memcpy(baggage->text, NAME, at);
	while (at_http1_next_field(&head, AT_TEXT("baggage"), &field))
		*whole &= at_baggage_add(field, &writer, &count);
	memcpy(baggage->text + at + writer.len, "\r\n", 2);
	baggage->len = (uint16_t)(at + writer.len + 2);
	return count;
}

__attribute__((noinline)) struct baggage *baggage_read(struct at_text head)
{
	struct baggage *baggage;
	bool whole = true;

	if (!wanted)
		return NULL;
	baggage = head.len ? take() : NULL;
	if (baggage && !fill(baggage, head, &whole)) {
		baggage_release(baggage);
		baggage = NULL;
	} else if (!baggage) {
		whole = false;
	}
	if (!whole)
		at_count(AT_COUNT_BAGGAGE_DROPPED, 1);
	return baggage;
}

static void write_line(struct at_writer *writer, const struct baggage *baggage,
		       bool as_fields)
{
	const struct at_text line = { baggage->text, baggage->len };

	if (as_fields)
		at_http2_encode(line, writer);
	else
		at_write_text(writer, line);
}

__attribute__((noinline)) void baggage_append(struct request *request,
					      bool as_fields, size_t max)
{
	struct baggage *brought = request->baggage, *large = NULL;
	/* As a field of HTTP/2 it may be a byte longer. */
	size_t len = request->header_len;
	bool fits = len + brought->len + 4 <= REQUEST_HEADER_BYTES;
	struct at_writer writer =
		AT_WRITER(request->header + len, REQUEST_HEADER_BYTES - len);

	request->baggage = NULL;
	if (len && len + brought->len + 4 <= max)
		large = fits ? NULL : take();
	else
		fits = false;
	if (large) {
		memcpy(large->text, request->header, len);
		writer = AT_WRITER(large->text + len, BAGGAGE_ROOM - len);
		request->baggage = large;
	}
	if (fits || large) {
		write_line(&writer, brought, as_fields);
		request->header_len = (uint16_t)(len + writer.len);
	} else {
		at_count(AT_COUNT_BAGGAGE_DROPPED, 1);
	}
	baggage_release(brought);
}

#ifdef AT_UNIT_TEST
uint32_t baggage_in_use(void)
{
	return pool_in_use(&pool);
}
#endif
