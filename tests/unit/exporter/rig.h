// SPDX-License-Identifier: Apache-2.0
/*
 * Rig: a ring, settings and a thread that runs the worker, as the library
 * does it.
 */
#ifndef AT_TESTS_RIG_H
#define AT_TESTS_RIG_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "exporter/exporter.h"
#include "otlp.pb-c.h"

struct rig {
	struct at_exporter_host host;
	struct at_config config;
	struct at_config_origin origin;
	struct at_counters counters;
	struct at_ring *ring;
	pthread_t thread;
	int result;
	uint32_t pushed; /* spans so far; numbers their ids */
};

/* Settings from "NAME=value" strings, NULL-terminated; a ring for 2048. */
void rig_init(struct rig *rig, const char *const environ[]);

/* The worker on a thread of its own, command RUN. */
void rig_start(struct rig *rig);

/* Push so many spans with url.full, a status code and so on. */
void rig_push(struct rig *rig, uint32_t count);

/* Push this one. */
void rig_push_span(struct rig *rig, const struct at_span *span);

/* A span as rig_push() pushes, number `number`. */
void rig_make_span(struct at_span *span, uint32_t number);

/* Give a command and wait until the worker has returned; the time it took. */
uint64_t rig_end(struct rig *rig, enum at_export_command command,
		 uint64_t within_ns);

/* Give a command without waiting. */
void rig_command(struct rig *rig, enum at_export_command command,
		 uint64_t within_ns);
void rig_join(struct rig *rig);

uint64_t rig_counter(const struct rig *rig, enum at_counter counter);

/* Wait until a counter is at least `value`. False after 20 s. */
bool rig_wait_counter(const struct rig *rig, enum at_counter counter,
		      uint64_t value);

uint64_t rig_now_ns(void);

/* The message in these bytes; lives on the exporter's heap for good. */
Otlp__TracesData *rig_unpack(const uint8_t *bytes, size_t len);

#define MS UINT64_C(1000000)

#endif
