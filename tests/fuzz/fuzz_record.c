// SPDX-License-Identifier: Apache-2.0
/*
 * A record as it may come through shared memory, all the way to the wire:
 * either it is left out, or one span comes out that unpacks, and a line of
 * JSON that is valid UTF-8.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sys.h"
#include "exporter/otlp_encode.h"
#include "exporter/otlp_json.h"
#include "exporter/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct at_ring *ring;
static struct at_ring_reader reader;
static struct batch batch;
static struct batch_intake intake;
static struct resource resource;
static struct buffer bytes, json;
static struct otlp_rules rules = { &resource, 8, 20, true };

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void set_up(void)
{
	static const struct at_config config = {
		.redact = "",
		.url_query = "keep",
		.resource_attributes = "",
		.service_name = "fuzz",
	};

	ring = sys_map(at_ring_bytes(4));
	at_ring_init(ring, 4);
	at_ring_reader_init(&reader, ring);
	require(batch_open(&batch, 4) == 0);
	intake.redact = redact_rules_from(&config);
	require(resource_build(&resource, &config, "fuzz", true, NULL) == 0);
}

static void check_wire(void)
{
	Otlp__TracesData *traces = otlp_encode(&batch, &rules, NULL), *again;
	struct arena arena = { 0 };
	size_t span_index = 0;
	struct at_text text;

	bytes.len = json.len = 0;
	require(otlp_pack(traces, &bytes) == 0);
	again = otlp__traces_data__unpack(NULL, bytes.len, bytes.ptr);
	require(again &&
		again->resource_spans[0]->scope_spans[0]->n_spans == 1);
	otlp__traces_data__free_unpacked(again, NULL);
	require(otlp_json(traces, &span_index, SIZE_MAX, &json));
	text = (struct at_text){ (char *)json.ptr, json.len };
	require(utf8_repair(text, &arena).ptr == text.ptr);
	require(!memchr(text.ptr, '\n', text.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct at_span span;
	uint32_t head = (uint32_t)(span.fields - (uint8_t *)&span);

	if (!ring)
		set_up();
	if (size < head || size > sizeof(span))
		return 0;
	memcpy(&span, data, size);
	/* What would only be refused tells nothing. */
	span.size_bytes = (uint32_t)size;
	span.kind = (uint8_t)(1 + span.kind % 3);
	span.status %= 3;
	span.trace_id[0] |= 1;
	span.span_id[0] |= 1;
	batch_clear(&batch);
	require(at_ring_push(ring, 1, &span, size) == 0);
	if (batch_fill(&batch, &reader, &intake, 1) == 0) {
		require(batch.count == 1);
		check_wire();
	}
	return 0;
}
