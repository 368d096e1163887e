// SPDX-License-Identifier: Apache-2.0
#include "core/ids.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DRAWS 200000

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

Test(core_ids, span_ids_are_never_zero_and_never_twice)
{
	uint64_t *ids = malloc(DRAWS * sizeof(*ids));
	int i;

	for (i = 0; i < DRAWS; i++) {
		at_ids_span((uint8_t *)&ids[i]);
		cr_assert_neq(ids[i], 0);
	}
	qsort(ids, DRAWS, sizeof(*ids), compare);
	for (i = 1; i < DRAWS; i++)
		cr_assert_neq(ids[i - 1], ids[i]);
	free(ids);
}

Test(core_ids, trace_ids_are_random_in_both_halves)
{
	uint64_t first[2], id[2];
	int i;

	at_ids_trace((uint8_t *)first);
	for (i = 0; i < 1000; i++) {
		at_ids_trace((uint8_t *)id);
		cr_assert_neq(id[0], 0);
		cr_assert_neq(id[1], 0);
		cr_assert_neq(id[0], first[0]);
		cr_assert_neq(id[1], first[1]);
		cr_assert_neq(id[0], id[1]);
	}
}

/* Six standard deviations: once in 500 million runs by chance. */
Test(core_ids, every_bit_is_set_half_the_time)
{
	int set[64] = { 0 }, i, bit;

	for (i = 0; i < DRAWS; i++) {
		uint64_t random = at_ids_random();

		for (bit = 0; bit < 64; bit++)
			set[bit] += random >> bit & 1;
	}
	for (bit = 0; bit < 64; bit++)
		cr_expect_lt(abs(set[bit] - DRAWS / 2), 6 * 224, "bit %d", bit);
}

/* What a child draws first, after `prepare` in it. */
static uint64_t drawn_in_child(void (*prepare)(void))
{
	uint64_t drawn = 0;
	int pipes[2], status;
	pid_t child;

	cr_assert_eq(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		if (prepare)
			prepare();
		drawn = at_ids_random();
		_exit(write(pipes[1], &drawn, sizeof(drawn)) != sizeof(drawn));
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	cr_assert_eq(read(pipes[0], &drawn, sizeof(drawn)), sizeof(drawn));
	close(pipes[0]);
	close(pipes[1]);
	return drawn;
}

Test(core_ids, a_forked_child_draws_ids_of_its_own)
{
	uint64_t first, second, own;

	at_ids_random();
	first = drawn_in_child(at_ids_reseed);
	second = drawn_in_child(at_ids_reseed);
	own = at_ids_random();
	cr_expect_neq(first, second);
	cr_expect_neq(first, own);
	cr_expect_neq(second, own);
}

/* The reason for at_ids_reseed(), and the proof that the test above can fail. */
Test(core_ids, without_a_new_seed_a_child_repeats_its_parent)
{
	at_ids_random();
	cr_expect_eq(drawn_in_child(NULL), at_ids_random());
}

/* A sandbox that refuses getrandom(2). */
static void refuse_getrandom(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(2);
	if (syscall(SYS_getrandom, NULL, 0, 0) != -1)
		_exit(3);
	at_ids_reseed();
}

Test(core_ids, where_getrandom_is_refused_ids_differ_all_the_same)
{
	uint64_t first = drawn_in_child(refuse_getrandom);
	uint64_t second = drawn_in_child(refuse_getrandom);

	cr_expect_neq(first, 0);
	cr_expect_neq(first, second);
}
