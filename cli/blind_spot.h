// SPDX-License-Identifier: Apache-2.0
/* Where we were not inside, and the line that changes it. Pure. */
#ifndef AT_CLI_BLIND_SPOT_H
#define AT_CLI_BLIND_SPOT_H

#include "cli/span_list.h"

struct at_blind_spot {
	const char *reason;  /* value of autotrace.blind_spot; "" container */
	const char *program; /* pattern; NULL: any other */
	const char *what;
	const char *remedy; /* a line of shell, or NULL: there is none */
};

/* What hides the inside of this process; NULL: nothing does. */
const struct at_blind_spot *at_blind_spot_of(const struct at_shown *span);

#endif
