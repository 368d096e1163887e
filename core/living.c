// SPDX-License-Identifier: Apache-2.0
#include "core/living.h"

#include <string.h>

/* The version; even when the slot can be read. */
#define BEING_WRITTEN 1u

_Static_assert(sizeof(struct at_living_slot) == 64, "one cache line a slot");

static struct at_living_slot *slot_at(struct at_living *living, uint32_t pid,
				      uint32_t i)
{
	return &living->slot[(pid + i) % AT_LIVING_SLOTS];
}

static uint32_t pid_of(uint64_t owner)
{
	return (uint32_t)(owner >> 32);
}

static struct at_living_slot *find_slot(struct at_living *living, uint32_t pid,
					uint64_t *owner)
{
	uint32_t i;

	for (i = 0; i < AT_LIVING_WINDOW; i++) {
		struct at_living_slot *slot = slot_at(living, pid, i);

		*owner = atomic_load_explicit(&slot->owner,
					      memory_order_acquire);
		if (pid_of(*owner) == pid)
			return slot;
	}
	return NULL;
}

static struct at_living_slot *free_slot(struct at_living *living, uint32_t pid)
{
	uint64_t claim = (uint64_t)pid << 32 | BEING_WRITTEN;
	uint32_t i;

	for (i = 0; i < AT_LIVING_WINDOW; i++) {
		struct at_living_slot *slot = slot_at(living, pid, i);
		uint64_t nobody = 0;

		if (atomic_compare_exchange_strong(&slot->owner, &nobody,
						   claim))
			return slot;
	}
	return NULL;
}

static void write_life(struct at_living_slot *slot, uint64_t writing,
		       const struct at_life *life)
{
	uint64_t owner = (writing & ~UINT64_C(0xffffffff)) |
			 (uint32_t)(writing + 1);

	slot->life = *life;
	atomic_store_explicit(&slot->owner, owner, memory_order_release);
}

bool at_living_introduce(struct at_living *living, uint32_t pid,
			 const struct at_life *life)
{
	uint64_t owner;
	struct at_living_slot *slot =
		find_slot(living, pid, &owner) ? NULL : free_slot(living, pid);

	if (slot)
		write_life(slot, (uint64_t)pid << 32 | BEING_WRITTEN, life);
	return slot;
}

bool at_living_enter(struct at_living *living, uint32_t pid,
		     const struct at_life *life)
{
	uint64_t owner, writing;
	struct at_living_slot *slot = find_slot(living, pid, &owner);

	if (!slot)
		return at_living_introduce(living, pid, life);
	/* Odd as well: whoever wrote it does not exist any more. */
	writing = owner | BEING_WRITTEN;
	if (!atomic_compare_exchange_strong(&slot->owner, &owner, writing))
		return false;
	write_life(slot, writing, life);
	return true;
}

bool at_living_find(struct at_living *living, uint32_t pid,
		    struct at_life *life)
{
	uint64_t owner;
	struct at_living_slot *slot = pid ? find_slot(living, pid, &owner) :
					    NULL;

	if (!slot || (owner & BEING_WRITTEN))
		return false;
	*life = slot->life;
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&slot->owner, memory_order_relaxed) ==
	       owner;
}

void at_living_leave(struct at_living *living, uint32_t pid, const uint8_t *own)
{
	uint64_t owner;
	struct at_living_slot *slot = pid ? find_slot(living, pid, &owner) :
					    NULL;

	if (slot && (!own || !memcmp(slot->life.own, own, AT_SPAN_ID_BYTES)))
		atomic_compare_exchange_strong(&slot->owner, &owner, 0);
}

uint32_t at_living_pid(const struct at_living *living, uint32_t slot)
{
	return pid_of(atomic_load(&living->slot[slot].owner));
}
