// SPDX-License-Identifier: Apache-2.0
/*
 * One run, one trace: the hub that the traced processes write to, the thread
 * that reads it, and the span of the run itself.
 *
 * Order of calls: open, begin, (the command starts), read, (it ends), end,
 * close. One session in a process.
 */
#ifndef AT_CLI_SESSION_H
#define AT_CLI_SESSION_H

#include <pthread.h>
#include <stdbool.h>

#include "cli/span_list.h"
#include "core/hub.h"
#include "core/span.h"
#include "exporter/exporter.h"

struct at_session {
	struct at_config config;
	uint64_t rejected_count; /* settings not understood */
	struct at_hub *hub;
	int hub_fd;
	char address[AT_HUB_ADDRESS_BYTES];
	struct at_ring *outer; /* of the run that this one is part of */
	struct at_context parent;
	struct at_context root;
	bool has_parent;
	uint64_t start_ns; /* monotonic */
	struct at_exporter_host host;
	pthread_t reader;
	bool reading;
	struct at_span_list list; /* for the tree; the reader's until end */
};

/* What the command line asks of a session. */
struct at_session_choice {
	const char *file;    /* NULL: not asked for */
	const char *service; /* NULL */
	const char *name;    /* of the command: what the run is called */
};

/* How the command ended. */
struct at_session_result {
	const char *command; /* as given */
	pid_t pid;
	int wait_status;
};

/*
 * Read the settings, make hub and ids, choose exporters. 0, or negative
 * errno: no tracing is possible.
 */
int at_session_open(struct at_session *session, char **environment,
		    const struct at_session_choice *choice);

/* The run's span starts now. */
void at_session_begin(struct at_session *session);

/* Start the reader. 0 or negative errno. */
int at_session_read(struct at_session *session);

/*
 * Push the run's span, have everything exported within the exit timeout, stop
 * the reader. 0, or -ETIMEDOUT: it did not stop, `list` must not be touched.
 */
int at_session_end(struct at_session *session,
		   const struct at_session_result *result);

/* The span of a run, as pushed. Apart for its tests. */
void at_session_fill(const struct at_session *session,
		     const struct at_session_result *result, uint64_t end_ns,
		     struct at_span *span);

void at_session_close(struct at_session *session);

/*
 * What is exported to, as a value of OTEL_TRACES_EXPORTER, and the file set.
 * Network only where something of it is configured, and never below another
 * run, which does it. Apart for its tests.
 */
void at_session_choose(struct at_config *config,
		       const struct at_config_origin *origin, const char *file,
		       bool outer);

#endif
