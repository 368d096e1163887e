// SPDX-License-Identifier: Apache-2.0
/*
 * Resource: who sends these spans. Built once for each generation of a
 * process; a forked child is another instance.
 *
 * What is detected here gives way to OTEL_RESOURCE_ATTRIBUTES, and that to
 * OTEL_SERVICE_NAME for service.name.
 */
#ifndef AT_EXPORTER_RESOURCE_H
#define AT_EXPORTER_RESOURCE_H

#include <stdbool.h>

#include "core/config.h"
#include "exporter/arena.h"
#include "otlp.pb-c.h"

#define RESOURCE_SCHEMA_URL "https://opentelemetry.io/schemas/1.44.0"

struct resource {
	struct arena arena;
	Otlp__Resource message;
	size_t cap;
};

/*
 * Fill a zeroed or freed *resource. `executable_name` (may be NULL) names the
 * service where no setting does. With many_processes nothing that belongs to
 * one process is put in. In the job of a CI system, as `environment` has it
 * (NULL: not asked), the job is described, and many processes are one service
 * with the repository's name.
 * 0, 1 when OTEL_RESOURCE_ATTRIBUTES was not understood and left out, or
 * -ENOMEM with what fitted.
 */
int resource_build(struct resource *resource, const struct at_config *config,
		   const char *executable_name, bool many_processes,
		   char *const *environment);

void resource_free(struct resource *resource);

/* service.name, or the empty text. */
struct at_text resource_service(const struct resource *resource);

#endif
