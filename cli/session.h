// SPDX-License-Identifier: Apache-2.0
/*
 * One run, one trace: the hub that the traced processes write to, the thread
 * that reads it, and the span of the run itself.
 *
 * Order of calls: open, begin, become (in the child), read, (it ends) end,
 * close. One session in a process.
 */
#ifndef AT_CLI_SESSION_H
#define AT_CLI_SESSION_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "cli/crash.h"
#include "cli/policy.h"
#include "cli/processes.h"
#include "cli/span_list.h"
#include "cli/spool.h"
#include "core/ci.h"
#include "core/hub.h"
#include "core/span.h"
#include "exporter/exporter.h"
#include "propagator/propagator.h"

struct at_session {
	struct at_config config;
	uint64_t rejected_count; /* settings not understood */
	struct at_hub *hub;
	int hub_fd;
	char address[AT_HUB_ADDRESS_BYTES];
	struct at_ring *outer; /* of the run that this one is part of */
	struct at_propagator_set others; /* in force besides W3C's */
	struct at_context parent;
	struct at_context root;
	bool has_parent;
	bool joined;       /* the parent is from TRACEPARENT */
	uint64_t start_ns; /* monotonic */
	struct at_processes processes;
	struct at_crash_reader crashes;
	struct at_exporter_books books;
	struct at_exporter_host host;
	pthread_t reader;
	bool reading;
	bool cancelled; /* what had ended was flushed */
	struct at_keep keep;
	struct at_spool spool;    /* with keep.asked: where all spans wait */
	struct at_config keeping; /* and the settings they leave by */
	struct at_span_list list; /* for the tree; the reader's until end */
};

/* What the command line asks of a session. */
struct at_session_choice {
	const char *file;    /* NULL: not asked for */
	const char *service; /* NULL */
	const char *name;    /* of the command: what the run is called */
	struct at_keep keep;
	/* Trace and parent where TRACEPARENT names none; NULL: a trace of its
	 * own. All jobs of a pipeline decide alike whether it is sampled. */
	const struct at_context *adopt;
};

/* How the command ended, or the job. */
struct at_session_result {
	const char *command; /* as given; of a job: its name */
	/* A job has no process: it is described by its CI system. */
	const struct at_ci *job;
	const char *job_result; /* NULL: not known */
	bool unfinished;        /* the job: nobody has asked for its end */
	pid_t pid;
	int wait_status;
	struct rusage usage;
};

/*
 * Read the settings, make hub and ids, choose exporters. 0, or negative
 * errno: no tracing is possible.
 */
int at_session_open(struct at_session *session, char **environment,
		    const struct at_session_choice *choice);

/* The command is about to start. */
void at_session_begin(struct at_session *session);

/*
 * In the process that is about to become `command`: that process's span is
 * the run's. Announced here in case the command cannot do so itself.
 */
void at_session_become(struct at_session *session, const char *command);

/* Start the reader, and that of crashes if asked for. 0 or negative errno. */
int at_session_read(struct at_session *session);

/*
 * The command has ended: have everything exported within the exit timeout,
 * stop the reader. What still runs is unfinished. 0, or -ETIMEDOUT: the reader
 * did not stop, `list` must not be touched.
 */
int at_session_end(struct at_session *session,
		   const struct at_session_result *result);

/*
 * The job is being cancelled and the command still runs: have what has ended
 * exported at once, with all that runs marked unfinished. Reading goes on
 * behind it; a trace that --keep has in hand is let go.
 */
void at_session_flush(struct at_session *session);

/*
 * After the end, with --keep: let the trace go if it is wanted. False when it
 * was not.
 */
bool at_session_release(struct at_session *session);

/* The span of the command as it begins. Apart for its tests. */
void at_session_fill(const struct at_session *session, const char *command,
		     uint32_t pid, struct at_span *span);

/* The span of a job. Apart for its tests. */
void at_session_fill_job(const struct at_session *session,
			 const struct at_session_result *result,
			 uint64_t end_ns, struct at_span *span);

/* How the command ended, at_unix_ns. Apart for its tests. */
void at_session_fill_end(const struct at_session_result *result,
			 uint64_t at_unix_ns, struct at_span *record);

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
