// SPDX-License-Identifier: Apache-2.0
/*
 * A collector that takes connections and never answers costs a short program
 * its whole exit timeout. Whoever has paid it leaves a mark, so that the next
 * hundred processes of the same build do not pay it again: a link of this
 * user's in /dev/shm, valid for some seconds.
 *
 * Paths only: the program's descriptor numbers are its own.
 */
#include <string.h>

#include "core/sys.h"
#include "core/text.h"
#include "preload/preload.h"

#define FRESH_S 10

static uint64_t endpoint_hash(const struct at_config *config)
{
	const char *parts[] = { config->otlp_traces_endpoint,
				config->otlp_endpoint };
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *at = parts[i];

		for (; *at; at++)
			hash = (hash ^ (unsigned char)*at) *
			       UINT64_C(0x100000001b3);
	}
	return hash;
}

/* A user has one, a link that points to the endpoint it was put for. */
struct mark {
	char path[48];
	char target[24];
};

static void mark_for(struct mark *mark, const struct at_config *config)
{
	struct at_writer path = AT_WRITER(mark->path, sizeof(mark->path) - 1);
	struct at_writer target =
		AT_WRITER(mark->target, sizeof(mark->target) - 1);
	uint64_t hash = endpoint_hash(config);

	at_write_string(&path, "/dev/shm/autotrace-silent-");
	at_write_u64(&path, sys_geteuid());
	mark->path[path.len] = 0;
	at_write_hex(&target, (const uint8_t *)&hash, sizeof(hash));
	mark->target[target.len] = 0;
}

/* Anybody may have put something there; only our own word counts. */
static bool is_ours(const struct mark *mark, struct stat *status)
{
	char target[sizeof(mark->target)];
	long len = sys_readlink(mark->path, target, sizeof(target));

	return len > 0 && (size_t)len == strlen(mark->target) &&
	       !memcmp(target, mark->target, (size_t)len) &&
	       sys_lstat(mark->path, status) == 0 && S_ISLNK(status->st_mode) &&
	       status->st_uid == sys_geteuid();
}

bool silence_marked(const struct at_config *config)
{
	struct mark mark;
	struct stat status;
	struct timespec now;
	int64_t age_s;

	mark_for(&mark, config);
	if (!is_ours(&mark, &status) || sys_clock_gettime(CLOCK_REALTIME, &now))
		return false;
	age_s = (int64_t)now.tv_sec - status.st_mtim.tv_sec;
	return age_s >= 0 && age_s < FRESH_S;
}

void silence_mark(const struct at_config *config)
{
	struct mark mark;

	mark_for(&mark, config);
	sys_unlink(mark.path);
	sys_symlink(mark.target, mark.path);
}

void silence_clear(const struct at_config *config)
{
	struct mark mark;

	mark_for(&mark, config);
	sys_unlink(mark.path);
}
