// SPDX-License-Identifier: Apache-2.0
/*
 * The ring alone. Prints: nanoseconds a push, one thread and nobody else on
 * the ring (median of rounds); bytes of the record; million records a second
 * that four threads hand over to one that takes them out (best of rounds:
 * whatever else runs only takes away).
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/ring.h"
#include "tests/bench/typical_span.h"

#define RECORDS 2048
#define ROUNDS 201
#define PRODUCERS 4
#define EACH 250000
#define CONTENDED_ROUNDS 9

static struct at_ring *ring;
static struct at_ring_reader reader;
static struct at_span record;

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint32_t drain(void)
{
	static struct at_span out;
	uint32_t count = 0;

	while (at_ring_pop(&reader, &out, sizeof(out), 0) > 0)
		count++;
	return count;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double uncontended_ns(void)
{
	double ns[ROUNDS];
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		uint64_t begin = now_ns(CLOCK_THREAD_CPUTIME_ID);

		for (i = 0; i < RECORDS; i++)
			if (at_ring_push(ring, 1, &record, record.size_bytes))
				abort();
		ns[round] = (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - begin) /
			    RECORDS;
		if (drain() != RECORDS)
			abort();
	}
	qsort(ns, ROUNDS, sizeof(double), compare);
	return ns[ROUNDS / 2];
}

/* A tracer would drop what does not fit; here all must arrive. */
static void *produce(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < EACH; i++)
		while (at_ring_push(ring, 1, &record, record.size_bytes))
			sched_yield();
	return NULL;
}

static double contended_per_us(void)
{
	pthread_t threads[PRODUCERS];
	uint64_t begin = now_ns(CLOCK_MONOTONIC);
	uint32_t taken = 0;
	int i;

	for (i = 0; i < PRODUCERS; i++)
		if (pthread_create(&threads[i], NULL, produce, NULL))
			abort();
	while (taken < PRODUCERS * EACH) {
		uint32_t count = drain();

		taken += count;
		if (!count)
			sched_yield();
	}
	begin = now_ns(CLOCK_MONOTONIC) - begin;
	for (i = 0; i < PRODUCERS; i++)
		pthread_join(threads[i], NULL);
	return (double)taken * 1000 / (double)begin;
}

int main(void)
{
	double best = 0;
	int i;

	ring = aligned_alloc(4096, at_ring_bytes(RECORDS));
	if (!ring)
		return 1;
	memset(ring, 0, at_ring_bytes(RECORDS));
	at_ring_init(ring, RECORDS);
	at_ring_reader_init(&reader, ring);
	typical_span(&record, 0);
	printf("%.1f %u ", uncontended_ns(), record.size_bytes);
	for (i = 0; i < CONTENDED_ROUNDS; i++) {
		double rate = contended_per_us();

		best = rate > best ? rate : best;
	}
	printf("%.2f\n", best);
	free(ring);
	return 0;
}
