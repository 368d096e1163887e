// SPDX-License-Identifier: Apache-2.0
#include "tracer/sealed.h"

#include <errno.h>
#include <string.h>

#include "core/clock.h"
#include "tracer/fdtable.h"
#include "tracer/output.h"
#include "tracer/round.h"
#include "tracer/sdk.h"

#define IDLE_NS (60 * UINT64_C(1000000000))

/* An alert under TLS 1.3, protected: two bytes, their kind and a tag. */
#define ALERT_BYTES 19

struct sealed {
	struct pool_link link;
	uint64_t start_ns;
	uint64_t last_ns; /* a byte went either way */
	uint64_t sent_bytes;
	uint64_t received_bytes;
	bool agreed;  /* the handshake is over */
	bool refused; /* by us, under protection */
	struct at_tls_records out;
	struct at_tls_records in;
	struct at_span span;
};

static struct pool pool = POOL(struct sealed, 16);
static bool wanted;
static _Atomic bool reached_somewhere;

void sealed_start(const struct at_config *config)
{
	wanted = config->tls_spans;
}

/* Some begin with an empty piece. */
static struct stretch first_piece(const struct at_send *send)
{
	struct place place = { 0, 0 };

	return stretch_next(send, &place, SIZE_MAX);
}

bool sealed_begins(const struct at_send *send)
{
	struct stretch piece;

	/* libcurl tells more of its transfers than that. */
	if (!wanted || at_in_transfer() || sdk_is_here())
		return false;
	piece = first_piece(send);
	return piece.len && at_tls_hello(piece.ptr, piece.len);
}

/* --- the span --- */

/* False: not sampled. */
static bool begin(struct sealed *sealed, uint64_t now_ns)
{
	enum context_rule rule;
	const struct at_context *parent = context_parent(&rule);
	struct at_context context;

	request_identity(&context, parent);
	if (!(context.flags & AT_FLAG_SAMPLED))
		return false;
	request_open_span(&sealed->span, &context, parent, rule, now_ns);
	at_span_set_name(&sealed->span, AT_TEXT("TLS"));
	at_span_set_bool(&sealed->span, AT_ATTR_AUTOTRACE_OPAQUE, true);
	sealed->start_ns = now_ns;
	sealed->last_ns = now_ns;
	sealed->sent_bytes = 0;
	sealed->received_bytes = 0;
	return true;
}

struct sealed *sealed_new(void)
{
	struct sealed *sealed = pool_take(&pool);

	if (!sealed)
		return NULL;
	memset((char *)sealed + sizeof(sealed->link), 0,
	       sizeof(*sealed) - sizeof(sealed->link));
	if (begin(sealed, at_clock_now_ns()))
		return sealed;
	sealed_free(sealed);
	return NULL;
}

void sealed_free(struct sealed *sealed)
{
	pool_give(&pool, sealed);
}

static void fill(struct at_span *span, const struct conn *conn,
		 struct at_text name)
{
	const struct address *peer = &conn->peer;
	struct at_text address = { peer->text, peer->len };

	if (name.len || address.len)
		at_span_set_text(span, AT_ATTR_SERVER_ADDRESS,
				 name.len ? name : address);
	if (peer->port)
		at_span_set_int(span, AT_ATTR_SERVER_PORT, peer->port);
	request_fill_peer(span, peer);
}

static const char *failure(const struct sealed *sealed)
{
	if (sealed->out.seen & AT_TLS_SEEN_ALERT)
		return at_tls_alert_name(sealed->out.alert[1]);
	if (sealed->in.seen & AT_TLS_SEEN_ALERT)
		return at_tls_alert_name(sealed->in.alert[1]);
	if (sealed->refused)
		return at_tls_alert_name(0);
	return sealed->agreed ? NULL : "tls_handshake_incomplete";
}

static void hand_over(struct sealed *sealed, uint64_t end_ns, const char *error)
{
	struct at_span *span = &sealed->span;

	span->duration_ns = end_ns - sealed->start_ns;
	at_span_set_int(span, AT_ATTR_AUTOTRACE_TLS_SENT_BYTES,
			(int64_t)sealed->sent_bytes);
	at_span_set_int(span, AT_ATTR_AUTOTRACE_TLS_RECEIVED_BYTES,
			(int64_t)sealed->received_bytes);
	if (error)
		at_span_set_error(span, at_text_from(error));
	output_span(span);
}

static void end_with(struct conn *conn, const char *error, bool incomplete)
{
	struct sealed *sealed = conn->sealed;
	uint64_t now_ns = at_clock_now_ns();

	/* In this order: without `sealed` it would be taken for HTTP. */
	atomic_store(&conn->opaque, 1);
	conn->sealed = NULL;
	if (atomic_load(&reached_somewhere)) {
		sealed_free(sealed);
		return;
	}
	if (now_ns - sealed->last_ns > IDLE_NS)
		now_ns = sealed->last_ns;
	if (incomplete)
		at_span_set_bool(&sealed->span, AT_ATTR_AUTOTRACE_INCOMPLETE,
				 true);
	hand_over(sealed, now_ns, error);
	sealed_free(sealed);
}

void sealed_end(struct conn *conn, bool incomplete)
{
	if (conn->sealed)
		end_with(conn, incomplete ? NULL : failure(conn->sealed),
			 incomplete);
}

/* --- bytes --- */

/*
 * The handshake is over when both sides have changed their cipher (TLS 1.2),
 * or the client has sent something protected (TLS 1.3: its Finished).
 */
static void look_for_agreement(struct sealed *sealed, uint64_t now_ns)
{
	unsigned int both = sealed->out.seen & sealed->in.seen;

	if (!(both & AT_TLS_SEEN_CIPHER) &&
	    !(sealed->out.seen & AT_TLS_SEEN_DATA))
		return;
	if ((sealed->out.seen & AT_TLS_SEEN_DATA) &&
	    sealed->out.first_bytes <= ALERT_BYTES) {
		sealed->refused = true;
		return;
	}
	sealed->agreed = true;
	at_span_set_double(&sealed->span, AT_ATTR_AUTOTRACE_TLS_HANDSHAKE_MS,
			   (double)(now_ns - sealed->start_ns) / 1e6);
}

/* After a minute of silence what comes next is a span of its own. */
static bool note_activity(struct conn *conn, uint64_t now_ns)
{
	struct sealed *sealed = conn->sealed;

	if (now_ns - sealed->last_ns <= IDLE_NS) {
		sealed->last_ns = now_ns;
		return true;
	}
	hand_over(sealed, sealed->last_ns, failure(sealed));
	if (begin(sealed, now_ns)) {
		fill(&sealed->span, conn, (struct at_text){ NULL, 0 });
		return true;
	}
	atomic_store(&conn->opaque, 1);
	conn->sealed = NULL;
	sealed_free(sealed);
	return false;
}

static void feed(struct sealed *sealed, struct at_tls_records *records,
		 const struct iovec *iov, size_t iov_count, size_t len)
{
	size_t i;

	for (i = 0; i < iov_count && len && !sealed->agreed; i++) {
		size_t part = iov[i].iov_len < len ? iov[i].iov_len : len;

		at_tls_feed(records, iov[i].iov_base, part);
		len -= part;
	}
	if (!sealed->agreed && !sealed->refused)
		look_for_agreement(sealed, sealed->last_ns);
}

void sealed_sent(struct conn *conn, const struct at_send *send, ssize_t result)
{
	struct stretch hello;
	struct sealed *sealed;

	if (result <= 0 || !conn_lock(conn))
		return;
	sealed = conn->sealed;
	if (sealed && !sealed->sent_bytes && !sealed->agreed) {
		hello = first_piece(send);
		fill(&sealed->span, conn,
		     at_tls_server_name(hello.ptr, hello.len));
	}
	if (sealed && note_activity(conn, at_clock_now_ns())) {
		sealed->sent_bytes += (uint64_t)result;
		feed(sealed, &sealed->out, send->iov, send->iov_count,
		     (size_t)result);
	}
	conn_unlock(conn);
}

void sealed_received(struct conn *conn, const struct iovec *iov,
		     size_t iov_count, ssize_t result, int error)
{
	struct sealed *sealed = conn->sealed;

	if (!sealed)
		return;
	if (result == 0) {
		sealed_end(conn, false);
	} else if (result < 0) {
		if (request_error_ends(error))
			end_with(conn, request_error_name(error), false);
	} else if (note_activity(conn, at_clock_now_ns())) {
		sealed->received_bytes += (uint64_t)result;
		feed(sealed, &sealed->in, iov, iov_count, (size_t)result);
	}
}

void sealed_moved(struct conn *conn, uint64_t out_bytes, uint64_t in_bytes)
{
	struct sealed *sealed = conn->sealed;

	if (!note_activity(conn, at_clock_now_ns()))
		return;
	sealed->sent_bytes += out_bytes;
	sealed->received_bytes += in_bytes;
}

/* --- plaintext after all --- */

void sealed_reached(int fd)
{
	struct sealed *sealed;
	struct conn *conn;

	if (!wanted)
		return;
	conn = fd >= 0 ? conn_hold(fdtable_get(fd)) : NULL;
	if (!conn || !conn->sealed) {
		atomic_store(&reached_somewhere, true);
		if (conn)
			conn_release(conn);
		return;
	}
	if (conn_lock(conn)) {
		sealed = conn->sealed;
		atomic_store(&conn->opaque, 1);
		conn->sealed = NULL;
		if (sealed)
			sealed_free(sealed);
		conn_unlock(conn);
	}
	conn_release(conn);
}
