// SPDX-License-Identifier: Apache-2.0
#include "core/ring.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/sys.h"
#include "tests/support/guard_page.h"

#define PID 4242
#define NOW 1
#define LATER (NOW + AT_RING_STUCK_NS)

/* As in core/ring.h: position:40 pid:22 state:2 */
enum { FREE, BUSY, READY, ASIDE };

static struct at_ring_reader reader;
static uint8_t record[AT_RING_MAX_RECORD_BYTES];

static struct at_ring *new_ring(uint32_t record_max)
{
	size_t bytes = at_ring_bytes(record_max);
	struct at_ring *ring = aligned_alloc(4096, bytes);

	memset(ring, 0, bytes);
	at_ring_init(ring, record_max);
	at_ring_reader_init(&reader, ring);
	return ring;
}

/* Record `number`: its number, then bytes that follow from number and place. */
static const uint8_t *make_record(uint64_t number, size_t len)
{
	static uint8_t bytes[AT_RING_MAX_RECORD_BYTES + 1];
	size_t i;

	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(number * 31 + i);
	if (len >= sizeof(number))
		memcpy(bytes, &number, sizeof(number));
	return bytes;
}

static int push(struct at_ring *ring, uint64_t number, size_t len)
{
	return at_ring_push(ring, PID, make_record(number, len), len);
}

static void expect_pop(uint64_t number, size_t len)
{
	cr_assert_eq(at_ring_pop(&reader, record, sizeof(record), NOW),
		     (int)len, "record %llu", (unsigned long long)number);
	cr_assert_arr_eq(record, make_record(number, len), len);
}

static void expect_empty(void)
{
	cr_assert_eq(at_ring_pop(&reader, record, sizeof(record), NOW), 0);
}

/* --- a writer that stopped in the middle, simulated --- */

static struct at_ring_slot *take_by_hand(struct at_ring *ring, uint32_t pid)
{
	uint64_t position = atomic_fetch_add(&ring->head, 1);
	struct at_ring_slot *slot =
		&ring->slots[position & (ring->slot_count - 1)];

	atomic_store(&slot->state, position << 24 | (uint64_t)pid << 2 | BUSY);
	slot->first = (uint32_t)position;
	return slot;
}

static void commit_by_hand(struct at_ring_slot *slot)
{
	atomic_fetch_add(&slot->state, READY - BUSY);
}

/* Part `part` of `parts` of a record that began at position `first`. */
static struct at_ring_slot *push_part(struct at_ring *ring, uint32_t first,
				      uint8_t part, uint8_t parts)
{
	struct at_ring_slot *slot = take_by_hand(ring, PID);

	slot->first = first;
	slot->part = part;
	slot->parts = parts;
	slot->len = AT_RING_PAYLOAD_BYTES;
	memset(slot->bytes, part, sizeof(slot->bytes));
	if (part + 1 == parts)
		atomic_fetch_add(&ring->pushed_count, 1);
	commit_by_hand(slot);
	return slot;
}

static unsigned int state_of(const struct at_ring_slot *slot)
{
	return atomic_load(&slot->state) & 3;
}

static bool nobody_alive(uint32_t pid)
{
	(void)pid;
	return false;
}

static bool everybody_alive(uint32_t pid)
{
	(void)pid;
	return true;
}

Test(core_ring, a_new_ring_is_sound_and_empty)
{
	struct at_ring *ring = new_ring(100);

	cr_expect_eq(at_ring_check(ring, at_ring_bytes(100)), 0);
	cr_expect_eq(at_ring_count(ring), 0);
	expect_empty();
	free(ring);
}

Test(core_ring, records_come_out_as_they_went_in)
{
	struct at_ring *ring = new_ring(16);
	size_t len;

	for (len = 1; len <= AT_RING_MAX_RECORD_BYTES; len++) {
		cr_assert_eq(push(ring, len, len), 0);
		cr_assert_eq(at_ring_count(ring), 1);
		expect_pop(len, len);
		expect_empty();
		cr_assert_eq(at_ring_count(ring), 0);
	}
	cr_expect_eq(reader.lost_count, 0);
	free(ring);
}

Test(core_ring, no_record_is_read_beyond_its_end_or_written_beyond_its_room)
{
	struct at_ring *ring = new_ring(16);
	struct guard_page page;
	size_t len;

	guard_page_open(&page, AT_RING_MAX_RECORD_BYTES);
	for (len = 1; len <= AT_RING_MAX_RECORD_BYTES; len += 31) {
		char *room;

		cr_assert_eq(at_ring_push(ring, PID,
					  guard_page_put(&page,
							 make_record(len, len),
							 len),
					  len),
			     0);
		room = guard_page_put(&page, record, len);
		cr_assert_eq(at_ring_pop(&reader, room, len, NOW), (int)len);
		cr_assert_arr_eq(room, make_record(len, len), len);
	}
	guard_page_close(&page);
	free(ring);
}

Test(core_ring, records_of_impossible_lengths_are_refused)
{
	struct at_ring *ring = new_ring(16);

	cr_expect_eq(push(ring, 1, 0), -EMSGSIZE);
	cr_expect_eq(push(ring, 1, AT_RING_MAX_RECORD_BYTES + 1), -EMSGSIZE);
	cr_expect_eq(at_ring_count(ring), 0);
	expect_empty();
	free(ring);
}

Test(core_ring, a_record_larger_than_the_readers_room_is_lost_alone)
{
	struct at_ring *ring = new_ring(16);

	push(ring, 1, 20);
	push(ring, 2, 1000);
	push(ring, 3, 10);
	cr_expect_eq(at_ring_pop(&reader, record, 19, NOW), -EMSGSIZE);
	cr_expect_eq(at_ring_pop(&reader, record, 999, NOW), -EMSGSIZE);
	expect_pop(3, 10);
	cr_expect_eq(at_ring_count(ring), 0);
	free(ring);
}

Test(core_ring, millions_of_records_go_round)
{
	struct at_ring *ring = new_ring(32);
	uint64_t in = 0, out = 0;

	srandom(7);
	while (out < 2000000) {
		long burst = random() % 33;

		while (burst-- && !push(ring, in, 8 + in % 600))
			in++;
		for (burst = random() % 33; burst-- && out < in; out++)
			expect_pop(out, 8 + out % 600);
		cr_assert_eq(at_ring_count(ring), in - out);
	}
	cr_expect_eq(reader.lost_count, 0);
	free(ring);
}

Test(core_ring, a_full_ring_refuses_and_keeps_what_it_has)
{
	struct at_ring *ring = new_ring(50);
	uint64_t n;

	for (n = 0; n < 50; n++)
		cr_assert_eq(push(ring, n, 40), 0);
	cr_expect_eq(push(ring, 50, 40), -ENOSPC);
	expect_pop(0, 40);
	cr_expect_eq(push(ring, 50, 40), 0);
	cr_expect_eq(push(ring, 51, 40), -ENOSPC);
	for (n = 1; n <= 50; n++)
		expect_pop(n, 40);
	expect_empty();
	free(ring);
}

/* A record refused must not have taken any slot: it is counted by its writer,
 * and a beginning in the ring would be counted as lost once more. */
Test(core_ring, a_ring_without_room_for_the_whole_takes_no_part)
{
	struct at_ring *ring = new_ring(32);
	uint64_t in = 0, out;

	while (!push(ring, in, AT_RING_MAX_RECORD_BYTES))
		in++;
	cr_expect_eq(in, 64 / AT_RING_MAX_PARTS);
	for (out = 0; out < in; out++)
		expect_pop(out, AT_RING_MAX_RECORD_BYTES);
	cr_expect_eq(atomic_load(&ring->head), in * AT_RING_MAX_PARTS);
	for (out = 0; out < 20; out++) {
		cr_assert_eq(push(ring, out, AT_RING_MAX_RECORD_BYTES), 0);
		expect_pop(out, AT_RING_MAX_RECORD_BYTES);
	}
	cr_expect_eq(reader.lost_count, 0);
	free(ring);
}

Test(core_ring, a_busy_slot_holds_the_reader_up_for_a_moment_only)
{
	struct at_ring *ring = new_ring(16);
	struct at_ring_slot *slot = take_by_hand(ring, PID);

	push(ring, 1, 30);
	expect_empty();
	cr_expect_eq(at_ring_pop(&reader, record, sizeof(record), LATER - 1),
		     0);
	cr_expect_eq(at_ring_pop(&reader, record, sizeof(record), LATER), 30);
	cr_expect_eq(reader.lost_count, 1);
	cr_expect_eq(state_of(slot), ASIDE);
	free(ring);
}

Test(core_ring, a_writer_that_was_only_slow_loses_nothing)
{
	struct at_ring *ring = new_ring(16);
	struct at_ring_slot *slot = take_by_hand(ring, PID);

	expect_empty();
	slot->parts = 1;
	slot->len = 9;
	memcpy(slot->bytes, make_record(5, 9), 9);
	atomic_fetch_add(&ring->pushed_count, 1);
	commit_by_hand(slot);
	cr_expect_eq(at_ring_pop(&reader, record, sizeof(record), LATER), 9);
	cr_expect_eq(reader.lost_count, 0);
	free(ring);
}

Test(core_ring, a_slot_set_aside_is_never_written_again_while_its_writer_lives)
{
	struct at_ring *ring = new_ring(16);
	struct at_ring_slot *slot = take_by_hand(ring, PID);
	uint64_t n;

	reader.pid_alive = everybody_alive;
	memset(slot->bytes, 0x77, sizeof(slot->bytes));
	expect_empty();
	cr_expect_eq(at_ring_pop(&reader, record, sizeof(record), LATER), 0);
	for (n = 0; n < 1000; n++) {
		cr_assert_eq(push(ring, n, 700), 0);
		expect_pop(n, 700);
		cr_assert_eq(state_of(slot), ASIDE);
		cr_assert_eq(slot->bytes[n % sizeof(slot->bytes)], 0x77);
	}
	cr_expect_eq(reader.lost_count, 1);
	free(ring);
}

Test(core_ring, a_slot_comes_back_when_its_writer_is_gone)
{
	struct at_ring *ring = new_ring(16);
	struct at_ring_slot *slot = take_by_hand(ring, PID);
	bool used = false;
	uint64_t n;

	reader.pid_alive = everybody_alive;
	expect_empty();
	cr_expect_eq(at_ring_pop(&reader, record, sizeof(record), LATER), 0);
	reader.pid_alive = nobody_alive;
	for (n = 0; n < 200; n++) {
		cr_assert_eq(push(ring, n, 700), 0);
		used |= state_of(slot) == READY;
		expect_pop(n, 700);
	}
	cr_expect(used);
	free(ring);
}

Test(core_ring, a_dead_writers_slot_is_passed_at_once)
{
	struct at_ring *ring = new_ring(16);
	struct at_ring_slot *slot = take_by_hand(ring, PID);

	reader.pid_alive = nobody_alive;
	push(ring, 1, 30);
	expect_pop(1, 30);
	cr_expect_eq(reader.lost_count, 1);
	cr_expect_eq(state_of(slot), FREE);
	free(ring);
}

Test(core_ring, every_slot_may_be_set_aside_and_the_ring_only_is_full)
{
	struct at_ring *ring = new_ring(16);
	uint32_t i;

	for (i = 0; i < ring->slot_count; i++)
		take_by_hand(ring, PID);
	for (i = 0; i < ring->slot_count; i++) {
		expect_empty();
		cr_assert_eq(
			at_ring_pop(&reader, record, sizeof(record), LATER), 0);
	}
	cr_expect_eq(reader.lost_count, ring->slot_count);
	cr_expect_eq(push(ring, 1, 30), -ENOSPC);
	expect_empty();
	cr_expect_eq(push(ring, 1, 30), -ENOSPC);
	reader.pid_alive = nobody_alive;
	expect_empty();
	cr_expect_eq(push(ring, 1, 30), 0);
	expect_pop(1, 30);
	free(ring);
}

Test(core_ring, parts_of_several_records_may_be_mixed)
{
	struct at_ring *ring = new_ring(64);
	uint32_t i;

	for (i = 0; i < AT_RING_ASSEMBLIES; i++)
		push_part(ring, i, 0, 2);
	expect_empty();
	for (i = 0; i < AT_RING_ASSEMBLIES; i++) {
		push_part(ring, i, 1, 2);
		cr_expect_eq(at_ring_pop(&reader, record, sizeof(record), NOW),
			     2 * AT_RING_PAYLOAD_BYTES);
		cr_expect_eq(record[AT_RING_PAYLOAD_BYTES - 1], 0);
		cr_expect_eq(record[AT_RING_PAYLOAD_BYTES], 1);
	}
	cr_expect_eq(reader.lost_count, 0);
	free(ring);
}

Test(core_ring, a_record_half_done_outlives_many_that_pass_it)
{
	struct at_ring *ring = new_ring(64);
	uint64_t n;

	push_part(ring, 0, 0, 2);
	for (n = 0; n < 100; n++) {
		cr_assert_eq(push(ring, n, 700), 0);
		expect_pop(n, 700);
	}
	push_part(ring, 0, 1, 2);
	cr_expect_eq(at_ring_pop(&reader, record, sizeof(record), NOW),
		     2 * AT_RING_PAYLOAD_BYTES);
	cr_expect_eq(reader.lost_count, 0);
	free(ring);
}

/* Their writers never went on: each costs one record, not two. */
Test(core_ring, beginnings_that_stay_alone_make_way_and_are_counted)
{
	struct at_ring *ring = new_ring(64);
	uint32_t i;
	uint64_t n;

	for (i = 0; i < AT_RING_ASSEMBLIES; i++)
		push_part(ring, i, 0, 2);
	expect_empty();
	for (n = 0; n < 20; n++) {
		cr_assert_eq(push(ring, n, 700), 0);
		expect_pop(n, 700);
	}
	cr_expect_eq(reader.lost_count, 1);
	free(ring);
}

Test(core_ring, the_oldest_beginning_makes_way_not_the_one_in_progress)
{
	struct at_ring *ring = new_ring(64);
	uint32_t i;
	uint64_t n;

	for (i = 0; i <= AT_RING_ASSEMBLIES; i++)
		push_part(ring, i, 0, 2);
	for (n = 0; n < 20; n++) {
		cr_assert_eq(push(ring, n, 700), 0);
		expect_pop(n, 700);
	}
	push_part(ring, AT_RING_ASSEMBLIES, 1, 2);
	cr_expect_eq(at_ring_pop(&reader, record, sizeof(record), NOW),
		     2 * AT_RING_PAYLOAD_BYTES);
	cr_expect_eq(reader.lost_count, 2);
	free(ring);
}

Test(core_ring, ends_without_a_beginning_are_passed)
{
	struct at_ring *ring = new_ring(64);

	push_part(ring, 77, 1, 2);
	push_part(ring, 78, 2, 3);
	push(ring, 1, 30);
	expect_pop(1, 30);
	expect_empty();
	free(ring);
}

Test(core_ring, a_part_out_of_order_costs_its_record_and_no_other)
{
	struct at_ring *ring = new_ring(64);

	push_part(ring, 0, 0, 3);
	push_part(ring, 0, 2, 3);
	push_part(ring, 9, 0, 3);
	push_part(ring, 9, 1, 2);
	push(ring, 1, 900);
	expect_pop(1, 900);
	cr_expect_eq(reader.lost_count, 2);
	free(ring);
}

Test(core_ring, lost_records_do_not_count_as_waiting_for_ever)
{
	struct at_ring *ring = new_ring(16);
	struct at_ring_slot *slot = take_by_hand(ring, PID);

	slot->parts = 0;
	atomic_fetch_add(&ring->pushed_count, 1);
	commit_by_hand(slot);
	cr_expect_eq(at_ring_count(ring), 1);
	expect_empty();
	cr_expect_eq(at_ring_count(ring), 0);
	cr_expect_eq(reader.lost_count, 1);
	free(ring);
}

Test(core_ring, heads_that_describe_no_part_are_passed_and_counted)
{
	static const struct {
		uint16_t len;
		uint8_t part, parts;
	} bad[] = {
		{ 0, 0, 1 },
		{ AT_RING_PAYLOAD_BYTES + 1, 0, 1 },
		{ 9, 0, 0 },
		{ 9, 1, 1 },
		{ 9, 0, 2 }, /* only the last may be short */
		{ 9, 5, 6 },
		{ AT_RING_PAYLOAD_BYTES, 0, AT_RING_MAX_PARTS + 1 },
		{ UINT16_MAX, 255, 255 },
	};
	struct at_ring *ring = new_ring(64);
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct at_ring_slot *slot = take_by_hand(ring, PID);

		slot->len = bad[i].len;
		slot->part = bad[i].part;
		slot->parts = bad[i].parts;
		commit_by_hand(slot);
	}
	expect_empty();
	cr_expect_eq(reader.lost_count, sizeof(bad) / sizeof(bad[0]));
	free(ring);
}

/* What an insane process of the tree may do to shared memory. */
Test(core_ring, random_corruption_never_leads_the_reader_astray)
{
	struct at_ring *ring = new_ring(16);
	uint8_t *slots = (uint8_t *)ring->slots;
	size_t bytes = ring->slot_count * sizeof(ring->slots[0]);
	int round;

	reader.pid_alive = nobody_alive;
	srandom(8);
	for (round = 0; round < 20000; round++) {
		int i, pops = 0, len;

		for (i = 0; i < 20; i++)
			push(ring, (uint64_t)i, 1 + (size_t)random() % 2400);
		for (i = 0; i < 50; i++)
			slots[(size_t)random() % bytes] ^= (uint8_t)random();
		while ((len = at_ring_pop(&reader, record, sizeof(record),
					  NOW)) != 0) {
			cr_assert_geq(len, 1);
			cr_assert_leq(len, AT_RING_MAX_RECORD_BYTES);
			cr_assert_leq(++pops, 64);
		}
		if (round % 100 == 99) {
			memset(ring, 0, at_ring_bytes(16));
			at_ring_init(ring, 16);
			at_ring_reader_init(&reader, ring);
			reader.pid_alive = nobody_alive;
		}
	}
	free(ring);
}

Test(core_ring, memory_that_is_no_ring_of_this_build_is_refused)
{
	struct at_ring *ring = new_ring(100);
	size_t bytes = at_ring_bytes(100);

	cr_expect_eq(at_ring_check(ring, bytes - 1), -EBADMSG);
	cr_expect_eq(at_ring_check(ring, sizeof(*ring) - 1), -EBADMSG);
	ring->slot_count *= 2;
	cr_expect_eq(at_ring_check(ring, 2 * bytes), -EBADMSG);
	ring->slot_count /= 2;
	ring->record_max = 0;
	cr_expect_eq(at_ring_check(ring, bytes), -EBADMSG);
	ring->record_max = UINT32_MAX;
	cr_expect_eq(at_ring_check(ring, SIZE_MAX), -EBADMSG);
	ring->record_max = 100;
	ring->magic++;
	cr_expect_eq(at_ring_check(ring, bytes), -EBADMSG);
	free(ring);
}

Test(core_ring, the_smallest_and_the_largest_ring_have_room_for_their_records)
{
	static const uint32_t sizes[] = { 1, 2, 31, 32, 33, 1u << 20 };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		cr_expect_geq(at_ring_bytes(sizes[i]),
			      2 * (size_t)sizes[i] * AT_RING_SLOT_BYTES);
	free(new_ring(1));
}

Test(core_ring, waiting_ends_at_once_when_enough_is_there)
{
	struct at_ring *ring = new_ring(16);

	push(ring, 1, 30);
	push(ring, 2, 30);
	at_ring_wait(ring, 2, UINT64_MAX);
	at_ring_wait(ring, 0, UINT64_MAX);
	cr_expect_eq(atomic_load(&ring->wait_for), 0);
	free(ring);
}

Test(core_ring, waiting_ends_when_its_time_is_up)
{
	struct at_ring *ring = new_ring(16);

	push(ring, 1, 30);
	at_ring_wait(ring, 2, 1000000);
	cr_expect_eq(at_ring_count(ring), 1);
	free(ring);
}
