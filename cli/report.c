// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/job_page.h"
#include "cli/summary.h"
#include "cli/terminal.h"
#include "cli/units.h"

/* How long a reader of our text may keep the exit status waiting. */
#define WRITE_TIMEOUT_MS 1000

int at_report_tree(struct at_report *report, const char *value)
{
	if (!strcmp(value, "auto"))
		report->max_lines = AT_TREE_LINES;
	else if (!strcmp(value, "all"))
		report->max_lines = 0;
	else if (strcmp(value, "none") != 0)
		return -EINVAL;
	report->tree = strcmp(value, "none") != 0;
	return 0;
}

/* stderr is shared with the command, which may have made it non-blocking. */
void at_report_write(int fd, const char *text, size_t len)
{
	struct pollfd poller = { .fd = fd, .events = POLLOUT };
	ssize_t written;

	while (len) {
		written = write(fd, text, len);
		if (written > 0) {
			text += written;
			len -= (size_t)written;
		} else if (written < 0 && errno == EAGAIN) {
			if (poll(&poller, 1, WRITE_TIMEOUT_MS) <= 0)
				return;
		} else if (written == 0 || errno != EINTR) {
			return;
		}
	}
}

static void print_left_out(FILE *out, const struct at_span_list *list)
{
	char count[AT_UNITS_BYTES];

	if (!list->left_out_count)
		return;
	at_units_count(count, list->left_out_count);
	fprintf(out, ", %s more not in the tree", count);
}

/* Every process counts the same rejected settings once more. */
static struct at_counters counters_of(const struct at_session *session)
{
	struct at_counters counters = session->hub->counters;

	atomic_store(&counters.value[AT_COUNT_CONFIG_REJECTED],
		     session->rejected_count);
	return counters;
}

static void print_last_line(FILE *out, const struct at_report *report,
			    const struct at_session *session)
{
	const struct at_config *config = &session->config;
	struct at_counters counters = counters_of(session);
	char text[2 * AT_TRACE_ID_BYTES + 1];
	struct at_writer writer = AT_WRITER(text, sizeof(text) - 1);
	char count[AT_UNITS_BYTES];

	at_write_hex(&writer, session->root.trace_id, AT_TRACE_ID_BYTES);
	text[writer.len] = 0;
	at_units_count(count, session->list.count);
	fprintf(out, "autotrace: trace %s, %s span%s", text, count,
		session->list.count == 1 ? "" : "s");
	print_left_out(out, &session->list);
	at_summary_of_counters(out, &counters);
	if (!(session->root.flags & AT_FLAG_SAMPLED))
		fputs(", not sampled", out);
	if (report->not_kept)
		fputs(", not kept", out);
	at_summary_link(out, config->trace_url, session->root.trace_id);
	fputc('\n', out);
}

void at_report_print(FILE *out, const struct at_report *report,
		     const struct at_session *session,
		     const struct at_tree_style *style)
{
	/* The run alone is no tree. */
	if (report->tree && session->list.count > 1 &&
	    at_tree_draw(out, &session->list, style))
		at_complain("no memory for the tree");
	print_last_line(out, report, session);
}

void at_report_run(const struct at_report *report,
		   const struct at_session *session, char *const *environment)
{
	struct at_tree_style style;
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (report->quiet)
		return;
	out = open_memstream(&text, &len);
	if (!out)
		return;
	at_terminal_style(&style, report->fd, environment);
	style.max_lines = report->max_lines;
	at_report_print(out, report, session, &style);
	if (fclose(out) == 0)
		at_report_write(report->fd, text, len);
	free(text);
}

bool at_report_page(FILE *out, const struct at_session *session)
{
	struct at_counters counters = counters_of(session);
	struct at_job_page page = {
		.list = &session->list,
		.head_id = session->root.span_id,
		.counters = &counters,
		.trace_url = session->config.trace_url,
	};
	int error = at_job_page_write(out, &page);

	if (error)
		at_complain("no summary: %s", error == -ENOENT ?
						      "the run is not sampled" :
						      strerror(-error));
	return !error;
}

void at_report_summary(const struct at_report *report,
		       const struct at_session *session)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out;
	bool whole;

	if (report->summary_fd < 0)
		return;
	out = open_memstream(&text, &len);
	if (!out)
		return;
	whole = at_report_page(out, session);
	if (fclose(out) == 0 && whole)
		at_report_write(report->summary_fd, text, len);
	free(text);
}
