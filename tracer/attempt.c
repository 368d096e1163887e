// SPDX-License-Identifier: Apache-2.0
#include "tracer/attempt.h"

#include <netinet/in.h>
#include <string.h>

#include "core/counters.h"
#include "core/section.h"

#define RESOLUTIONS 16
#define ATTEMPTS 16
#define PENDING_PROBES 4

struct resolution {
	uint32_t stamp; /* 0: empty; larger is newer */
	uint8_t host_len;
	uint8_t count;
	const void *thread;
	uint8_t ip[ATTEMPT_ADDRESSES][16];
	char host[ATTEMPT_HOST_BYTES];
};

/* The two "addresses" of a name that is not known, by family. */
enum { NAME_V4, NAME_V6, NAME_FAMILIES };

struct attempt {
	uint8_t count;                   /* addresses; 0: free */
	bool error;                      /* one failed, not just given up */
	bool localhost;                  /* nobody asked for that name */
	uint8_t gone[ATTEMPT_ADDRESSES]; /* tries of each that led nowhere */
	uint8_t ip[ATTEMPT_ADDRESSES][16];
	uint64_t since_ns;
	struct failure failure;
};

/*
 * Some clients (curl) know what localhost is without asking: after the one the
 * other may follow.
 */
static const uint8_t loopback_v6[16] = { [15] = 1 };
static const uint8_t loopback_v4[16] = { [10] = 0xff, 0xff, 127, 0, 0, 1 };

static struct resolution resolutions[RESOLUTIONS] AT_LARGE;
static uint32_t last_stamp;
static struct attempt attempts[ATTEMPTS] AT_LARGE;
unsigned int attempt_held_count;
static struct pending pendings[ATTEMPT_PENDING] AT_LARGE;
uint64_t attempt_pending_bits;

static bool same_ip(const uint8_t a[16], const uint8_t b[16])
{
	return !memcmp(a, b, 16);
}

static bool is_loopback(const uint8_t ip[16])
{
	return same_ip(ip, loopback_v4) || same_ip(ip, loopback_v6);
}

/* Place of `ip` in a list of `count`, or -1. */
static int place_of(uint8_t list[][16], unsigned int count,
		    const uint8_t ip[16])
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (same_ip(list[i], ip))
			return (int)i;
	return -1;
}

void endpoint_text(const struct endpoint *endpoint, struct address *address)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6 };

	memcpy(&in.sin6_addr, endpoint->ip, 16);
	in.sin6_port = htons(endpoint->port);
	address_from(address, (struct sockaddr *)&in, sizeof(in));
}

/* --- names lately resolved --- */

/* The one of this host, else the oldest. */
static struct resolution *resolution_for(struct at_text host)
{
	struct resolution *oldest = resolutions;
	unsigned int i;

	for (i = 0; i < RESOLUTIONS; i++) {
		struct resolution *one = &resolutions[i];

		if (one->host_len == host.len &&
		    !memcmp(one->host, host.ptr, host.len))
			return one;
		if (one->stamp < oldest->stamp)
			oldest = one;
	}
	return oldest;
}

/* A lookup of one family failed, that of the other did not. */
static void forget_name(struct at_text host)
{
	unsigned int i;

	for (i = 0; attempt_held_count && i < ATTEMPTS; i++) {
		struct attempt *one = &attempts[i];

		if (one->count && !one->failure.has_peer &&
		    one->failure.host_len == host.len &&
		    !memcmp(one->failure.host, host.ptr, host.len)) {
			one->count = 0;
			attempt_held_count--;
		}
	}
}

void attempt_resolved(struct at_text host, const struct endpoint *list,
		      unsigned int count, const void *thread)
{
	struct resolution *resolution;
	unsigned int i;

	if (!host.len || host.len > ATTEMPT_HOST_BYTES)
		return;
	resolution = resolution_for(host);
	resolution->stamp = ++last_stamp;
	resolution->thread = thread;
	resolution->host_len = (uint8_t)host.len;
	memcpy(resolution->host, host.ptr, host.len);
	resolution->count = 0;
	for (i = 0; i < count && resolution->count < ATTEMPT_ADDRESSES; i++)
		if (place_of(resolution->ip, resolution->count, list[i].ip) < 0)
			memcpy(resolution->ip[resolution->count++], list[i].ip,
			       16);
	forget_name(host);
}

/* The newest that gave this address, of this thread if it has one. */
static struct resolution *resolution_of(const uint8_t ip[16],
					const void *thread)
{
	struct resolution *best = NULL;
	unsigned int i;

	for (i = 0; i < RESOLUTIONS; i++) {
		struct resolution *one = &resolutions[i];
		bool own = one->thread == thread;

		if (place_of(one->ip, one->count, ip) < 0)
			continue;
		if (!best || (own && best->thread != thread) ||
		    (own == (best->thread == thread) &&
		     one->stamp > best->stamp))
			best = one;
	}
	return best;
}

/* --- connects without an answer --- */

static void release_pending(unsigned int at)
{
	attempt_pending_bits &= ~(1ull << at);
}

void attempt_pending(const struct pending *pending)
{
	unsigned int i, at, chosen = (unsigned int)pending->fd;

	chosen %= ATTEMPT_PENDING;
	for (i = 0; i < PENDING_PROBES; i++) {
		at = ((unsigned int)pending->fd + i) % ATTEMPT_PENDING;
		if (!(attempt_pending_bits >> at & 1) ||
		    pendings[at].fd == pending->fd) {
			chosen = at;
			break;
		}
		if (pendings[at].start_ns < pendings[chosen].start_ns)
			chosen = at;
	}
	attempt_pending_bits |= 1ull << chosen;
	pendings[chosen] = *pending;
}

static bool take_one(unsigned int fd, struct pending *pending)
{
	unsigned int i, at;

	for (i = 0; i < PENDING_PROBES; i++) {
		at = (fd + i) % ATTEMPT_PENDING;
		if (!(attempt_pending_bits >> at & 1) ||
		    pendings[at].fd != (int)fd)
			continue;
		*pending = pendings[at];
		release_pending(at);
		return true;
	}
	return false;
}

bool attempt_take_pending(unsigned int first, unsigned int last,
			  struct pending *pending)
{
	uint64_t bits = attempt_pending_bits;
	unsigned int at;

	if (first == last)
		return take_one(first, pending);
	for (; bits; bits &= bits - 1) {
		at = (unsigned int)__builtin_ctzll(bits);
		if ((unsigned int)pendings[at].fd < first ||
		    (unsigned int)pendings[at].fd > last)
			continue;
		*pending = pendings[at];
		release_pending(at);
		return true;
	}
	return false;
}

/* Does a connect to one of the attempt's addresses still wait? */
static bool sibling_waits(struct attempt *attempt)
{
	uint64_t bits;
	const struct endpoint *to;

	for (bits = attempt_pending_bits; bits; bits &= bits - 1) {
		to = &pendings[__builtin_ctzll(bits)].to;
		if (to->port == attempt->failure.port &&
		    place_of(attempt->ip, attempt->count, to->ip) >= 0)
			return true;
	}
	return false;
}

/* They lost the race: what becomes of them says nothing. */
static void drop_siblings(const struct endpoint *won)
{
	uint64_t bits;
	unsigned int at;

	for (bits = attempt_pending_bits; bits; bits &= bits - 1) {
		const struct endpoint *to;
		struct resolution *resolution;

		at = (unsigned int)__builtin_ctzll(bits);
		to = &pendings[at].to;
		if (to->port != won->port || same_ip(to->ip, won->ip))
			continue;
		resolution = resolution_of(to->ip, NULL);
		if (resolution ? place_of(resolution->ip, resolution->count,
					  won->ip) >= 0 :
				 is_loopback(to->ip) && is_loopback(won->ip))
			release_pending(at);
	}
}

/* --- attempts --- */

static void release(struct attempt *attempt)
{
	attempt->count = 0;
	attempt_held_count--;
}

static struct attempt *take_free(void)
{
	unsigned int i;

	for (i = 0; i < ATTEMPTS; i++) {
		struct attempt *attempt = &attempts[i];

		if (attempt->count)
			continue;
		memset(attempt, 0, offsetof(struct attempt, failure.host));
		attempt_held_count++;
		return attempt;
	}
	at_count(AT_COUNT_FAILURES_SKIPPED, 1);
	return NULL;
}

static void name_after(struct failure *failure, const char *host, size_t len)
{
	memcpy(failure->host, host, len);
	failure->host_len = (uint8_t)len;
}

static struct attempt *begin(const struct tried *tried,
			     const struct resolution *resolution)
{
	struct attempt *attempt = take_free();
	struct address literal;

	if (!attempt)
		return NULL;
	attempt->failure.has_peer = true;
	attempt->failure.port = tried->to.port;
	if (resolution) {
		attempt->count = resolution->count;
		memcpy(attempt->ip, resolution->ip, sizeof(attempt->ip));
		name_after(&attempt->failure, resolution->host,
			   resolution->host_len);
		return attempt;
	}
	endpoint_text(&tried->to, &literal);
	name_after(&attempt->failure, literal.text, literal.len);
	attempt->localhost = is_loopback(tried->to.ip);
	attempt->count = attempt->localhost ? 2 : 1;
	memcpy(attempt->ip[0], tried->to.ip, 16);
	memcpy(attempt->ip[1],
	       same_ip(tried->to.ip, loopback_v4) ? loopback_v6 : loopback_v4,
	       16);
	return attempt;
}

static struct attempt *find(const struct tried *tried,
			    const struct resolution *resolution)
{
	unsigned int i;

	for (i = 0; attempt_held_count && i < ATTEMPTS; i++) {
		struct attempt *one = &attempts[i];

		if (!one->count || !one->failure.has_peer ||
		    one->failure.port != tried->to.port ||
		    place_of(one->ip, one->count, tried->to.ip) < 0)
			continue;
		if (!resolution ||
		    (one->failure.host_len == resolution->host_len &&
		     !memcmp(one->failure.host, resolution->host,
			     resolution->host_len)))
			return one;
	}
	return NULL;
}

static void mark(struct attempt *attempt, int at, const struct tried *tried)
{
	struct failure *failure = &attempt->failure;

	if (attempt->gone[at] < UINT8_MAX)
		attempt->gone[at]++;
	if (!attempt->since_ns)
		attempt->since_ns = tried->end_ns;
	if (!failure->start_ns || tried->start_ns < failure->start_ns)
		failure->start_ns = tried->start_ns;
	if (!tried->type)
		return;
	failure->end_ns = tried->end_ns;
	if (attempt->error && tried->no_way)
		return;
	attempt->error = true;
	failure->type = tried->type;
	failure->peer = tried->to;
}

/*
 * Is there one try of each address? Then that was an attempt; further tries
 * belong to others that were made at the same time.
 */
static bool settle(struct attempt *attempt, struct failure *out)
{
	bool error = attempt->error, more = false;
	unsigned int i;

	for (i = 0; i < attempt->count; i++)
		if (!attempt->gone[i])
			return false;
	for (i = 0; i < attempt->count; i++)
		more |= --attempt->gone[i] > 0;
	*out = attempt->failure;
	out->count = 1;
	if (attempt->localhost)
		name_after(out, "localhost", strlen("localhost"));
	attempt->failure.start_ns = 0;
	if (!more)
		release(attempt);
	return error;
}

/* Giving up the only address says nothing. */
static bool has_siblings(const struct tried *tried,
			 const struct resolution *resolution)
{
	return resolution ? resolution->count > 1 : is_loopback(tried->to.ip);
}

bool attempt_failed(const struct tried *tried, struct failure *out)
{
	struct resolution *resolution =
		resolution_of(tried->to.ip, tried->thread);
	struct attempt *attempt = find(tried, resolution);

	if (!attempt && !tried->type && !has_siblings(tried, resolution))
		return false;
	if (!attempt)
		attempt = begin(tried, resolution);
	if (!attempt)
		return false;
	mark(attempt, place_of(attempt->ip, attempt->count, tried->to.ip),
	     tried);
	return settle(attempt, out);
}

void attempt_succeeded(const struct endpoint *to)
{
	unsigned int i;

	for (i = 0; attempt_held_count && i < ATTEMPTS; i++) {
		struct attempt *attempt = &attempts[i];

		if (attempt->count && attempt->failure.has_peer &&
		    attempt->failure.port == to->port &&
		    place_of(attempt->ip, attempt->count, to->ip) >= 0)
			release(attempt);
	}
	if (attempt_pending_bits)
		drop_siblings(to);
}

static struct attempt *find_name(const struct failure *failure)
{
	struct attempt *attempt;
	unsigned int i;

	for (i = 0; attempt_held_count && i < ATTEMPTS; i++) {
		attempt = &attempts[i];
		if (attempt->count && !attempt->failure.has_peer &&
		    attempt->failure.port == failure->port &&
		    attempt->failure.host_len == failure->host_len &&
		    !memcmp(attempt->failure.host, failure->host,
			    failure->host_len))
			return attempt;
	}
	attempt = take_free();
	if (!attempt)
		return NULL;
	attempt->count = NAME_FAMILIES;
	attempt->failure.port = failure->port;
	name_after(&attempt->failure, failure->host, failure->host_len);
	return attempt;
}

bool attempt_name_failed(const struct failure *failure, int family,
			 struct failure *out)
{
	struct tried tried = { .type = failure->type,
			       .start_ns = failure->start_ns,
			       .end_ns = failure->end_ns };
	struct attempt *attempt;

	*out = *failure;
	out->count = 1;
	if (family != AF_INET && family != AF_INET6)
		return true;
	attempt = find_name(failure);
	if (!attempt)
		return false;
	mark(attempt, family == AF_INET ? NAME_V4 : NAME_V6, &tried);
	return settle(attempt, out);
}

/* Whoever tried one address most often made at least so many attempts. */
static uint32_t attempts_made(const struct attempt *attempt)
{
	uint32_t most = 0;
	unsigned int i;

	for (i = 0; i < attempt->count; i++)
		if (attempt->gone[i] > most)
			most = attempt->gone[i];
	return most;
}

bool attempt_due(uint64_t now_ns, struct failure *out)
{
	unsigned int i;

	for (i = 0; attempt_held_count && i < ATTEMPTS; i++) {
		struct attempt *attempt = &attempts[i];

		if (!attempt->count)
			continue;
		if (now_ns != UINT64_MAX &&
		    (now_ns < attempt->since_ns + ATTEMPT_HOLD_NS ||
		     (attempt->failure.has_peer && sibling_waits(attempt))))
			continue;
		*out = attempt->failure;
		out->count = attempts_made(attempt);
		out->first_end_ns = attempt->since_ns;
		release(attempt);
		if (attempt->error)
			return true;
	}
	return false;
}

void attempt_forget_all(void)
{
	unsigned int i;

	for (i = 0; i < RESOLUTIONS; i++) {
		resolutions[i].stamp = 0;
		resolutions[i].host_len = 0;
		resolutions[i].count = 0;
	}
	for (i = 0; i < ATTEMPTS; i++)
		attempts[i].count = 0;
	attempt_held_count = 0;
	attempt_pending_bits = 0;
}
