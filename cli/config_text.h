// SPDX-License-Identifier: Apache-2.0
/* Settings in words; what is secret in them masked. Private to `config`. */
#ifndef AT_CLI_CONFIG_TEXT_H
#define AT_CLI_CONFIG_TEXT_H

#include "core/config.h"
#include "core/text.h"

/* The value in force: a number, true, false, none (no limit), or the text. */
void at_config_value_write(struct at_writer *writer,
			   const struct at_config *config,
			   enum at_setting setting);

/*
 * Any text given for a setting: values of request headers and credentials in
 * URLs become ***. Cut to what fits.
 */
void at_config_masked_write(struct at_writer *writer, enum at_setting setting,
			    struct at_text text);

/* The variable that gave the value or was rejected; NULL: neither. */
const char *at_config_variable(const struct at_config_origin *origin,
			       enum at_setting setting,
			       char *const *environment);

/* Why `given` was rejected; static. */
const char *at_config_reason(enum at_setting setting, const char *given);

/* The unit of the setting's number with a blank before it, or "". */
const char *at_config_unit(enum at_setting setting);

#endif
