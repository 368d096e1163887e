// SPDX-License-Identifier: Apache-2.0
#include "exporter/resource.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/ids.h"
#include "exporter/heap.h"
#include "tests/support/vectors.h"

static struct at_config config;

static int build(struct resource *resource, const char *const environ[],
		 bool many_processes)
{
	memset(resource, 0, sizeof(*resource));
	at_config_load(&config, (char **)(uintptr_t)environ, NULL);
	return resource_build(resource, &config, "curl", many_processes,
			      config.ci ? (char **)(uintptr_t)environ : NULL);
}

static const Otlp__AnyValue *value_of(const struct resource *resource,
				      const char *key)
{
	const Otlp__AnyValue *found = NULL;
	size_t i;

	for (i = 0; i < resource->message.n_attributes; i++) {
		const Otlp__KeyValue *item = resource->message.attributes[i];

		if (item->key.len == strlen(key) &&
		    memcmp(item->key.data, key, item->key.len) == 0) {
			cr_assert_null(found, "%s twice", key);
			found = item->value;
		}
	}
	return found;
}

/* The text of an attribute; aborts the test where there is none. */
static const char *text_of(const struct resource *resource, const char *key)
{
	static char text[256];
	const Otlp__AnyValue *value = value_of(resource, key);

	cr_assert_not_null(value, "%s", key);
	cr_assert_eq(value->value_case, OTLP__ANY_VALUE__VALUE_STRING_VALUE);
	snprintf(text, sizeof(text), "%.*s", (int)value->string_value.len,
		 (const char *)value->string_value.data);
	return text;
}

static char **environ_of(const cJSON *vector)
{
	const char *list = vector_text(vector, "in");
	char **environ;

	if (!list)
		return vector_env(vector, "env");
	environ = calloc(2, sizeof(*environ));
	cr_assert_gt(asprintf(&environ[0], "OTEL_RESOURCE_ATTRIBUTES=%s", list),
		     0);
	return environ;
}

Test(exporter_resource, vectors)
{
	cJSON *all = vectors_load("resource-attributes"), *vector, *want;

	cJSON_ArrayForEach(vector, all) {
		char **environ = environ_of(vector);
		struct resource resource;
		int result =
			build(&resource, (const char *const *)environ, false);

		cr_assert_eq(result, vector_true(vector, "error"), "%s",
			     vector_id(vector));
		cJSON_ArrayForEach(want, cJSON_GetObjectItem(vector, "out"))
			cr_assert_str_eq(text_of(&resource, want->string),
					 want->valuestring, "%s",
					 vector_id(vector));
		if (result)
			cr_assert_null(value_of(&resource, "a"));
		resource_free(&resource);
		vector_env_free(environ);
	}
	cJSON_Delete(all);
}

static const char *const nothing[] = { NULL };

Test(exporter_resource, says_who_sends)
{
	struct resource resource;
	char path[4096] = { 0 }, host[256];

	cr_assert_eq(build(&resource, nothing, false), 0);
	cr_assert_str_eq(text_of(&resource, "telemetry.sdk.name"),
			 "libautotrace");
	cr_assert_str_eq(text_of(&resource, "telemetry.sdk.language"), "c");
	cr_assert_str_eq(text_of(&resource, "telemetry.sdk.version"),
			 AT_VERSION);
	cr_assert_str_eq(text_of(&resource, "telemetry.distro.name"),
			 "libautotrace");
	cr_assert_str_eq(text_of(&resource, "telemetry.distro.version"),
			 AT_VERSION);
	cr_assert_eq(value_of(&resource, "process.pid")->int_value, getpid());
	cr_assert_gt(readlink("/proc/self/exe", path, sizeof(path) - 1), 0);
	cr_assert_str_eq(text_of(&resource, "process.executable.path"), path);
	cr_assert_str_eq(text_of(&resource, "process.executable.name"),
			 strrchr(path, '/') + 1);
	cr_assert_eq(gethostname(host, sizeof(host)), 0);
	cr_assert_str_eq(text_of(&resource, "host.name"), host);
	cr_assert_str_eq(text_of(&resource, "os.type"), "linux");
	cr_assert_null(value_of(&resource, "process.command_args"));
	cr_assert(at_text_equal(resource_service(&resource),
				AT_TEXT("unknown_service:curl")));
}

Test(exporter_resource, many_processes_share_no_process_facts)
{
	struct resource resource;

	cr_assert_eq(build(&resource, nothing, true), 0);
	cr_assert_null(value_of(&resource, "process.pid"));
	cr_assert_null(value_of(&resource, "process.executable.name"));
	cr_assert_null(value_of(&resource, "process.executable.path"));
	cr_assert_not_null(value_of(&resource, "service.instance.id"));
}

Test(exporter_resource, the_instance_is_a_random_uuid)
{
	struct resource first, second;
	char id[64];

	build(&first, nothing, false);
	build(&second, nothing, false);
	strcpy(id, text_of(&first, "service.instance.id"));
	cr_assert_eq(strlen(id), 36);
	cr_assert_eq(strspn(id, "0123456789abcdef-"), 36);
	cr_assert_eq(id[8], '-');
	cr_assert_eq(id[13], '-');
	cr_assert_eq(id[14], '4');
	cr_assert_eq(id[18], '-');
	cr_assert(strchr("89ab", id[19]));
	cr_assert_eq(id[23], '-');
	cr_assert_str_neq(id, text_of(&second, "service.instance.id"));
}

Test(exporter_resource, what_the_user_says_wins_over_what_is_detected)
{
	static const char *const environ[] = {
		"OTEL_RESOURCE_ATTRIBUTES=service.instance.id=mine,"
		"host.name=box,service.name=lose,service.version=2",
		"OTEL_SERVICE_NAME=win", NULL
	};
	struct resource resource;

	cr_assert_eq(build(&resource, environ, false), 0);
	cr_assert_str_eq(text_of(&resource, "service.instance.id"), "mine");
	cr_assert_str_eq(text_of(&resource, "host.name"), "box");
	cr_assert_str_eq(text_of(&resource, "service.name"), "win");
	cr_assert_str_eq(text_of(&resource, "service.version"), "2");
}

static const char *const job[] = { "GITHUB_ACTIONS=true", "GITHUB_RUN_ID=5",
				   "GITHUB_REPOSITORY=a/b", NULL };

Test(exporter_resource, in_ci_the_job_is_described)
{
	struct resource resource;

	cr_assert_eq(build(&resource, job, false), 0);
	cr_assert_str_eq(text_of(&resource, "cicd.pipeline.run.id"), "5");
	cr_assert_str_eq(text_of(&resource, "vcs.repository.name"), "b");
	cr_assert_null(value_of(&resource, "vcs.change.id"));
	cr_assert_str_eq(text_of(&resource, "service.name"),
			 "unknown_service:curl");
}

Test(exporter_resource, in_ci_a_whole_tree_is_called_by_its_repository)
{
	struct resource resource;

	cr_assert_eq(build(&resource, job, true), 0);
	cr_assert_str_eq(text_of(&resource, "service.name"), "b");
}

Test(exporter_resource, of_ci_too_the_user_knows_better)
{
	static const char *const environ[] = {
		"GITHUB_ACTIONS=true", "GITHUB_REPOSITORY=a/b",
		"OTEL_RESOURCE_ATTRIBUTES=vcs.owner.name=me,service.name=mine",
		NULL
	};
	struct resource resource;

	cr_assert_eq(build(&resource, environ, true), 0);
	cr_assert_str_eq(text_of(&resource, "vcs.owner.name"), "me");
	cr_assert_str_eq(text_of(&resource, "vcs.repository.name"), "b");
	cr_assert_str_eq(text_of(&resource, "service.name"), "mine");
}

Test(exporter_resource, ci_can_be_left_alone)
{
	static const char *const environ[] = { "GITHUB_ACTIONS=true",
					       "GITHUB_REPOSITORY=a/b",
					       "AUTOTRACE_CI=false", NULL };
	struct resource resource;

	cr_assert_eq(build(&resource, environ, true), 0);
	cr_assert_null(value_of(&resource, "vcs.repository.name"));
	cr_assert_str_eq(text_of(&resource, "service.name"),
			 "unknown_service:curl");
}

Test(exporter_resource, bytes_that_are_no_text_are_repaired)
{
	static const char *const environ[] = { "OTEL_RESOURCE_ATTRIBUTES=k=%FF",
					       "OTEL_SERVICE_NAME=a\xfe",
					       NULL };
	struct resource resource;

	cr_assert_eq(build(&resource, environ, false), 0);
	cr_assert_str_eq(text_of(&resource, "k"), "\xef\xbf\xbd");
	cr_assert_str_eq(text_of(&resource, "service.name"), "a\xef\xbf\xbd");
}

Test(exporter_resource, as_many_attributes_as_one_likes)
{
	char *list = malloc(200000);
	const char *environ[] = { list, NULL };
	struct resource resource;
	char key[16];
	int i, at = sprintf(list, "OTEL_RESOURCE_ATTRIBUTES=");

	for (i = 0; i < 1000; i++)
		at += sprintf(list + at, "k%d=v%d,", i, i);
	cr_assert_eq(build(&resource, environ, false), 0);
	for (i = 0; i < 1000; i++) {
		sprintf(key, "k%d", i);
		cr_assert_eq(text_of(&resource, key)[0], 'v');
	}
	free(list);
}

Test(exporter_resource, without_memory_it_is_not_complete_but_whole)
{
	struct resource resource;

	heap_fail_at = 1;
	cr_assert_lt(build(&resource, nothing, false), 0);
	resource_free(&resource);
}
