// SPDX-License-Identifier: Apache-2.0
#include "cli/report.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
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
static void write_all(int fd, const char *text, size_t len)
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

static void print_last_line(FILE *out, const struct at_session *session)
{
	const struct at_config *config = &session->config;
	struct at_counters counters = session->hub->counters;
	char text[2 * AT_TRACE_ID_BYTES + 1];
	struct at_writer writer = AT_WRITER(text, sizeof(text) - 1);
	char count[AT_UNITS_BYTES];

	/* Every process counts the same rejected settings once more. */
	atomic_store(&counters.value[AT_COUNT_CONFIG_REJECTED],
		     session->rejected_count);
	at_write_hex(&writer, session->root.trace_id, AT_TRACE_ID_BYTES);
	text[writer.len] = 0;
	at_units_count(count, session->list.count);
	fprintf(out, "autotrace: trace %s, %s span%s", text, count,
		session->list.count == 1 ? "" : "s");
	print_left_out(out, &session->list);
	at_summary_of_counters(out, &counters);
	if (!(session->root.flags & AT_FLAG_SAMPLED))
		fputs(", not sampled", out);
	at_summary_link(out, config->trace_url, session->root.trace_id);
	fputc('\n', out);
}

static void print_report(FILE *out, const struct at_report *report,
			 const struct at_session *session,
			 char *const *environment)
{
	struct at_tree_style style;

	at_terminal_style(&style, report->fd, environment);
	style.max_lines = report->max_lines;
	/* The run alone is no tree. */
	if (report->tree && session->list.count > 1 &&
	    at_tree_draw(out, &session->list, &style))
		at_complain("no memory for the tree");
	print_last_line(out, session);
}

void at_report_run(const struct at_report *report,
		   const struct at_session *session, char *const *environment)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (report->quiet)
		return;
	out = open_memstream(&text, &len);
	if (!out)
		return;
	print_report(out, report, session, environment);
	if (fclose(out) == 0)
		write_all(report->fd, text, len);
	free(text);
}
