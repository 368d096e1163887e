// SPDX-License-Identifier: Apache-2.0
/* A library whose constructor makes a request and keeps the connection. */
#include "tests/programs/http.h"

int early_fd = -1;

__attribute__((constructor(200))) static void begin(void)
{
	const char *port = getenv("EARLY_PORT");

	if (!port)
		return;
	early_fd = http_open(atoi(port));
	http_get_on(early_fd, "/ok?early");
}
