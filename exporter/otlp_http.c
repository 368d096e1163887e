// SPDX-License-Identifier: Apache-2.0
/*
 * otlp: batches to a collector over HTTP, protobuf or JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "core/clock.h"
#include "core/ids.h"
#include "core/log.h"
#include "core/sys.h"
#include "exporter/exporters.h"
#include "exporter/gzip.h"
#include "exporter/heap.h"
#include "exporter/http_client.h"
#include "exporter/otlp_answer.h"
#include "exporter/otlp_json.h"
#include "exporter/otlp_setup.h"

#define USER_AGENT "OTel-OTLP-Exporter-C/" AT_VERSION
#define PEM_MAX_BYTES (8u << 20)
#define REQUEST_MAX_BYTES (64u << 20)

struct otlp {
	struct at_exporter_host *host;
	struct http_client client;
	struct curl_slist *headers;
	char url[OTLP_SETUP_URL_BYTES + 1];
	bool json;
	bool compressed;
	struct gzip gzip;
	struct buffer body;
	struct buffer packed; /* what is sent, when compressed */
	struct buffer ca;
	struct buffer certificate;
	struct buffer key;
	struct http_answer answer;
};

/* ---- open ---- */

static int read_file(const char *path, struct buffer *text)
{
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	long len = fd < 0 ? fd : 1;

	while (len > 0 && text->len < PEM_MAX_BYTES) {
		uint8_t *room = buffer_room(text, 65536);

		len = room ? sys_read(fd, room, 65536) : -ENOMEM;
		text->len += len > 0 ? (size_t)len : 0;
	}
	if (fd >= 0)
		sys_close(fd);
	return len < 0 ? (int)len : text->len ? 0 : -ENODATA;
}

static int read_system_roots(struct buffer *text)
{
	static const char *const paths[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/ssl/ca-bundle.pem",
		"/etc/ssl/cert.pem",
		"/etc/pki/tls/cacert.pem",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	};
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (read_file(paths[i], text) == 0)
			return 0;
	return -ENOENT;
}

/*
 * What TLS needs. A certificate that was asked for and cannot be had is an
 * error: never less security than was configured.
 */
static int read_certificates(struct otlp *otlp)
{
	const struct at_config *config = otlp->host->config;
	int result;

	if (at_lower(otlp->url[4]) != 's')
		return 0;
	if (config->otlp_certificate[0])
		result = read_file(config->otlp_certificate, &otlp->ca);
	else
		result = read_system_roots(&otlp->ca);
	if (!result && config->otlp_client_certificate[0])
		result = read_file(config->otlp_client_certificate,
				   &otlp->certificate);
	if (!result && config->otlp_client_key[0])
		result = read_file(config->otlp_client_key, &otlp->key);
	return result;
}

static int add_header(struct otlp *otlp, const char *line)
{
	struct curl_slist *more = curl_slist_append(otlp->headers, line);

	if (!more)
		return -ENOMEM;
	otlp->headers = more;
	return 0;
}

static int add_configured_headers(struct otlp *otlp)
{
	struct at_text rest = at_text_from(otlp->host->config->otlp_headers);
	size_t cap = rest.len + 4;
	char *line = heap_alloc(cap);
	int found, result = line ? 0 : -ENOMEM;

	while (!result) {
		struct at_writer writer = AT_WRITER(line, cap - 1);

		found = otlp_setup_header(&rest, &writer);
		if (found == 0)
			break;
		line[writer.len] = 0;
		if (found > 0)
			result = add_header(otlp, line);
	}
	heap_free(line);
	return result;
}

static int add_headers(struct otlp *otlp)
{
	int result = add_header(otlp, otlp->json ?
					      "Content-Type: application/json" :
					      "Content-Type: "
					      "application/x-protobuf");

	if (!result && otlp->compressed)
		result = add_header(otlp, "Content-Encoding: gzip");
	/* No round trip before large bodies. */
	if (!result)
		result = add_header(otlp, "Expect:");
	if (!result)
		result = add_configured_headers(otlp);
	return result;
}

static void read_settings(struct otlp *otlp)
{
	const struct at_config *config = otlp->host->config;
	struct at_writer url = AT_WRITER(otlp->url, OTLP_SETUP_URL_BYTES);

	otlp_setup_url(config, &url);
	otlp->json = strcmp(config->otlp_protocol, "http/json") == 0;
	otlp->compressed = strcmp(config->otlp_compression, "gzip") == 0;
}

static int open_client(struct otlp *otlp)
{
	struct http_client_setup setup = {
		.url = otlp->url,
		.user_agent = USER_AGENT,
		.ca = &otlp->ca,
		.certificate = &otlp->certificate,
		.key = &otlp->key,
	};
	int result = http_client_prepare();

	if (!result)
		result = add_headers(otlp);
	setup.headers = otlp->headers;
	return result ? result : http_client_open(&otlp->client, &setup);
}

static void otlp_close(void *self);

static int otlp_open(struct at_exporter_host *host, void **self)
{
	struct otlp *otlp = heap_zalloc(1, sizeof(*otlp));
	int result;

	if (!otlp)
		return -ENOMEM;
	otlp->host = host;
	read_settings(otlp);
	result = read_certificates(otlp);
	if (!result)
		result = open_client(otlp);
	if (result)
		otlp_close(otlp);
	else
		*self = otlp;
	return result;
}

/* ---- send ---- */

static int make_body(struct otlp *otlp, const Otlp__TracesData *traces,
		     struct buffer **body)
{
	size_t span_index = 0;
	int result = 0;

	otlp->body.len = 0;
	otlp->packed.len = 0;
	*body = &otlp->body;
	if (otlp->json)
		otlp_json(traces, &span_index, SIZE_MAX, &otlp->body);
	else
		result = otlp_pack(traces, &otlp->body);
	if (result || otlp->body.failed)
		return -ENOMEM;
	if (otlp->body.len > REQUEST_MAX_BYTES)
		return -EMSGSIZE;
	if (!otlp->compressed)
		return 0;
	*body = &otlp->packed;
	return gzip_pack(&otlp->gzip, otlp->body.ptr, otlp->body.len,
			 &otlp->packed);
}

static void set_retry_time(struct otlp *otlp, struct pace *pace)
{
	uint64_t now_ns = at_clock_now_ns();
	int64_t asked_ns = otlp_answer_retry_after(
		otlp->answer.retry_after,
		(int64_t)(at_clock_unix_ns(now_ns) / 1000000000u));
	uint64_t wait_ns =
		otlp_answer_backoff_ns(pace->attempt + 1, at_ids_random());

	if (asked_ns > 0 && (uint64_t)asked_ns > wait_ns)
		wait_ns = (uint64_t)asked_ns;
	pace->not_before_ns = now_ns + wait_ns;
}

static void note_taken(struct otlp *otlp, struct delivery *delivery)
{
	struct at_text body = { (const char *)otlp->answer.body.ptr,
				otlp->answer.body.len };
	char text[300];
	struct at_writer line = AT_WRITER(text, sizeof(text));

	at_write_string(&line, "collector: ");
	delivery->rejected_count =
		otlp_answer_rejected(body, otlp->answer.json, &line);
	if (delivery->rejected_count || line.len > sizeof("collector: ") - 1)
		at_log_line(at_writer_text(&line));
}

/* 0, -EAGAIN when it may be tried again, or why it is lost. */
static int judge(struct otlp *otlp, struct delivery *delivery)
{
	const struct http_answer *answer = &otlp->answer;

	if (answer->too_long)
		return -EMSGSIZE;
	if (answer->status >= 200 && answer->status < 300) {
		note_taken(otlp, delivery);
		return 0;
	}
	if (answer->status)
		return otlp_answer_retryable(answer->status) ? -EAGAIN :
							       -EREMOTEIO;
	return answer->transient ? -EAGAIN : -EPROTO;
}

/* An attempt failed. 0 when there will be another, else why there is none. */
static int plan_retry(struct otlp *otlp, struct pace *pace)
{
	pace->unreachable = otlp->answer.unreachable;
	if (pace->attempt >= OTLP_ATTEMPT_MAX ||
	    (pace->unreachable && pace_command(pace) == AT_EXPORT_DRAIN))
		return pace->unreachable ? -ECONNREFUSED : -EREMOTEIO;
	set_retry_time(otlp, pace);
	return 0;
}

static int otlp_send(void *self, struct delivery *delivery)
{
	struct otlp *otlp = self;
	struct pace *pace = delivery->pace;
	struct buffer *body;
	int result = make_body(otlp, delivery->traces, &body);

	while (!result) {
		result = pace_sleep(pace);
		if (!result)
			result = http_client_post(&otlp->client, pace,
						  body->ptr, body->len,
						  &otlp->answer);
		if (result)
			break;
		pace->attempt++;
		result = judge(otlp, delivery);
		if (result != -EAGAIN)
			break;
		result = plan_retry(otlp, pace);
	}
	return result;
}

/* ---- end ---- */

static void free_parts(struct otlp *otlp)
{
	curl_slist_free_all(otlp->headers);
	gzip_free(&otlp->gzip);
	buffer_free(&otlp->body);
	buffer_free(&otlp->packed);
	buffer_free(&otlp->ca);
	buffer_free(&otlp->certificate);
	buffer_free(&otlp->key);
	buffer_free(&otlp->answer.body);
	heap_free(otlp);
}

static void otlp_close(void *self)
{
	struct otlp *otlp = self;

	http_client_close(&otlp->client);
	free_parts(otlp);
}

/* curl still points to headers and certificates: they stay, lost, with it. */
static void otlp_after_fork(void *self)
{
	(void)self;
}

const struct at_exporter at_exporter_otlp = {
	.name = "otlp",
	.needs_traces = true,
	.check = otlp_setup_check,
	.open = otlp_open,
	.send = otlp_send,
	.close = otlp_close,
	.after_fork = otlp_after_fork,
};
