// SPDX-License-Identifier: Apache-2.0
/* A small tree of processes and requests, for the tests of what is said of it. */
#ifndef AT_TESTS_CLI_BUILD_H
#define AT_TESTS_CLI_BUILD_H

#include "cli/forest.h"

#define BUILD_MS UINT64_C(1000000)

/* Ids are small numbers, parent 0 is none. */
struct build_span {
	uint8_t id;
	uint8_t parent;
	const char *name;
	uint64_t start_ms;
	uint64_t end_ms;
	int exit_code;      /* of a process */
	const char *signal; /* it died of */
	int status;         /* of a request, which it then is; -1 no answer */
};

/* The list of the spans up to the one with id 0, and their forest. */
struct build {
	struct at_span_list list;
	struct at_forest forest;
};

void build_grow(struct build *build, const struct build_span *spans);
void build_free(struct build *build);

/* The node of a span. */
uint32_t build_node(const struct build *build, uint8_t id);

#endif
