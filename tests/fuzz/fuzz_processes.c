// SPDX-License-Identifier: Apache-2.0
/*
 * What the processes of a tree say of themselves, in any order and torn: each
 * six bytes are one record (what, process, span, parent, time, and what of its
 * end is said). What comes out are spans, and the books are empty after the end
 * of all.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/processes.h"
#include "core/program.h"

#define STEP_BYTES 6
#define SPANS 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct at_hub *hub;
static struct at_ring_reader reader;

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void set_up(void)
{
	char address[AT_HUB_ADDRESS_BYTES];
	int fd;

	require(at_hub_create(64, &hub, &fd, address) == 0);
	at_ring_reader_init(&reader, at_hub_ring(hub));
}

static void say(const uint8_t *step)
{
	struct at_span span;

	at_span_init(&span, AT_KIND_INTERNAL);
	span.record = step[0] % 8; /* one that there is not, too */
	span.pid = 1 + step[1] % 8;
	span.span_id[0] = 1 + step[2] % SPANS;
	span.trace_id[0] = 1;
	span.parent_id[0] = 1 + step[3] % SPANS;
	span.has_parent = step[3] & 1;
	span.start_unix_ns = step[4];
	span.duration_ns = step[4] % 16;
	if (step[5] & 2)
		at_span_set_text(&span, AT_ATTR_EXCEPTION_TYPE,
				 AT_TEXT("SIGSEGV"));
	if (step[5] & 1)
		at_program_fill_exit(&span, step[5]);
	at_ring_push(at_hub_ring(hub), span.pid, &span, span.size_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct at_processes processes;
	struct at_span span;
	uint32_t pid;
	int len;

	if (!hub)
		set_up();
	at_processes_init(&processes, hub);
	for (; size >= STEP_BYTES; size -= STEP_BYTES, data += STEP_BYTES) {
		say(data);
		while ((len = at_processes_pop(&processes, &reader, &span, 0)))
			require(len < 0 ||
				(!at_span_check(&span, (uint32_t)len) &&
				 span.record == AT_RECORD_SPAN));
		at_processes_is_parent(&processes, span.span_id);
	}
	for (pid = 1; pid <= 8; pid++) {
		const uint8_t end[STEP_BYTES] = {
			AT_RECORD_REAPED, (uint8_t)(pid - 1), 0, 0, 255, 1
		};

		say(end);
		while (at_processes_pop(&processes, &reader, &span, 0) > 0)
			;
	}
	require(processes.open_count == 0 && processes.done_count == 0);
	at_processes_free(&processes);
	return 0;
}
