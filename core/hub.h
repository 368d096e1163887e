// SPDX-License-Identifier: Apache-2.0
/*
 * Hub: the ring and the counters of a whole process tree, and who lives in it,
 * in one memfd that `autotrace run` owns and every traced process maps.
 *
 * A process under a hub starts no thread and waits for nothing at its end;
 * kill -9 loses nothing that had ended. The memfd has no name: it is reached
 * as /proc/PID/fd/N, so only the same user gets in, and nothing stays behind.
 */
#ifndef AT_CORE_HUB_H
#define AT_CORE_HUB_H

#include <stddef.h>
#include <stdint.h>

#include "core/counters.h"
#include "core/crash.h"
#include "core/living.h"
#include "core/ring.h"

/*
 * The command that the hub was made for: its process finds out here that the
 * span id in its environment is its own, and who its parent is.
 */
struct at_hub_head {
	_Atomic uint32_t pid; /* 0 until the command is started */
	uint8_t span_id[AT_SPAN_ID_BYTES];
	uint8_t parent_id[AT_SPAN_ID_BYTES];
	uint8_t has_parent;
};

struct at_hub {
	uint32_t magic;
	uint32_t ring_offset_bytes;
	uint64_t size_bytes;
	uint64_t start_ticks; /* of its owner: as the address has it */
	struct at_hub_head head;
	struct at_counters counters;
	_Alignas(64) struct at_living living;
	struct at_crashes crashes;
};

static inline struct at_ring *at_hub_ring(struct at_hub *hub)
{
	return (struct at_ring *)((char *)hub + hub->ring_offset_bytes);
}

/* Room for "pid:fd:starttime". */
#define AT_HUB_ADDRESS_BYTES 64

/*
 * Make a hub for `record_max` waiting spans and write its address (value of
 * AUTOTRACE_HUB, NUL-terminated). The descriptor in *fd stays open for as long
 * as processes may join; it is close-on-exec. All memory is allocated at once:
 * a full tmpfs must not become a SIGBUS in somebody else's program.
 * 0 or negative errno. For the command only; calls libc.
 */
int at_hub_create(uint32_t record_max, struct at_hub **hub, int *fd,
		  char address[AT_HUB_ADDRESS_BYTES]);

/*
 * Map the hub at `address`. Raw system calls only; signal-safe. *hub stays
 * mapped for ever. 0, or negative errno: no hub, another user's or another
 * process id namespace's, dead, or of another version (the caller goes on as
 * without one).
 */
int at_hub_join(const char *address, struct at_hub **hub);

/* A clock tick of those: USER_HZ is 100 on every CPU we know. */
#define AT_TICK_NS UINT64_C(10000000)

/* Start time of a process in clock ticks since boot (/proc/PID/stat field 22).
 * 0 when there is no such process. Raw system calls only. */
uint64_t at_process_start_ticks(uint32_t pid);

#endif
