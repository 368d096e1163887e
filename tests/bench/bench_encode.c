// SPDX-License-Identifier: Apache-2.0
/*
 * What the exporter thread does with a batch before it goes on the wire: take
 * it out of the ring, redact, encode as OTLP protobuf, compress. Prints spans
 * a second of CPU, without and with gzip, and bytes a span on the wire.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "exporter/batch.h"
#include "exporter/gzip.h"
#include "exporter/otlp_encode.h"
#include "tests/bench/typical_span.h"

#define BATCH 512
#define ROUNDS 301

static struct at_config config;
static struct at_ring *ring;
static struct at_ring_reader reader;
static struct resource resource;
static struct batch batch;
static struct batch_intake intake;
static struct buffer body, packed;
static struct gzip gzip;

static double cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void fill_ring(void)
{
	struct at_span span;
	uint32_t i;

	for (i = 0; i < BATCH; i++) {
		typical_span(&span, i);
		if (at_ring_push(ring, 1, &span, span.size_bytes))
			abort();
	}
}

static void encode(void)
{
	struct otlp_rules rules = { .resource = &resource,
				    .attribute_count =
					    config.span_attribute_count,
				    .value_length = config.span_value_length };
	Otlp__TracesData *traces;

	batch_clear(&batch);
	body.len = 0;
	if (batch_fill(&batch, &reader, &intake, 0) || batch.count != BATCH)
		abort();
	traces = otlp_encode(&batch, &rules, NULL);
	if (!traces || otlp_pack(traces, &body))
		abort();
}

static void compress_body(void)
{
	packed.len = 0;
	if (gzip_pack(&gzip, body.ptr, body.len, &packed))
		abort();
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(void)
{
	static double plain[ROUNDS], whole[ROUNDS];
	int i;

	for (i = 0; i < ROUNDS; i++) {
		double begin;

		fill_ring();
		begin = cpu_us();
		encode();
		plain[i] = cpu_us() - begin;
		compress_body();
		whole[i] = cpu_us() - begin;
	}
	qsort(plain, ROUNDS, sizeof(double), compare);
	qsort(whole, ROUNDS, sizeof(double), compare);
	printf("%.0f %.0f %.1f %.1f\n", BATCH * 1e6 / plain[ROUNDS / 2],
	       BATCH * 1e6 / whole[ROUNDS / 2], (double)body.len / BATCH,
	       (double)packed.len / BATCH);
}

int main(void)
{
	at_config_load(&config, NULL, NULL);
	ring = aligned_alloc(4096, at_ring_bytes(BATCH));
	if (!ring ||
	    resource_build(&resource, &config, "bench", false, NULL) < 0 ||
	    batch_open(&batch, BATCH))
		return 1;
	memset(ring, 0, at_ring_bytes(BATCH));
	at_ring_init(ring, BATCH);
	at_ring_reader_init(&reader, ring);
	intake.redact = redact_rules_from(&config);
	measure();
	gzip_free(&gzip);
	buffer_free(&packed);
	buffer_free(&body);
	batch_free(&batch);
	resource_free(&resource);
	free(ring);
	return 0;
}
