// SPDX-License-Identifier: Apache-2.0
/*
 * Bounded queue of records: many writers, one reader, no lock.
 *
 * It works in private memory (writers: the threads of a process; reader: its
 * exporter thread) and in memory shared between processes that do not trust
 * each other's survival. A writer takes a slot by compare-and-swap of the
 * slot's own state word, which then names the writer; a slot whose writer
 * stopped or died in the middle is set aside until that process is gone. A
 * record longer than a slot takes several, put together again by the reader.
 *
 * Pushing is thread-safe and async-signal-safe, never waits, never allocates;
 * full means drop, and the caller counts.
 */
#ifndef AT_CORE_RING_H
#define AT_CORE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AT_RING_SLOT_BYTES 512
#define AT_RING_PAYLOAD_BYTES (AT_RING_SLOT_BYTES - 16)
#define AT_RING_MAX_PARTS 5
#define AT_RING_MAX_RECORD_BYTES (AT_RING_PAYLOAD_BYTES * AT_RING_MAX_PARTS)

struct at_ring_slot {
	_Atomic uint64_t state; /* position:40 pid:22 state:2 */
	uint32_t first;         /* low bits of the position of part 0 */
	uint16_t len;
	uint8_t part;
	uint8_t parts;
	uint8_t bytes[AT_RING_PAYLOAD_BYTES];
};

struct at_ring {
	uint32_t magic;
	uint32_t slot_count; /* a power of two */
	uint32_t record_max;
	uint32_t unused;
	_Alignas(64) _Atomic uint64_t head; /* next position to take */
	_Atomic uint64_t pushed_count;
	_Alignas(64) _Atomic uint64_t tail; /* next position to read */
	_Atomic uint64_t popped_count;
	_Atomic uint32_t
		wait_for;      /* reader sleeps until so many wait; 0 awake */
	_Atomic uint32_t wake; /* futex word */
	_Alignas(64) struct at_ring_slot slots[];
};

/* Bytes of memory for a ring that holds `record_max` records, page-rounded. */
size_t at_ring_bytes(uint32_t record_max);

/*
 * Make an empty ring in zeroed memory of at_ring_bytes(record_max) bytes.
 * record_max is 1 .. 2^20.
 */
void at_ring_init(struct at_ring *ring, uint32_t record_max);

/*
 * Is the mapping of `bytes` bytes a ring of this build? For shared memory.
 * 0 or -EBADMSG.
 */
int at_ring_check(const struct at_ring *ring, size_t bytes);

/*
 * Copy a record in; `pid` is the caller's process id (at most 22 bits).
 * 0, -ENOSPC when full, -EMSGSIZE over AT_RING_MAX_RECORD_BYTES, -ECANCELED
 * when the reader gave the slot up meanwhile.
 */
int at_ring_push(struct at_ring *ring, uint32_t pid, const void *record,
		 size_t len);

/* Records waiting; a moment's value. */
uint32_t at_ring_count(const struct at_ring *ring);

/* Wake the reader whatever it waits for. */
void at_ring_wake(struct at_ring *ring);

/* --- the reader's side: one thread at a time --- */

#define AT_RING_ASSEMBLIES 8

struct at_ring_assembly {
	uint32_t first;
	uint8_t parts;
	uint8_t next_part; /* 0: not in use */
	uint32_t len;
	uint8_t bytes[AT_RING_MAX_RECORD_BYTES];
};

struct at_ring_reader {
	struct at_ring *ring;
	uint64_t tail;
	uint32_t slot_mask;
	uint64_t stuck_since_ns;
	/* lost: torn, cut off or never finished by their writer */
	uint64_t lost_count;
	/* whether a process still exists; NULL: every writer is ourselves */
	bool (*pid_alive)(uint32_t pid);
	struct at_ring_assembly assemblies[AT_RING_ASSEMBLIES];
};

void at_ring_reader_init(struct at_ring_reader *reader, struct at_ring *ring);

/*
 * Take the next whole record out. `now_ns` is monotonic; a slot that stays
 * half-written for AT_RING_STUCK_NS is set aside and counted.
 * Its length, 0 when there is none, -EMSGSIZE when cap is too small (lost).
 */
#define AT_RING_STUCK_NS 200000000u
int at_ring_pop(struct at_ring_reader *reader, void *record, size_t cap,
		uint64_t now_ns);

/*
 * Sleep until at_least records wait, at_ring_wake() is called, or timeout_ns
 * has passed (UINT64_MAX: no limit). May return early.
 */
void at_ring_wait(struct at_ring *ring, uint32_t at_least, uint64_t timeout_ns);

#endif
