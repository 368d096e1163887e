// SPDX-License-Identifier: Apache-2.0
/*
 * A worker and a collector that it exports to, one of each a test.
 */
#ifndef AT_TESTS_EXCHANGE_H
#define AT_TESTS_EXCHANGE_H

#include "tests/unit/exporter/collector.h"
#include "tests/unit/exporter/rig.h"

extern struct rig rig;
extern struct collector *collector;

#define NOW "OTEL_BSP_SCHEDULE_DELAY=0"
#define BATCH_OF_10 "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=10"

/* Settings: the collector's endpoint and up to four more. */
void set_up(const char *a, const char *b, const char *c, const char *d);

/* The same without a collector. */
void set_up_port(int port, const char *a);

/* The spans of a POST in protobuf. */
const Otlp__ScopeSpans *spans_of(int post);

/* Every span pushed is in the posts from `first` on, once. */
void expect_all_once(int first);

void expect_counts(uint64_t exported, uint64_t failed, uint64_t rejected,
		   uint64_t exit_timeout);

/* The head of a POST has this line. */
void expect_field(int post, const char *field);

#endif
