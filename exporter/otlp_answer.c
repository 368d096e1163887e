// SPDX-License-Identifier: Apache-2.0
#include "exporter/otlp_answer.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "exporter/heap.h"
#include "exporter/utf8.h"
#include "otlp.pb-c.h"

#define NS_PER_S INT64_C(1000000000)
#define FIRST_BACKOFF_NS UINT64_C(1000000000)
#define MAX_BACKOFF_NS UINT64_C(5000000000)
#define LONGEST_WAIT_S 86400

bool otlp_answer_retryable(long status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

int64_t otlp_answer_retry_after(const char *value, int64_t now_unix_s)
{
	uint64_t seconds;
	int64_t date, wait_s;
	int result = at_text_to_u64(at_text_from(value), &seconds);

	if (result == -ERANGE || (!result && seconds > LONGEST_WAIT_S))
		return LONGEST_WAIT_S * NS_PER_S;
	if (!result)
		return (int64_t)seconds * NS_PER_S;
	/* curl's parser also takes what is no HTTP date, such as "-5". */
	if (!strstr(value, "GMT"))
		return -EINVAL;
	date = curl_getdate(value, NULL);
	if (date < 0)
		return -EINVAL;
	wait_s = date - now_unix_s;
	if (wait_s > LONGEST_WAIT_S)
		wait_s = LONGEST_WAIT_S;
	return wait_s > 0 ? wait_s * NS_PER_S : 0;
}

uint64_t otlp_answer_backoff_ns(uint32_t attempt, uint64_t random)
{
	uint64_t wait_ns = FIRST_BACKOFF_NS;

	for (; attempt > 2 && wait_ns < MAX_BACKOFF_NS; attempt--)
		wait_ns += wait_ns / 2;
	if (wait_ns > MAX_BACKOFF_NS)
		wait_ns = MAX_BACKOFF_NS;
	/* 0.8 to 1.2 of it, so that processes do not come back together. */
	return wait_ns / 10 * 8 + random % (wait_ns / 10 * 4);
}

/* ---- protobuf ---- */

static void *message_alloc(void *unused, size_t size)
{
	(void)unused;
	return heap_alloc(size);
}

static void message_free(void *unused, void *memory)
{
	(void)unused;
	heap_free(memory);
}

static void write_message(struct at_writer *message, struct at_text text)
{
	if (text.len > message->cap - message->len)
		text.len = message->cap - message->len;
	utf8_write_harmless(message, text);
}

static uint64_t rejected_of_protobuf(struct at_text body,
				     struct at_writer *message)
{
	ProtobufCAllocator memory = { message_alloc, message_free, NULL };
	Otlp__ExportTraceServiceResponse *response =
		otlp__export_trace_service_response__unpack(
			&memory, body.len, (const uint8_t *)body.ptr);
	Otlp__PartialSuccess *partial;
	int64_t count = 0;

	if (!response)
		return 0;
	partial = response->partial_success;
	if (partial) {
		count = partial->rejected_spans;
		write_message(message,
			      (struct at_text){
				      (const char *)partial->error_message.data,
				      partial->error_message.len });
	}
	otlp__export_trace_service_response__free_unpacked(response, &memory);
	return count > 0 ? (uint64_t)count : 0;
}

/* ---- JSON, as much of it as one number takes ---- */

static void skip_blanks(struct at_text *rest)
{
	while (rest->len && strchr(" \t\r\n", rest->ptr[0])) {
		rest->ptr++;
		rest->len--;
	}
}

/* Bytes of the string at the start, quotes included; 0 when it has no end. */
static size_t string_bytes(struct at_text rest)
{
	size_t i;

	for (i = 1; i < rest.len; i++) {
		if (rest.ptr[i] == '\\')
			i++;
		else if (rest.ptr[i] == '"')
			return i + 1;
	}
	return 0;
}

/* Bytes of the value at the start, of any type; 0 when it has no end. */
static size_t value_bytes(struct at_text rest)
{
	size_t i = 0, depth = 0, step;

	while (i < rest.len) {
		char c = rest.ptr[i];

		step = 1;
		if (c == '"')
			step = string_bytes(
				(struct at_text){ rest.ptr + i, rest.len - i });
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth == 0)
			return i;
		else if (c == '}' || c == ']')
			depth--;
		else if (c == ',' && depth == 0)
			return i;
		if (step == 0)
			return 0;
		i += step;
		if (depth == 0 && strchr("\"}]", c))
			return i;
	}
	return depth ? 0 : i;
}

static bool take_char(struct at_text *rest, char c)
{
	skip_blanks(rest);
	if (!rest->len || rest->ptr[0] != c)
		return false;
	rest->ptr++;
	rest->len--;
	return true;
}

static bool take_value(struct at_text *rest, struct at_text *value)
{
	skip_blanks(rest);
	value->ptr = rest->ptr;
	value->len = rest->len ? value_bytes(*rest) : 0;
	rest->ptr += value->len;
	rest->len -= value->len;
	return value->len != 0;
}

/* The member of the object, raw; `quoted` is its key with the quotes. */
static struct at_text member(struct at_text object, struct at_text quoted)
{
	struct at_text key, value;

	if (!take_char(&object, '{'))
		return (struct at_text){ "", 0 };
	do {
		if (!take_value(&object, &key) || !take_char(&object, ':') ||
		    !take_value(&object, &value))
			break;
		if (at_text_equal(key, quoted))
			return value;
	} while (take_char(&object, ','));
	return (struct at_text){ "", 0 };
}

static struct at_text unquoted(struct at_text text)
{
	if (text.len >= 2 && text.ptr[0] == '"') {
		text.ptr++;
		text.len -= 2;
	}
	return at_text_trim(text);
}

static uint64_t rejected_of_json(struct at_text body, struct at_writer *message)
{
	struct at_text partial = member(body, AT_TEXT("\"partialSuccess\""));
	struct at_text count = member(partial, AT_TEXT("\"rejectedSpans\""));
	uint64_t value;

	write_message(message,
		      unquoted(member(partial, AT_TEXT("\"errorMessage\""))));
	return at_text_to_u64(unquoted(count), &value) ? 0 : value;
}

uint64_t otlp_answer_rejected(struct at_text body, bool json,
			      struct at_writer *message)
{
	return json ? rejected_of_json(body, message) :
		      rejected_of_protobuf(body, message);
}
