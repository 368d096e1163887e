// SPDX-License-Identifier: Apache-2.0
/* B3, Jaeger, X-Ray and Datadog, in and out, as the vectors say. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "propagator/propagator.h"
#include "tests/support/vectors.h"

/* --- carriers --- */

struct fields {
	struct at_carrier carrier;
	const cJSON *object; /* names in any case */
};

static struct at_text get(const struct at_carrier *carrier, const char *name)
{
	const struct fields *fields = (const struct fields *)carrier;
	const cJSON *item;

	cJSON_ArrayForEach(item, fields->object)
		if (!strcasecmp(item->string, name) && cJSON_IsString(item))
			return at_text_from(item->valuestring);
	return (struct at_text){ NULL, 0 };
}

static int extract(const char *propagators, const cJSON *object,
		   struct at_context *context)
{
	const struct fields fields = { { get }, object };
	struct at_propagator_set set;

	cr_assert_eq(at_propagators_select(&set, propagators), 0);
	memset(context, 0x5a, sizeof(*context));
	return at_propagators_extract(&set, &fields.carrier, context);
}

static void expect_hex(const uint8_t *bytes, size_t count, const cJSON *vector,
		       const char *key)
{
	char text[40];
	struct at_writer writer = AT_WRITER(text, sizeof(text) - 1);

	at_write_hex(&writer, bytes, count);
	text[writer.len] = 0;
	cr_expect_str_eq(text, vector_text(vector, key), "%s",
			 vector_id(vector));
}

static void expect_decision(const struct at_context *context,
			    const cJSON *vector)
{
	const cJSON *sampled = cJSON_GetObjectItem(vector, "sampled");

	cr_expect_eq(context->undecided, cJSON_IsNull(sampled), "%s",
		     vector_id(vector));
	cr_expect_eq(context->flags,
		     cJSON_IsTrue(sampled) ? AT_FLAG_SAMPLED : 0, "%s",
		     vector_id(vector));
	cr_expect_eq(context->debug, vector_true(vector, "debug"), "%s",
		     vector_id(vector));
}

static void check(const char *propagators, const cJSON *vector,
		  const cJSON *object)
{
	const cJSON *ids = cJSON_GetObjectItem(vector, "ids");
	struct at_context context;
	int error = extract(propagators, object, &context);

	cr_assert_eq(error, vector_true(vector, "accept") ? 0 : -ENOENT,
		     "%s: %s", propagators, vector_id(vector));
	if (error) {
		cr_expect_eq(context.trace_id[0], 0x5a, "untouched");
		return;
	}
	expect_decision(&context, vector);
	cr_expect_eq(context.tracestate_len, 0);
	cr_expect(context.remote);
	cr_expect_eq(at_context_valid(&context), !cJSON_IsFalse(ids), "%s",
		     vector_id(vector));
	if (cJSON_IsFalse(ids))
		return;
	expect_hex(context.trace_id, AT_TRACE_ID_BYTES, vector, "trace_id");
	expect_hex(context.span_id, AT_SPAN_ID_BYTES, vector, "span_id");
}

/* The vector is the object itself, or has it in "headers". */
static void check_all(const char *name, const char *propagators)
{
	cJSON *all = vectors_load(name), *vector;

	cJSON_ArrayForEach(vector, all) {
		const cJSON *headers = cJSON_GetObjectItem(vector, "headers");

		check(propagators, vector, headers ? headers : vector);
	}
	cJSON_Delete(all);
}

Test(propagator_formats, what_the_vectors_say_is_read)
{
	check_all("b3", "b3");
	check_all("b3", "b3multi");
	check_all("jaeger", "jaeger");
	check_all("xray", "xray");
	check_all("datadog", "datadog");
}

/* --- in any combination and order --- */

Test(propagator_formats, the_last_one_that_finds_something_wins)
{
	cJSON *object = cJSON_Parse(
		"{\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-"
		"b7ad6b7169203331-01\",\"tracestate\":\"a=b\","
		"\"b3\":\"80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-0\","
		"\"uber-trace-id\":\"nonsense\"}");
	struct at_context context;

	cr_assert_eq(extract("tracecontext,b3,jaeger", object, &context), 0);
	cr_expect_eq(context.trace_id[0], 0x80);
	cr_expect_eq(context.tracestate_len, 0);
	cr_assert_eq(extract("jaeger,b3,tracecontext", object, &context), 0);
	cr_expect_eq(context.trace_id[0], 0x0a);
	cr_expect_eq(context.tracestate_len, 3);
	cr_expect_eq(extract("xray,jaeger,baggage", object, &context), -ENOENT);
	cJSON_Delete(object);
}

/* --- out --- */

static void inject(const char *propagators, const struct at_context *context,
		   char *text, size_t size)
{
	struct at_writer writer = AT_WRITER(text, size - 1);
	struct at_propagator_set set;

	at_propagators_select(&set, propagators);
	at_propagators_inject(&set, context, &writer);
	cr_assert_not(writer.overflow);
	text[writer.len] = 0;
}

static void check_written(const cJSON *vector, const char *propagators)
{
	const cJSON *given = cJSON_GetObjectItem(vector, "ctx"), *item;
	struct at_context context = { .debug = vector_true(given, "debug") };
	char text[512], expected[512] = "";
	size_t len;
	uint8_t *id = vector_hex(given, "trace_id", &len);

	memcpy(context.trace_id, id, len);
	free(id);
	id = vector_hex(given, "span_id", &len);
	memcpy(context.span_id, id, len);
	free(id);
	context.flags = vector_true(given, "sampled") ? AT_FLAG_SAMPLED : 0;
	inject(propagators, &context, text, sizeof(text));
	cJSON_ArrayForEach(item, cJSON_GetObjectItem(vector, "out")) {
		strcat(expected, item->string);
		strcat(expected, ": ");
		strcat(expected, item->valuestring);
		strcat(expected, "\r\n");
	}
	cr_expect_str_eq(text, expected, "%s", vector_id(vector));
}

Test(propagator_formats, what_the_vectors_say_is_written)
{
	cJSON *all = vectors_load("b3-inject"), *vector;

	cJSON_ArrayForEach(vector, all)
		check_written(vector, vector_text(vector, "mode"));
	cJSON_Delete(all);
	all = vectors_load("other-inject");
	cJSON_ArrayForEach(vector, all) {
		/* Listed as an extension; nobody has asked for it here. */
		if (strcmp(vector_text(vector, "propagator"), "ottrace") != 0)
			check_written(vector,
				      vector_text(vector, "propagator"));
	}
	cJSON_Delete(all);
}

Test(propagator_formats, several_go_out_together_in_their_order)
{
	const struct at_context context = { .trace_id = { 1 },
					    .span_id = { 2 },
					    .flags = 1 };
	char text[1024];

	inject("xray,b3,tracecontext,jaeger,datadog,b3multi", &context, text,
	       sizeof(text));
	cr_expect(strstr(text, "x-amzn-trace-id") < strstr(text, "b3: "));
	cr_expect(strstr(text, "b3: ") < strstr(text, "traceparent: "));
	cr_expect(strstr(text, "traceparent: ") < strstr(text, "uber-trace"));
	cr_expect_not_null(strstr(text, "x-datadog-trace-id: 0\r\n"));
	cr_expect_not_null(strstr(text, "x-b3-sampled: 1\r\n"));
}

/* --- the environment --- */

Test(propagator_carrier, names_of_variables)
{
	cJSON *all = vectors_load("env-normalize"), *vector;

	cJSON_ArrayForEach(vector, all) {
		char name[AT_CARRIER_NAME_BYTES + 1];
		struct at_writer writer =
			AT_WRITER(name, AT_CARRIER_NAME_BYTES);

		at_carrier_name_write(&writer,
				      at_text_from(vector_text(vector, "key")));
		name[writer.len] = 0;
		cr_expect_str_eq(name, vector_text(vector, "env"), "%s",
				 vector_id(vector));
	}
	cJSON_Delete(all);
}

static void check_environment(const cJSON *vector)
{
	char **block = vector_env(vector, "env");
	const struct at_environ_carrier carrier = at_environ_carrier(block);
	const cJSON *parent = cJSON_GetObjectItem(vector, "parent");
	const char *propagators = vector_text(vector, "propagators");
	struct at_propagator_set set;
	struct at_context context;
	int error;

	at_propagators_select(&set, propagators ? propagators :
						  "tracecontext,baggage");
	error = at_propagators_extract(&set, &carrier.carrier, &context);
	cr_expect_eq(error, cJSON_IsObject(parent) ? 0 : -ENOENT, "%s",
		     vector_id(vector));
	if (!error) {
		expect_hex(context.trace_id, AT_TRACE_ID_BYTES, parent,
			   "trace_id");
		expect_hex(context.span_id, AT_SPAN_ID_BYTES, parent,
			   "span_id");
		expect_hex(&context.flags, 1, parent, "flags");
	}
	vector_env_free(block);
}

Test(propagator_carrier, what_a_program_is_given)
{
	cJSON *all = vectors_load("env-carrier"), *vector;

	cJSON_ArrayForEach(vector, all)
		if (cJSON_HasObjectItem(vector, "env"))
			check_environment(vector);
	cJSON_Delete(all);
}

Test(propagator_carrier, lines_become_variables)
{
	struct at_text lines = AT_TEXT("b3: 1-2\r\nx-b3-sampled: 1\r\n"), value;
	char room[AT_CARRIER_NAME_BYTES];
	struct at_writer name = AT_WRITER(room, sizeof(room));

	cr_assert(at_carrier_next_line(&lines, &name, &value));
	cr_expect(at_text_equal(at_writer_text(&name), AT_TEXT("B3")));
	cr_expect(at_text_equal(value, AT_TEXT("1-2")));
	cr_assert(at_carrier_next_line(&lines, &name, &value));
	cr_expect(
		at_text_equal(at_writer_text(&name), AT_TEXT("X_B3_SAMPLED")));
	cr_expect(at_text_equal(value, AT_TEXT("1")));
	cr_expect_not(at_carrier_next_line(&lines, &name, &value));
}
