// SPDX-License-Identifier: Apache-2.0
#include "core/ring.h"

#include <errno.h>
#include <string.h>

#include "core/sys.h"

#define RING_MAGIC 0x61747231u /* "atr1": change with any layout change */

enum slot_state {
	SLOT_FREE = 0,
	SLOT_BUSY = 1,
	SLOT_READY = 2,
	SLOT_ASIDE = 3, /* its writer never finished; not to be reused yet */
};

#define POSITION_MASK ((UINT64_C(1) << 40) - 1)
#define PID_MASK ((UINT64_C(1) << 22) - 1)

static uint64_t word(uint64_t position, uint64_t pid, enum slot_state state)
{
	return (position & POSITION_MASK) << 24 | (pid & PID_MASK) << 2 | state;
}

static uint64_t word_position(uint64_t word)
{
	return word >> 24;
}

static uint32_t word_pid(uint64_t word)
{
	return (uint32_t)(word >> 2 & PID_MASK);
}

static enum slot_state word_state(uint64_t word)
{
	return (enum slot_state)(word & 3);
}

static uint32_t slot_count_for(uint32_t record_max)
{
	uint32_t count = 64;

	/* Two slots a record: most take one, some take three. */
	while (count < 2 * record_max)
		count *= 2;
	return count;
}

size_t at_ring_bytes(uint32_t record_max)
{
	size_t bytes = sizeof(struct at_ring) +
		       (size_t)slot_count_for(record_max) * AT_RING_SLOT_BYTES;

	return (bytes + 4095) & ~(size_t)4095;
}

void at_ring_init(struct at_ring *ring, uint32_t record_max)
{
	ring->slot_count = slot_count_for(record_max);
	ring->record_max = record_max;
	ring->magic = RING_MAGIC;
}

int at_ring_check(const struct at_ring *ring, size_t bytes)
{
	if (bytes < sizeof(*ring) || ring->magic != RING_MAGIC ||
	    ring->record_max == 0 || ring->record_max > 1u << 20 ||
	    ring->slot_count != slot_count_for(ring->record_max) ||
	    bytes < at_ring_bytes(ring->record_max))
		return -EBADMSG;
	return 0;
}

uint32_t at_ring_count(const struct at_ring *ring)
{
	/*
	 * In this order: were the older one the popped count, a writer that was
	 * held up in between would find a ring full that is not.
	 */
	uint64_t pushed = atomic_load(&ring->pushed_count);
	uint64_t popped = atomic_load(&ring->popped_count);

	return pushed > popped ? (uint32_t)(pushed - popped) : 0;
}

static bool is_taken(uint64_t value, uint64_t position)
{
	return word_position(value) == (position & POSITION_MASK) &&
	       word_state(value) != SLOT_FREE;
}

static void advance_head(struct at_ring *ring, uint64_t position)
{
	atomic_compare_exchange_strong(&ring->head, &position, position + 1);
}

/* Takes one slot for `pid`. Position, or UINT64_MAX when the ring is full. */
static uint64_t take_slot(struct at_ring *ring, uint32_t pid)
{
	uint32_t mask = ring->slot_count - 1;

	for (;;) {
		uint64_t position = atomic_load(&ring->head);
		struct at_ring_slot *slot = &ring->slots[position & mask];
		uint64_t value = atomic_load(&slot->state);
		enum slot_state next = SLOT_BUSY;
		uint64_t owner = pid;

		/* Signed: the reader may have passed a head read long ago. */
		if ((int64_t)(position - atomic_load(&ring->tail)) >=
		    (int64_t)ring->slot_count)
			return UINT64_MAX;
		if (is_taken(value, position)) {
			advance_head(ring, position);
			continue;
		}
		if (position != atomic_load(&ring->head))
			continue;
		if (word_state(value) == SLOT_ASIDE && word_pid(value)) {
			/* Still somebody's: carry the mark into this lap. */
			next = SLOT_ASIDE;
			owner = word_pid(value);
		}
		if (!atomic_compare_exchange_strong(
			    &slot->state, &value, word(position, owner, next)))
			continue;
		advance_head(ring, position);
		if (next == SLOT_BUSY)
			return position;
	}
}

/*
 * Its writer was slow, not dead, and is through with it: whoever gets there
 * next may have it. No pid: nobody's.
 */
static void release_aside(struct at_ring_slot *slot, uint32_t pid)
{
	uint64_t value = atomic_load(&slot->state);

	while (word_state(value) == SLOT_ASIDE && word_pid(value) == pid &&
	       !atomic_compare_exchange_weak(&slot->state, &value,
					     word(word_position(value), 0,
						  SLOT_ASIDE)))
		;
}

static int commit_slot(struct at_ring *ring, uint64_t position, uint32_t pid)
{
	struct at_ring_slot *slot =
		&ring->slots[position & (ring->slot_count - 1)];
	uint64_t expected = word(position, pid, SLOT_BUSY);

	if (!atomic_compare_exchange_strong(&slot->state, &expected,
					    word(position, pid, SLOT_READY))) {
		release_aside(slot, pid);
		return -ECANCELED;
	}
	return 0;
}

static void wake_reader_if_due(struct at_ring *ring)
{
	uint32_t wait_for = atomic_load(&ring->wait_for);

	/* One writer wakes it; the others need not wait until it runs. */
	if (wait_for && at_ring_count(ring) >= wait_for &&
	    atomic_compare_exchange_strong(&ring->wait_for, &wait_for, 0))
		at_ring_wake(ring);
}

/*
 * For all parts, so that only a race leaves a beginning behind: the reader
 * counts those as lost, beside their writer.
 */
static bool has_room(struct at_ring *ring, uint8_t parts)
{
	uint64_t head = atomic_load(&ring->head);

	return (int64_t)(head - atomic_load(&ring->tail)) + parts <=
	       (int64_t)ring->slot_count;
}

int at_ring_push(struct at_ring *ring, uint32_t pid, const void *record,
		 size_t len)
{
	const uint8_t *from = record;
	uint32_t first = 0;
	uint8_t part, parts;

	if (len == 0 || len > AT_RING_MAX_RECORD_BYTES)
		return -EMSGSIZE;
	parts = (uint8_t)((len + AT_RING_PAYLOAD_BYTES - 1) /
			  AT_RING_PAYLOAD_BYTES);
	if (at_ring_count(ring) >= ring->record_max || !has_room(ring, parts))
		return -ENOSPC;
	for (part = 0; part < parts; part++) {
		uint64_t position = take_slot(ring, pid);
		struct at_ring_slot *slot;
		size_t chunk = len < AT_RING_PAYLOAD_BYTES ?
				       len :
				       AT_RING_PAYLOAD_BYTES;

		if (position == UINT64_MAX)
			return -ENOSPC;
		slot = &ring->slots[position & (ring->slot_count - 1)];
		if (part == 0)
			first = (uint32_t)position;
		slot->first = first;
		slot->part = part;
		slot->parts = parts;
		slot->len = (uint16_t)chunk;
		memcpy(slot->bytes, from, chunk);
		if (part == parts - 1)
			atomic_fetch_add(&ring->pushed_count, 1);
		if (commit_slot(ring, position, pid))
			return -ECANCELED;
		from += chunk;
		len -= chunk;
	}
	wake_reader_if_due(ring);
	return 0;
}

void at_ring_wake(struct at_ring *ring)
{
	atomic_fetch_add(&ring->wake, 1);
	sys_futex_wake(&ring->wake, 1);
}

void at_ring_wait(struct at_ring *ring, uint32_t at_least, uint64_t timeout_ns)
{
	uint32_t seen = atomic_load(&ring->wake);

	atomic_store(&ring->wait_for, at_least ? at_least : 1);
	if (at_ring_count(ring) < at_least)
		sys_futex_wait(&ring->wake, seen, timeout_ns);
	atomic_store(&ring->wait_for, 0);
}

void at_ring_reader_init(struct at_ring_reader *reader, struct at_ring *ring)
{
	memset(reader, 0, sizeof(*reader));
	reader->ring = ring;
	reader->slot_mask = ring->slot_count - 1;
	reader->tail = atomic_load(&ring->tail);
}

static void step_tail(struct at_ring_reader *reader)
{
	reader->stuck_since_ns = 0;
	atomic_store(&reader->ring->tail, ++reader->tail);
}

static void lost_record(struct at_ring_reader *reader)
{
	reader->lost_count++;
}

static bool writer_gone(const struct at_ring_reader *reader, uint32_t pid)
{
	return reader->pid_alive && !reader->pid_alive(pid);
}

/* Half-written: true when the reader may go on behind it. */
static bool give_up_busy(struct at_ring_reader *reader, uint64_t value,
			 uint64_t now_ns)
{
	struct at_ring_slot *slot =
		&reader->ring->slots[reader->tail & reader->slot_mask];
	bool gone = writer_gone(reader, word_pid(value));

	if (!gone && !reader->stuck_since_ns) {
		reader->stuck_since_ns = now_ns;
		return false;
	}
	if (!gone && now_ns - reader->stuck_since_ns < AT_RING_STUCK_NS)
		return false;
	if (!atomic_compare_exchange_strong(&slot->state, &value,
					    word(reader->tail, word_pid(value),
						 gone ? SLOT_FREE :
							SLOT_ASIDE)))
		return false; /* committed just now */
	lost_record(reader);
	step_tail(reader);
	return true;
}

/* A slot set aside in an earlier lap comes back once its writer is gone. */
static void pass_aside(struct at_ring_reader *reader, uint64_t value)
{
	struct at_ring_slot *slot =
		&reader->ring->slots[reader->tail & reader->slot_mask];

	if (word_pid(value) && writer_gone(reader, word_pid(value)))
		atomic_compare_exchange_strong(
			&slot->state, &value, word(reader->tail, 0, SLOT_FREE));
	step_tail(reader);
}

/*
 * A free one. With none, the record that began first is lost: most likely its
 * writer gave up or died.
 */
static struct at_ring_assembly *new_assembly(struct at_ring_reader *reader)
{
	struct at_ring_assembly *oldest = &reader->assemblies[0];
	uint32_t i;

	for (i = 0; i < AT_RING_ASSEMBLIES; i++) {
		struct at_ring_assembly *assembly = &reader->assemblies[i];

		if (!assembly->next_part)
			return assembly;
		if ((int32_t)(assembly->first - oldest->first) < 0)
			oldest = assembly;
	}
	oldest->next_part = 0;
	lost_record(reader);
	return oldest;
}

static struct at_ring_assembly *assembly_of(struct at_ring_reader *reader,
					    const struct at_ring_slot *slot)
{
	struct at_ring_assembly *assembly;
	uint32_t i;

	for (i = 0; i < AT_RING_ASSEMBLIES; i++) {
		assembly = &reader->assemblies[i];
		if (assembly->next_part && assembly->first == slot->first)
			return assembly;
	}
	if (slot->part != 0)
		return NULL; /* its beginning was lost and counted */
	assembly = new_assembly(reader);
	assembly->first = slot->first;
	assembly->parts = slot->parts;
	assembly->len = 0;
	return assembly;
}

/* Adds one part; the whole record's length once complete, else 0. */
static uint32_t assemble(struct at_ring_reader *reader,
			 const struct at_ring_slot *slot, void *record,
			 size_t cap)
{
	struct at_ring_assembly *assembly = assembly_of(reader, slot);

	if (!assembly)
		return 0;
	if (slot->part != assembly->next_part ||
	    slot->parts != assembly->parts) {
		assembly->next_part = 0;
		lost_record(reader);
		return 0;
	}
	memcpy(assembly->bytes + assembly->len, slot->bytes, slot->len);
	assembly->len += slot->len;
	if (++assembly->next_part < assembly->parts)
		return 0;
	assembly->next_part = 0;
	if (assembly->len > cap)
		return UINT32_MAX;
	memcpy(record, assembly->bytes, assembly->len);
	return assembly->len;
}

static bool slot_sound(const struct at_ring_slot *slot)
{
	return slot->len && slot->len <= AT_RING_PAYLOAD_BYTES && slot->parts &&
	       slot->parts <= AT_RING_MAX_PARTS && slot->part < slot->parts &&
	       (slot->part + 1 == slot->parts ||
		slot->len == AT_RING_PAYLOAD_BYTES);
}

static uint32_t take_part(struct at_ring_reader *reader, void *record,
			  size_t cap)
{
	struct at_ring_slot copy;
	const struct at_ring_slot *slot =
		&reader->ring->slots[reader->tail & reader->slot_mask];

	memcpy((char *)&copy + sizeof(copy.state),
	       (const char *)slot + sizeof(slot->state),
	       sizeof(copy) - sizeof(copy.state));
	step_tail(reader);
	if (!slot_sound(&copy)) {
		lost_record(reader);
		return 0;
	}
	if (copy.parts > 1)
		return assemble(reader, &copy, record, cap);
	if (copy.len > cap)
		return UINT32_MAX;
	memcpy(record, copy.bytes, copy.len);
	return copy.len;
}

/* Lost records leave the two counts apart; an empty ring has none. */
static void reconcile_counts(struct at_ring_reader *reader)
{
	struct at_ring *ring = reader->ring;
	uint64_t pushed = atomic_load(&ring->pushed_count);

	if (pushed != atomic_load(&ring->popped_count) &&
	    atomic_load(&ring->head) == reader->tail)
		atomic_store(&ring->popped_count, pushed);
}

int at_ring_pop(struct at_ring_reader *reader, void *record, size_t cap,
		uint64_t now_ns)
{
	for (;;) {
		uint64_t value = atomic_load(
			&reader->ring->slots[reader->tail & reader->slot_mask]
				 .state);
		uint32_t len;

		if (!is_taken(value, reader->tail)) {
			reconcile_counts(reader);
			return 0;
		}
		if (word_state(value) == SLOT_ASIDE) {
			pass_aside(reader, value);
			continue;
		}
		if (word_state(value) == SLOT_BUSY) {
			if (!give_up_busy(reader, value, now_ns))
				return 0;
			continue;
		}
		len = take_part(reader, record, cap);
		if (len == 0)
			continue;
		atomic_fetch_add(&reader->ring->popped_count, 1);
		return len == UINT32_MAX ? -EMSGSIZE : (int)len;
	}
}
