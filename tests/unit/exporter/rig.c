// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/exporter/rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/sys.h"
#include "exporter/heap.h"

#define RECORD_MAX 2048

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static _Atomic bool held;

static void lock(void)
{
	pthread_mutex_lock(&gate);
	cr_assert_not(atomic_exchange(&held, true));
}

static void unlock(void)
{
	cr_assert(atomic_exchange(&held, false), "unlocked twice");
	pthread_mutex_unlock(&gate);
}

uint64_t rig_now_ns(void)
{
	return at_clock_now_ns();
}

void rig_init(struct rig *rig, const char *const environ[])
{
	size_t bytes = at_ring_bytes(RECORD_MAX);

	memset(rig, 0, sizeof(*rig));
	rig->ring = sys_map(bytes);
	cr_assert_not_null(rig->ring);
	at_ring_init(rig->ring, RECORD_MAX);
	at_config_load(&rig->config, (char **)(uintptr_t)environ, &rig->origin);
	rig->host = (struct at_exporter_host){
		.abi = AT_EXPORTER_ABI,
		.config = &rig->config,
		.origin = &rig->origin,
		.ring = rig->ring,
		.counters = &rig->counters,
		.lock = lock,
		.unlock = unlock,
		.executable_name = "rig",
	};
}

static void *message_alloc(void *unused, size_t size)
{
	(void)unused;
	return heap_alloc(size);
}

static void message_free(void *unused, void *memory)
{
	(void)unused;
	heap_free(memory);
}

Otlp__TracesData *rig_unpack(const uint8_t *bytes, size_t len)
{
	static ProtobufCAllocator memory = { message_alloc, message_free,
					     NULL };
	Otlp__TracesData *traces =
		otlp__traces_data__unpack(&memory, len, bytes);

	cr_assert_not_null(traces);
	return traces;
}

static void *run(void *argument)
{
	struct rig *rig = argument;

	rig->result = autotrace_export(&rig->host);
	return NULL;
}

void rig_start(struct rig *rig)
{
	pthread_attr_t attributes;

	/* As the library gives its thread. */
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 512 << 10);
	atomic_store(&rig->host.command, AT_EXPORT_RUN);
	cr_assert_eq(pthread_create(&rig->thread, &attributes, run, rig), 0);
	pthread_attr_destroy(&attributes);
}

void rig_make_span(struct at_span *span, uint32_t number)
{
	char url[128];

	at_span_init(span, AT_KIND_CLIENT);
	memset(span->trace_id, 0xab, sizeof(span->trace_id));
	memcpy(span->trace_id, &number, sizeof(number));
	memset(span->span_id, 0xcd, sizeof(span->span_id));
	memcpy(span->span_id, &number, sizeof(number));
	span->flags = AT_FLAG_SAMPLED | AT_FLAG_RANDOM;
	span->pid = 4242;
	span->start_unix_ns = UINT64_C(1700000000000000000) + number;
	span->duration_ns = 1500000;
	at_span_set_name(span, AT_TEXT("GET"));
	at_span_set_text(span, AT_ATTR_HTTP_REQUEST_METHOD, AT_TEXT("GET"));
	snprintf(url, sizeof(url), "http://u:p@inventory:8080/items/%u?sig=s",
		 number);
	at_span_set_text(span, AT_ATTR_URL_FULL, at_text_from(url));
	at_span_set_text(span, AT_ATTR_SERVER_ADDRESS, AT_TEXT("inventory"));
	at_span_set_int(span, AT_ATTR_SERVER_PORT, 8080);
	at_span_set_text(span, AT_ATTR_NETWORK_PEER_ADDRESS,
			 AT_TEXT("127.0.0.1"));
	at_span_set_int(span, AT_ATTR_NETWORK_PEER_PORT, 8080);
	at_span_set_text(span, AT_ATTR_NETWORK_PROTOCOL_VERSION,
			 AT_TEXT("1.1"));
	at_span_set_int(span, AT_ATTR_HTTP_RESPONSE_STATUS_CODE, 200);
}

void rig_push_span(struct rig *rig, const struct at_span *span)
{
	cr_assert_eq(at_ring_push(rig->ring, (uint32_t)getpid(), span,
				  span->size_bytes),
		     0);
	rig->pushed++;
}

void rig_push(struct rig *rig, uint32_t count)
{
	struct at_span span;

	while (count--) {
		rig_make_span(&span, rig->pushed);
		rig_push_span(rig, &span);
	}
}

void rig_command(struct rig *rig, enum at_export_command command,
		 uint64_t within_ns)
{
	atomic_store(&rig->host.deadline_ns, rig_now_ns() + within_ns);
	atomic_store(&rig->host.command, command);
	at_ring_wake(rig->ring);
}

void rig_join(struct rig *rig)
{
	pthread_join(rig->thread, NULL);
	cr_assert_eq(rig->result, 0);
}

uint64_t rig_end(struct rig *rig, enum at_export_command command,
		 uint64_t within_ns)
{
	uint64_t start_ns = rig_now_ns();

	rig_command(rig, command, within_ns);
	rig_join(rig);
	return rig_now_ns() - start_ns;
}

uint64_t rig_counter(const struct rig *rig, enum at_counter counter)
{
	return atomic_load(&rig->counters.value[counter]);
}

bool rig_wait_counter(const struct rig *rig, enum at_counter counter,
		      uint64_t value)
{
	const struct timespec moment = { .tv_nsec = 200000 };
	uint64_t end_ns = rig_now_ns() + 20000 * MS;

	while (rig_counter(rig, counter) < value) {
		if (rig_now_ns() > end_ns)
			return false;
		nanosleep(&moment, NULL);
	}
	return true;
}
