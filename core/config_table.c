// SPDX-License-Identifier: Apache-2.0
/*
 * The settings as people see them. Apart from the loader, which must not pay
 * for the relocation of these pointers.
 */
#include "core/config.h"

const struct at_setting_info at_setting_table[AT_SETTING_COUNT] = {
#define CONFIG(field, type, env, fallback, standard, help) \
	{ #field, #type, env, fallback, standard, help },
#include "core/config.def"
#undef CONFIG
};
