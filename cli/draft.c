// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/span_list.h"

/* Longer names are cut: they are only compared and shown. */
#define NAME_BYTES 64
#define STACK_BYTES 1024

static void note_process(struct at_draft *draft, const struct at_field *field)
{
	struct at_shown *shown = &draft->shown;
	uint64_t number = field->number > 0 ? (uint64_t)field->number : 0;

	switch ((unsigned int)field->attr) {
	case AT_ATTR_PROCESS_EXIT_CODE:
		draft->exited = true;
		if (number < 256)
			shown->exit_code = (int16_t)number;
		break;
	case AT_ATTR_PROCESS_EXECUTABLE_NAME:
		draft->program = field->text;
		break;
	case AT_ATTR_AUTOTRACE_BLIND_SPOT:
		draft->blind_spot = field->text;
		break;
	case AT_ATTR_EXCEPTION_STACKTRACE:
		draft->stack = field->text;
		break;
	case AT_ATTR_AUTOTRACE_UNFINISHED:
		shown->unfinished = field->number != 0;
		break;
	case AT_ATTR_PROCESS_PID:
		shown->pid = (uint32_t)number;
		break;
	case AT_ATTR_AUTOTRACE_PROCESS_USER_CPU_MS:
	case AT_ATTR_AUTOTRACE_PROCESS_SYSTEM_CPU_MS:
		shown->cpu_ms += number;
		break;
	case AT_ATTR_AUTOTRACE_PROCESS_PEAK_MEMORY_BYTES:
		shown->peak_memory_bytes = number;
		break;
	default:
		break;
	}
}

void at_draft_note(struct at_draft *draft, const struct at_field *field)
{
	struct at_label *label = &draft->label;

	switch ((unsigned int)field->attr) {
	case AT_FIELD_NAME:
		label->name = field->text;
		break;
	case AT_ATTR_HTTP_REQUEST_METHOD:
		if (!label->method.len)
			label->method = field->text;
		break;
	case AT_ATTR_HTTP_REQUEST_METHOD_ORIGINAL:
		label->method = field->text;
		break;
	case AT_ATTR_URL_FULL:
		label->url = field->text;
		break;
	case AT_ATTR_URL_PATH:
		label->path = field->text;
		break;
	case AT_ATTR_SERVER_ADDRESS:
		label->host = field->text;
		break;
	case AT_ATTR_SERVER_PORT:
		if (field->number > 0 && field->number < 65536)
			label->port = field->number;
		break;
	case AT_ATTR_HTTP_RESPONSE_STATUS_CODE:
		if (field->number > 0 && field->number < 1000)
			draft->shown.status_code = (uint16_t)field->number;
		break;
	case AT_ATTR_ERROR_TYPE:
		draft->error_type = field->text;
		break;
	default:
		note_process(draft, field);
		break;
	}
}

static const char *write_cut(char *name, size_t size, struct at_text text)
{
	size_t len = text.len < size ? text.len : size - 1;

	if (len)
		memcpy(name, text.ptr, len);
	name[len] = 0;
	return name;
}

int at_span_list_add_draft(struct at_span_list *list,
			   const struct at_draft *draft)
{
	char label[AT_LABEL_BYTES], outcome[AT_OUTCOME_BYTES];
	char program[NAME_BYTES], blind_spot[NAME_BYTES], stack[STACK_BYTES];
	struct at_shown shown = draft->shown;
	struct at_label called = draft->label;

	/* Who serves is where it is. */
	if (shown.kind == AT_KIND_SERVER)
		called.host.len = 0;
	at_label_write(label, &called);
	at_outcome_write(outcome, draft->error_type, draft->exited);
	shown.label = label;
	shown.error_type = outcome;
	shown.program = write_cut(program, NAME_BYTES, draft->program);
	shown.blind_spot = write_cut(blind_spot, NAME_BYTES, draft->blind_spot);
	shown.stack = write_cut(stack, STACK_BYTES, draft->stack);
	/* Spans of requests carry the facts of their process, too. */
	shown.process =
		shown.kind == AT_KIND_INTERNAL &&
		(draft->exited || draft->program.len || draft->blind_spot.len);
	shown.http = shown.kind == AT_KIND_CLIENT && draft->label.method.len;
	if (!draft->exited)
		shown.exit_code = -1;
	return at_span_list_add(list, &shown);
}

int at_span_list_add_record(struct at_span_list *list,
			    const struct at_span *span)
{
	struct at_draft draft = { 0 };
	struct at_shown *shown = &draft.shown;
	struct at_field field;
	uint32_t offset = 0;

	while (at_span_next(span, &offset, &field))
		at_draft_note(&draft, &field);
	memcpy(shown->trace_id, span->trace_id, sizeof(shown->trace_id));
	memcpy(shown->span_id, span->span_id, sizeof(shown->span_id));
	memcpy(shown->parent_id, span->parent_id, sizeof(shown->parent_id));
	shown->has_parent = span->has_parent;
	shown->kind = span->kind;
	shown->failed = span->status == AT_STATUS_ERROR;
	shown->start_ns = span->start_unix_ns;
	shown->duration_ns = span->duration_ns;
	return at_span_list_add_draft(list, &draft);
}
