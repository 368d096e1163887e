// SPDX-License-Identifier: Apache-2.0
/*
 * The ring with real writers, under ThreadSanitizer: each record carries its
 * writer, its number and bytes that follow from both, so that what is lost,
 * doubled, torn or out of order shows.
 */
#include "core/ring.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define WRITERS 4

struct writer {
	pthread_t thread;
	uint32_t id;
	uint32_t count;
	size_t len_max;
	uint64_t delivered;
	uint64_t canceled;
	uint64_t full;
};

struct head {
	uint32_t writer;
	uint32_t len;
	uint64_t number;
};

static struct at_ring *ring;
static struct at_ring_reader reader;
static struct writer writers[WRITERS];
static uint64_t seen_count[WRITERS];
static uint64_t next_number[WRITERS];
static _Atomic uint64_t acknowledged[WRITERS];
static _Atomic int done_count;

static void make_ring(uint32_t record_max)
{
	size_t bytes = at_ring_bytes(record_max);

	ring = aligned_alloc(4096, bytes);
	memset(ring, 0, bytes);
	at_ring_init(ring, record_max);
	at_ring_reader_init(&reader, ring);
}

static uint8_t byte_of(const struct head *head, size_t i)
{
	return (uint8_t)(head->number * 7 + head->writer * 31 + i);
}

static int push_one(const struct writer *writer, uint64_t number)
{
	uint8_t bytes[AT_RING_MAX_RECORD_BYTES];
	struct head head = { writer->id, 0, number };
	size_t i;

	head.len = (uint32_t)(sizeof(head) +
			      (number * 97) % (writer->len_max - sizeof(head)));
	memcpy(bytes, &head, sizeof(head));
	for (i = sizeof(head); i < head.len; i++)
		bytes[i] = byte_of(&head, i);
	return at_ring_push(ring, 1000 + writer->id, bytes, head.len);
}

static void check_record(const uint8_t *bytes, size_t len)
{
	struct head head;
	size_t i;

	cr_assert_geq(len, sizeof(head));
	memcpy(&head, bytes, sizeof(head));
	cr_assert_lt(head.writer, WRITERS);
	cr_assert_eq(head.len, len);
	for (i = sizeof(head); i < len; i++)
		cr_assert_eq(bytes[i], byte_of(&head, i));
	cr_assert_geq(head.number, next_number[head.writer]);
	next_number[head.writer] = head.number + 1;
	seen_count[head.writer]++;
	atomic_store(&acknowledged[head.writer], head.number + 1);
}

/* False when there was nothing. */
static bool pop_one(uint64_t now_ns)
{
	uint8_t bytes[AT_RING_MAX_RECORD_BYTES];
	int len = at_ring_pop(&reader, bytes, sizeof(bytes), now_ns);

	cr_assert_geq(len, 0);
	if (len)
		check_record(bytes, (size_t)len);
	return len != 0;
}

static void start(void *(*run)(void *), uint32_t count, size_t len_max)
{
	uint32_t i;

	for (i = 0; i < WRITERS; i++) {
		writers[i].id = i;
		writers[i].count = count;
		writers[i].len_max = len_max;
		cr_assert_eq(pthread_create(&writers[i].thread, NULL, run,
					    &writers[i]),
			     0);
	}
}

static void join(void)
{
	uint32_t i;

	for (i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
}

static uint64_t seen_by_now(void)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < WRITERS; i++)
		sum += seen_count[i];
	return sum;
}

/* Tries again until it fits. */
static void *write_all(void *argument)
{
	struct writer *writer = argument;
	uint32_t n;
	int result;

	for (n = 0; n < writer->count; n++) {
		while ((result = push_one(writer, n)) == -ENOSPC)
			sched_yield();
		if (result)
			writer->canceled++;
	}
	return NULL;
}

static void run_all(uint32_t record_max, size_t len_max)
{
	uint32_t count = 20000;
	int i;

	make_ring(record_max);
	start(write_all, count, len_max);
	/* Time stands still: nobody is given up. */
	while (seen_by_now() < (uint64_t)WRITERS * count)
		if (!pop_one(1))
			sched_yield();
	join();
	cr_assert_not(pop_one(1));
	cr_assert_eq(at_ring_count(ring), 0);
	for (i = 0; i < WRITERS; i++) {
		cr_assert_eq(writers[i].canceled, 0);
		cr_assert_eq(seen_count[i], count);
	}
	free(ring);
}

Test(core_ring_threads, short_records_are_neither_lost_nor_doubled)
{
	run_all(64, 200);
}

Test(core_ring_threads, records_of_several_parts_are_put_together_again)
{
	run_all(512, AT_RING_MAX_RECORD_BYTES);
}

/* Waits for its record to be read before it writes the next. */
static void *write_one_by_one(void *argument)
{
	struct writer *writer = argument;
	uint32_t n;

	for (n = 0; n < writer->count; n++) {
		if (push_one(writer, n))
			writer->full++;
		else
			while (atomic_load(&acknowledged[writer->id]) <= n)
				sched_yield();
	}
	atomic_fetch_add(&done_count, 1);
	return NULL;
}

static bool all_done(void)
{
	return atomic_load(&done_count) == WRITERS;
}

Test(core_ring_threads, a_ring_that_is_not_full_refuses_nobody)
{
	int i;

	make_ring(8);
	start(write_one_by_one, 20000, 100);
	while (!all_done())
		if (!pop_one(1))
			sched_yield();
	join();
	for (i = 0; i < WRITERS; i++)
		cr_assert_eq(writers[i].full, 0);
	free(ring);
}

/* Each write is tried once. */
static void *write_or_drop(void *argument)
{
	struct writer *writer = argument;
	uint32_t n;

	for (n = 0; n < writer->count; n++) {
		switch (push_one(writer, n)) {
		case 0:
			writer->delivered++;
			break;
		case -ECANCELED:
			writer->canceled++;
			break;
		default:
			writer->full++;
			sched_yield();
		}
	}
	atomic_fetch_add(&done_count, 1);
	return NULL;
}

static uint32_t slots_aside(void)
{
	uint32_t i, count = 0;

	for (i = 0; i < ring->slot_count; i++)
		count += (atomic_load(&ring->slots[i].state) & 3) == 3;
	return count;
}

/*
 * The reader's clock jumps, so that it gives up every slot it finds busy:
 * what arrives is whole all the same, what its writer was told to be gone does
 * not arrive, and once the writers are through, every slot is in use again.
 */
Test(core_ring_threads, writers_given_up_do_no_harm_and_leave_no_slot_behind)
{
	uint64_t now = 1, delivered = 0, canceled = 0;
	uint32_t i;

	make_ring(16);
	start(write_or_drop, 50000, 300);
	while (!all_done()) {
		pop_one(now);
		now += AT_RING_STUCK_NS;
	}
	join();
	while (pop_one(now))
		;
	for (i = 0; i < WRITERS; i++) {
		delivered += writers[i].delivered;
		canceled += writers[i].canceled;
	}
	cr_assert_eq(seen_by_now(), delivered);
	cr_assert_eq(reader.lost_count, canceled);
	for (i = 0; i < ring->slot_count; i++) {
		writers[0].len_max = 100;
		cr_assert_eq(push_one(&writers[0], 50000 + i), 0);
		cr_assert(pop_one(now));
	}
	cr_assert_eq(slots_aside(), 0);
	free(ring);
}

/* The reader sleeps whenever there is nothing, for as long as it takes. */
Test(core_ring_threads, a_reader_that_sleeps_is_woken)
{
	uint64_t all = (uint64_t)WRITERS * 5000;

	make_ring(64);
	start(write_all, 5000, 100);
	while (seen_by_now() < all)
		if (!pop_one(1) && at_ring_count(ring) == 0)
			at_ring_wait(ring, 1, UINT64_MAX);
	join();
	cr_assert_eq(seen_by_now(), all);
	free(ring);
}

static void *sleep_for_ever(void *argument)
{
	at_ring_wait(argument, 60, UINT64_MAX);
	return NULL;
}

Test(core_ring_threads, a_wake_up_call_ends_the_sleep_whatever_it_waits_for)
{
	pthread_t sleeper;

	make_ring(64);
	cr_assert_eq(pthread_create(&sleeper, NULL, sleep_for_ever, ring), 0);
	while (atomic_load(&ring->wait_for) != 60)
		sched_yield();
	at_ring_wake(ring);
	pthread_join(sleeper, NULL);
	free(ring);
}
