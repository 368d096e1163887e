// SPDX-License-Identifier: Apache-2.0
#include "core/ids.h"

#include <stdatomic.h>
#include <string.h>

#include "core/clock.h"
#include "core/sys.h"

struct generator {
	uint64_t s[4];
	uint32_t generation; /* 0: never seeded */
};

static _Atomic uint32_t reseed_count;
static __thread struct generator generator;

static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = (*x += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* getrandom may be refused by a sandbox or early at boot: mix what we have. */
static void seed(struct generator *g, uint32_t now)
{
	uint64_t x = at_clock_now_ns() ^ (uint64_t)(uintptr_t)g ^
		     (uint64_t)sys_gettid() << 32;
	int i;

	memset(g->s, 0, sizeof(g->s));
	sys_getrandom(g->s, sizeof(g->s));
	for (i = 0; i < 4; i++)
		g->s[i] ^= splitmix(&x);
	g->generation = now;
}

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

uint64_t at_ids_random(void)
{
	struct generator *g = &generator;
	uint32_t now =
		1 + atomic_load_explicit(&reseed_count, memory_order_relaxed);
	uint64_t result, t;

	if (__builtin_expect(g->generation != now, 0))
		seed(g, now);
	result = rotate(g->s[1] * 5, 7) * 9;
	t = g->s[1] << 17;
	g->s[2] ^= g->s[0];
	g->s[3] ^= g->s[1];
	g->s[1] ^= g->s[2];
	g->s[0] ^= g->s[3];
	g->s[2] ^= t;
	g->s[3] = rotate(g->s[3], 45);
	return result;
}

void at_ids_span(uint8_t span_id[AT_SPAN_ID_BYTES])
{
	uint64_t random;

	do {
		random = at_ids_random();
	} while (!random);
	memcpy(span_id, &random, sizeof(random));
}

void at_ids_trace(uint8_t trace_id[AT_TRACE_ID_BYTES])
{
	at_ids_span(trace_id);
	at_ids_span(trace_id + AT_SPAN_ID_BYTES);
}

void at_ids_reseed(void)
{
	atomic_fetch_add(&reseed_count, 1);
}
