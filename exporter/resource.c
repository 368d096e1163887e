// SPDX-License-Identifier: Apache-2.0
#include "exporter/resource.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "core/ci.h"
#include "core/ids.h"
#include "core/sys.h"
#include "exporter/heap.h"
#include "exporter/percent.h"
#include "exporter/utf8.h"

#define DETECTED_MAX (16 + AT_CI_FACT_COUNT)

#if defined(__x86_64__)
#define HOST_ARCH "amd64"
#elif defined(__aarch64__)
#define HOST_ARCH "arm64"
#endif

static struct at_text text_of(ProtobufCBinaryData data)
{
	return (struct at_text){ (const char *)data.data, data.len };
}

static ProtobufCBinaryData data_of(struct at_text text)
{
	return (ProtobufCBinaryData){ text.len,
				      (uint8_t *)(uintptr_t)text.ptr };
}

static struct at_text keep(struct resource *resource, struct at_text text)
{
	char *copy = arena_alloc(&resource->arena, text.len);

	if (!copy)
		return (struct at_text){ "", 0 };
	memcpy(copy, text.ptr, text.len);
	return utf8_repair((struct at_text){ copy, text.len },
			   &resource->arena);
}

static Otlp__AnyValue *find(const struct resource *resource, struct at_text key)
{
	size_t i;

	for (i = 0; i < resource->message.n_attributes; i++) {
		Otlp__KeyValue *item = resource->message.attributes[i];

		if (at_text_equal(text_of(item->key), key))
			return item->value;
	}
	return NULL;
}

static Otlp__AnyValue *append(struct resource *resource, struct at_text key)
{
	Otlp__KeyValue *item;

	if (resource->message.n_attributes == resource->cap)
		return NULL;
	item = arena_alloc(&resource->arena, sizeof(*item));
	if (!item)
		return NULL;
	otlp__key_value__init(item);
	item->value = arena_alloc(&resource->arena, sizeof(*item->value));
	if (!item->value)
		return NULL;
	item->key = data_of(key);
	resource->message.attributes[resource->message.n_attributes++] = item;
	return item->value;
}

/* The value of `key`, made if need be, empty; NULL when there is no room. */
static Otlp__AnyValue *value_of(struct resource *resource, struct at_text key)
{
	Otlp__AnyValue *value = find(resource, key);

	if (!value)
		value = append(resource, key);
	if (value)
		otlp__any_value__init(value);
	return value;
}

static void set_text(struct resource *resource, struct at_text key,
		     struct at_text text)
{
	Otlp__AnyValue *value = value_of(resource, key);

	if (!value)
		return;
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = data_of(text);
}

static void set_string(struct resource *resource, const char *key,
		       const char *text)
{
	set_text(resource, at_text_from(key),
		 keep(resource, at_text_from(text)));
}

static void set_pid(struct resource *resource)
{
	Otlp__AnyValue *value = value_of(resource, AT_TEXT("process.pid"));

	if (!value)
		return;
	value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	value->int_value = sys_getpid();
}

static struct at_text base_name(struct at_text path)
{
	const char *slash = memrchr(path.ptr, '/', path.len);
	size_t skip = slash ? (size_t)(slash - path.ptr) + 1 : 0;

	return (struct at_text){ path.ptr + skip, path.len - skip };
}

/* Path of this executable; empty when unknown. */
static struct at_text executable_path(char *path, size_t cap)
{
	const struct at_text deleted = AT_TEXT(" (deleted)");
	long len = sys_readlink("/proc/self/exe", path, cap);
	struct at_text text = { path, len < 0 ? 0 : (size_t)len };

	if (at_text_ends_with_nocase(text, deleted))
		text.len -= deleted.len;
	return text;
}

static void set_service(struct resource *resource, struct at_text executable)
{
	static const struct at_text unknown = AT_TEXT("unknown_service");
	size_t cap = unknown.len + 1 + executable.len;
	struct at_writer name =
		AT_WRITER(arena_alloc(&resource->arena, cap), cap);

	if (!name.ptr)
		return;
	at_write_text(&name, unknown);
	if (executable.len) {
		at_write_char(&name, ':');
		at_write_text(&name, executable);
	}
	set_text(resource, AT_TEXT("service.name"),
		 utf8_repair(at_writer_text(&name), &resource->arena));
}

/* A random UUID, version 4. */
static void set_instance(struct resource *resource)
{
	uint64_t bits[2] = { at_ids_random(), at_ids_random() };
	uint8_t bytes[sizeof(bits)];
	char text[36];
	struct at_writer writer = AT_WRITER(text, sizeof(text));
	int i;

	memcpy(bytes, bits, sizeof(bytes));
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			at_write_char(&writer, '-');
		at_write_hex(&writer, &bytes[i], 1);
	}
	set_text(resource, AT_TEXT("service.instance.id"),
		 keep(resource, at_writer_text(&writer)));
}

static void set_process(struct resource *resource, struct at_text path,
			struct at_text name)
{
	set_pid(resource);
	if (name.len)
		set_text(resource, AT_TEXT("process.executable.name"),
			 keep(resource, name));
	if (path.len)
		set_text(resource, AT_TEXT("process.executable.path"),
			 keep(resource, path));
}

static void set_host(struct resource *resource)
{
	struct utsname host;

	if (sys_call1(SYS_uname, &host) == 0 && host.nodename[0])
		set_string(resource, "host.name", host.nodename);
#ifdef HOST_ARCH
	set_string(resource, "host.arch", HOST_ARCH);
#endif
	set_string(resource, "os.type", "linux");
}

static void set_facts(struct resource *resource, const struct at_ci *ci,
		      bool many_processes)
{
	struct at_text name = ci->fact[AT_CI_REPOSITORY_NAME];
	int i;

	for (i = 0; i < AT_CI_FACT_COUNT; i++) {
		const char *key = at_ci_attribute((enum at_ci_fact)i);

		if (key && ci->fact[i].len)
			set_text(resource, at_text_from(key),
				 keep(resource, ci->fact[i]));
	}
	/* The whole tree is one service, and that is what it builds. */
	if (many_processes && name.len)
		set_text(resource, AT_TEXT("service.name"),
			 keep(resource, name));
}

static void set_ci(struct resource *resource, char *const *environment,
		   bool many_processes)
{
	struct at_ci *ci = environment ? heap_alloc(sizeof(*ci)) : NULL;

	if (ci && at_ci_detect(ci, environment))
		set_facts(resource, ci, many_processes);
	heap_free(ci);
}

static void detect(struct resource *resource, const char *executable_name,
		   bool many_processes)
{
	char exe[4096];
	struct at_text path = executable_path(exe, sizeof(exe));
	struct at_text name = at_text_from(executable_name);

	set_service(resource, name.len ? name : base_name(path));
	set_instance(resource);
	set_string(resource, "telemetry.sdk.language", "c");
	set_string(resource, "telemetry.sdk.name", "libautotrace");
	set_string(resource, "telemetry.sdk.version", AT_VERSION);
	set_string(resource, "telemetry.distro.name", "libautotrace");
	set_string(resource, "telemetry.distro.version", AT_VERSION);
	if (!many_processes)
		set_process(resource, path, path.len ? base_name(path) : name);
	set_host(resource);
}

static int decode(struct resource *resource, struct at_text raw,
		  struct at_text *text)
{
	struct at_writer writer =
		AT_WRITER(arena_alloc(&resource->arena, raw.len), raw.len);

	if (!writer.ptr)
		return -ENOMEM;
	if (percent_decode(raw, &writer))
		return -EINVAL;
	*text = utf8_repair(at_writer_text(&writer), &resource->arena);
	return 0;
}

/* One error discards the whole list, so it is read twice: checked, then set. */
static int read_list(struct resource *resource, struct at_text list, bool set)
{
	struct at_text key, value;
	int result;

	while ((result = percent_next_pair(&list, &key, &value)) > 0) {
		result = decode(resource, key, &key);
		if (!result)
			result = decode(resource, value, &value);
		if (result)
			return result;
		if (set)
			set_text(resource, key, value);
	}
	return result;
}

static size_t item_count(struct at_text list)
{
	struct at_text item;
	size_t count = 0;

	while (at_text_next(&list, ',', &item))
		count++;
	return count;
}

int resource_build(struct resource *resource, const struct at_config *config,
		   const char *executable_name, bool many_processes,
		   char *const *environment)
{
	struct at_text list = at_text_from(config->resource_attributes);
	int result;

	otlp__resource__init(&resource->message);
	resource->cap = DETECTED_MAX + item_count(list);
	resource->message.attributes = arena_alloc(
		&resource->arena, resource->cap * sizeof(Otlp__KeyValue *));
	if (!resource->message.attributes)
		return -ENOMEM;
	detect(resource, executable_name, many_processes);
	set_ci(resource, environment, many_processes);
	result = read_list(resource, list, false);
	if (!result)
		read_list(resource, list, true);
	if (config->service_name[0])
		set_string(resource, "service.name", config->service_name);
	return result == -EINVAL ? 1 : result;
}

void resource_free(struct resource *resource)
{
	arena_free(&resource->arena);
	*resource = (struct resource){ 0 };
}

struct at_text resource_service(const struct resource *resource)
{
	const Otlp__AnyValue *value = find(resource, AT_TEXT("service.name"));

	return value ? text_of(value->string_value) : (struct at_text){ "", 0 };
}
