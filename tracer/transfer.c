// SPDX-License-Identifier: Apache-2.0
#include "tracer/transfer.h"

#include <string.h>

#include "core/clock.h"
#include "core/counters.h"
#include "core/sys.h"
#include "tracer/fork.h"
#include "tracer/tracer.h"
#include "tracer/unseen.h"

enum state {
	STATE_IDLE,
	STATE_AWAITED, /* its next request is about to be sent */
	STATE_PLANNED, /* a call is being made with it */
};

struct transfer {
	struct pool_link link;
	_Atomic uint32_t generation;
	_Atomic(const void *) owner; /* NULL: not under way */
	/* what lies before is looked at even when it is free */
	struct at_transfer own;
	bool standing; /* libcurl does not say when a request comes */
	bool left;     /* awaited by a call that is over */
	bool seen;     /* its latest request was */
	bool seen_any; /* or one before */
	_Atomic uint32_t state;
	uint32_t order; /* who is awaited for longer */
	uint32_t hops;
	int port, local_port;
	uint64_t begin_ns;
	struct at_transfer_times before, now; /* the latest request, that is */
	struct transfer_hop hop;
	_Atomic(struct request *) kept;
};

static struct pool transfers =
	POOL_KEEPING(struct transfer, 64, offsetof(struct transfer, own));

static struct transfer *of(const struct at_transfer *own)
{
	return (struct transfer *)((uintptr_t)own -
				   offsetof(struct transfer, own));
}

/* --- by handle --- */

#define CELLS 8192
#define PROBES 16

struct cell {
	_Atomic(const void *) easy; /* NULL: free */
	_Atomic(struct transfer *) transfer;
};

/* Mapped when the first transfer begins. */
static _Atomic(struct cell *) cells;

static struct cell *all_cells(void)
{
	struct cell *all = atomic_load(&cells), *none = NULL;

	if (all)
		return all;
	all = sys_map(CELLS * sizeof(*all));
	if (!all || atomic_compare_exchange_strong(&cells, &none, all))
		return all;
	sys_unmap(all, CELLS * sizeof(*all));
	return none;
}

static struct cell *cell_at(struct cell *all, const void *easy, unsigned int i)
{
	uint64_t hash = (uintptr_t)easy * UINT64_C(0x9e3779b97f4a7c15);

	return &all[((hash >> 40) + i) % CELLS];
}

static struct cell *find_cell(const void *easy)
{
	struct cell *all = atomic_load_explicit(&cells, memory_order_acquire);
	unsigned int i;

	for (i = 0; all && i < PROBES; i++) {
		struct cell *cell = cell_at(all, easy, i);

		if (atomic_load_explicit(&cell->easy, memory_order_acquire) ==
		    easy)
			return cell;
	}
	return NULL;
}

struct at_transfer *at_transfer_find(const void *easy)
{
	struct cell *cell = find_cell(easy);
	struct transfer *transfer = cell ? atomic_load(&cell->transfer) : NULL;

	return transfer ? &transfer->own : NULL;
}

static void enter_cell(struct transfer *transfer)
{
	struct cell *all = all_cells();
	unsigned int i;

	for (i = 0; all && i < PROBES; i++) {
		struct cell *cell = cell_at(all, transfer->own.easy, i);
		const void *none = NULL;

		if (!atomic_compare_exchange_strong(&cell->easy, &none,
						    transfer->own.easy))
			continue;
		atomic_store(&cell->transfer, transfer);
		return;
	}
	pool_give(&transfers, transfer);
}

struct at_transfer *at_transfer_make(void *easy)
{
	struct transfer *transfer = pool_take(&transfers);
	struct at_transfer *made;
	size_t from = offsetof(struct transfer, own);

	if (transfer) {
		fork_watch();
		memset((char *)transfer + from, 0, sizeof(*transfer) - from);
		transfer->own.easy = easy;
		enter_cell(transfer);
	}
	made = at_transfer_find(easy);
	if (!made)
		at_count(AT_COUNT_TRANSFERS_FULL, 1);
	return made;
}

void at_transfer_forget(struct at_transfer *transfer)
{
	struct cell *cell = find_cell(transfer->easy);

	at_transfer_leave(transfer);
	if (!cell)
		return;
	atomic_store(&cell->transfer, NULL);
	atomic_store(&cell->easy, NULL);
	pool_give(&transfers, of(transfer));
}

static struct transfer *by_id(uint64_t id)
{
	struct transfer *transfer = id ? pool_at(&transfers, (uint32_t)id - 1) :
					 NULL;

	return transfer && atomic_load(&transfer->generation) == id >> 32 ?
		       transfer :
		       NULL;
}

/* --- this thread's calls --- */

/* A frame farther up than this is not looked into: it may be no stack. */
#define LOOK_BYTES (1u << 20)

static __thread struct at_transfer_inside now;
static __thread uint64_t last_mark;
static _Atomic uint32_t left_count;

/* What lies there may be of any frame, or of none. */
__attribute__((no_sanitize_address)) static bool is_marked(void)
{
	return now.where->mark == now.mark;
}

/* The thread may have left the call by a jump or an exception. */
bool at_in_transfer(void)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	uintptr_t where = (uintptr_t)now.where;

	return where > here && (where - here >= LOOK_BYTES || is_marked());
}

static void set_left(struct transfer *transfer, bool left)
{
	if (transfer->left == left)
		return;
	transfer->left = left;
	atomic_fetch_add(&left_count, left ? 1u : -1u);
}

/* Somebody else is next, or nobody; this one's request may come yet. */
static void leave_behind(struct at_transfer *own)
{
	if (own && of(own)->owner && !of(own)->standing &&
	    atomic_load(&of(own)->state) != STATE_IDLE)
		set_left(of(own), true);
}

void at_transfer_enter(struct at_transfer_call *call, const void *owner,
		       struct at_transfer *next)
{
	call->around = now;
	if (!at_in_transfer())
		call->around.where = NULL;
	call->mark = ++last_mark;
	now.mark = call->mark;
	now.owner = owner;
	now.next = next;
	now.where = call;
	if (!next)
		return;
	of(next)->standing = true;
	atomic_store(&of(next)->state, STATE_AWAITED);
}

void at_transfer_exit(struct at_transfer_call *call)
{
	leave_behind(now.next);
	now = call->around;
}

/* --- whose request is it? --- */

static bool is_awaited(const struct transfer *transfer)
{
	return transfer->owner &&
	       atomic_load(&transfer->state) == STATE_AWAITED;
}

/*
 * A plausibility check: what libcurl says of the port is that of the URL where
 * another one was to be connected to, and of a session inside TLS the peer may
 * not be known.
 */
static bool leads_to(const struct transfer *transfer,
		     const struct address *peer)
{
	const char *ip = transfer->hop.peer;

	return !peer->len || !peer->port || !*ip ||
	       peer->port == transfer->port ||
	       (strlen(ip) == peer->len && !memcmp(ip, peer->text, peer->len));
}

static bool same_connection(const struct transfer *a, const struct transfer *b)
{
	return a->port == b->port && a->local_port == b->local_port &&
	       !strcmp(a->hop.peer, b->hop.peer);
}

/*
 * A request that did not leave when it was said to come does so in a later
 * call; several on one connection leave in their order.
 */
static struct transfer *longest_awaited(struct transfer *next,
					const struct address *peer)
{
	uint32_t count = pool_used(&transfers), i;
	struct transfer *first = next;

	for (i = 0; i < count; i++) {
		struct transfer *one = pool_at(&transfers, i);

		if (!one || one->owner != now.owner || !is_awaited(one) ||
		    !(next ? same_connection(one, next) : leads_to(one, peer)))
			continue;
		if (!first || (int32_t)(one->order - first->order) < 0)
			first = one;
	}
	return first;
}

static int64_t phase(int64_t now_us, int64_t before_us, int64_t earlier_us)
{
	int64_t took_us = now_us - before_us;

	return took_us > 0 && took_us >= earlier_us ? took_us - earlier_us : -1;
}

/* What libcurl has counted since the request before. */
static void measure(struct transfer *transfer)
{
	struct transfer_hop *hop = &transfer->hop;
	struct at_transfer_times *before = &transfer->before;
	struct at_transfer_times *after = &transfer->now;
	int64_t took_us = 0;

	hop->lookup_us = hop->connect_us = hop->tls_us = -1;
	hop->start_ns = at_clock_now_ns();
	hop->again = transfer->hops;
	transfer->own.times(&transfer->own, after);
	if (after->connects == before->connects)
		return;
	hop->lookup_us = phase(after->lookup_us, before->lookup_us, 0);
	hop->connect_us = phase(after->connect_us, before->connect_us,
				after->lookup_us - before->lookup_us);
	hop->tls_us = phase(after->tls_us, before->tls_us,
			    after->connect_us - before->connect_us);
	/* Each counts from where the request's turn began. */
	took_us = after->tls_us - before->tls_us;
	if (took_us <= 0)
		took_us = after->connect_us - before->connect_us;
	if (took_us > 0)
		hop->start_ns -= (uint64_t)took_us * 1000;
	if (hop->start_ns < transfer->begin_ns)
		hop->start_ns = transfer->begin_ns;
}

const struct transfer_hop *transfer_next(const struct address *peer)
{
	struct transfer *next;

	if (!now.where || !at_in_transfer())
		return NULL;
	next = now.next && is_awaited(of(now.next)) ? of(now.next) : NULL;
	if (__builtin_expect(atomic_load(&left_count) != 0, 0))
		next = longest_awaited(next, peer);
	if (!next || !leads_to(next, peer))
		return NULL;
	if (next->standing)
		measure(next);
	atomic_store(&next->state, STATE_PLANNED);
	return &next->hop;
}

void transfer_unsent(uint64_t id)
{
	struct transfer *transfer = by_id(id);
	uint32_t planned = STATE_PLANNED;

	if (transfer)
		atomic_compare_exchange_strong(&transfer->state, &planned,
					       STATE_AWAITED);
}

void transfer_sent(uint64_t id)
{
	struct transfer *transfer = by_id(id);

	if (!transfer)
		return;
	transfer->seen = transfer->seen_any = true;
	set_left(transfer, false);
	if (!transfer->standing) {
		atomic_store(&transfer->state, STATE_IDLE);
		return;
	}
	transfer->hops++;
	transfer->before = transfer->now;
	atomic_store(&transfer->state, STATE_AWAITED);
}

/* --- a request whose answer did not come --- */

/* True: the transfer has it now, or had it before. */
static bool keep(struct transfer *transfer, struct request *request)
{
	struct request *kept = NULL;

	request_hold(request);
	if (atomic_compare_exchange_strong(&transfer->kept, &kept, request))
		return true;
	request_free(request);
	return kept == request;
}

bool transfer_keeps(struct request *request)
{
	struct transfer *transfer = by_id(request->transfer);

	if (!transfer || !transfer->owner || !keep(transfer, request))
		return false;
	request->end_ns = at_clock_now_ns();
	return true;
}

static struct request *take_kept(struct transfer *transfer)
{
	return atomic_load_explicit(&transfer->kept, memory_order_relaxed) ?
		       atomic_exchange(&transfer->kept, NULL) :
		       NULL;
}

static void end_kept(struct transfer *transfer, const char *error)
{
	struct request *request = take_kept(transfer);

	if (!request)
		return;
	request_end(request, error);
	request_free(request);
}

void transfer_joins(struct request *request)
{
	struct transfer *transfer = by_id(request->transfer);

	if (!transfer || !transfer->owner)
		return;
	end_kept(transfer, NULL); /* it is made again */
	keep(transfer, request);
}

/* --- what it says --- */

static void set_ms(struct at_span *span, enum at_attr attr, int64_t us)
{
	if (us >= 0)
		at_span_set_double(span, attr, (double)us / 1000);
}

void transfer_fill(struct at_span *span, const struct transfer_hop *hop,
		   struct at_text host)
{
	/* Nobody looked up what is an address already. */
	if (!at_text_equal(host, at_text_from(hop->peer)))
		set_ms(span, AT_ATTR_AUTOTRACE_CURL_DNS_MS, hop->lookup_us);
	set_ms(span, AT_ATTR_AUTOTRACE_CURL_CONNECT_MS, hop->connect_us);
	set_ms(span, AT_ATTR_AUTOTRACE_CURL_TLS_MS, hop->tls_us);
	if (hop->again)
		at_span_set_int(span, AT_ATTR_HTTP_REQUEST_RESEND_COUNT,
				hop->again);
}

/* --- its life --- */

/* Nothing of it is told any more. */
static void disown(struct transfer *transfer)
{
	struct request *request = take_kept(transfer);

	if (request)
		request_free(request);
	set_left(transfer, false);
	transfer->owner = NULL;
	atomic_store(&transfer->state, STATE_IDLE);
}

bool at_transfer_active(const struct at_transfer *transfer)
{
	return of(transfer)->owner != NULL;
}

void at_transfer_begin(struct at_transfer *transfer, const void *owner)
{
	struct transfer *self = of(transfer);
	size_t from = offsetof(struct transfer, standing);

	at_transfer_leave(transfer);
	if (!at_tracer_active())
		return;
	memset((char *)self + from, 0, sizeof(*self) - from);
	atomic_store(&self->owner, owner);
	self->begin_ns = at_clock_now_ns();
	self->hop.id = (uint64_t)(atomic_fetch_add(&self->generation, 1) + 1)
			       << 32 |
		       (self->link.index + 1);
}

void at_transfer_ready(struct at_transfer *transfer, const char *ip, int port,
		       int local_port)
{
	static _Atomic uint32_t orders;
	struct transfer *self = of(transfer);
	struct at_writer writer =
		AT_WRITER(self->hop.peer, TRANSFER_PEER_BYTES);

	if (!self->owner || !at_tracer_active())
		return;
	end_kept(self, NULL); /* it is made again */
	self->before = self->now;
	measure(self);
	at_write_string(&writer, ip ? ip : "");
	at_write_char(&writer, 0);
	if (writer.overflow)
		*self->hop.peer = 0;
	self->port = port;
	self->local_port = local_port;
	self->hops++;
	self->seen = false;
	self->order = atomic_fetch_add(&orders, 1);
	set_left(self, false);
	atomic_store(&self->state, STATE_AWAITED);
	if (now.next != transfer)
		leave_behind(now.next);
	now.next = transfer;
}

/* Its latest request, or all of it when no request was seen. */
static void report(struct transfer *transfer, const char *error)
{
	if (!transfer->seen_any) {
		memset(&transfer->before, 0, sizeof(transfer->before));
		measure(transfer);
		transfer->hop.start_ns = transfer->begin_ns;
		transfer->hop.again = transfer->hops ? transfer->hops - 1 : 0;
	}
	unseen_report(&transfer->own, &transfer->hop, transfer->hops, error);
}

void at_transfer_end(struct at_transfer *transfer, const char *error,
		     bool silent)
{
	struct transfer *self = of(transfer);

	if (!self->owner)
		return;
	if (!at_tracer_active())
		disown(self);
	else if (!self->seen && !(silent && !self->hops))
		report(self, error);
	end_kept(self, error);
	at_transfer_leave(transfer);
}

void at_transfer_leave(struct at_transfer *transfer)
{
	struct transfer *self = of(transfer);

	end_kept(self, NULL);
	set_left(self, false);
	atomic_store(&self->state, STATE_IDLE);
	self->owner = NULL;
	if (now.next == transfer)
		now.next = NULL;
}

void at_transfer_leave_all(const void *owner)
{
	uint32_t count = pool_used(&transfers), i;

	for (i = 0; i < count; i++) {
		struct transfer *transfer = pool_at(&transfers, i);

		if (transfer && transfer->owner == owner)
			at_transfer_leave(&transfer->own);
	}
}

/* Visits what is under way. */
static void each(void (*visit)(struct transfer *transfer))
{
	uint32_t count = pool_used(&transfers), i;

	for (i = 0; i < count; i++) {
		struct transfer *transfer = pool_at(&transfers, i);

		if (transfer && transfer->owner)
			visit(transfer);
	}
}

static void abandon(struct transfer *transfer)
{
	struct request *request = take_kept(transfer);

	if (!request)
		return;
	request_abandon(request);
	request_free(request);
}

void transfer_end_open(void)
{
	each(abandon);
}

static void inherit(struct transfer *transfer)
{
	if (transfer->kept)
		at_count(AT_COUNT_FORK_INHERITED, 1);
	disown(transfer);
}

void transfer_after_fork_child(void)
{
	each(inherit);
	atomic_store(&left_count, 0);
	now.next = NULL;
}
