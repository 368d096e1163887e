// SPDX-License-Identifier: Apache-2.0
/*
 * What `job end` and the background process of `job begin` say to each other:
 * one request and its answer over a socket in the abstract namespace, named
 * after the hub. No file is left behind, and other users are not answered.
 */
#ifndef AT_CLI_JOB_CALL_H
#define AT_CLI_JOB_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/policy.h"
#include "cli/tree.h"

enum at_job_wish {
	AT_JOB_PING,
	AT_JOB_END,
};

struct at_job_request {
	uint32_t magic;
	uint32_t wish;
	char result[16]; /* of the job; "" not known */
	bool tree;
	bool summary;
	struct at_tree_style style;
	struct at_fail_on fail_on;
};

struct at_job_answer {
	uint32_t magic;
	uint32_t report_bytes; /* both texts follow */
	uint32_t summary_bytes;
	uint32_t fault_count; /* by fail_on; */
	char fault[512];      /* the first of them */
};

/* Ready to be asked at the hub's address. A descriptor (close-on-exec) or
 * negative errno. */
int at_job_listen(const char *address);

/*
 * Take a request that has come. 0: nobody, or nothing of ours; else the
 * connection to answer on, to be closed.
 */
int at_job_accept(int listener, struct at_job_request *request);

/* Answer with the two texts. */
void at_job_answer(int connection, struct at_job_answer *answer,
		   const char *report, const char *summary);

/*
 * Ask. 0, *answer and *texts (both in one, allocated); -ECONNREFUSED: no such
 * job; or another negative errno.
 */
int at_job_ask(const char *address, struct at_job_request *request,
	       struct at_job_answer *answer, char **texts);

#endif
