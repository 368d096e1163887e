// SPDX-License-Identifier: Apache-2.0
/*
 * Hub: the ring and the counters of a whole process tree, in one memfd that
 * `autotrace run` owns and every traced process maps.
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
#include "core/ring.h"

struct at_hub {
	uint32_t magic;
	uint32_t ring_offset_bytes;
	uint64_t size_bytes;
	struct at_counters counters;
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
 * mapped for ever. 0, or negative errno: no hub, another user's, dead, or of
 * another version (the caller goes on as without one).
 */
int at_hub_join(const char *address, struct at_hub **hub);

/* Start time of a process in clock ticks since boot (/proc/PID/stat field 22).
 * 0 when there is no such process. Raw system calls only. */
uint64_t at_process_start_ticks(uint32_t pid);

#endif
