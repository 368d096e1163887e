// SPDX-License-Identifier: Apache-2.0
#include "cli/blind_spot.h"

#include <string.h>

#define CONTAINER "what runs in the container has an environment of its own"
#define CONTAINER_LINE(program)                                     \
	program " run -v \"${LD_PRELOAD%/*}:${LD_PRELOAD%/*}:ro\" " \
		"-e LD_PRELOAD -e TRACEPARENT "                     \
		"-e OTEL_EXPORTER_OTLP_ENDPOINT IMAGE COMMAND"
#define CARRY "TRACEPARENT=\"$TRACEPARENT\" AUTOTRACE_HUB=\"$AUTOTRACE_HUB\" "

static const struct at_blind_spot spots[] = {
	/* Its client may be static itself: the container matters more. */
	{ "", "docker", CONTAINER, CONTAINER_LINE("docker") },
	{ "", "podman", CONTAINER, CONTAINER_LINE("podman") },
	{ "", "nerdctl", CONTAINER, CONTAINER_LINE("nerdctl") },
	{ "setuid", "sudo", "sudo starts its command without LD_PRELOAD",
	  "sudo --preserve-env=TRACEPARENT,AUTOTRACE_HUB,"
	  "OTEL_EXPORTER_OTLP_ENDPOINT env LD_PRELOAD=\"$LD_PRELOAD\" "
	  "COMMAND" },
	/* Nobody but root reaches another user's hub. */
	{ "setuid", "su",
	  "su starts its command without LD_PRELOAD; another user exports by "
	  "itself",
	  "su USER -c \"LD_PRELOAD=$LD_PRELOAD TRACEPARENT=$TRACEPARENT "
	  "OTEL_EXPORTER_OTLP_ENDPOINT=$OTEL_EXPORTER_OTLP_ENDPOINT "
	  "COMMAND\"" },
	{ "setuid", NULL,
	  "the loader preloads nothing into set-user-id programs", NULL },
	{ "static", NULL,
	  "linked statically, so there is no loader to preload anything; what "
	  "it starts is traced again",
	  NULL },
	{ "arch", NULL,
	  "of another architecture: it needs a libautotrace.so of its own",
	  NULL },
	{ "sanitizer", NULL, "wants its sanitizer's runtime to be loaded first",
	  "LD_PRELOAD=\"$(gcc -print-file-name=libasan.so):$LD_PRELOAD\" "
	  "COMMAND" },
	{ "namespace", NULL,
	  "in a namespace of its own, from where nobody reaches the hub",
	  NULL },
	{ "preload_lost", NULL, "started with an emptied environment",
	  "env -i LD_PRELOAD=\"$LD_PRELOAD\" " CARRY "COMMAND" },
};

static const struct at_blind_spot unknown = {
	"?", NULL, "not entered for a reason not known here", NULL
};

const struct at_blind_spot *at_blind_spot_of(const struct at_shown *span)
{
	size_t i;

	if (!span->process)
		return NULL;
	for (i = 0; i < sizeof(spots) / sizeof(spots[0]); i++) {
		const struct at_blind_spot *spot = &spots[i];

		if (spot->reason[0] && strcmp(spot->reason, span->blind_spot))
			continue;
		if (!spot->program || !strcmp(spot->program, span->program))
			return spot;
	}
	return span->blind_spot[0] ? &unknown : NULL;
}
