// SPDX-License-Identifier: Apache-2.0
/*
 * What of the HTTP client its user does not see elsewhere: TLS, and memory
 * that runs out.
 */
#include "exporter/http_client.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exporter/heap.h"
#include "tests/unit/exporter/exchange.h"
#include "tests/unit/exporter/tls_server.h"

static struct tls_server server;

static void set_up_tls(const char *a, const char *b, const char *c)
{
	char url[128];
	const char *environ[] = { url, NOW, a, b, c, NULL };

	snprintf(url, sizeof(url),
		 "OTEL_EXPORTER_OTLP_ENDPOINT=https://127.0.0.1:%d",
		 server.port);
	rig_init(&rig, environ);
	rig_push(&rig, 5);
	rig_start(&rig);
}

static const char *variable(char *text, size_t cap, const char *name,
			    const char *value)
{
	snprintf(text, cap, "OTEL_EXPORTER_OTLP_%s=%s", name, value);
	return text;
}

static void expect(enum at_counter counter)
{
	cr_assert(rig_wait_counter(&rig, counter, 5));
	rig_end(&rig, AT_EXPORT_PAUSE, 0);
	tls_server_stop(&server);
	cr_assert_eq(rig_counter(&rig, counter), 5);
}

Test(exporter_http_client, https_to_a_server_with_a_trusted_certificate)
{
	char trusted[128];

	tls_server_start(&server, false);
	set_up_tls(variable(trusted, sizeof(trusted), "CERTIFICATE",
			    server.certificate),
		   NULL, NULL);
	expect(AT_COUNT_SPANS_EXPORTED);
}

Test(exporter_http_client, a_server_that_is_not_trusted_gets_nothing)
{
	tls_server_start(&server, false);
	set_up_tls(NULL, NULL, NULL);
	expect(AT_COUNT_EXPORT_FAILED);
}

Test(exporter_http_client,
     a_certificate_that_cannot_be_read_is_no_reason_to_trust)
{
	tls_server_start(&server, false);
	set_up_tls("OTEL_EXPORTER_OTLP_CERTIFICATE=/nonexistent.pem", NULL,
		   NULL);
	expect(AT_COUNT_EXPORT_FAILED);
}

Test(exporter_http_client, client_certificates)
{
	char trusted[128], own[128], key[128];

	tls_server_start(&server, true);
	set_up_tls(variable(trusted, sizeof(trusted), "CERTIFICATE",
			    server.certificate),
		   variable(own, sizeof(own), "CLIENT_CERTIFICATE",
			    server.certificate),
		   variable(key, sizeof(key), "CLIENT_KEY", server.key));
	expect(AT_COUNT_SPANS_EXPORTED);
}

Test(exporter_http_client, without_a_client_certificate_there_is_no_export)
{
	char trusted[128];

	tls_server_start(&server, true);
	set_up_tls(variable(trusted, sizeof(trusted), "CERTIFICATE",
			    server.certificate),
		   "OTEL_EXPORTER_OTLP_TIMEOUT=500", NULL);
	expect(AT_COUNT_EXPORT_FAILED);
}

/*
 * The n-th allocation fails, for n from 1: the batch is exported or counted as
 * failed, and the next one goes through.
 */
Test(exporter_http_client, survives_any_allocation_that_fails, .timeout = 120)
{
	uint64_t nth, failed;
	bool reached = true;

	for (nth = 1; reached; nth++) {
		set_up(NOW, "OTEL_EXPORTER_OTLP_TIMEOUT=300",
		       "OTEL_EXPORTER_OTLP_COMPRESSION=gzip", NULL);
		rig_start(&rig);
		rig_end(&rig, AT_EXPORT_PAUSE, 0);
		rig_push(&rig, 2);
		heap_fail_at = nth;
		rig_start(&rig);
		rig_end(&rig, AT_EXPORT_DRAIN, 2000 * MS);
		reached = heap_fail_at == 0;
		heap_fail_at = 0;
		failed = rig_counter(&rig, AT_COUNT_EXPORT_FAILED);
		cr_assert(failed == 0 || failed == 2, "n %lu", nth);
		rig_push(&rig, 1);
		rig_start(&rig);
		rig_end(&rig, AT_EXPORT_DRAIN, 2000 * MS);
		cr_assert_eq(rig_counter(&rig, AT_COUNT_SPANS_EXPORTED),
			     3 - failed, "n %lu", nth);
		collector_stop(collector);
	}
	cr_assert_gt(nth, 50);
}

/* In a child: everything fresh, and the n-th allocation of all fails. */
static int first_export(uint64_t nth)
{
	uint64_t counted;

	rig_push(&rig, 2);
	heap_fail_at = nth;
	rig_start(&rig);
	rig_command(&rig, AT_EXPORT_DRAIN, 300 * MS);
	pthread_join(rig.thread, NULL);
	counted = rig_counter(&rig, AT_COUNT_SPANS_EXPORTED) +
		  rig_counter(&rig, AT_COUNT_EXPORT_FAILED) +
		  rig_counter(&rig, AT_COUNT_EXIT_TIMEOUT);
	if (rig.result == 0 && counted != 2)
		return 1;
	return heap_fail_at == 0 ? 0 : 3; /* 3: there were fewer than nth */
}

Test(exporter_http_client, survives_a_set_up_without_memory, .timeout = 120)
{
	int status = 0, tried = 0;
	uint64_t nth;
	pid_t child;

	set_up(NOW, NULL, NULL, NULL);
	for (nth = 1; WEXITSTATUS(status) == 0; nth++) {
		child = fork();
		if (child == 0)
			_exit(first_export(nth));
		cr_assert_eq(waitpid(child, &status, 0), child);
		cr_assert(WIFEXITED(status), "n %lu", nth);
		cr_assert_neq(WEXITSTATUS(status), 1, "n %lu", nth);
		tried++;
	}
	collector_stop(collector);
	cr_assert_gt(tried, 50);
}
