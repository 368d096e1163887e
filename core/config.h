// SPDX-License-Identifier: Apache-2.0
/*
 * Settings: one struct, filled once from the environment block.
 *
 * Nothing else reads the environment for settings. A value that is not
 * understood keeps the default and is counted (AT_COUNT_CONFIG_REJECTED);
 * `autotrace config` shows which.
 */
#ifndef AT_CORE_CONFIG_H
#define AT_CORE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

#define AT_NO_LIMIT UINT64_MAX

#define AT_CONFIG_C_BOOL bool
#define AT_CONFIG_C_COUNT uint64_t
#define AT_CONFIG_C_LIMIT uint64_t
#define AT_CONFIG_C_MILLIS uint64_t
#define AT_CONFIG_C_TIMEOUT uint64_t  /* 0 on input is AT_NO_LIMIT here */
#define AT_CONFIG_C_TEXT const char * /* never NULL */
#define AT_CONFIG_C_SAMPLER const char *
#define AT_CONFIG_C_PROTOCOL const char *
#define AT_CONFIG_C_COMPRESSION const char *
#define AT_CONFIG_C_QUERY const char *
#define AT_CONFIG_C_DEEPBIND const char *
#define AT_CONFIG_C_SWITCH const char *
#define AT_CONFIG_C_SCOPE const char *
#define AT_CONFIG_C_STACKS const char *
#define AT_CONFIG_C_INBOUND const char *
#define AT_CONFIG_C_RULES const char *
#define AT_CONFIG_C_SDK const char *

struct at_config {
#define CONFIG(field, type, env, fallback, standard, help) \
	AT_CONFIG_C_##type field;
#include "core/config.def"
#undef CONFIG
};

enum at_setting {
#define CONFIG(field, type, env, fallback, standard, help) AT_SETTING_##field,
#include "core/config.def"
#undef CONFIG
	AT_SETTING_COUNT
};

enum at_config_source {
	AT_SOURCE_DEFAULT,
	AT_SOURCE_ENV,
	AT_SOURCE_FALLBACK,
	AT_SOURCE_REJECTED, /* set, not understood, default in force */
};

struct at_setting_info {
	const char *field;
	const char *type;
	const char *env;
	const char *fallback; /* "" for none */
	const char *standard; /* default as text */
	const char *help;
};

extern const struct at_setting_info at_setting_table[AT_SETTING_COUNT];

/* Where each value came from, and the text as given (cut to what fits). */
struct at_config_origin {
	enum at_config_source source[AT_SETTING_COUNT];
	const char *given[AT_SETTING_COUNT]; /* NULL when not given */
};

/*
 * Fill *config from `environ` (NULL-terminated "NAME=value" strings; may be
 * NULL). Texts are copied into storage of this module, since programs
 * overwrite their environment (setproctitle): the result stays valid for the
 * life of the process; a later load reuses the storage. `origin` may be NULL.
 * Allocates nothing, calls nothing that is interposed. Not thread-safe.
 */
void at_config_load(struct at_config *config, char **environ,
		    struct at_config_origin *origin);

/* Variable of a setting; the table above without its relocations. */
const char *at_setting_env(enum at_setting setting);

/* Is `name` an item of the comma-separated list? ASCII case ignored. */
bool at_config_list_has(const char *list, const char *name);

#endif
