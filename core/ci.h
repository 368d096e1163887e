// SPDX-License-Identifier: Apache-2.0
/*
 * Which CI job is this? Read from the environment and nowhere else.
 *
 * The systems are in core/ci.def. Pure; for the exporter and the command, not
 * for the application's threads (it is neither short nor needed there).
 */
#ifndef AT_CORE_CI_H
#define AT_CORE_CI_H

#include <stdbool.h>

#include "core/text.h"

/*
 * FACT(id, attribute of the resource or NULL, what its template's text is)
 *   TEXT  as it is        URL   without credentials
 *   REF   without refs/heads/ and the like
 *   UUID  without braces  NUMBER  digits, or refs/pull/N/...; else nothing
 */
#define AT_CI_FACTS(FACT)                                                 \
	FACT(PIPELINE_NAME, "cicd.pipeline.name", TEXT)                   \
	FACT(RUN_ID, "cicd.pipeline.run.id", UUID)                        \
	FACT(RUN_URL, "cicd.pipeline.run.url.full", URL)                  \
	FACT(TASK_NAME, "cicd.pipeline.task.name", TEXT)                  \
	FACT(TASK_ID, "cicd.pipeline.task.run.id", UUID)                  \
	FACT(TASK_URL, "cicd.pipeline.task.run.url.full", URL)            \
	FACT(WORKER_ID, "cicd.worker.id", TEXT)                           \
	FACT(WORKER_NAME, "cicd.worker.name", TEXT)                       \
	FACT(REPOSITORY_URL, "vcs.repository.url.full", REPOSITORY)       \
	FACT(REPOSITORY_NAME, "vcs.repository.name", TEXT)                \
	FACT(OWNER, "vcs.owner.name", TEXT)                               \
	FACT(PROVIDER, "vcs.provider.name", TEXT)                         \
	FACT(REVISION, "vcs.ref.head.revision", TEXT)                     \
	FACT(HEAD, "vcs.ref.head.name", REF)                              \
	FACT(HEAD_TYPE, "vcs.ref.head.type", TEXT)                        \
	FACT(TYPE, "vcs.ref.type", TEXT)                                  \
	FACT(CHANGE_ID, "vcs.change.id", NUMBER)                          \
	FACT(BASE, "vcs.ref.base.name", REF)                              \
	/* What the above are made of, and what only the command asks. */ \
	FACT(TAG, NULL, REF)                                              \
	FACT(SLUG, NULL, TEXT)                                            \
	FACT(ATTEMPT, NULL, TEXT)                                         \
	FACT(RESULT, NULL, TEXT)

enum at_ci_fact {
#define FACT(id, attribute, kind) AT_CI_##id,
	AT_CI_FACTS(FACT)
#undef FACT
		AT_CI_FACT_COUNT
};

struct at_ci {
	const char *system; /* as in core/ci.def; NULL: none */
	/* Empty where unknown. Views of `bytes`, the environment, or static. */
	struct at_text fact[AT_CI_FACT_COUNT];
	size_t used;
	char bytes[8192];
};

/*
 * Fill *ci from an environment block, which must outlive it. False: no CI
 * system that we know. Facts that do not fit are left out.
 */
bool at_ci_detect(struct at_ci *ci, char *const *environment);

/* Key on the resource; NULL for facts that are none. */
const char *at_ci_attribute(enum at_ci_fact fact);

#endif
