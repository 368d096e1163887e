// SPDX-License-Identifier: Apache-2.0
/*
 * What the OTEL_EXPORTER_OTLP_* settings mean for a request. Pure.
 */
#ifndef AT_EXPORTER_OTLP_SETUP_H
#define AT_EXPORTER_OTLP_SETUP_H

#include <stdint.h>

#include "core/config.h"
#include "core/text.h"

/* Longer URLs are not taken. */
#define OTLP_SETUP_URL_BYTES 2048

/*
 * Write the URL that traces are posted to. 0, or -EINVAL when the setting is
 * no http(s) URL with a host: the default endpoint was written instead.
 */
int otlp_setup_url(const struct at_config *config, struct at_writer *url);

/*
 * The next header of a headers setting: "Name: value" written to `line` (or
 * "Name;", curl's form of an empty value). 1; 0 at the end; -EINVAL for one
 * that must not be sent: malformed, or one of those that describe the body.
 */
int otlp_setup_header(struct at_text *rest, struct at_writer *line);

/* How many of these settings are not understood. */
uint32_t otlp_setup_check(const struct at_config *config);

#endif
