// SPDX-License-Identifier: Apache-2.0
/*
 * What a collector's answer means: taken, taken in part, try again, or lost.
 */
#ifndef AT_EXPORTER_OTLP_ANSWER_H
#define AT_EXPORTER_OTLP_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

#define OTLP_ATTEMPT_MAX 5

/* Is the status one of the four that may be tried again? */
bool otlp_answer_retryable(long status);

/*
 * Wait that a Retry-After value asks for, in ns; `now_unix_s` turns its date
 * form into a wait. -EINVAL when it is neither seconds nor a date.
 */
int64_t otlp_answer_retry_after(const char *value, int64_t now_unix_s);

/* Back-off before attempt number `attempt` (2 is the first retry), in ns. */
uint64_t otlp_answer_backoff_ns(uint32_t attempt, uint64_t random);

/*
 * Spans that the body of a 2xx answer says were rejected; 0 also when the
 * body cannot be read, since the status has said yes. What the collector has
 * to say about it goes to `message`, cut to what fits.
 */
uint64_t otlp_answer_rejected(struct at_text body, bool json,
			      struct at_writer *message);

#endif
